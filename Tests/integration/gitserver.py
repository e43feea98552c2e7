"""Git repositories and servers of them on the loopback: smart HTTP with credentials, git's own protocol, ssh."""
import base64
import contextlib
import getpass
import http.server
import os
import pathlib
import shutil
import subprocess
import threading
import time

ENVIRONMENT = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
               "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}


class Repository:
    """A repository with a work tree, and the bare one beside it that is served."""

    def __init__(self, root, name):
        self.root, self.name = root, name
        self.work, self.bare = root / "work" / name, root / "served" / f"{name}.git"
        self.work.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.bare], check=True, env=ENVIRONMENT)
        (self.bare / "git-daemon-export-ok").touch()
        self.git("remote", "add", "origin", self.bare)
        self.time = 1_600_000_000

    def git(self, *arguments):
        return subprocess.run(["git", "-c", "protocol.file.allow=always", *map(str, arguments)], cwd=self.work, check=True,
                              capture_output=True, text=True, env={**ENVIRONMENT, **getattr(self, "dates", {})}).stdout.strip()

    def commit(self, files=None, message="m"):
        """Commits these files and pushes everything; the commit."""
        self.time += 1000
        self.dates = {"GIT_AUTHOR_DATE": f"{self.time} +0000", "GIT_COMMITTER_DATE": f"{self.time} +0000"}
        for name, content in (files or {}).items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.push()
        return self.git("rev-parse", "HEAD")

    def push(self):
        self.git("push", "-q", "--force", "--all", "origin")
        self.git("push", "-q", "--force", "--tags", "origin")


class Server:
    """git http-backend behind Python; counts what was asked, and may want a value of Authorization."""

    def __init__(self, root, authorization=None):
        self.root, self.authorization = root, authorization
        self.requests, self.seen = [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def serve(self):
                path, _, query = self.path.partition("?")
                outer.requests.append(f"{self.command} {self.path}")
                given = self.headers.get("Authorization")
                outer.seen.append(given)
                length = int(self.headers.get("Content-Length") or 0)
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(length)
                if outer.authorization is not None and given != outer.authorization:
                    return self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], b"no")
                result = subprocess.run(
                    ["git", "http-backend"], input=body, capture_output=True,
                    env={**ENVIRONMENT, "GIT_PROJECT_ROOT": str(outer.root / "served"), "GIT_HTTP_EXPORT_ALL": "1",
                         "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query,
                         "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
                         "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                         "GIT_PROTOCOL": self.headers.get("Git-Protocol", "")})
                head, _, content = result.stdout.partition(b"\r\n\r\n")
                fields = [line.decode().split(": ", 1) for line in head.split(b"\r\n") if b": " in line]
                status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200)
                self.answer(status, [(name, value) for name, value in fields if name != "Status"], content)

            def answer(self, status, fields, content):
                self.send_response(status)
                for name, value in fields:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = serve

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://{self.host}/{name}.git"

    def asked(self):
        """The requests since the last call."""
        requests, self.requests = self.requests, []
        return requests


@contextlib.contextmanager
def server(root, authorization=None):
    serving = Server(root, authorization)
    try:
        yield serving
    finally:
        serving.http.shutdown()
        serving.http.server_close()


def basic(user):
    return "basic " + base64.b64encode(user.encode()).decode()


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    import socket
    deadline = time.monotonic() + 20
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None and time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)


@contextlib.contextmanager
def daemon(root):
    """git daemon; gives its port."""
    port = free_port()
    process = subprocess.Popen(
        ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}", f"--base-path={root / 'served'}",
         str(root / "served")], env=ENVIRONMENT, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield port
    finally:
        os.killpg(process.pid, 9)
        process.wait()


@contextlib.contextmanager
def sshd(root, public_key):
    """An ssh server that lets this key in; gives its port, or None with a printed reason."""
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if not pathlib.Path(program).exists():
        print("      steps aside: needs sshd")
        yield None
        return
    directory = root / f"sshd-{time.monotonic_ns()}"
    directory.mkdir()
    if os.geteuid() == 0:
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "host"], check=True)
    keys = directory / "authorized_keys"
    keys.write_text(public_key)
    keys.chmod(0o600)
    port = free_port()
    (directory / "config").write_text(f"""
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host
AuthorizedKeysFile {keys}
StrictModes no
PasswordAuthentication no
UsePAM no
PidFile none
""")
    process = subprocess.Popen([program, "-D", "-f", directory / "config"], start_new_session=True,
                               stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield port
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def user():
    return getpass.getuser()
