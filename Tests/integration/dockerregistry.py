"""Debian's docker-registry as tests need it: plain, with TLS, with users, with a token server of its own; and a proxy."""
import base64
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=True).stdout


class Authority:
    """A certificate authority, and certificates that it signs."""

    def __init__(self, directory, name="whittle test"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate, self.key = self.directory / "ca.crt", self.directory / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def sign(self, name, hosts=("IP:127.0.0.1", "DNS:localhost", "DNS:registry.test")):
        """Paths of a certificate and its key."""
        certificate, key = self.directory / f"{name}.cert", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={','.join(hosts)}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key


class DockerRegistry:
    """A running docker-registry until the `with` block ends.

    `tls` is a pair of paths, `clients` the certificate of the authority of clients, `users` names with passwords,
    `tokens` a TokenServer.
    """

    def __init__(self, directory, tls=None, clients=None, users=None, tokens=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.host = f"127.0.0.1:{free_port()}"
        configuration = {
            "version": 0.1, "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(self.directory / "data")}, "delete": {"enabled": True}},
            "http": {"addr": self.host},
        }
        if tls:
            configuration["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
            if clients:
                configuration["http"]["tls"]["clientcas"] = [str(clients)]
        if users:
            file = self.directory / "htpasswd"
            file.write_bytes(b"".join(
                subprocess.run(["htpasswd", "-nbB", "-C", "4", user, password], capture_output=True, check=True).stdout
                for user, password in users.items()))
            configuration["auth"] = {"htpasswd": {"realm": "test", "path": str(file)}}
        if tokens:
            configuration["auth"] = {"token": {
                "realm": tokens.address, "service": "test registry", "issuer": "whittle tests",
                "rootcertbundle": str(tokens.certificate)}}
        self.configuration = self.directory / "registry.yml"
        self.configuration.write_text(json.dumps(configuration))  # JSON is YAML
        self.log = self.directory / "registry.log"

    def __enter__(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", str(self.configuration)], stdout=log, stderr=log)
        address = self.host.split(":")
        deadline = time.monotonic() + 20
        while True:
            assert self.process.poll() is None, self.log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex((address[0], int(address[1]))) == 0:
                    return self
            assert time.monotonic() < deadline, "docker-registry does not listen"
            time.sleep(0.02)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


class TokenServer:
    """Gives tokens that a docker-registry takes, to users with passwords and to nobody for pulling.

    Format: the distribution project's "Docker Registry v2 authentication via central service", with JSON Web Tokens that
    openssl signs.
    """

    def __init__(self, directory, users, gives_identity_tokens=False):
        self.authority = Authority(directory, "token authority")
        self.certificate = self.authority.certificate
        self.signer, self.key = self.authority.sign("signer")
        self.users, self.gives_identity_tokens = users, gives_identity_tokens
        self.requests, self.identities = [], {}
        self.denied = set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                user = None
                if (given := self.headers.get("Authorization", "")).startswith("Basic "):
                    user, _, password = base64.b64decode(given[6:]).decode().partition(":")
                    if server.users.get(user) != password:
                        return self.answer(401, {"details": "incorrect username or password"})
                server.requests.append(("GET", user, query))
                self.give(user, query.get("scope", []), query.get("offline_token") == ["true"])

            def do_POST(self):
                form = urllib.parse.parse_qs(self.body().decode())
                user = server.identities.get(form.get("refresh_token", [""])[0])
                server.requests.append(("POST", user, form))
                if user is None:
                    return self.answer(401, {"error": "invalid_grant"})
                self.give(user, form.get("scope", [""])[0].split(), False, "access_token")

            def body(self):
                if "Content-Length" in self.headers:
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body = b""
                while size := int(self.rfile.readline(), 16):  # Transfer-Encoding: chunked
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def give(self, user, scopes, offline, member="token"):
                answer = {member: server.token(user, scopes), "expires_in": 300}
                if user and offline and server.gives_identity_tokens:
                    identity = f"identity-{len(server.identities)}-of-{user}"
                    server.identities[identity] = user
                    answer["refresh_token"] = identity
                self.answer(200, answer)

            def answer(self, status, document):
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}/token"

    def token(self, user, scopes):
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            allowed = [action for action in actions.split(",") if user or action == "pull"]
            if name not in self.denied:
                access.append({"type": kind, "name": name, "actions": allowed})
        now = int(time.time())
        claims = {"iss": "whittle tests", "sub": user or "", "aud": "test registry", "exp": now + 300, "nbf": now - 10,
                  "iat": now, "jti": f"{now}", "access": access}
        chain = base64.b64encode(ssl.PEM_cert_to_DER_cert(self.signer.read_text())).decode()
        head = {"typ": "JWT", "alg": "RS256", "x5c": [chain]}
        text = ".".join(self.encoded(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{self.encoded(openssl('dgst', '-sha256', '-sign', self.key, stdin=text.encode()))}"

    @staticmethod
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Proxy:
    """An HTTP proxy that reaches every host at `target`, and keeps what it was asked for."""

    def __init__(self, target, password=None):
        self.target, self.requests = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.password = password

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed by `__exit__`
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65536)
                if not piece:
                    return
                head += piece
            first, rest = head.split(b"\r\n", 1)
            method, address, version = first.decode().split(" ")
            self.requests.append(f"{method} {address}")
            if self.password and self.password.encode() not in head:
                client.sendall(b"HTTP/1.1 407 who are you\r\nProxy-Authenticate: Basic realm=proxy\r\n"
                               b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                return
            host, port = self.target.split(":")
            try:
                server = socket.create_connection((host, int(port)), 10)
            except OSError:
                client.sendall(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 connected\r\n\r\n")
                else:
                    # One exchange a connection: the next may be for another host.
                    parts = urllib.parse.urlsplit(address)
                    path = parts.path + (f"?{parts.query}" if parts.query else "")
                    lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"proxy-")]
                    server.sendall(f"{method} {path} {version}\r\nConnection: close\r\n".encode() + b"\r\n".join(lines))
                back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
                back.start()
                self.copy(client, server)
                back.join(30)

    @staticmethod
    def copy(source, target):
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # one side has gone, and so has the other then
            pass


def skopeo(case, *arguments, env=None, status=0):
    """Runs skopeo without a policy that a machine may have."""
    policy = case.directory / "policy.json"
    policy.write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    return case.run(["skopeo", "--policy", policy, *arguments], env=env, status=status)
