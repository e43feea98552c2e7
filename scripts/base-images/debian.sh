# Debian layers: a minimal bookworm root by mmdebstrap, and layers that apt adds on top of it through overlayfs.
# Sourced by base-images.sh.

# The package mirrors of this machine if it is a Debian, otherwise Debian's own.
host_mirror() {
    local kind=$1 fallback=$2 found=
    if grep -qs '^ID=debian$' /etc/os-release; then
        found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
            awk '/^URIs:/ {print $2} /^deb /  {for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) {print $i; break}}' |
            grep -E '/debian(-security)?/?$' |
            { if [ "$kind" = security ]; then grep security; else grep -v security; fi; } | head -1 || true)
    fi
    echo "${found:-$fallback}"
}
debian_mirror=${DEBIAN_MIRROR:-$(host_mirror main http://deb.debian.org/debian)}
debian_security_mirror=${DEBIAN_SECURITY_MIRROR:-$(host_mirror security http://deb.debian.org/debian-security)}

# Downloaded packages are kept in downloads/debs for the next run and for the layers made of unpacked packages.
make_debian() {
    local root=$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mmdebstrap --quiet --mode=root --variant=minbase --format=directory --keyring="$keyring" \
        --include=usr-is-merged --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --setup-hook='mkdir -p "$1"/var/cache/apt/archives' \
        --setup-hook="find '$downloads/debs' -name '*.deb' -exec cp -n -t \"\$1\"/var/cache/apt/archives {} +" \
        --skip=download/empty --skip=essential/unlink --skip=cleanup/apt \
        bookworm "$root" "deb $debian_mirror bookworm main" "deb $debian_mirror bookworm-updates main" \
        "deb $debian_security_mirror bookworm-security main" >"$work/mmdebstrap.log" 2>&1 ||
        { tail -30 "$work/mmdebstrap.log" >&2; return 1; }
    find "$root/var/cache/apt/archives" -name '*.deb' -exec cp -n -t "$downloads/debs" {} +
    rm -rf "$downloads/lists"
    cp -a "$root/var/lib/apt/lists" "$downloads/lists"
    clean_apt "$root"
    rm -rf "$root"/tmp/* "$root/etc/machine-id" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
    mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
    : >"$root/etc/resolv.conf"
    echo debian >"$root/etc/hostname"
    cat >"$root/etc/apt/apt.conf.d/docker-clean" <<'CONFIGURATION'
APT::Keep-Downloaded-Packages "false";
APT::Install-Suggests "0";
Acquire::Languages "none";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
CONFIGURATION
    # A machine that reaches its mirror through a proxy does so in a container as well.
    apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https)::Proxy ' >"$root/etc/apt/apt.conf.d/proxy" ||
        rm -f "$root/etc/apt/apt.conf.d/proxy"
}

# Removes what apt and dpkg leave behind that differs from run to run.
clean_apt() {
    rm -rf "$1"/var/log/{apt,dpkg.log,alternatives.log,bootstrap.log} "$1"/var/cache/apt/*.bin \
        "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old "$1"/var/cache/ldconfig/aux-cache
}

# The Debian root as a directory: fresh, or unpacked from the layer that an earlier run made.
debian_root() {
    local root=$work/layers/debian
    if [ ! -d "$root" ]; then
        (
            flock 8
            [ -d "$work/debian-root" ] && exit 0
            local blob
            blob=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["descriptor"]["digest"][7:])' \
                "$records/debian.json")
            mkdir "$work/debian-root.part"
            tar -xz --numeric-owner --xattrs -f "$layout/blobs/sha256/$blob" -C "$work/debian-root.part"
            mv "$work/debian-root.part" "$work/debian-root"
        ) 8>"$work/debian-root.lock"
        root=$work/debian-root
    fi
    echo "$root"
}

# on_debian DIRECTORY SCRIPT: runs SCRIPT in a chroot of the Debian root, with apt ready; its changes go to DIRECTORY.
on_debian() {
    local upper=$1 script=$2 lower root scratch
    lower=$(debian_root)
    scratch=$work/scratch/$(basename "$upper")
    root=$scratch/root
    mkdir -p "$upper" "$scratch"/{work,root,debs/partial,lists}
    find "$downloads/debs" -name '*.deb' -exec cp -l -t "$scratch/debs" {} +
    cp -a "$downloads/lists/." "$scratch/lists/"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$scratch/work" "$root"
    mount --bind "$scratch/debs" "$root/var/cache/apt/archives"
    mount --bind "$scratch/lists" "$root/var/lib/apt/lists"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    cp /etc/resolv.conf "$scratch/resolv.conf"
    mount --bind "$scratch/resolv.conf" "$root/etc/resolv.conf"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"  # packages start no daemons
    chmod 755 "$root/usr/sbin/policy-rc.d"

    chroot "$root" /usr/bin/env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -ec "
            apt() { apt-get -qq -o DPkg::Post-Invoke::= -o APT::Keep-Downloaded-Packages=true \
                -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 \"\$@\" >/dev/null; }
            # Lists kept from an earlier run may name packages that the mirror has replaced since.
            install() { apt install --yes --no-install-recommends \"\$@\" ||
                { apt update; apt install --yes --no-install-recommends \"\$@\"; }; }
            $script" >"$scratch/log" 2>&1 || { tail -30 "$scratch/log" >&2; return 1; }

    umount "$root/proc" "$root/dev" "$root/etc/resolv.conf" "$root/var/cache/apt/archives" \
        "$root/var/lib/apt/lists"
    rm -f "$root/usr/sbin/policy-rc.d"
    clean_apt "$root"
    umount "$root"
    find "$scratch/debs" -maxdepth 1 -name '*.deb' -exec cp -l -n -t "$downloads/debs" {} +
}

# This machine's certificate authorities, so that https works in a container where it works here.
add_certificates() {
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
}

make_python() {
    on_debian "$1" '
        install python3.11 python3.11-venv python3-pip python3-wheel python3-setuptools ca-certificates tzdata netbase
        ln -s /usr/bin/python3.11 /usr/local/bin/python
        ln -s /usr/bin/python3.11 /usr/local/bin/python3
        rm -f /usr/lib/python3.11/EXTERNALLY-MANAGED
        find / -xdev -name __pycache__ -prune -exec rm -rf {} +'
    add_certificates "$1"
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n' \
        >"$1/etc/pip.conf"
}

# What the full (not slim) images carry: compilers and the usual tools.
make_toolbox() {
    on_debian "$1" '
        install build-essential git python3 ca-certificates curl wget openssh-client procps pkg-config \
            libssl-dev zlib1g-dev
        find / -xdev -name __pycache__ -prune -exec rm -rf {} +'
    add_certificates "$1"
}
