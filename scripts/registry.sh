#!/bin/bash
# Serves the stand-in base images on a loopback port, as the mirror of docker.io.
#
#   usage: scripts/registry.sh start [NAME…]   (no name: every image of the layout)
#          scripts/registry.sh stop
#
# `start` prints the path of a containers-registries.conf(5) file. A whittle or buildah that runs with
# CONTAINERS_REGISTRIES_CONF set to it takes docker.io/library/NAME from this registry. Starting twice is no error.
# Settings: BASE_IMAGES_DIR, and REGISTRY_DIR (instead of .cache/registry).
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
layout=${BASE_IMAGES_DIR:-$repository/.cache/base-images}/oci
state=${REGISTRY_DIR:-$repository/.cache/registry}
pid_file=$state/pid
configuration=$state/registries.conf

is_running() {
    [ -s "$pid_file" ] && [ "$(cat "/proc/$(cat "$pid_file")/comm" 2>/dev/null)" = docker-registry ]
}

stop() {
    ! is_running || kill "$(cat "$pid_file")"
    rm -f "$pid_file" "$configuration"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    local port
    mkdir -p "$state/storage"
    if ! is_running; then
        port=$(free_port)
        cat >"$state/config.yml" <<CONFIGURATION
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $state/storage}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$port"}
CONFIGURATION
        setsid docker-registry serve "$state/config.yml" >"$state/log" 2>&1 </dev/null 9>&- &
        echo $! >"$pid_file"
        echo "$port" >"$state/port"
        local tries=0
        until curl -fs -o /dev/null "http://127.0.0.1:$port/v2/"; do
            tries=$((tries + 1))
            if [ $tries -ge 100 ] || ! is_running; then
                cat "$state/log" >&2
                echo "registry: docker-registry does not answer on port $port" >&2
                stop
                return 1
            fi
            sleep 0.1
        done
    fi
    port=$(cat "$state/port")
    cat >"$configuration" <<CONFIGURATION
unqualified-search-registries = ["docker.io"]

[[registry]]
prefix = "docker.io"
location = "docker.io"

[[registry.mirror]]
location = "127.0.0.1:$port"
insecure = true
CONFIGURATION
    push_images "$port" "$@"
    echo "$configuration"
}

# Copies images that the registry does not have in this version.
push_images() {
    local port=$1 name digest names
    shift
    names=("$@")
    [ $# -gt 0 ] || mapfile -t names < <(python3 -c '
import json, sys
for manifest in json.load(open(sys.argv[1]))["manifests"]:
    print(manifest["annotations"]["org.opencontainers.image.ref.name"])' "$layout/index.json")
    for name in "${names[@]}"; do
        digest=$(skopeo inspect --raw "oci:$layout:$name" | sha256sum)
        [ "$digest" != "$(cat "$state/pushed-$name" 2>/dev/null)" ] || continue
        skopeo copy --quiet --all --dest-tls-verify=false \
            "oci:$layout:$name" "docker://127.0.0.1:$port/library/$name" >&2
        echo "$digest" >"$state/pushed-$name"
    done
}

command=${1-}
[ $# -eq 0 ] || shift
case $command in
    start) start "$@" ;;
    stop) stop ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
