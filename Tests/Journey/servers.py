"""Real servers for the journey: Radicale as an address book, GNU Mailman 3 as newsletter, and a receiver of webhooks."""

import base64
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("KONTOR_CACHE") or pathlib.Path.home() / ".cache/kontor")
# SQLAlchemy 2.1 breaks paged answers of Mailman 3.3.10
MAILMAN = ["mailman==3.3.10", "sqlalchemy<2.1", "setuptools<80"]
# only the REST interface is needed; mail stays in its queue
RUNNERS = ("archive", "bad", "bounces", "command", "digest", "in", "lmtp", "nntp", "out", "pipeline", "retry", "shunt",
           "task", "virgin")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def venv(name, packages):
    """A Python environment in the cache, made anew when the list of packages changes."""
    folder = CACHE / f"venv-{name}"
    mark = folder / "packages"
    if not mark.exists() or mark.read_text() != " ".join(packages):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
        mark.write_text(" ".join(packages))
    return folder


class Server:
    """A server process with a log; `call` speaks to it under its login."""

    user = password = ""

    def start(self, arguments, log, **more):
        self.log = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen(arguments, stdout=file, stderr=file, start_new_session=True, **more)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def call(self, method, path, body=None, headers=None):
        """(status, text); every status is an answer."""
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.url + path, data, headers or {}, method=method)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def wait(self, path, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.call("GET", path)[0] < 500:
                    return
            except OSError:
                pass  # not open yet
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(pathlib.Path(self.log).read_text(errors="replace")[-3000:])
            time.sleep(0.1)


class Radicale(Server):
    """An address book with vCards, by CardDAV."""

    user, password = "shop", "open-sesame-41"
    BOOK = "/shop/book/"

    def __init__(self, folder):
        script = ROOT / "Tests/Support/radicale.sh"
        subprocess.run([script, "setup"], check=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.start([script, "serve", str(folder / "radicale"), str(port)], folder / "radicale.log")
        self.wait("/.web/")
        status, text = self.call("MKCOL", self.BOOK, """<?xml version="1.0"?><mkcol xmlns="DAV:"
            xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype>
            <displayname>Suppliers</displayname></prop></set></mkcol>""", {"Content-Type": "application/xml"})
        assert status == 201, text

    def put(self, name, *lines):
        """Saves a card as an address book program does."""
        card = "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])
        status, text = self.call("PUT", self.BOOK + name, card, {"Content-Type": "text/vcard"})
        assert status in (201, 204), text

    def card(self, name):
        """A card's unfolded lines, none when it is not there."""
        status, text = self.call("GET", self.BOOK + name)
        return text.replace("\r\n ", "").replace("\n ", "").splitlines() if status == 200 else []

    def names(self):
        """The names of all cards."""
        status, text = self.call("PROPFIND", self.BOOK, headers={"Depth": "1"})
        assert status == 207, text
        return [part.split("<")[0].rpartition("/")[2] for part in text.split("href>") if ".vcf<" in part]


class Mailman(Server):
    """GNU Mailman's core with its REST interface."""

    user, password = "restadmin", "restpass"

    def __init__(self, folder):
        bin = venv("mailman", MAILMAN) / "bin"
        data = folder / "mailman"
        (data / "var").mkdir(parents=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        config = data / "mailman.cfg"
        config.write_text("\n".join([
            "[mailman]", "layout: here", "site_owner: owner@shop.example", "[paths.here]", f"var_dir: {data}/var",
            f"bin_dir: {bin}", "[webservice]", "hostname: 127.0.0.1", f"port: {port}", "admin_user: restadmin",
            "admin_pass: restpass", "workers: 1", "[mta]", "incoming: mailman.mta.null.NullMTA", "[database]",
            "class: mailman.database.sqlite.SQLiteDatabase", f"url: sqlite:///{data}/var/mailman.db",
            *(line for runner in RUNNERS for line in (f"[runner.{runner}]", "start: no"))]) + "\n")
        self.start([bin / "master", "--force", "-C", str(config)], folder / "mailman.log",
                   env={**os.environ, "MAILMAN_CONFIG_FILE": str(config)})
        self.wait("/3.1/system/versions")

    def get(self, path):
        status, text = self.call("GET", path)
        assert status == 200, (status, text)
        return json.loads(text)

    def post(self, path, body):
        status, text = self.call("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        assert status in (201, 204), (status, text)

    def lists(self):
        """All lists by display name."""
        return {entry["display_name"]: entry for entry in self.get("/3.1/lists").get("entries", [])}

    def members(self, name):
        """The addresses on the list with a display name, sorted."""
        roster = self.get(f"/3.1/lists/{self.lists()[name]['list_id']}/roster/member")
        return sorted(entry["email"] for entry in roster.get("entries", []))


class Receiver:
    """Keeps the webhooks it gets: (headers in lower case, raw body)."""

    def __init__(self):
        received = self.received = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                """What came is kept, not logged."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/in"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
