run node dist/index.js --once | expect '"uptime":"2m"'
