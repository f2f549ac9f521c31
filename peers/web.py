"""HTTP/1.1 server of a peer: keep-alive, Content-Length and chunked bodies, a thread per connection."""
import socket
import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from .control import control
from .messages import Refusal, Request

MAX_BODY = 64 * 1024 * 1024


class BadBody(Exception):
    """A body that is framed wrongly or too long."""


class Server(ThreadingHTTPServer):
    """Serves one peer until shut down."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host, port, peer):
        self.peer = peer
        super().__init__((host, port), Handler)

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            traceback.print_exc()


class Handler(BaseHTTPRequestHandler):
    """Reads requests of one connection and writes the peer's answers."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 300

    def _serve(self):
        try:
            body = self._body()
        except BadBody as error:
            self.close_connection = True
            self.send_error(400, str(error))
            return
        parts = urlsplit(self.path)
        request = Request(self.command, unquote(parts.path), parse_qsl(parts.query, keep_blank_values=True),
                          {k.lower(): v for k, v in self.headers.items()}, body)
        peer = self.server.peer
        if request.path.startswith("/_peer/"):
            self._send(control(peer, request))
            return
        plan = peer.faults.draw(request.method, request.path)
        if plan.latency:
            time.sleep(plan.latency)
        answer = exchange(peer, request, plan)
        if plan.vanish and plan.refuse is None:
            time.sleep(peer.faults.now["hang_ms"] / 1000)
            self._cut()
        else:
            self._send(answer, torn=plan.torn and plan.refuse is None)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def _body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            raise BadBody("Content-Length")
        return self.rfile.read(int(length))

    def _chunks(self):
        out = bytearray()
        while True:
            size_text = self.rfile.readline(200).split(b";")[0].strip()
            try:
                size = int(size_text, 16)
            except ValueError:
                raise BadBody("chunk size") from None
            if size < 0 or len(out) + size > MAX_BODY:
                raise BadBody("body too long")
            if size == 0:
                break
            out += self.rfile.read(size)
            if self.rfile.readline(10).strip():
                raise BadBody("chunk end")
        while self.rfile.readline(8192).strip():
            pass
        return bytes(out)

    def _send(self, answer, torn=False):
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if torn and answer.body:
            self.wfile.write(answer.body[:len(answer.body) // 2])
            self.wfile.flush()
            self._cut()
        elif self.command != "HEAD":
            self.wfile.write(answer.body)
            self.wfile.flush()

    def _cut(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.connection.close()

    def log_message(self, format, *args):
        """Peers keep their own journal."""


def exchange(peer, request, plan):
    """Runs one request through the peer in a transaction and writes the journal of what went wrong."""
    store = peer.store
    brief = {"time": time.time(), "method": request.method, "path": request.path}
    if plan.early:
        with store.tx():
            store.note("early", brief)
    if plan.refuse is not None:
        with store.tx():
            store.note("refused", {**brief, "status": plan.refuse})
        return peer.fault_answer(plan.refuse, peer.faults.now["retry_after"])
    try:
        with store.tx():
            answer = peer.handle(request)
    except Refusal as refusal:
        answer = refusal.answer
    except Exception:
        traceback.print_exc()
        with store.tx():
            store.note("crashes", {**brief, "error": traceback.format_exc()})
        return peer.fault_answer(500, 0)
    with store.tx():
        peer.judge(request, answer)
    return answer
