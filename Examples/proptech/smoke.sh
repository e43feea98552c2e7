if [ "$dockerfile" = Dockerfile.single ]; then
    run node dist/server.js --once | expect '"uptime":"2m"'
else
    get 3000 / | expect '"street":"Elm 4"'
    run cat config/default.json | expect '"region"'
    absent /app/node_modules/typescript /app/src
fi
