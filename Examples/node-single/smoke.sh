run node dist/index.js --once | expect '"uptime":"2m"'
get 3000 / | expect '"street":"Elm 4"'
