if [ "$dockerfile" = Dockerfile.single ]; then
    run /app/main --once | expect '3750 true'
else
    run /main --once | expect '3750 true'
    absent /bin /usr /app
fi
get 8080 / | expect '"price":300000'
