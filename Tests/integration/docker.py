"""A stand-in for a Docker daemon: takes POST /images/load on a unix socket, and keeps what was sent."""
import http.server
import json
import socketserver
import threading


class FakeDocker:
    """Listens at `path` until the `with` block ends."""

    def __init__(self, path, archive, error=None):
        self.requests, self.archive = [], archive
        docker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                docker.requests.append(self.path)
                assert self.headers["Transfer-Encoding"] == "chunked", self.headers
                with open(archive, "wb") as file:
                    while size := int(self.rfile.readline(), 16):
                        file.write(self.rfile.read(size))
                        self.rfile.readline()
                    self.rfile.readline()
                answer = {"stream": "Loaded image\n"} if error is None else {"errorDetail": {"message": error}, "error": error}
                body = json.dumps(answer).encode() + b"\r\n"
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "docker"

        self.server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self.server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
