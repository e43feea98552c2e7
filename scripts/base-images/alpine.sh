# Alpine-like layers: Debian's static busybox with the few commands that Alpine has and it lacks (alpine/), glibc where
# node or nginx need it. Sourced by base-images.sh.

# fetch_debs PACKAGE…: downloads Debian packages (NAME or NAME:ARCH) into downloads/debs unless they are there.
fetch_debs() (
    flock 7
    local package wanted=()
    for package in "$@"; do
        deb "$package" >/dev/null 2>&1 || wanted+=("$package")
    done
    [ ${#wanted[@]} -gt 0 ] || exit 0
    local scratch=$work/fetch-$BASHPID
    on_debian "$scratch" "
        case '${wanted[*]}' in *:arm64*) dpkg --add-architecture arm64; apt update ;; esac
        cd /var/cache/apt/archives
        apt download ${wanted[*]} || { apt update; apt download ${wanted[*]}; }"
    rm -rf --one-file-system "$scratch"
) 7>"$work/fetch.lock"

# deb NAME[:ARCH]: the path of a downloaded package.
deb() {
    local name=${1%%:*} architecture=amd64 found
    case $1 in *:*) architecture=${1##*:} ;; esac
    found=$(ls -t "$downloads/debs/${name}_"*"_$architecture.deb" "$downloads/debs/${name}_"*_all.deb 2>/dev/null |
        head -1)
    [ -n "$found" ] && echo "$found"
}

make_alpine() {
    local root=$1 architecture=$2 applet
    fetch_debs "busybox-static:$architecture" busybox-static:amd64
    mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,usr/local/bin,etc/apk,etc/ssl/certs,lib/apk/db,lib64,usr/lib} \
        "$root"/{var/log,var/cache/apk,var/lib,home,opt,srv,media,mnt,run,proc,sys,dev}
    mkdir -m 1777 -p "$root/tmp" "$root/var/tmp"
    mkdir -m 700 "$root/root"
    dpkg-deb --fsys-tarfile "$(deb "busybox-static:$architecture")" | tar -xO ./bin/busybox >"$root/bin/busybox"
    chmod 755 "$root/bin/busybox"

    # The list of applets comes from the busybox that can run here; that of the other architecture has the same.
    local native=$work/busybox-$architecture
    dpkg-deb --fsys-tarfile "$(deb busybox-static:amd64)" | tar -xO ./bin/busybox >"$native"
    chmod 755 "$native"
    for applet in $("$native" --list); do
        case $applet in
            busybox | dpkg | dpkg-deb | rpm | init | linuxrc) ;;
            *) ln -sf /bin/busybox "$root/bin/$applet" ;;
        esac
    done
    for applet in [ [[ awk basename cut dirname du env expr find head id install less md5sum nohup seq sha256sum sort \
        tail tee test time timeout tr uniq unzip wc wget which xargs yes; do
        [ ! -e "$root/bin/$applet" ] && [ ! -L "$root/bin/$applet" ] || ln -sf /bin/busybox "$root/usr/bin/$applet"
    done

    cp -r "$source_directory/base-images/alpine/." "$root/"
    chmod 755 "$root"/usr/sbin/{adduser,addgroup} "$root/sbin/apk"
    chmod 640 "$root/etc/shadow"
    : >"$root/etc/resolv.conf"
    add_certificates "$root"
    ln -s certs/ca-certificates.crt "$root/etc/ssl/cert.pem"
}
make_alpine_amd64() { make_alpine "$1" amd64; }
make_alpine_arm64() { make_alpine "$1" arm64; }

# glibc and libstdc++ for programs built on Debian, from the Debian root.
make_glibc() {
    local root=$1 debian name libraries=lib/x86_64-linux-gnu
    debian=$(debian_root)
    mkdir -p "$root/$libraries" "$root/lib64" "$root/usr/$libraries"
    for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libresolv.so.2 libnss_files.so.2 \
        libnss_dns.so.2 libgcc_s.so.1 libstdc++.so.6; do
        cp -L "$debian/usr/$libraries/$name" "$root/$libraries/$name"
    done
    cp -L "$debian/usr/$libraries/ld-linux-x86-64.so.2" "$root/lib64/"
    chmod 755 "$root/$libraries"/* "$root/lib64"/*
}
