"""Changing keys with a thousand stored credentials, killed midway again and again: all stay readable."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib")]

from world import World  # noqa: E402

CREDENTIALS = 1000


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        cls.world.start_service()
        cls.kontor = cls.world.make_tenant("keys")
        for number in range(CREDENTIALS // 2):
            cls.kontor.post("/connectors", {"kind": "webhook_in", "name": f"hook {number}", "settings": {
                "secret": f"first secret {number} of this hook", "secret_old": f"second secret {number} of this hook"}})

    def run_keys(self, *words):
        return subprocess.Popen(
            [self.world.program, "keys", *words, "--data", str(self.world.folder / "kontor"), "--log", "error"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def check(self):
        with self.run_keys("check") as checking:
            out, errors = checking.communicate(timeout=120)
        self.assertEqual(json.loads(out), {"readable": CREDENTIALS, "unreadable": 0}, errors)

    def master(self):
        return (self.world.folder / "kontor/master.key").read_text().split()

    def test_data_keys(self):
        self.check()
        with self.run_keys("rotate") as whole:
            start = time.monotonic()
            self.assertEqual(json.loads(whole.communicate(timeout=120)[0])["credentials"], CREDENTIALS)
            took = time.monotonic() - start
        self.check()
        order, killed, rounds = random.Random(7), 0, 0
        # one that was quicker than the first was done before
        while killed < 3 and rounds < 30:
            rounds += 1
            with self.run_keys("rotate") as rotating:
                time.sleep(took * order.uniform(0.3, 0.9))
                rotating.kill()
                killed += rotating.wait() == -signal.SIGKILL
            self.check()
            # a credential entered meanwhile is sealed under the newest key
            self.kontor.patch("/connectors/1", {"settings": {"secret": "a secret that was entered anew"}})
        self.assertEqual(killed, 3, "killed while they worked")
        with self.run_keys("rotate") as whole:
            self.assertEqual(json.loads(whole.communicate(timeout=120)[0])["credentials"], CREDENTIALS)
        self.check()

    def test_master_key(self):
        address = self.kontor.get("/connectors/1/hook-url")["path"]
        first = self.master()
        self.assertEqual(len(first), 1)
        with self.run_keys("new-master") as made:
            self.assertEqual(made.wait(), 0, made.communicate())
        both = self.master()
        self.assertEqual(both[1:], first)
        order = random.Random(7)
        for _ in range(3):
            self.world.stop("kontor", signal.SIGKILL)
            starting = self.world.start("kontor", [
                self.world.program, "serve", "--data", str(self.world.folder / "kontor"), "--port", str(self.world.port)])
            time.sleep(order.uniform(0.3, 1.5))
            self.assertIn(self.master(), (both, both[:1]))
            self.assertIsNone(starting.poll())
        self.world.stop("kontor", signal.SIGKILL)
        self.world.start_service()
        self.assertEqual(self.master(), both[:1], "the old one is forgotten")
        self.check()
        self.assertEqual(self.kontor.get("/connectors/1/hook-url")["path"], address)


if __name__ == "__main__":
    unittest.main()
