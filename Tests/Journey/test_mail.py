"""Mail to staff by a real mail server: invitations, forgotten passwords, what a policy demands, kills and refusals."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib"), str(pathlib.Path(__file__).parent)]

from servers import free_port, venv  # noqa: E402
from world import Kontor, Refused, World  # noqa: E402

OWNER = "owner@mail.example"
PASSWORD = "seven quiet lamps of 1911"


class Mail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        cls.folder = cls.world.folder / "mail"
        cls.folder.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail",
             "-addext", "subjectAltName=IP:127.0.0.2", "-keyout", cls.folder / "key.pem", "-out", cls.folder / "cert.pem"],
            check=True, stderr=subprocess.DEVNULL)
        cls.port = free_port()
        cls.python = venv("smtp", ["aiosmtpd==1.4.6"]) / "bin/python"
        cls.start_mail_server()
        os.environ.update(
            KONTOR_MAIL_SERVER=f"smtp://127.0.0.2:{cls.port}", KONTOR_MAIL_FROM="Kontor <kontor@mail.example>",
            KONTOR_MAIL_USER="kontor", KONTOR_MAIL_PASSWORD="mail server password", KONTOR_MAIL_CA=str(cls.folder / "cert.pem"),
            KONTOR_ADDRESS="https://kontor.mail.example/")
        cls.addClassCleanup(lambda: [os.environ.pop(name) for name in list(os.environ)
                                     if name.startswith("KONTOR_MAIL_") or name == "KONTOR_ADDRESS"])
        cls.url = cls.world.start_service()
        made = subprocess.run(
            [cls.world.program, "tenant", "create", "mail", "--country", "PL", "--owner", OWNER,
             "--data", str(cls.world.folder / "kontor"), "--log", "warning"], input=PASSWORD, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(made.stderr)
        cls.owner = cls.sign_in(OWNER, PASSWORD)

    @classmethod
    def start_mail_server(cls):
        cls.world.start("smtp", [cls.python, pathlib.Path(__file__).parent / "smtp_server.py", cls.folder, str(cls.port)],
                        stdin=subprocess.PIPE)

    @classmethod
    def sign_in(cls, email, password):
        made = Kontor(cls.url, "").post("/sessions", {"tenant": "mail", "email": email, "password": password})
        return Kontor(cls.url, made["token"])

    def psql(self, statement):
        socket = self.world.folder / "kontor/postgres/socket"
        asked = subprocess.run(
            ["psql", "-XAtq", "-h", str(socket), "-U", "kontor_super", "-d", "kontor", "-c", statement], capture_output=True, text=True)
        self.assertEqual(asked.returncode, 0, asked.stderr)

    def mails(self, to, count=1, seconds=120):
        """The mails for an address, once there are so many."""
        deadline = time.monotonic() + seconds
        file = self.folder / "mails"
        while time.monotonic() < deadline:
            lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
            found = [mail for mail in lines if mail["to"] == [to]]
            if len(found) >= count:
                return found
            time.sleep(0.1)
        self.fail(f"no {count} mails for {to}: {self.owner.get('/mails')}")

    def token(self, mail):
        return re.search(r"https://kontor\.mail\.example/invitations/(\S+)", mail["text"])[1]

    def accept(self, token, password):
        Kontor(self.url, "").post("/invitations", {"token": token, "password": password})

    def invite(self, name, **more):
        return self.owner.post("/staff", {"email": f"{name}@mail.example", "name": f"Zoë {name}", "role": 3, **more})

    def refused(self, code, act, *arguments):
        with self.assertRaises(Refused) as caught:
            act(*arguments)
        self.assertEqual(caught.exception.problem.get("code"), code)

    def state(self, person):
        return [(mail["kind"], mail["state"]) for mail in self.owner.get("/mails")["items"] if mail["account"] == person]

    def test_invitation_and_reset(self):
        made = self.invite("ola", language="pl")
        self.assertEqual((made["token"], made["mailed"]), (None, True))
        mail = self.mails("ola@mail.example")[0]
        self.assertEqual((mail["from"], mail["header"], mail["tls"]),
                         ("kontor@mail.example", "Zoë ola <ola@mail.example>", True))
        self.assertIn("Twój dostęp do mail", mail["subject"])
        self.assertIn(self.token(mail), mail["html"])
        self.accept(self.token(mail), "nine wooden boats at dawn")
        self.sign_in("ola@mail.example", "nine wooden boats at dawn")
        # known and unknown are answered alike, and only one gets a mail
        anybody = Kontor(self.url, "")
        for name in ("ola", "unknown"):
            self.assertIsNone(anybody.post("/password-resets", {"tenant": "mail", "email": f"{name}@mail.example"}))
        reset = self.mails("ola@mail.example", 2)[1]
        self.accept(self.token(reset), "three green kites over 7 hills")
        self.refused("invitation.invalid", self.accept, self.token(reset), "five loud bells under water")
        self.refused("sign_in.failed", self.sign_in, "ola@mail.example", "nine wooden boats at dawn")
        self.sign_in("ola@mail.example", "three green kites over 7 hills")
        self.assertIn("zostało zmienione", self.mails("ola@mail.example", 3)[2]["subject"])
        # nobody is flooded: of many requests few become mails
        for _ in range(6):
            anybody.post("/password-resets", {"tenant": "mail", "email": "ola@mail.example"})
        time.sleep(3)
        self.assertLessEqual(len(self.mails("ola@mail.example")), 5)
        lines = [json.loads(line) for line in (self.folder / "mails").read_text().splitlines()]
        self.assertNotIn(["unknown@mail.example"], [mail["to"] for mail in lines])

    def test_refused_address(self):
        person = self.invite("nobody")["id"]
        deadline = time.monotonic() + 120
        while self.state(person) != [("invitation", "failed")] and time.monotonic() < deadline:
            time.sleep(0.1)
        mail = [mail for mail in self.owner.get("/mails")["items"] if mail["account"] == person][0]
        self.assertEqual((mail["state"], mail["attempts"]), ("failed", 1))
        self.assertIn("550", mail["error"])
        # a link to pass on by hand
        shown = self.owner.call("POST", f"/staff/{person}/invitation?mail=false")
        self.assertFalse(shown["mailed"])
        self.accept(shown["token"], "eleven grey stones in a row")

    def test_killed_while_it_sends(self):
        (self.folder / "hold").touch()
        person = self.invite("held")["id"]
        first = self.mails("held@mail.example")[0]
        self.assertEqual(self.state(person), [("invitation", "waiting")])
        # the server has the mail, and Kontor is killed before it hears of it
        self.world.stop("kontor", signal.SIGKILL)
        self.world.stop("smtp", signal.SIGKILL)
        (self.folder / "hold").unlink()
        self.world.start_service()
        waiting = self.invite("later")["id"]
        time.sleep(2)
        self.assertEqual(self.state(waiting), [("invitation", "waiting")])
        self.start_mail_server()
        self.accept(self.token(self.mails("later@mail.example")[0]), "twelve slow trains going north")
        # what was held is free again after its lease, whose end is not waited for here
        self.assertEqual(self.state(person), [("invitation", "waiting")])
        self.psql(f"UPDATE auth.mail SET due_at = now() WHERE account = {person}")
        again = self.mails("held@mail.example", 2)[1]
        self.assertEqual(again["id"], first["id"], "a mail that came twice can be told")
        self.assertNotEqual(self.token(again), self.token(first))
        deadline = time.monotonic() + 120
        while self.state(person) != [("invitation", "sent")] and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.state(person), [("invitation", "sent")])
        # the first link did arrive, and works; then none does
        self.accept(self.token(first), "eight warm loaves of dark bread")
        self.sign_in("held@mail.example", "eight warm loaves of dark bread")
        self.refused("invitation.invalid", self.accept, self.token(again), "nine cold loaves of light bread")

    def test_a_new_password_ends_links(self):
        made = self.invite("kim", mail=False)
        self.accept(made["token"], "two old bridges over ice")
        kim = self.sign_in("kim@mail.example", "two old bridges over ice")
        Kontor(self.url, "").post("/password-resets", {"tenant": "mail", "email": "kim@mail.example"})
        link = self.token(self.mails("kim@mail.example")[0])
        kim.call("PUT", "/account/password", {"old": "two old bridges over ice", "new": "six new bridges over sand"})
        self.refused("invitation.invalid", self.accept, link, "whoever read the mailbox before")
        # a mail that was not sent yet ends with a newer link, too
        self.world.stop("smtp", signal.SIGKILL)
        person = self.invite("mel")["id"]
        shown = self.owner.call("POST", f"/staff/{person}/invitation?mail=false")
        self.start_mail_server()
        self.accept(shown["token"], "eleven lost gloves in snow")
        self.invite("after")
        self.mails("after@mail.example")
        self.assertEqual(self.state(person), [("invitation", "failed")])
        lines = [json.loads(line) for line in (self.folder / "mails").read_text().splitlines()]
        self.assertNotIn(["mel@mail.example"], [mail["to"] for mail in lines])

    def test_policy(self):
        role = self.owner.get("/roles")["items"]
        sales = next(one["id"] for one in role if one["name"] == "sales")
        made = self.owner.call("POST", "/staff", {
            "email": "pol@mail.example", "name": "Pol", "role": sales, "mail": False})
        floor = self.owner.get("/password-policy")
        self.assertEqual(floor, {"length": 15, "strength": 3, "words": [], "history": 0, "expires_days": None, "factor_roles": []})
        self.refused("body.invalid", self.owner.call, "PUT", "/password-policy", {"length": 8, "strength": 3})
        self.refused("policy.role", self.owner.call, "PUT", "/password-policy", {"length": 15, "strength": 3, "factor_roles": [9999]})
        policy = {"length": 18, "strength": 4, "words": ["Anvil"], "history": 2, "expires_days": None, "factor_roles": [sales]}
        self.assertEqual(self.owner.call("PUT", "/password-policy", policy), policy)
        for code, password in [("password.length", "short ones 17 chr"), ("password.blocked", "the anVIl of four seasons"),
                               ("password.guessable", "passwordpasswordpassword")]:
            self.refused(code, self.accept, made["token"], password)
        self.accept(made["token"], "fourteen blue whales sing")
        pol = self.sign_in("pol@mail.example", "fourteen blue whales sing")
        # the role needs a second factor: until then, the own account alone
        self.refused("factor.needed", pol.get, "/contacts")
        self.refused("factor.needed", pol.get, "/staff")
        self.assertEqual(pol.get("/account")["email"], "pol@mail.example")

        def change(old, new):
            pol.call("PUT", "/account/password", {"old": old, "new": new})
        change("fourteen blue whales sing", "sixteen tall birches lean")
        self.refused("password.used_before", change, "sixteen tall birches lean", "fourteen blue whales sing")
        self.refused("password.used_before", change, "sixteen tall birches lean", "sixteen tall birches lean")
        self.owner.call("PUT", "/password-policy", {**policy, "factor_roles": []})
        time.sleep(1.1)
        self.assertEqual(pol.get("/contacts")["items"], [])
        # an old password is good for nothing but to be changed; the owner's own is as old as it says
        self.owner.call("PUT", "/password-policy", {**policy, "factor_roles": [], "expires_days": 30})
        self.assertEqual(pol.get("/contacts")["items"], [])
        self.owner.call("PUT", "/password-policy", {"length": 15, "strength": 3})


if __name__ == "__main__":
    unittest.main()
