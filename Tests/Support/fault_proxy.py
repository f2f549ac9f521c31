#!/usr/bin/env python3
"""An HTTP proxy that stands before a real remote and misbehaves when told to.

usage: fault_proxy.py TARGET_BASE_URL

Prints its port, serves 127.0.0.1 until its standard input ends.

POST /_fault {"kind": ..., "count": 1, "methods": ["PUT"], "path": "part of path",
              "status": 429, "headers": {"Retry-After": "7"}, "body": "..."}
    status     answers so, without asking the remote
    echo       as status, with the request's own headers and address in the body: a chatty remote
    cut        closes the connection without asking the remote
    cut_after  asks the remote, then closes the connection: the effect happened, no answer came
    torn       asks the remote, answers with half of the body
    stall      asks the remote, never answers
DELETE /_fault  forgets all faults
GET /_log       every request that reached the remote: [{"method", "path", "status"}]
"""
import http.client
import http.server
import json
import socket
import sys
import threading
import time
import urllib.parse

target = urllib.parse.urlsplit(sys.argv[1])
lock = threading.Lock()
faults: list[dict] = []
log: list[dict] = []
HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}


def take_fault(method: str, path: str) -> dict | None:
    with lock:
        for fault in faults:
            if fault.get("methods") and method not in fault["methods"]:
                continue
            if fault.get("path", "") not in path:
                continue
            fault["count"] = fault.get("count", 1) - 1
            if fault["count"] <= 0:
                faults.remove(fault)
            return fault
    return None


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it an answer in two writes waits for the peer's delayed acknowledgement.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if self.path == "/_fault":
            self.control(body)
        elif self.path == "/_log":
            with lock:
                self.answer(200, {"Content-Type": "application/json"}, json.dumps(log).encode())
        else:
            self.serve(body)
        self.wfile.flush()

    def control(self, body: bytes):
        with lock:
            if self.command == "DELETE":
                faults.clear()
            else:
                faults.append(json.loads(body))
        self.answer(204, {}, b"")

    def serve(self, body: bytes):
        fault = take_fault(self.command, self.path)
        kind = fault["kind"] if fault else None
        if kind in ("status", "echo"):
            text = fault.get("body", "")
            if kind == "echo":
                text = json.dumps({"error": f"no: {self.path} {dict(self.headers)} {body.decode(errors='replace')}"})
            return self.answer(fault["status"], fault.get("headers", {}), text.encode())
        if kind == "cut":
            return self.cut()
        status, headers, answer = self.ask(body)
        if kind == "cut_after":
            return self.cut()
        if kind == "stall":
            time.sleep(60)
            return self.cut()
        self.answer(status, headers, answer, torn=kind == "torn")

    def ask(self, body: bytes):
        connection = http.client.HTTPConnection(target.hostname, target.port or 80, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        connection.request(self.command, target.path.rstrip("/") + self.path, body=body or None, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        kept = {}
        for name, value in response.getheaders():
            if name.lower() not in HOP:
                kept[name] = value
        connection.close()
        with lock:
            log.append({"method": self.command, "path": self.path, "status": response.status})
        return response.status, kept, answer

    def answer(self, status: int, headers: dict, body: bytes, torn: bool = False):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body) + (1 if torn else 0)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if torn else body)
        if torn:
            self.cut()

    def cut(self):
        self.close_connection = True
        self.wfile.flush()
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
