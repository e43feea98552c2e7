#!/bin/bash
# Makes stand-ins for well-known base images out of Debian packages, as one OCI layout. No registry is asked.
#
#   usage: scripts/base-images.sh [NAME…]     (no name: all of them)
#
# Names: debian  debian:bookworm-slim
#        python  python:3.11-slim
#        alpine  alpine:latest (amd64 and arm64), from busybox-static
#        node    node:16, node:16-alpine, node:18-alpine; Node and npm come from PyPI
#        golang  golang:1.21-alpine; the Go toolchain comes from PyPI
#        nginx   nginx:alpine
#
# The layout is .cache/base-images/oci; what is there and was made by this version of the scripts is not made again.
# Everything is mounted in a mount namespace of this script's own, so that nothing stays mounted however it ends.
# Settings: BASE_IMAGES_DIR (instead of .cache/base-images), DEBIAN_MIRROR, DEBIAN_SECURITY_MIRROR.
set -euo pipefail
source_directory=$(cd "$(dirname "$0")" && pwd)
repository=$(dirname "$source_directory")

if [ "$(id -u)" != 0 ]; then
    exec sudo --preserve-env=BASE_IMAGES_DIR,DEBIAN_MIRROR,DEBIAN_SECURITY_MIRROR,SSL_CERT_FILE,PIP_CERT \
        "$0" "$@"
fi
if [ "${BASE_IMAGES_NAMESPACE-}" != entered ]; then
    BASE_IMAGES_NAMESPACE=entered exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
        -- "$0" "$@"
fi

cache=${BASE_IMAGES_DIR:-$repository/.cache/base-images}
layout=$cache/oci         # the result
records=$cache/records    # NAME.json: digest and size of a finished layer
work=$cache/work          # root file systems of layers that are being made
downloads=$cache/downloads
export SOURCE_DATE_EPOCH=1700000000 LC_ALL=C

. "$source_directory/base-images/debian.sh"
. "$source_directory/base-images/alpine.sh"
. "$source_directory/base-images/packages.sh"

# What each image is made of, lowest layer first: as in images.json, which write-layout.py reads.
layers_of() {
    case $1 in
        debian) echo debian ;;
        python) echo debian python ;;
        alpine) echo alpine-amd64 alpine-arm64 ;;
        node) echo debian toolbox alpine-amd64 glibc node node-18 ;;
        golang) echo alpine-amd64 glibc go ;;
        nginx) echo alpine-amd64 glibc nginx ;;
        *) echo "base-images: no image '$1' (images: debian python alpine node golang nginx)" >&2; return 1 ;;
    esac
}

started=$(date +%s)
say() { printf 'base-images: %3d s  %s\n' $(($(date +%s) - started)) "$*"; }
megabytes() { du -sm "$1" | cut -f1; }

# Runs make_NAME for a layer that has no record yet. It leaves the layer's files in work/layers/NAME.
make_layer() {
    [ -e "$records/$1.json" ] && return 0
    mkdir -p "$work/layers"
    "make_${1//-/_}" "$work/layers/$1" || { echo "base-images: making layer '$1' failed" >&2; return 1; }
    say "layer $1, $(megabytes "$work/layers/$1") MB"
}

names=("$@")
[ ${#names[@]} -gt 0 ] || names=(debian python alpine node golang nginx)
wanted=()
for name in "${names[@]}"; do
    layers=$(layers_of "$name")
    for layer in $layers; do
        [[ " ${wanted[*]-} " == *" $layer "* ]] || wanted+=("$layer")
    done
done

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
stamp=$(cd "$source_directory" && find base-images.sh base-images -type f | sort | xargs sha256sum | sha256sum)
if [ "$stamp" != "$(cat "$cache/stamp" 2>/dev/null)" ]; then
    rm -rf "$layout" "$records"
    echo "$stamp" >"$cache/stamp"
fi
missing=()
for layer in "${wanted[@]}"; do
    [ -e "$records/$layer.json" ] || missing+=("$layer")
done
if [ ${#missing[@]} -eq 0 ]; then
    say "up to date: $layout"
    exit 0
fi

mount --make-rprivate / 2>/dev/null || true  # a root that is no mount point has no propagation to change
rm -rf --one-file-system "$work"
mkdir -p "$layout/blobs/sha256" "$records" "$work" "$downloads/debs/partial" "$downloads/wheels"

# The Debian root comes first: the other Debian layers are made on top of it, the rest takes files out of it.
make_layer debian
say "debian root ready"
jobs=()
for layer in "${missing[@]}"; do
    [ "$layer" = debian ] && continue
    make_layer "$layer" &
    jobs+=($!)
done
failed=
for job in ${jobs[@]+"${jobs[@]}"}; do wait "$job" || failed=1; done
[ -z "$failed" ] || exit 1

python3 "$source_directory/base-images/write-layout.py" \
    --layers "$work/layers" --records "$records" --images "$source_directory/base-images/images.json" "$layout"
rm -rf --one-file-system "$work"
say "done: $layout, $(megabytes "$layout") MB"
