run python app.py --once | expect "'ok': True"
get 5000 / | expect '"ok":true'
[ "$dockerfile" = Dockerfile.single ] || { run id -un | expect app; absent /usr/bin/gcc; }
