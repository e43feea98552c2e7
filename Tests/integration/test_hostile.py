"""Images, archives and registries that mean harm: a clear error, nothing outside touched, and a store that works afterwards."""
import contextlib
import gzip
import http.server
import io
import json
import pathlib
import subprocess
import tarfile
import threading
import time

import layout
from harness import test


def store_works(case):
    """Whatever was refused, nothing of it is left and the next build works."""
    case.build("FROM busybox\nRUN echo fine > /fine\n", {}, "-o", "type=cacheonly")
    case.run(case.command("fsck", "--root", case.store)).says("nothing wrong").says_not("note:")
    assert not list((case.store / "active").iterdir())


def refused(case, name, base, *options, dockerfile="FROM base\nRUN true\n", files=None):
    answer = case.fails(dockerfile, files or {}, "-o", "type=cacheonly", "--build-context",
                        f"base=oci-layout://{base.directory}", *options)
    assert "error[" in answer.text, f"{name}: {answer.text}"
    store_works(case)
    return answer


def image_of(case, name, archive, pack=lambda data: gzip.compress(data, mtime=0)):
    """An image with one layer of these tar bytes."""
    base = layout.BaseImage(case.directory / f"image-{name}")
    original, layout.tar = layout.tar, lambda entries: archive
    try:
        return base.finish([base.add_image([[]], packing=layout.Packing(layout.GZIP.media_type, pack))])
    finally:
        layout.tar = original


@test("entries that lead out of a layer are refused by name")
def outward(case):
    outside = case.directory / "escaped"
    cases = {
        "climb": ([layout.file("../" * 12 + str(outside).lstrip("/"), b"x")], "leads upwards"),
        "through a link": ([layout.link("out", str(case.directory)), layout.file("out/escaped", b"x")],
                           "'out' on its way is not a directory"),
        "through two links": ([layout.link("a", ".."), layout.link("b", "a/.."), layout.file("b/escaped", b"x")],
                              "on its way is not a directory"),
        "a hard link outside": ([layout.hard_link("escaped", "../" * 12 + "etc/passwd")], "leads upwards"),
        "a hard link through a link": ([layout.link("etc", "/etc"), layout.hard_link("copy", "etc/passwd")], "etc/passwd"),
        "a deletion outside": ([layout.link("out", str(case.directory)), layout.file("out/.wh.store")], "not a directory"),
    }
    for name, (entries, reason) in cases.items():
        base = layout.BaseImage.of(case.directory / name.replace(" ", "-"), [entries])
        refused(case, name, base).says("error[", reason)
        assert not outside.exists() and case.store.exists()


@test("an absolute path and a link to the outside stay inside of the image")
def inward(case):
    marker = case.directory / "inside"
    base = layout.BaseImage.of(case.directory / "absolute", [layout.busybox_layer() + [
        layout.file(str(marker), b"x"), layout.link("passwd", "/etc/passwd"), layout.link("up", "../../../../etc")]])
    image = case.image("FROM base\nCOPY --from=base /passwd /1\nCOPY --from=base /up/group /2\n", {}, "--build-context",
                       f"base=oci-layout://{base.directory}")
    assert "builder" in image.read("/1") and "builders" in image.read("/2")
    assert not marker.exists()


@test("device nodes of a mounted image cannot be opened by a step, and are copied as what they are")
def devices(case):
    numbers = next(pathlib.Path("/sys/block").glob("*/dev"), None)
    major, minor = (numbers.read_text().strip().split(":") if numbers else ("7", "0"))
    base = layout.BaseImage.of(case.directory / "devices", [layout.busybox_layer() + [
        layout.entry("disk", tarfile.BLKTYPE, mode=0o666, devmajor=int(major), devminor=int(minor))]])
    read = "if head -c 16 /m/disk > /dev/null 2>&1; then echo opened; else echo refused; fi >> /result"
    image = case.image(f"FROM base\nRUN --mount=from=base,target=/m {read}\n"
                       f"RUN --mount=from=base,target=/m,rw {read}\nCOPY --from=base /disk /copy\n",
                       {}, "--build-context", f"base=oci-layout://{base.directory}")
    assert image.read("/result") == "refused\n" * 2, image.read("/result")
    assert image.member("/disk").isblk() and image.member("/copy").isblk()


@test("decompression bombs end at --max-layer-size")
def bombs(case):
    limit = ("--max-layer-size", "20m")
    zeros = layout.tar([layout.file("zeros", bytes(32 << 20))])
    refused(case, "gzip", image_of(case, "gzip", zeros), *limit).says("layer-too-large", "limit of 21MB", "--max-layer-size")
    tail = layout.tar([layout.file("small", b"x")]) + bytes(32 << 20)
    refused(case, "tail", image_of(case, "tail", tail), *limit).says("layer-too-large")
    many = layout.tar([layout.file(f"d{number % 97}/f{number}") for number in range(50_000)])
    refused(case, "many", image_of(case, "many", many), *limit).says("layer-too-large")
    sparse = case.directory / "sparse.tar"
    with (case.directory / "hole").open("wb") as file:
        file.truncate(1 << 40)
    subprocess.run(["tar", "--sparse", "-C", case.directory, "-cf", sparse, "hole"], check=True)
    refused(case, "sparse", image_of(case, "sparse", sparse.read_bytes()), *limit).says("layer-too-large")
    # The environment says the same, and what fits is taken.
    case.fails("FROM base\nRUN true\n", {}, "--build-context", f"base=oci-layout://{case.directory}/image-gzip",
               env={"WHITTLE_MAX_LAYER_SIZE": "20m"}).says("layer-too-large")
    case.build("FROM base\nCOPY f /f\n", {"f": "f"}, "-o", "type=cacheonly", "--max-layer-size", "33m",
               "--build-context", f"base=oci-layout://{case.directory}/image-gzip")
    case.fails("FROM busybox\n", {}, "--max-layer-size", "much").says("it is no size")


@test("archives of ADD end at --max-layer-size as well")
def archive_bomb(case):
    bomb = gzip.compress(layout.tar([layout.file("zeros", bytes(64 << 20))]))
    answer = case.fails("FROM busybox\nADD bomb.tar.gz /\n", {"bomb.tar.gz": bomb}, "--max-layer-size", "20m")
    answer.says("Dockerfile", ":2:1", "bomb.tar.gz", "limit of 21MB")
    store_works(case)


@test("sizes and records that lie are refused")
def lies(case):
    def with_size(size):
        data = bytearray(layout.tar([layout.file("f", b"x")]))
        data[124:136] = size
        checksum = sum(data[:148]) + 8 * 32 + sum(data[156:512])
        data[148:156] = b"%06o\0 " % checksum
        return bytes(data)

    pax = io.BytesIO()
    with tarfile.open(fileobj=pax, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("f")
        info.pax_headers = {"size": "99999999999999999999"}
        archive.addfile(info)
    whole = layout.tar([layout.file("f", b"x" * 5000)])
    archives = {
        "a size beyond the end": with_size(b"77777777777\0"), "a negative size": with_size(b"\xff" * 12),
        "a pax size beyond any": pax.getvalue(), "half an archive": whole[:1500],
    }
    for name, archive in archives.items():
        refused(case, name, image_of(case, name.replace(" ", "-"), archive))
    refused(case, "half a gzip", image_of(case, "half", whole, lambda data: gzip.compress(data)[:-9]))
    refused(case, "garbage", image_of(case, "garbage", whole, lambda data: gzip.compress(data) + b"garbage"))


class Registry:
    """Serves one image of a layout as `app:latest`, and misbehaves with blobs of more than 10 kB."""

    def __init__(self, base, blobs="whole"):
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                registry.answer(self)

            do_HEAD = do_GET

            def log_message(self, *arguments):
                pass

        self.base, self.blobs, self.requests = base, blobs, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.name = f"127.0.0.1:{self.server.server_port}/app:latest"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler):
        self.requests += 1
        parts = handler.path.strip("/").split("/")
        if len(parts) < 3:
            return self.send(handler, b"{}", "application/json")
        kind, name = parts[-2:]
        index = json.loads((self.base.directory / "index.json").read_text())["manifests"][0]
        digest = index["digest"] if name == "latest" else name
        data = (self.base.blobs / digest.removeprefix("sha256:")).read_bytes()
        if kind == "manifests":
            return self.send(handler, data, json.loads(data)["mediaType"])
        if len(data) < 10_000 or self.blobs == "whole":
            return self.send(handler, data, "application/octet-stream")
        if self.blobs == "error":
            return handler.send_error(500)
        if self.blobs == "other":
            return self.send(handler, data[:-1] + b"x", "application/octet-stream")
        self.send(handler, data, "application/octet-stream", len(data) // 2)
        if self.blobs == "hanging":
            handler.wfile.flush()
            time.sleep(600)
        handler.close_connection = True

    def send(self, handler, data, media_type, count=None):
        handler.send_response(200)
        handler.send_header("Content-Type", media_type)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            with contextlib.suppress(ConnectionError):
                handler.wfile.write(data[:count])


def served(case):
    """An image that no other test has in its store."""
    return layout.BaseImage.of(case.directory / "served", [layout.busybox_layer() + [layout.file("served", b"x")]])


def from_registry(case, registry, status=1, timeout=300):
    settings = case.directory / "registries.conf"
    settings.write_text(f'[[registry]]\nlocation = "{registry.name.split("/")[0]}"\ninsecure = true\n')
    return case.run(
        case.build_command(case.context(), "-o", "type=cacheonly", dockerfile=f"FROM {registry.name}\nRUN true\n"),
        status=status, env={"CONTAINERS_REGISTRIES_CONF": str(settings)}, timeout=timeout)


@test("a registry that fails, cuts transfers or sends other bytes is an error that says so")
def bad_registries(case):
    base = served(case)
    for mode, words in {"error": ["status 500"], "cut": ["error["], "other": ["sha256:"]}.items():
        registry = Registry(base, mode)
        answer = from_registry(case, registry).says(":1:", *words)
        assert "error[" in answer.text and registry.requests < 40, registry.requests
        store_works(case)
    from_registry(case, Registry(base), status=0)


@test("a registry that hangs in the middle of a layer can be interrupted at once")
def hanging_registry(case):
    registry = Registry(served(case), "hanging")
    settings = case.directory / "registries.conf"
    settings.write_text(f'[[registry]]\nlocation = "{registry.name.split("/")[0]}"\ninsecure = true\n')
    running = case.start(case.build_command(case.context(), dockerfile=f"FROM {registry.name}\nRUN true\n"),
                         env={"CONTAINERS_REGISTRIES_CONF": str(settings)})
    deadline = time.monotonic() + 30
    while registry.requests < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    started = time.monotonic()
    running.signal(2)
    answer = running.end(20)
    assert answer.status == 130 and time.monotonic() - started < 5, answer.text
    store_works(case)


@test("a store that cannot be written is an error that names it and says what to do")
def unwritable(case):
    target = case.directory / "read-only"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", target], check=True)
    try:
        case.fails("FROM busybox\nRUN true\n", store=target / "store").says("store-unusable", "read-only", "--root")
        subprocess.run(["mount", "-o", "remount,rw", target], check=True)
        case.build("FROM busybox\nRUN true\n", store=target / "store")
        subprocess.run(["mount", "-o", "remount,ro", target], check=True)
        case.fails("FROM busybox\nRUN true\n", store=target / "store").says("store-unusable", "--root")
    finally:
        subprocess.run(["umount", "-l", target], check=True)
    (case.directory / "file").write_text("")
    case.fails("FROM busybox\n", store=case.directory / "file" / "store").says("store-unusable")


@test("daemons of a step end with the step, also those that leave their session")
def daemons(case):
    marker = f"{time.monotonic_ns() % 10**6}.5"
    case.build(f"FROM busybox\nRUN setsid sleep {marker} & (setsid sh -c 'sleep {marker} & sleep {marker}' &) ; "
               f"nohup sleep {marker} > /dev/null 2>&1 & sleep 0.2; echo done\nRUN echo next\n")
    case.assert_nothing_left(marker)
