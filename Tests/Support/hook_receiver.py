#!/usr/bin/env python3
"""Receives Kontor's generic webhooks as an outsider would: checks the signature with Python's own hmac, and
takes each idempotency key once.

usage: hook_receiver.py SECRET    prints its port; ends with its standard input

POST /hooks      401 unless signed with SECRET
GET /received    what was taken: [{"headers", "body"}]
"""
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time

secret = sys.argv[1].encode()
lock = threading.Lock()
received: list[dict] = []
keys: set[str] = set()


def is_genuine(header: str, body: bytes) -> bool:
    fields = [field.split("=", 1) for field in header.split(",") if "=" in field]
    stamp = dict(fields).get("t", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    expected = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(value, expected) for name, value in fields)


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status: int, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            self.answer(200, received)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not is_genuine(self.headers.get("Kontor-Signature", ""), body):
            return self.answer(401, {"message": "bad signature"})
        value = json.loads(body)
        key = self.headers.get("Idempotency-Key")
        with lock:
            if key and key not in keys:
                keys.add(key)
                received.append({"headers": {k.lower(): v for k, v in self.headers.items()}, "body": value})
        self.answer(200, {"id": "r-" + value["key"]} if "key" in value else {})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
