"""A web server on this machine that answers as a test says, and keeps what it was asked."""
import http.server
import threading


class WebServer:
    """Serves `files` (path: bytes, or a function of the handler) until the `with` block ends.

    `headers` are added to answers by path. A path with an `ETag` among its headers is answered with 304 where the request
    names it; one with `Last-Modified` likewise.
    """

    def __init__(self, files=None):
        self.files, self.headers, self.requests = dict(files or {}), {}, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.requests.append((self.path, dict(self.headers)))
                content = web.files.get(self.path)
                if callable(content):
                    content = content(self)
                    if content is None:
                        self.close_connection = True
                        return
                headers = web.headers.get(self.path, {})
                if content is None:
                    self.answer(404, {}, b"there is no such thing")
                elif "ETag" in headers and self.headers["If-None-Match"] == headers["ETag"]:
                    self.answer(304, headers, b"")
                elif "Last-Modified" in headers and self.headers["If-Modified-Since"] == headers["Last-Modified"]:
                    self.answer(304, headers, b"")
                else:
                    self.answer(200, headers, content)

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def asked(self, path):
        """The headers of each request for `path`."""
        return [headers for asked, headers in self.requests if asked == path]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def status(code, **headers):
    """Something to serve: an answer without a body."""
    def answer(handler):
        handler.answer(code, {name.replace("_", "-"): value for name, value in headers.items()}, b"")
    return answer


def cut(body, announced):
    """Something to serve: fewer bytes than are announced."""
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(announced))
        handler.end_headers()
        handler.wfile.write(body)
    return answer
