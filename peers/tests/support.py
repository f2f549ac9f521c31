"""A peer under test in this process, a client for it, and a receiver of webhooks."""
import http.client
import json
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from peers.serve import build


class Reply:
    """An answer as the client saw it."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)


def call(url, method, path, body=None, headers=None, timeout=10):
    """One request on a connection of its own; `body` is bytes, text or something to send as JSON."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Reply(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


class PeerCase(unittest.TestCase):
    """Base of the tests of one peer: a fresh one for each test, with `settings`."""

    peer_class = None
    settings = {}
    auth = {}

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.server = build(self.peer_class, self.folder.name, **self.settings)
        self.url = self.server.peer.base_url
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.addCleanup(self._stop)

    def _stop(self):
        if self.server.peer.hooks:
            self.server.peer.hooks.stop()
        self.server.shutdown()
        self.server.server_close()
        self.assertEqual(self.server.peer.store.notes("crashes"), [])

    def call(self, method, path, body=None, headers=None):
        """One request with the peer's credentials."""
        return call(self.url, method, path, body, {**self.auth, **(headers or {})})

    def log(self):
        """The peer's journal."""
        return self.call("GET", "/_peer/log").json

    def faults(self, **wanted):
        """Puts faults in force."""
        self.assertEqual(self.call("POST", "/_peer/faults", wanted).status, 200)


class Sink:
    """Receives webhooks; `status` is what it answers."""

    def __init__(self, case, status=200):
        self.calls, self.status = [], status
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.calls.append((dict(self.headers), body))
                self.send_response(sink.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        case.addCleanup(self.server.server_close)
        case.addCleanup(self.server.shutdown)

    def wait(self, count, seconds=30):
        """The calls once there are `count` of them, or whatever came in the time."""
        until = time.time() + seconds
        while len(self.calls) < count and time.time() < until:
            time.sleep(0.01)
        return list(self.calls)
