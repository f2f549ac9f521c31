"""The reporting server of the private database, in the whole program: it comes with the first SQL login, survives restarts
and its own death, and what becomes of it never stops the service."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib")]

from world import Kontor, Refused, World  # noqa: E402

from Tests.Journey.servers import free_port  # noqa: E402

PASSWORD = "a long passphrase of the owner"


class Reporting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        os.environ["KONTOR_SQL_ADDRESS"] = f"127.0.0.1:{free_port()}"
        cls.addClassCleanup(os.environ.pop, "KONTOR_SQL_ADDRESS")
        url = cls.world.start_service()
        cls.kontor = cls.world.make_tenant("reporting")
        subprocess.run(
            [cls.world.program, "tenant", "owner", "reporting", "boss@shop.example", "--data", str(cls.world.folder / "kontor"),
             "--log", "warning"], input=PASSWORD + "\n", text=True, check=True, capture_output=True)
        cls.boss = cls.signed_in(url)

    @classmethod
    def signed_in(cls, url):
        session = Kontor(url, "").post(
            "/sessions", {"tenant": "reporting", "email": "boss@shop.example", "password": PASSWORD})
        return Kontor(url, session["token"])

    def psql(self, login, statement):
        return subprocess.run(
            ["psql", "-XAtq", "-h", login["host"], "-p", str(login["port"]), "-U", login["name"], "-d", login["database"],
             "-c", statement], capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": login["password"], "LC_ALL": "C.UTF-8"})

    def eventually(self, login, statement, wanted, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.psql(login, statement)
            if answer.stdout.strip() == wanted:
                return
            time.sleep(0.1)
        self.fail(f"{statement}: {answer.stdout} {answer.stderr}")

    def ready(self):
        """The service says so when it has looked."""
        deadline = time.monotonic() + 120
        while self.boss.get("/sql-server")["state"] != "ready" and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(self.boss.get("/sql-server")["state"], "ready")

    def copies(self):
        """The copy's postmaster, if it runs."""
        note = self.world.folder / "kontor/reporting/data/postmaster.pid"
        return int(note.read_text().split()[0]) if note.exists() else None

    def test_the_copy_comes_stays_and_is_no_condition(self):
        self.assertEqual(self.boss.get("/sql-server")["state"], "idle")
        self.assertIsNone(self.copies())
        self.kontor.post("/contacts", {"fields": {"given_name": "Anna"}})
        login = self.boss.post("/sql-logins", {"label": "psql"})
        self.eventually(login, "SELECT given_name FROM contact", "Anna")
        self.ready()
        # what changes is there within moments
        self.kontor.post("/contacts", {"fields": {"given_name": "Ewa"}})
        self.eventually(login, "SELECT count(*) FROM contact", "2", seconds=30)

        # killed, it comes back; meanwhile the service goes on
        os.kill(self.copies(), signal.SIGKILL)
        self.kontor.post("/contacts", {"fields": {"given_name": "Lena"}})
        self.eventually(login, "SELECT count(*) FROM contact", "3")
        # it is watched again
        self.ready()

        # a restart of the service brings it back, too, and a kill
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.world.stop("kontor", how)
            type(self).boss = self.signed_in(self.world.start_service())
            self.kontor.url = self.boss.url
            self.eventually(login, "SELECT count(*) FROM contact", "3")

        # broken for good, it is copied anew
        self.kontor.post("/contacts", {"fields": {"given_name": "Olga"}})
        self.world.stop("kontor")
        (self.world.folder / "kontor/reporting/data/global/pg_control").unlink()
        type(self).boss = self.signed_in(self.world.start_service())
        self.kontor.url = self.boss.url
        self.kontor.post("/contacts", {"fields": {"given_name": "Maja"}})
        self.eventually(login, "SELECT count(*) FROM contact", "5")

        # the last login gone, nobody gets in; the next statement of a session that is open shows nothing
        with subprocess.Popen(
                ["psql", "-XAtq", "-h", login["host"], "-p", str(login["port"]), "-U", login["name"], "-d", login["database"]],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env={"PATH": os.environ["PATH"], "PGPASSWORD": login["password"]}) as session:
            session.stdin.write("SELECT count(*) FROM contact;\n")
            session.stdin.flush()
            self.assertEqual(session.stdout.readline().strip(), "5")
            self.boss.call("DELETE", f"/sql-logins/{login['name']}")
            self.assertNotEqual(self.psql(login, "SELECT 1").returncode, 0)
            time.sleep(3)
            out, _ = session.communicate("SELECT count(*) FROM contact;\n", timeout=120)
            self.assertEqual(out.strip(), "", "the watchdog has ended it")

    def test_tokens_have_none(self):
        with self.assertRaises(Refused) as refused:
            self.kontor.post("/sql-logins", {"label": "x"})
        self.assertEqual(refused.exception.problem["code"], "session.needed")


if __name__ == "__main__":
    unittest.main()
