#!/bin/bash
# Installs the Debian or Ubuntu packages that whittle needs, and nothing that is there already.
#
#   usage: scripts/setup.sh [--list] [GROUP…]          (no group: all of them)
#
# Groups: build  compile whittle
#         run    build images with it
#         images make the stand-in base images (scripts/base-images.sh)
#         demo   build + run + images + a registry to pull from
#         test   demo + the tools that judge whittle's images
#         bench  test + what the benchmarks compare with
# --list prints the missing packages and installs nothing.
set -euo pipefail

build_packages=(
    pkg-config nettle-dev libisal-dev libdeflate-dev libzstd-dev libbz2-dev liblzma-dev libsqlite3-dev
    libcurl4-openssl-dev libtomlplusplus-dev libyaml-dev
)
run_packages=(crun uidmap libcurl4 libyaml-0-2 ca-certificates git openssh-client)
images_packages=(mmdebstrap debian-archive-keyring dpkg python3 python3-pip util-linux gzip)
demo_packages=(docker-registry skopeo umoci curl iproute2)
test_packages=(openssh-server openssl apache2-utils buildah runc jq xz-utils zstd tar libarchive-tools busybox-static
    qemu-user-static libcap2-bin procps passwd nodejs)
bench_packages=(hyperfine time)

packages_of() {
    case $1 in
        build) echo "${build_packages[@]}" ;;
        run) echo "${run_packages[@]}" ;;
        images) echo "${images_packages[@]}" ;;
        demo) echo "$(packages_of build) $(packages_of run) $(packages_of images) ${demo_packages[*]}" ;;
        test) echo "$(packages_of demo) ${test_packages[*]}" ;;
        bench) echo "$(packages_of test) ${bench_packages[*]}" ;;
        *) echo "setup: no group '$1' (groups: build run images demo test bench)" >&2; return 1 ;;
    esac
}

is_installed() {
    # The 64-bit-time transition of Ubuntu 24.04 renamed some libraries: NAMEt64 provides NAME.
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed ||
        dpkg-query -W -f '${db:Status-Status}\n' "$1t64" 2>/dev/null | grep -qx installed
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

list_only=
groups=()
for argument in "$@"; do
    case $argument in
        --list) list_only=1 ;;
        *) groups+=("$argument") ;;
    esac
done
[ ${#groups[@]} -gt 0 ] || groups=(bench)

missing=()
for group in "${groups[@]}"; do
    wanted=$(packages_of "$group")
    for package in $wanted; do
        is_installed "$package" || [[ " ${missing[*]-} " == *" $package "* ]] || missing+=("$package")
    done
done

if [ -n "$list_only" ]; then
    [ ${#missing[@]} -eq 0 ] || printf '%s\n' "${missing[@]}"
    exit 0
fi

if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null ||
        { echo "setup: no apt-get here; install these by hand: ${missing[*]}" >&2; exit 1; }
    echo "setup: installing ${missing[*]}"
    # A fresh machine has no package lists, and an old one may have lists that name files which are gone.
    install_missing() {
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install --yes --quiet=2 --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
    }
    install_missing 2>/dev/null || { as_root apt-get update --quiet=2; install_missing; }
fi

if ! command -v swift >/dev/null; then
    echo "setup: no 'swift' on the PATH; install Swift 6.2 or later from https://www.swift.org/install/linux/" >&2
    exit 1
fi
