#!/usr/bin/env python3
"""An HTTP server with bad manners, to test the client with. Prints its port; ends with its standard input.

/echo            what came in, as JSON: method, path, headers, body, connection (its number)
/status/N        answers N, with the headers of the query: /status/429?Retry-After=7
/redirect?to=U   302 to U
/bomb            50 MB of zeros in 50 kB of gzip
/sizes?plain=N   N zeros, as they are
/digest          method, length and sum of the bytes that came in, as JSON
/slow            never answers
/torn            less body than promised
/once            the second request on a connection is read, counted, and cut without an answer
/count           how many requests to /once came, as text
"""
import http.server
import itertools
import json
import sys
import threading
import time
import urllib.parse
import zlib

numbers = itertools.count(1)
once_seen = [0]


class Odd(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.number = next(numbers)
        self.requests = 0

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qsl(url.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.requests += 1
        parts = url.path.strip("/").split("/")
        if parts[0] == "echo":
            seen = {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                    "body": body.decode(errors="replace"), "connection": self.number}
            self.answer(200, json.dumps(seen).encode(), [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        elif parts[0] == "status":
            self.answer(int(parts[1]), body, query)
        elif parts[0] == "redirect":
            self.answer(302, b"", [("Location", dict(query)["to"])])
        elif parts[0] == "bomb":
            packer = zlib.compressobj(9, zlib.DEFLATED, 31)
            packed = packer.compress(bytes(50_000_000)) + packer.flush()
            self.answer(200, packed, [("Content-Encoding", "gzip")])
        elif parts[0] == "sizes":
            self.answer(200, bytes(int(dict(query)["plain"])))
        elif parts[0] == "digest":
            seen = {"method": self.command, "length": self.headers.get("Content-Length"), "sum": sum(body)}
            self.answer(200, json.dumps(seen).encode())
        elif parts[0] == "slow":
            time.sleep(60)
        elif parts[0] == "torn":
            self.answer(200, b'{"half":', length=100)
            self.close_connection = True
        elif parts[0] == "once":
            once_seen[0] += 1
            if self.requests > 1:
                self.close_connection = True
                return
            self.answer(200, b"first")
        elif parts[0] == "count":
            self.answer(200, str(once_seen[0]).encode())
        else:
            self.answer(404)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


server = Server(("127.0.0.1", 0), Odd)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
