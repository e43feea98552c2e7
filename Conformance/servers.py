"""What cases fetch: files over HTTP, and git repositories, from servers on the loopback that run as long as the cases do."""
import dataclasses
import email.utils
import hashlib
import http.server
import pathlib
import shutil
import subprocess
import sys
import threading

import builders
import cases as case_files

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "integration"))
import gitserver  # noqa: E402

TOKEN = "token-of-the-runner"


class Servers:
    """Fills in `@HTTP@` and the like, and starts what they stand for when the first case asks."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.lock = threading.Lock()
        self.web = self.git = None

    def fill(self, case):
        """The case with addresses in place of the names of servers.

        - Throws: builders.Unsupported for what this machine cannot serve."""
        text = str(case.data)
        values = {}
        with self.lock:
            if "@HTTP@" in text or case.get("served"):
                self.web = self.web or WebServer()
                prefix = f"/{case.topic}-{case.number}"
                self.web.add(prefix, case.get("served", {}))
                # The token counts for a host and all its ports, so that its name can be written in a case.
                values |= {"@HTTP@": f"http://127.0.0.1:{self.web.port}{prefix}", "@TOKEN@": TOKEN}
            if "@GIT@" in text:
                self.git = self.git or GitServer(self.directory / "git")
                values |= self.git.values
        return dataclasses.replace(case, data=replaced(case.data, values)) if values else case

    def close(self):
        for server in (self.web, self.git):
            if server:
                server.close()


def replaced(value, values):
    """The value with all texts in it, names of tables too, replaced."""
    if isinstance(value, dict):
        return {replaced(key, values): replaced(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, values) for item in value]
    if isinstance(value, str):
        for name, text in values.items():
            value = value.replace(name, text)
    return value


def ignore_resets(server):
    """Clients may hang up, which is no news; other faults of a handler are printed."""
    print_error = server.handle_error

    def handle_error(request, address):
        if not isinstance(sys.exception(), ConnectionError):
            print_error(request, address)

    server.handle_error = handle_error


class WebServer:
    """Serves what cases give it by path, with validators as web servers have them."""

    def __init__(self):
        files = self.files = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                entry = files.get(self.path.partition("?")[0])
                if entry is None:
                    return self.answer(404, {}, b"not found")
                body, headers, status, token = entry
                if token and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self.answer(401, {"WWW-Authenticate": "Bearer"}, b"who are you?")
                if status == 200 and self.headers.get("If-None-Match") == headers["ETag"]:
                    return self.answer(304, headers, None)
                self.answer(status, headers, body)

            do_HEAD = do_GET

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if body is not None:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if body is not None and self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        ignore_resets(self.http)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def add(self, prefix, served):
        for path, value in served.items():
            value = {"text": value} if isinstance(value, str) else value
            body, headers = case_files.content(value), {}
            if "redirect" in value:
                headers["Location"] = f"{prefix}/{value['redirect']}"
            else:
                headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()}"'
            if "time" in value:
                headers["Last-Modified"] = email.utils.formatdate(value["time"], usegmt=True)
            if "disposition" in value:
                headers["Content-Disposition"] = value["disposition"]
            status = 302 if "redirect" in value else value.get("status", 200)
            self.files[f"{prefix}/{path}"] = (body, headers, status, value.get("token", False))

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class GitServer:
    """One repository for all cases; the same commits in every run, because times and names are fixed."""

    def __init__(self, directory):
        missing = "git" if not shutil.which("git") else None
        if not missing and subprocess.run(["git", "http-backend"], capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 1:
            missing = "git-http-backend"
        if missing:
            raise builders.Unsupported(f"needs {missing} on this machine")
        part = gitserver.Repository(directory, "part")
        part.commit({"p": "part\n"})
        whole = gitserver.Repository(directory, "whole")
        first = whole.commit({"f": "first\n", "sub/deep/g": "deep\n", "run.sh": "#!/bin/sh\n",
                              "Dockerfile": "FROM busybox\nCOPY . /c/\n", "other.Dockerfile": "FROM busybox\nCOPY sub /s/\n",
                              "epoch.Dockerfile": "FROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL t=$SOURCE_DATE_EPOCH\n",
                              "head.Dockerfile": "FROM scratch\nCOPY .git/HEAD /\n",
                              "sub/Dockerfile": "FROM busybox\nCOPY . /sub/\n", ".dockerignore": "run.sh\n"})
        whole.git("tag", "-a", "-m", "a tag", "v1")
        whole.git("branch", "old")
        (whole.work / "run.sh").chmod(0o755)
        second = whole.commit({"f": "second\n"})
        whole.git("tag", "light")
        whole.git("checkout", "-q", "-b", "modules")
        whole.git("submodule", "add", "-q", part.bare, "part")
        # Relative, because the address of the server is another one each time.
        whole.git("config", "-f", ".gitmodules", "submodule.part.url", "../part.git")
        third = whole.commit()
        self.server = gitserver.Server(directory)
        ignore_resets(self.server.http)
        self.values = {"@GIT@": self.server.url("whole"), "@FIRST@": first, "@SECOND@": second, "@THIRD@": third, "@SHORT@": first[:12],
                       "@TAG@": whole.git("rev-parse", "v1")}

    def close(self):
        self.server.http.shutdown()
        self.server.http.server_close()
