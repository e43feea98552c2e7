#!/bin/bash
# Builds Examples/flask twice, in one stage and in two, starts the result and compares. `make demo` calls it.
#
#   usage: scripts/demo.sh WHITTLE         (root, or sudo)
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
whittle=$(realpath "$1")
if [ "$(id -u)" != 0 ]; then exec sudo "$0" "$@"; fi

bold= dim= green= plain=
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' plain=$'\e[0m'; fi
heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

heading "Base image python:3.11-slim, out of Debian packages"
"$repository/scripts/base-images.sh" python
CONTAINERS_REGISTRIES_CONF=$("$repository/scripts/registry.sh" start python:3.11-slim)
export CONTAINERS_REGISTRIES_CONF
echo "served by a registry on this machine, the mirror of docker.io in $CONTAINERS_REGISTRIES_CONF"

work=$(mktemp -d "${TMPDIR:-/tmp}/whittle-demo.XXXXXX")
finish() {
    "$repository/scripts/registry.sh" stop
    rm -rf --one-file-system "$work"
}
trap finish EXIT

# Times one build and leaves the milliseconds in $milliseconds.
build() {
    local dockerfile=$1 name=$2 started status=0
    printf '%s$ whittle build -f %s -t %s Examples/flask%s\n' "$dim" "$dockerfile" "$name" "$plain"
    started=$(date +%s%N)
    "$whittle" build --root "$work/store" --progress=plain -f "$repository/Examples/flask/$dockerfile" -t "$name" \
        -o "type=oci,tar=false,dest=$work/$name,name=$name:latest" "$repository/Examples/flask" \
        >"$work/log" 2>&1 || status=$?
    milliseconds=$((($(date +%s%N) - started) / 1000000))
    if [ $status != 0 ]; then
        cat "$work/log"
        exit $status
    fi
    grep -E '^#[0-9]+ (\[|CACHED|DONE)' "$work/log" | sed "s/^/  $dim/; s/$/$plain/" || true
}

# Unpacked size of the layers of an image, in bytes, and the packed size.
sizes() {
    python3 - "$1" <<'PYTHON'
import gzip, json, sys
layout = sys.argv[1]
def blob(digest):
    return f"{layout}/blobs/sha256/{digest[7:]}"
with open(layout + "/index.json") as file:
    described = json.load(file)["manifests"][0]
with open(blob(described["digest"])) as file:
    manifest = json.load(file)
unpacked = 0
for layer in manifest["layers"]:
    with gzip.open(blob(layer["digest"])) as content:
        while chunk := content.read(1 << 20):
            unpacked += len(chunk)
print(unpacked, sum(layer["size"] for layer in manifest["layers"]))
PYTHON
}

heading "One stage: the compiler stays in the image"
build Dockerfile.single flask-single
single_cold=$milliseconds
heading "Two stages: the image gets the virtual environment only"
build Dockerfile flask
multi_cold=$milliseconds
heading "Both again: nothing changed"
build Dockerfile.single flask-single
single_cached=$milliseconds
build Dockerfile flask
multi_cached=$milliseconds

heading "The result answers"
umoci unpack --image "$work/flask:latest" "$work/bundle" >/dev/null
printf '%s$ curl http://127.0.0.1:5000/%s\n' "$dim" "$plain"
"$repository/scripts/ask-bundle.sh" "$work/bundle" 5000 /

read -r single_size single_packed < <(sizes "$work/flask-single")
read -r multi_size multi_packed < <(sizes "$work/flask")
heading "Compared"
python3 - "$single_size" "$single_packed" "$single_cold" "$single_cached" \
    "$multi_size" "$multi_packed" "$multi_cold" "$multi_cached" <<'PYTHON'
import sys
single, multi = [[int(word) for word in sys.argv[first:first + 4]] for first in (1, 5)]
rows = [
    ("image size", single[0], multi[0], lambda value: f"{value / 1e6:.1f} MB"),
    ("as pushed (gzip)", single[1], multi[1], lambda value: f"{value / 1e6:.1f} MB"),
    ("cold build", single[2], multi[2], lambda value: f"{value / 1e3:.2f} s"),
    ("cached build", single[3], multi[3], lambda value: f"{value / 1e3:.3f} s"),
]
line = "+" + "-" * 20 + "+" + ("-" * 14 + "+") * 2 + "-" * 11 + "+"
print(line)
print(f"| {'':18} | {'one stage':>12} | {'two stages':>12} | {'saving':>9} |")
print(line)
for name, before, after, shown in rows:
    saving = f"{100 * (1 - after / before):.1f} %" if "size" in name or "pushed" in name else ""
    print(f"| {name:18} | {shown(before):>12} | {shown(after):>12} | {saving:>9} |")
print(line)
PYTHON
printf '%sThe multi-stage image is %d %% smaller, and building it again took %d ms.%s\n' "$green" \
    $((100 - 100 * multi_size / single_size)) "$multi_cached" "$plain"
