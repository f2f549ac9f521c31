"""Secrets are sent through every operation there is, right ones and wrong ones; none shows in a log, in the list of processes,
or in what PostgreSQL shows of its sessions."""

import json
import os
import pathlib
import secrets
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib")]

from world import Kontor, World  # noqa: E402

from Tests.Journey.servers import free_port  # noqa: E402

CANARY = "canary" + secrets.token_hex(6)


class Watch(threading.Thread):
    """Looks all the while at command lines of processes and at PostgreSQL's sessions, for words that are added."""

    def __init__(self, socket):
        super().__init__(daemon=True)
        self.words, self.hits, self.looks, self.over = {CANARY}, set(), 0, threading.Event()
        self.psql = subprocess.Popen(
            ["psql", "-XAtq", "-h", str(socket), "-U", "kontor_super", "-d", "kontor"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)

    def sessions(self):
        self.psql.stdin.write("SELECT replace(query, E'\\n', ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid();\n\\echo over\n")
        self.psql.stdin.flush()
        lines = []
        while (line := self.psql.stdout.readline()) and line != "over\n":
            lines.append(line)
        return "".join(lines)

    def run(self):
        while not self.over.is_set():
            seen = self.sessions()
            for line in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen += line.read_bytes().decode(errors="replace")
                except OSError:
                    continue  # the process has ended
            for word in list(self.words):
                if word in seen:
                    self.hits.add(word)
            self.looks += 1
        self.psql.stdin.close()


class Canary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        for name, value in {"KONTOR_LOG": "trace", "KONTOR_SQL_ADDRESS": f"127.0.0.1:{free_port()}"}.items():
            os.environ[name] = value
            cls.addClassCleanup(os.environ.pop, name)
        cls.url = cls.world.start_service()
        cls.kontor = cls.world.make_tenant("canary")
        subprocess.run(
            [cls.world.program, "tenant", "owner", "canary", "boss@shop.example", "--data", str(cls.world.folder / "kontor"),
             "--log", "warning"], input=f"right {CANARY} password\n", text=True, check=True, capture_output=True)
        made = subprocess.run(
            [cls.world.program, "tenant", "token", "operator", "--data", str(cls.world.folder / "kontor"), "--log", "warning"],
            check=True, capture_output=True, text=True)
        cls.operator = Kontor(cls.url, made.stdout.strip())

    def send(self, method, path, token, body=None, headers=None, content_type="application/json"):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        for name, value in {"Authorization": f"Bearer {token}", **(headers or {})}.items():
            request.add_header(name, value)
        if body is not None:
            request.add_header("Content-Type", content_type)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def test_nothing_shows(self):
        watch = Watch(self.world.folder / "kontor/postgres/socket")
        watch.start()
        kontor = self.kontor
        watch.words.add(kontor.token)
        watch.words.add(self.operator.token)
        # what takes secrets, rightly used
        sign_in = {"tenant": "canary", "email": "boss@shop.example", "password": f"right {CANARY} password"}
        boss = Kontor(self.url, kontor.post("/sessions", sign_in)["token"])
        watch.words.add(boss.token)
        connector = kontor.post("/connectors", {
            "kind": "webhook_in", "name": "hook", "settings": {"secret": f"{CANARY} secret", "proof": "token", "header": "X-Key"}})
        kontor.patch(f"/connectors/{connector['id']}", {"settings": {"secret_old": f"{CANARY} older"}})
        hook = kontor.get(f"/connectors/{connector['id']}/hook-url")["path"]
        watch.words.add(hook.rsplit("/", 1)[1])
        status, _ = self.send("POST", hook, "none", b'{"id": "7"}', {"X-Key": f"{CANARY} secret"})
        self.assertEqual(status, 200)
        role = next(r["id"] for r in boss.get("/roles")["items"] if r["name"] == "manager")
        invited = boss.post("/staff", {"email": "ola@shop.example", "name": "Ola", "role": role})
        watch.words.add(invited["token"])
        kontor.post("/invitations", {"token": invited["token"], "password": f"Ola's {CANARY} password"})
        made = boss.post("/tokens", {"label": "x", "scopes": ["feed"]})
        watch.words.add(made["token"])
        login = boss.post("/sql-logins", {"label": "x"})
        watch.words.add(login["password"])
        deadline = time.monotonic() + 120
        while boss.get("/sql-server")["state"] != "ready" and time.monotonic() < deadline:
            time.sleep(0.1)
        connected = subprocess.run(
            ["psql", "-XAtq", "-h", login["host"], "-p", str(login["port"]), "-U", login["name"], "-d", "kontor", "-c", "SELECT 1"],
            env={"PATH": os.environ["PATH"], "PGPASSWORD": login["password"]}, capture_output=True, text=True)
        self.assertEqual(connected.stdout, "1\n", connected.stderr)
        boss.call("PUT", "/account/password", {"old": f"right {CANARY} password", "new": f"newer {CANARY} password"})
        # every operation, with secrets where none belong, by the tenant, a stranger and the operator
        document = json.loads(self.send("GET", "/api/v1/openapi.json", "x")[1])
        body = json.dumps({name: CANARY for name in ("password", "old", "new", "token", "secret", "name", "label", "email")}).encode()
        sent = 0
        for path, methods in document["paths"].items():
            for method in methods:
                if method == "parameters":
                    continue
                address = "/".join(CANARY if part.startswith("{") else part for part in path.split("/"))
                for token in (kontor.token, boss.token, self.operator.token, f"kontor_{CANARY}"):
                    content = body if method in ("post", "put", "patch") else None
                    self.send(method.upper(), f"{address}?q={CANARY}&cursor={CANARY}", token, content,
                              {"Idempotency-Key": CANARY, "If-Match": CANARY})
                    sent += 1
        self.assertGreater(sent, 400)
        for attempt in range(3):
            self.send("POST", "/api/v1/sessions", "x", json.dumps({**sign_in, "password": f"wrong {CANARY} {attempt}"}).encode())
        # a certificate of the watch itself: it does see what is there to be seen
        subprocess.run(["sh", "-c", "sleep 1", "seen by the watch"], check=True)
        watch.words.add("seen by the watch")
        shown = subprocess.Popen(["sh", "-c", "sleep 2", "seen by the watch"])
        shown.wait()
        watch.over.set()
        watch.join(20)
        self.assertEqual(watch.hits, {"seen by the watch"})
        self.assertGreater(watch.looks, 20)
        self.world.stop("kontor")
        logs = [self.world.folder / "kontor.log", *(self.world.folder / "kontor").rglob("postgres.log")]
        self.assertEqual(len(logs), 3, logs)
        words = watch.words - {"seen by the watch"}
        for log in logs:
            text = log.read_text(errors="replace")
            self.assertGreater(len(text), 500, log)
            self.assertEqual([word for word in words if word in text], [], log)


if __name__ == "__main__":
    unittest.main()
