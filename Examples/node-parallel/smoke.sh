# The last stage has no WORKDIR: what it copies is below the root.
if [ "$dockerfile" = Dockerfile.single ]; then
    run node dist/index.js --once | expect '"uptime":"2m"'
else
    run node /dist/index.js --once | expect '"uptime":"2m"'
    absent /app /src
fi
