"""ADD of what a URL names."""
import hashlib
import io
import signal
import socket
import tarfile
import threading

from harness import test
from webserver import WebServer, cut, status

MODIFIED = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
SHA256 = hashlib.sha256(b"data\n").hexdigest()


def tar(files, compression="gz"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_600_000_000
            archive.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()


@test("ADD downloads a file: its name is the URL's, its mode 0600, its time what the server says")
def downloads(case):
    with WebServer({"/a/data%20file.txt?q=1": b"data\n", "/plain": b"plain\n"}) as web:
        web.headers["/a/data%20file.txt?q=1"] = MODIFIED
        image = case.image(f"""
            FROM busybox
            ARG HOST={web.url}
            ADD $HOST/a/data%20file.txt?q=1 $HOST/plain /dir/
            ADD --chmod=640 --chown=7:8 {web.url}/plain /named
            ADD --link {web.url}/plain /linked
            """.replace("    ", ""), {})
    file = image.member("/dir/data file.txt")
    assert (file.mode, file.uid, file.gid, file.mtime) == (0o600, 0, 0, 1445412480), vars(file)
    assert image.read("/dir/data file.txt") == "data\n" and image.read("/dir/plain") == "plain\n"
    assert image.member("/dir/plain").mtime == 0
    named = image.member("/named")
    assert (named.mode, named.uid, named.gid) == (0o640, 7, 8)
    assert image.read("/linked") == "plain\n"
    assert case.answer.says_not("q=1\" ") and "?…" in case.answer.text


@test("ADD mixes URLs, files and inline documents in their order")
def mixed(case):
    with WebServer({"/web": b"web\n", "/local": b"from the web\n"}) as web:
        image = case.image(
            f"FROM busybox\nADD {web.url}/local local {web.url}/web <<inline /dir/\nhere\ninline\n", {"local": "local\n"})
    assert [image.read(f"/dir/{name}") for name in ("local", "web", "inline")] == ["local\n", "web\n", "here\n"]


@test("an unchanged URL is a cache hit, by entity tag, by date, or by its bytes; a changed one runs again and says so")
def revalidation(case):
    for headers, again in [({"ETag": '"one"'}, "If-None-Match"), (MODIFIED, "If-Modified-Since"), ({}, None)]:
        with WebServer({"/file": b"data %r\n" % again}) as web:
            web.headers["/file"] = headers
            dockerfile = f"FROM busybox\nADD {web.url}/file /file\nRUN cat /file > /copy\n"
            context = case.context({"Dockerfile": dockerfile})
            first = case.image(None, None, "--explain", context=context)
            assert case.answer.ran("RUN cat")
            second = case.image(None, None, "--explain", context=context)
            assert not case.answer.ran("RUN cat") and not case.answer.ran("ADD http"), case.answer.text
            assert first.descriptor["digest"] == second.descriptor["digest"] or first.layers == second.layers
            asked = web.asked("/file")
            assert len(asked) == 2 and (again is None or again in asked[1]), asked
            web.files["/file"], web.headers["/file"] = b"other %r\n" % again, {}
            third = case.image(None, None, "--explain", context=context)
            assert third.read("/copy") == f"other {again!r}\n"
            case.answer.says(f"why: file changed (in '{web.url}/file')")
            assert case.answer.ran("ADD http"), case.answer.text


@test("a server that sends the same entity tag without minding the question is not read again")
def stubborn_server(case):
    with WebServer() as web:
        def answer(handler):
            handler.answer(200, {"ETag": '"same"'}, b"x" * (3 << 20))
        web.files["/file"] = answer
        dockerfile = f"FROM scratch\nADD {web.url}/file /file\n"
        case.build(dockerfile, {})
        assert not case.build(dockerfile, {}).ran("ADD http")


@test("--checksum is verified while the file streams, and a known file is not asked for")
def checksum(case):
    with WebServer({"/file": b"data\n"}) as web:
        good = f"FROM scratch\nADD --checksum=sha256:{SHA256} {web.url}/file /file\n"
        assert case.image(good, {}).read("/file") == "data\n"
        assert len(web.requests) == 1
        case.build(good, {}, "--no-cache")
        assert len(web.requests) == 1, web.requests
        wrong = "0" * 64
        answer = case.fails(f"FROM scratch\nADD --checksum=sha256:{wrong} {web.url}/file /file\n", {})
        answer.says(f"sha256:{wrong}", f"sha256:{SHA256}", ":2")
        # What did not match was not kept.
        case.fails(f"FROM scratch\nADD --checksum=sha256:{wrong} {web.url}/file /file\n", {})
        case.fails(f"FROM scratch\nADD --checksum=sha256:{SHA256} {web.url}/file {web.url}/file /dir/\n", {}).says("several")
        case.fails(f"FROM scratch\nADD --checksum=md5:abc {web.url}/file /dir/\n", {}).says("only sha256")
        case.fails(f"FROM scratch\nADD --checksum=sha256:{SHA256} file /dir/\n", {"file": ""}).says("only for URLs")


@test("an archive is unpacked from a URL only where --unpack says so")
def unpacks(case):
    with WebServer({"/a.tar.gz": tar({"in/side.txt": "inside\n"})}) as web:
        image = case.image(
            f"FROM scratch\nADD {web.url}/a.tar.gz /whole/\nADD --unpack=true {web.url}/a.tar.gz /parts/\n", {})
    assert image.has("/whole/a.tar.gz") and not image.has("/whole/in")
    assert image.read("/parts/in/side.txt") == "inside\n" and not image.has("/parts/a.tar.gz")


@test("redirects are followed, without the token where they lead to another host, and not to other schemes")
def redirects(case):
    with WebServer({"/file": b"data\n"}) as target, WebServer({"/file": b"data\n"}) as web:
        web.files["/same"] = status(302, Location="/file")
        web.files["/other"] = status(307, Location=f"{target.url}/file")
        web.files["/local"] = status(302, Location="file:///etc/passwd")
        web.files["/circle"] = status(302, Location="/circle")
        env = {"TOKEN": "a-very-secret-token"}
        secret = ["--secret", "id=HTTP_AUTH_TOKEN_127.0.0.1,env=TOKEN"]
        image = case.image(
            f"FROM scratch\nADD {web.url}/same {web.url}/other /dir/\n", {}, *secret, env=env)
        assert image.read("/dir/same") == image.read("/dir/other") == "data\n"
        assert web.asked("/file")[0]["Authorization"] == "Bearer a-very-secret-token"
        assert "Authorization" not in target.asked("/file")[0]
        case.fails(f"FROM scratch\nADD {web.url}/local /x\n", {}).says("redirects to something that is no web address")
        case.fails(f"FROM scratch\nADD {web.url}/circle /x\n", {}).says("redirects")


@test("secrets and the URL identify the build, and are never shown")
def credentials(case):
    def guarded(header):
        def answer(handler):
            if handler.headers["Authorization"] != header:
                handler.answer(401, {}, b"")
                return None
            handler.answer(200, {}, b"data\n")
        return answer

    bearer = guarded("Bearer tok-4711-long")
    with WebServer({"/bearer": bearer, "/bearer?sig=signature-0": bearer, "/header": guarded("Custom abc-0815-long"),
                    "/basic": guarded("Basic dXNlcjpwYXNzLXdvcmQ=")}) as web:
        answer = case.fails(f"FROM scratch\nADD {web.url}/bearer?sig=signature-0 /x\n", {})
        answer.says("status 401", "HTTP_AUTH_TOKEN_127.0.0.1")
        assert "signature-0" not in answer.text.split("downloading")[1].splitlines()[0]
        env = {"TOKEN": "tok-4711-long", "HEADER": "Custom abc-0815-long"}
        answer = case.build(f"FROM scratch\nADD {web.url}/bearer /x\n", {},
                            "--secret", "id=HTTP_AUTH_TOKEN_127.0.0.1,env=TOKEN", env=env)
        answer.says_not("tok-4711-long")
        answer = case.build(f"FROM scratch\nADD {web.url}/header /x\n", {},
                            "--secret", "id=HTTP_AUTH_HEADER_127.0.0.1,env=HEADER", env=env)
        answer.says_not("abc-0815-long")
        host = f"127.0.0.1:{web.port}"
        case.build(f"FROM scratch\nADD http://user:pass-word@{host}/basic /x\n", {})
        answer = case.fails(f"FROM scratch\nADD http://user:wrong-word@{host}/basic /x\n", {}, "--no-cache")
        assert "wrong-word" not in answer.text.split("error: ")[-1].splitlines()[0], answer.text


@test("what a server cannot give is an error that says what was asked for, in bounded time")
def failures(case):
    with WebServer({"/cut": cut(b"abc", 1000), "/busy": status(503), "/big": b"x" * 5000}) as web:
        case.fails(f"FROM scratch\nADD {web.url}/none /x\n", {}).says("status 404", f"{web.url}/none", ":2")
        case.fails(f"FROM scratch\nADD {web.url}/cut /x\n", {}).says(f"downloading '{web.url}/cut'")
        assert len(web.asked("/cut")) == 3
        case.fails(f"FROM scratch\nADD {web.url}/busy /x\n", {}).says("status 503", "try again later")
        assert len(web.asked("/busy")) == 3
        answer = case.fails(f"FROM scratch\nADD {web.url}/big /x\n", {}, "--max-layer-size=4KB")
        answer.says("larger than the limit of", "--max-layer-size")
        case.fails(f"FROM scratch\nADD {web.url} /dir/\n", {}).says("what to call the file")
        case.fails(f"FROM scratch\nCOPY {web.url}/x /dir/\n", {}).says("ADD downloads")
    case.fails(f"FROM scratch\nADD {web.url}/gone /x\n", {}).says("check the host")
    blobs = list((case.store / "blobs/sha256").iterdir())
    assert not blobs, blobs


@test("Ctrl-C ends a download that does not come to an end, and leaves nothing")
def interrupted(case):
    listener = socket.create_server(("127.0.0.1", 0))
    reached, done = threading.Event(), threading.Event()

    def serve():
        connection, _ = listener.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nsome")
        reached.set()
        done.wait(60)
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/slow"
    running = case.start(case.build_command(case.context(), dockerfile=f"FROM scratch\nADD {url} /x\n"))
    assert reached.wait(30)
    running.signal(signal.SIGINT)
    answer = running.end(20)
    done.set()
    assert answer.status == 130, answer.text
    assert not any((case.store / "active").iterdir()), list((case.store / "active").rglob("*"))


@test("a named context may be a URL: one file called 'context', as BuildKit has it")
def named_context(case):
    with WebServer({"/data": b"data\n"}) as web:
        image = case.image(
            "FROM busybox\nRUN --mount=from=web,target=/m cp /m/context /run-copy\n"
            "COPY --from=web context /copied\n", {}, "--build-context", f"web={web.url}/data")
        assert image.read("/copied") == image.read("/run-copy") == "data\n"
        image = case.image("FROM busybox AS web\nRUN exit 1\n", {}, "--build-context", f"web={web.url}/data")
        assert image.read("/context") == "data\n"
        web.requests.clear()
        case.build("FROM busybox\nRUN true\n", {}, "--build-context", f"web={web.url}/data")
        assert web.requests == []
