#!/usr/bin/env python3
"""Answers on loopback for what the examples ask of the network, until it is killed.

127.0.0.1:4873  the npm registry's audit endpoint: no advisories
127.0.0.1:5059  the API of Examples/secret: takes the key `your-secret-key`
"""
import http.server
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Audit(Handler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.answer(200, b"{}")

    def do_GET(self):
        self.answer(404)


class Listings(Handler):
    def do_GET(self):
        if self.headers.get("Authorization") == "your-secret-key":
            self.answer(200, b'{"listings":[1,2,3]}\n')
        else:
            self.answer(401, b"denied\n")


def main():
    for handler, port in ((Audit, 4873), (Listings, 5059)):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
