if [ "$dockerfile" = Dockerfile.single ]; then
    run node dist/index.js --once | expect '"uptime":"2m"'
else
    run id -u | expect 1001
    run stat -c '%U:%G' /dist/listing.js | expect 'nextjs:nodejs'
    run node -p 'require("/dist/listing.js").pricePerSqm({ price: 100, sqm: 10 })' | expect 10
    absent /usr/bin/git
fi
