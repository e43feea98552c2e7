#!/bin/bash
# Starts an image that `umoci unpack` has unpacked, asks it once over HTTP, prints the answer and stops it.
#
#   usage: scripts/ask-bundle.sh BUNDLE PORT PATH      (root)
#
# The image runs in a network of its own, so that every port is free, and in a process namespace that ends with this script.
set -euo pipefail
bundle=$1 port=$2 path=$3
if [ "${ASK_BUNDLE_NAMESPACE-}" != entered ]; then
    ASK_BUNDLE_NAMESPACE=entered exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
        -- "$0" "$@"
fi

ip link set lo up
"$(dirname "$0")/run-bundle.sh" "$bundle" >"$bundle/log" 2>&1 </dev/null &
container=$!
for _ in $(seq 200); do
    if curl -fsS --max-time 5 "http://127.0.0.1:$port$path" 2>"$bundle/curl.log"; then exit 0; fi
    [ -d "/proc/$container" ] || break
    sleep 0.05
done
echo "no answer from port $port: $(cat "$bundle/curl.log")" >&2
cat "$bundle/log" >&2
exit 1
