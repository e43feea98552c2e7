#!/bin/bash
# Builds the examples with whittle and checks the images with other tools.
#
#   usage: scripts/examples.sh [--as-user] [NAME…]      (no name: all of them)
#
# Each Dockerfile and Dockerfile.single is built into an OCI layout, read by skopeo, unpacked by umoci, and started by
# crun as smoke.sh says. Each Dockerfile.article has to fail with what article-error.txt says.
# With --as-user, each image is built by root and by an ordinary user who is made for it, and the layers are compared.
# Settings: WHITTLE (the program to test, instead of .build/release/whittle), KEEP=1 (keeps the images and logs).
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
export WHITTLE=${WHITTLE:-$repository/.build/release/whittle}
if [ "$(id -u)" != 0 ]; then
    exec sudo --preserve-env=WHITTLE,KEEP,BASE_IMAGES_DIR "$0" "$@"
fi
# Mount and process namespaces of our own: nothing stays mounted or running, however this ends.
if [ "${EXAMPLES_NAMESPACE-}" != entered ]; then
    "$repository/scripts/base-images.sh"
    EXAMPLES_NAMESPACE=entered exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
        -- "$0" "$@"
fi

user=
if [ "${1-}" = --as-user ]; then
    shift
    # Of this run alone: another may end, and remove its own, meanwhile.
    user=whittle-examples-$RANDOM$RANDOM
    command -v newuidmap >/dev/null || { echo "examples: --as-user needs newuidmap (apt install uidmap)" >&2; exit 1; }
    useradd --system --shell /usr/sbin/nologin "$user"
    for file in /etc/subuid /etc/subgid; do
        grep -q "^$user:" "$file" || echo "$user:300000000:65536" >>"$file"
    done
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/whittle-examples.XXXXXX")
store=$work/store
stubs=
finish() {
    [ -z "$stubs" ] || kill "$stubs" 2>/dev/null || true
    [ -z "$user" ] || userdel "$user"
    if [ -n "${KEEP-}" ]; then echo "kept: $work"; else rm -rf --one-file-system "$work"; fi
}
trap finish EXIT

passed=0
failed=0
report() {  # report NAME STATUS [LOG]
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        printf 'PASS  %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s\n' "$1"
        [ -z "${3-}" ] || sed 's/^/      /' "$3" | tail -40
    fi
}

# ---- What smoke.sh may say. $dockerfile, $platform, $bundle, $root and $image are set.

# expect TEXT: fails unless standard input contains TEXT.
expect() {
    local found
    found=$(cat)
    [[ "$found" == *"$1"* ]] || { echo "expected: $1"; echo "found: ${found:0:400}"; return 1; } >&2
}

# run [COMMAND…]: starts the image and prints what it says.
run() { "$repository/scripts/run-bundle.sh" "$bundle" "$@"; }

# get PORT PATH: starts the image's own command, asks it once over HTTP, prints the answer and stops it.
get() { "$repository/scripts/ask-bundle.sh" "$bundle" "$1" "$2"; }

# emulate PROGRAM [ARGUMENT…]: starts a static program of the image that is for another processor.
emulate() {
    local program=$1 emulator
    shift
    emulator=qemu-$(case ${platform#*/} in arm64) echo aarch64 ;; *) echo "${platform#*/}" ;; esac)-static
    command -v "$emulator" >/dev/null ||
        { echo "no '$emulator' on the PATH: scripts/setup.sh test installs qemu-user-static" >&2; return 1; }
    "$emulator" "$root$program" "$@"
}

# absent PATH…: fails if the image has one of these.
absent() {
    local path
    for path in "$@"; do
        if [ -e "$root$path" ]; then echo "in the image: $path" >&2; return 1; fi
    done
}

# nowhere TEXT: fails if TEXT is in any blob of the image, packed or not, or anywhere in the store.
nowhere() {
    local blob
    for blob in "$image"/blobs/sha256/*; do
        if { gzip -dc "$blob" 2>/dev/null || cat "$blob"; } | grep -qa "$1"; then
            echo "found in blob: $(basename "$blob")" >&2
            return 1
        fi
    done
    if grep -rqa "$1" "$store"; then echo "found in the store: $(grep -rla "$1" "$store" | head -3)" >&2; return 1; fi
}

# ---- Building

build() {  # build CONTEXT DOCKERFILE OPTION…
    local context=$1 file=$2
    shift 2
    local secret=()
    [ "$(basename "$context")" != secret ] || secret=(--secret "id=api_key,src=$work/api_key")
    ${as_user[@]+"${as_user[@]}"} "$WHITTLE" build --root "$store" --progress=plain ${secret[@]+"${secret[@]}"} \
        -f "$context/$file" "$@" "$context"
}

check_image() (  # check_image NAME DOCKERFILE PLATFORM: in a subshell of its own, so that a failed step ends it
    set -euo pipefail
    local context=$repository/Examples/$1
    dockerfile=$2 platform=$3
    image=$work/$1-$2-${3//\//-}
    bundle=$image-bundle
    root=$bundle/rootfs
    build "$context" "$dockerfile" --platform "$platform" -o "type=oci,tar=false,dest=$image,name=example:latest"
    tag=$(python3 -c 'import json, sys
index = json.load(open(sys.argv[1] + "/index.json"))
print(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])' "$image")
    skopeo inspect "oci:$image:$tag" >"$image.inspect"
    grep -q "\"Architecture\": \"${platform#*/}\"" "$image.inspect"
    umoci unpack --image "$image:$tag" "$bundle" >/dev/null
    . "$context/smoke.sh"
    rm -rf --one-file-system "$bundle"
)

# Both platforms in one build: an index whose images have the same layers as those that were built one by one.
check_index() (  # check_index NAME PLATFORM…
    set -euo pipefail
    local context=$repository/Examples/$1 name=$1 image=$work/$1-index platform layers
    shift
    build "$context" Dockerfile --platform "$(IFS=,; echo "$*")" -o "type=oci,tar=false,dest=$image,name=example:latest"
    [ "$(skopeo inspect --raw "oci:$image" |
        jq -r '.manifests | map(.platform.os + "/" + .platform.architecture) | join(" ")')" = "$*" ]
    for platform in "$@"; do
        layers=$(skopeo --override-arch "${platform#*/}" inspect "oci:$image" | jq -c .Layers)
        [ "$layers" = "$(jq -c .Layers "$work/$name-Dockerfile-${platform//\//-}.inspect")" ]
    done
)

# The same image by an ordinary user: the same layers, but for what two builds by root differ in.
compare_image() (  # compare_image NAME DOCKERFILE PLATFORM
    set -euo pipefail
    local context=$repository/Examples/$1 image=$work/$1-$2-${3//\//-}
    local output=type=oci,tar=false,name=example:latest,dest=
    build "$context" "$2" --platform "$3" --reproducible -o "$output$image-root"
    (store=$work/store-again; build "$context" "$2" --platform "$3" --reproducible -o "$output$image-again")
    store=$work/user/store
    as_user=(setpriv "--reuid=$(id -u "$user")" "--regid=$(id -g "$user")" --clear-groups env "HOME=$work/user")
    build "$context" "$2" --platform "$3" --reproducible -o "$output$work/user/image"
    mv "$work/user/image" "$image-user"
    "$repository/scripts/compare-images.py" "$image-root" "$image-again" "$image-user"
    rm -rf "$image-root" "$image-again" "$image-user"
)

check_article() (
    set -euo pipefail
    local context=$repository/Examples/$1 status=0 fragment
    build "$context" Dockerfile.article -o type=cacheonly >"$work/article" 2>&1 || status=$?
    cat "$work/article"
    [ $status != 0 ] || { echo "it built"; exit 1; }
    while IFS= read -r fragment; do
        grep -qF -- "$fragment" "$work/article" || { echo "the error does not say: $fragment"; exit 1; }
    done <"$context/article-error.txt"
)

# ---- All of it

# The registry and its state are this run's own, apart from the images in its storage; it ends with the namespace.
CONTAINERS_REGISTRIES_CONF=$(REGISTRY_DIR=$repository/.cache/registry-examples "$repository/scripts/registry.sh" start)
export CONTAINERS_REGISTRIES_CONF

# attempt COMMAND…: leaves its exit status in $status. Behind `||` the shell would ignore failures inside the command.
attempt() {
    set +e
    "$@" >"$work/log" 2>&1 </dev/null
    status=$?
    set -e
}

printf your-secret-key >"$work/api_key"
if [ -n "$user" ]; then
    chmod 755 "$work"
    mkdir "$work/user"
    chown "$user:" "$work/user"
fi
# Two runs at once share the stub servers of the one that came first: the ports are written in the examples.
if ! curl -fs -H 'Authorization: your-secret-key' http://127.0.0.1:5059/data >/dev/null; then
    coproc STUBS { exec python3 "$repository/Examples/stub-servers.py"; }
    stubs=$STUBS_PID
    read -r -t 10 _ <&"${STUBS[0]}" ||
        { echo "examples: the stub servers did not start (are ports 4873, 5059 free?)" >&2; exit 1; }
fi

names=("$@")
[ ${#names[@]} -gt 0 ] || names=($(cd "$repository/Examples" && ls -d */ | tr -d /))
for name in "${names[@]}"; do
    [ -d "$repository/Examples/$name" ] || { echo "examples: no example '$name'" >&2; exit 1; }
    for dockerfile in Dockerfile Dockerfile.single; do
        [ -e "$repository/Examples/$name/$dockerfile" ] || continue
        platforms=(linux/amd64)
        [[ "$name/$dockerfile" != multiarch*/Dockerfile ]] || platforms+=(linux/arm64)
        for platform in "${platforms[@]}"; do
            started=$(date +%s%N)
            what=check_image
            [ -z "$user" ] || what=compare_image
            attempt "$what" "$name" "$dockerfile" "$platform"
            [ -z "$user" ] || [ "$status" != 0 ] || platform="$platform: $(tail -1 "$work/log")"
            report "$name/$dockerfile $platform ($((($(date +%s%N) - started) / 1000000)) ms)" "$status" "$work/log"
        done
    done
    if [ -z "$user" ] && [[ "$name" == multiarch* ]]; then
        attempt check_index "$name" linux/amd64 linux/arm64
        report "$name/Dockerfile is one index for both platforms" "$status" "$work/log"
    fi
    if [ -z "$user" ] && [ -e "$repository/Examples/$name/article-error.txt" ]; then
        attempt check_article "$name"
        report "$name/Dockerfile.article is refused" "$status" "$work/log"
    fi
done
echo "examples: $passed passed, $failed failed"
[ $failed = 0 ]
