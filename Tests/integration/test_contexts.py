"""Contexts that are not a directory: archives and Dockerfiles on standard input, and by URL."""
import bz2
import gzip
import io
import lzma
import shutil
import signal
import subprocess
import tarfile
import time

from harness import test
from webserver import WebServer, status

DOCKERFILE = "FROM busybox\nCOPY . /in/\nRUN cat /in/app.txt > /copy\n"


def tar(files=None, members=(), compression=""):
    """An archive of these files, and of members made by hand."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for name, content in (files or {}).items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid = len(content), 1_600_000_000, 1234
            archive.addfile(member, io.BytesIO(content.encode()))
        for member in members:
            archive.addfile(member)
    return buffer.getvalue()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


FILES = {"Dockerfile": DOCKERFILE, "app.txt": "app\n", "secret.txt": "no\n", ".dockerignore": "secret.txt\n"}


def build(case, stdin, *arguments, context="-"):
    """Builds without the harness's own Dockerfile."""
    destination = case.directory / "image"
    shutil.rmtree(destination, ignore_errors=True)
    answer = case.run(case.build_command(context, "-o", f"type=oci,tar=false,dest={destination}", *arguments),
                      status=None, stdin=stdin)
    if answer.status:
        return answer, None
    import image
    return answer, image.Image(destination)


@test("a tar archive on standard input is the context, in every compression; its Dockerfile and .dockerignore count")
def archives(case):
    plain = tar(FILES)
    for number, data in enumerate([plain, gzip.compress(plain), bz2.compress(plain), lzma.compress(plain), zstd(plain)]):
        answer, image = build(case, data)
        assert image, answer.text
        assert image.read("/copy") == "app\n"
        assert not image.has("/in/secret.txt") and image.has("/in/Dockerfile")
        assert image.member("/in/app.txt").uid == 0
        # The same files are the same context, however they are packed.
        assert answer.ran("RUN cat") == (number == 0), answer.text
    assert not any((case.store / "active").iterdir())
    assert not list((case.store / "contexts").iterdir()), "what is known of an archive's files is of no use later"


@test("a Dockerfile on standard input is built without a context")
def lone_dockerfile(case):
    answer, image = build(case, b"FROM busybox\nRUN echo hi > /hi\n")
    assert image and image.read("/hi") == "hi\n", answer.text
    answer, _ = build(case, b"FROM busybox\nCOPY app.txt /\n")
    answer.says("app.txt")
    answer, _ = build(case, b"FROM busybox\n", "-f", "other")
    answer.says("-f names another one")


@test("questions about a Dockerfile on standard input are answered, and no archive is unpacked for them")
def questions(case):
    answer = case.run(case.command("build", "--call=targets", "-"), stdin=b"FROM scratch AS one\n")
    answer.says("one")
    case.run(case.command("build", "--check", "-"), status=None, stdin=tar(FILES)).says("only unpacked to build it")


@test("-f names a file in an archive, or one outside of it by an absolute path")
def file_in_archive(case):
    files = {"sub/my.Dockerfile": DOCKERFILE, "sub/my.Dockerfile.dockerignore": "b.txt\n", "app.txt": "app\n", "b.txt": ""}
    answer, image = build(case, tar(files), "-f", "sub/my.Dockerfile")
    assert image and image.read("/copy") == "app\n" and not image.has("/in/b.txt"), answer.text
    answer, image = build(case, tar(files))
    answer.says("looking for 'Dockerfile'", "there is none")
    outside = case.directory / "outside"
    outside.write_text("FROM busybox\nCOPY b.txt /\n")
    answer, image = build(case, tar(files), "-f", outside)
    assert image and image.has("/b.txt"), answer.text


@test("-f outside of a directory has an ignore file of its own, and '-f -' reads the Dockerfile beside a context")
def file_outside(case):
    context = case.context({"a": "a", "b": "b", ".dockerignore": "a\n"})
    outside = case.directory / "outside.Dockerfile"
    outside.write_text("FROM scratch\nCOPY . /\n")
    outside.with_name("outside.Dockerfile.dockerignore").write_text("b\n")
    answer, image = build(case, None, "-f", outside, context=context)
    assert image and sorted(image.tree()) == [".dockerignore", "a"], answer.text
    answer, image = build(case, b"FROM scratch\nCOPY . /\n", "-f", "-", context=context)
    assert image and sorted(image.tree()) == [".dockerignore", "b"], answer.text
    with WebServer({"/c.tar": tar({"x.txt": "x\n"})}) as web:
        answer, image = build(case, b"FROM scratch\nCOPY . /\n", "-f", "-", context=f"{web.url}/c.tar")
        assert image and image.read("/x.txt") == "x\n", answer.text
    answer, _ = build(case, b"", "-f", "-")
    answer.says("cannot both be standard input")
    answer, _ = build(case, b"")
    answer.says("standard input is empty")
    for arguments, context in ((["-f", "-"], case.context()), ([], "-")):
        answer, _ = build(case, b"FROM scratch\n", *arguments, "--secret", "id=a,src=-", context=context)
        answer.says("standard input cannot be both the secret 'a' and")


@test("a URL of an archive or of a Dockerfile is a context, and asked for again only to see whether it changed")
def urls(case):
    with WebServer({"/c.tar.gz": gzip.compress(tar(FILES)), "/Dockerfile": b"FROM busybox\nRUN echo hi > /hi\n"}) as web:
        web.headers["/c.tar.gz"] = {"ETag": '"one"'}
        answer, image = build(case, None, context=f"{web.url}/c.tar.gz?token=sig-4711")
        assert answer.status and "status 404" in answer.text and "sig-4711" not in answer.text, answer.text
        for runs in (True, False):
            answer, image = build(case, None, context=f"{web.url}/c.tar.gz")
            assert image and image.read("/copy") == "app\n", answer.text
            assert answer.ran("RUN cat") == runs
        assert web.asked("/c.tar.gz")[1]["If-None-Match"] == '"one"'
        answer, image = build(case, None, context=f"{web.url}/Dockerfile")
        assert image and image.read("/hi") == "hi\n", answer.text
        web.files["/gone"] = status(302, Location="ftp://127.0.0.1/x")
        answer, _ = build(case, None, context=f"{web.url}/gone")
        answer.says("no web address")


@test("SOURCE_DATE_EPOCH=context is the server's time of a download, or that of an archive's newest file")
def epochs(case):
    def created(stdin, context="-"):
        answer, image = build(case, stdin, "--build-arg", "SOURCE_DATE_EPOCH=context", context=context)
        assert image, answer.text
        return image.config["created"]

    archive = tar(FILES)
    with WebServer({"/c.tar": archive, "/dated.tar": archive, "/Dockerfile": b"FROM busybox\n",
                    "/undated": b"FROM busybox\n"}) as web:
        web.headers["/dated.tar"] = web.headers["/Dockerfile"] = {"Last-Modified": "Fri, 14 Jul 2017 02:40:00 GMT"}
        assert created(None, f"{web.url}/dated.tar") == created(None, f"{web.url}/Dockerfile") == "2017-07-14T02:40:00Z"
        # The second time it comes from the store.
        assert created(None, f"{web.url}/dated.tar") == "2017-07-14T02:40:00Z"
        assert created(None, f"{web.url}/c.tar") == created(archive) == "2020-09-13T12:26:40Z"
        answer, _ = build(case, None, "--build-arg", "SOURCE_DATE_EPOCH=context", context=f"{web.url}/undated")
        answer.says("SOURCE_DATE_EPOCH=context has no effect")


@test("nothing in an archive leads out of the context, and its size is limited")
def hostile(case):
    def link(name, target, kind=tarfile.SYMTYPE):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        return member

    for members in ([tarfile.TarInfo("../../escaped")], [link("hard", "/etc/passwd", tarfile.LNKTYPE)],
                    [link("out", "/"), tarfile.TarInfo("out/escaped")]):
        answer, image = build(case, tar({"Dockerfile": "FROM scratch\nCOPY . /\n"}, members))
        if image:
            text = " ".join(image.tree())
            assert "etc" not in text and not (case.directory / "escaped").exists(), text
        else:
            answer.says("unpacking the build context from standard input")
    # The Dockerfile itself may be such a link: it is not followed out of the archive.
    answer, image = build(case, tar({}, [link("Dockerfile", "/etc/hostname")]))
    assert image is None and "Dockerfile" in answer.text
    answer, _ = build(case, gzip.compress(tar(FILES | {"zeros": "\0" * (4 << 20)})), "--max-layer-size=1MB")
    answer.says("more than the limit of")
    answer, _ = build(case, gzip.compress(tar(FILES))[:-20])
    answer.says("unpacking the build context from standard input")
    device = tarfile.TarInfo("device")
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
    answer, image = build(case, tar({"Dockerfile": "FROM scratch\nCOPY . /\n", "f": "f"}, [device]))
    assert image and image.has("/f") and not image.has("/device"), answer.text
    assert not any((case.store / "active").iterdir())


@test("Ctrl-C while standard input is silent ends the build, and leaves nothing")
def interrupted(case):
    process = subprocess.Popen([str(word) for word in case.build_command("-")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(tar(FILES)[:600])
    process.stdin.flush()
    assert b"load build context" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert not any((case.store / "active").iterdir())


@test("a build that is killed while it unpacks its context leaves nothing that the next one does not remove")
def killed(case):
    process = subprocess.Popen([str(word) for word in case.build_command("-")], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(tar({"a.txt": "a" * 100_000, "b.txt": "b" * 100_000})[:150_000])
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not list((case.store / "active").glob("*/context-*/a.txt")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait(20)
    answer, image = build(case, b"FROM busybox\n")
    assert image, answer.text
    deadline = time.monotonic() + 5
    while any((case.store / "active").iterdir()):
        assert time.monotonic() < deadline, list((case.store / "active").rglob("*"))
        time.sleep(0.02)


@test("--build-context replaces images under every spelling of their names, and stages")
def overrides(case):
    files = case.context({"marker": "mine\n"})
    for written, name in [("alpine", "alpine"), ("docker.io/library/alpine:latest", "alpine"), ("alpine", "index.docker.io/library/alpine"),
                          ("alpine:3.20", "docker.io/library/alpine:3.20"), ("ghcr.io/a/b:1", "ghcr.io/a/b:1")]:
        image = case.image(f"FROM {written}\nCOPY --from={written} marker /again\n", {}, "--build-context", f"{name}={files}")
        assert image.read("/marker") == image.read("/again") == "mine\n"
    answer = case.fails("FROM alpine:3.20\n", {}, "--build-context", f"alpine={files}", env={"https_proxy": "http://127.0.0.1:9"})
    answer.says("alpine:3.20")
