if [ "$dockerfile" = Dockerfile.single ]; then
    run cat build/index.html | expect '/static/app.'
else
    get 80 / | expect '/static/app.'
    get 80 /any/route | expect '<div id="root">'
    absent /usr/local/bin/node
fi
