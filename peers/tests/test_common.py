"""What all peers share: faults, journals, HTTP, durability, the starter."""
import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from urllib.parse import urlsplit

from peers.woocommerce import WooCommercePeer

from .support import PeerCase, call

ROOT = "/wp-json/wc/v3"
AUTH = {"Authorization": "Basic " + base64.b64encode(b"ck_demo:cs_demo").decode()}


class FaultTests(PeerCase):
    peer_class = WooCommercePeer
    auth = AUTH

    def make(self, n):
        """One creation; its status, or None when no answer came."""
        try:
            return self.call("POST", ROOT + "/customers", {"email": f"c{n}@example.com"},
                             {"Idempotency-Key": f"k{n}"}).status
        except (http.client.HTTPException, OSError):
            return None

    def test_rates_are_kept_and_repeat_with_the_seed(self):
        runs = []
        for run in range(2):
            self.call("POST", "/_peer/reset", {})
            self.faults(rate_429=0.2, rate_500=0.1, retry_after=0, seed=7)
            runs.append([self.make(n) for n in range(100)])
        self.assertEqual(runs[0], runs[1])
        self.assertTrue(8 <= runs[0].count(429) <= 35 and runs[0].count(500) >= 2, runs[0])
        log = self.log()
        self.assertEqual(log["counts"]["effects"], runs[0].count(201))
        self.assertEqual(log["counts"]["refused"], 100 - runs[0].count(201))

    def test_effect_without_answer(self):
        self.faults(timeout_after_effect=1)
        self.assertIsNone(self.make(1))
        self.faults()
        effect = self.log()["effects"][0]
        self.assertEqual((effect["key"], effect["action"], effect["idempotency_key"]),
                         ("c1@example.com", "create", "k1"))
        self.assertEqual(self.make(1), 400, "the address is taken")

    def test_torn_answer(self):
        self.faults(torn=1)
        with self.assertRaises(http.client.IncompleteRead):
            self.call("GET", ROOT + "/customers/1")

    def test_calls_before_retry_after_are_early(self):
        self.faults(rate_429=1, retry_after=30, early_grace_ms=0)
        self.make(1), self.make(2)
        self.assertEqual(self.log()["counts"]["early"], 1)

    def test_latency_and_scope(self):
        self.faults(latency_ms=1500, rate_500=1, methods=["POST"], path="customers")
        start = time.time()
        self.assertEqual(self.call("GET", ROOT + "/customers").status, 200)
        self.assertLess(time.time() - start, 1.2)
        self.assertEqual(self.make(1), 500)
        self.assertGreater(time.time() - start, 1.5)

    def test_unknown_fault_and_setting_are_refused(self):
        self.assertEqual(self.call("POST", "/_peer/faults", {"rate_418": 1}).status, 400)
        self.assertEqual(self.call("POST", "/_peer/settings", {"nonsense": 1}).status, 400)

    def test_refused_request_changes_nothing(self):
        self.make(1)
        before = self.call("GET", "/_peer/state").json
        self.make(1)
        self.assertEqual(self.call("GET", "/_peer/state").json, before)

    def test_keep_alive_and_chunked_bodies(self):
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        for n in range(2):
            body = json.dumps({"email": f"k{n}@example.com"}).encode()
            connection.request("POST", ROOT + "/customers", iter([body[:5], body[5:]]), AUTH, encode_chunked=True)
            answer = connection.getresponse()
            self.assertEqual((answer.status, json.loads(answer.read())["id"]), (201, n + 1))
        connection.close()
        with socket.create_connection((parts.hostname, parts.port)) as raw:
            raw.sendall(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            self.assertIn(b" 400 ", raw.recv(1000))

    def test_reset(self):
        self.make(1)
        self.call("POST", "/_peer/reset", {})
        self.assertEqual(self.call("GET", "/_peer/state?kind=customers").json, {"customers": []})
        self.assertEqual(self.make(1), 201)


class ProcessTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def start(self, *arguments):
        """A process and the words it printed when ready."""
        process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process, process.stdout.readline().split()

    def test_kill_loses_nothing_acknowledged(self):
        process, words = self.start("peers.woocommerce", "--data", self.folder)
        url = f"http://127.0.0.1:{words[1]}"
        for n in range(50):
            self.assertEqual(call(url, "POST", ROOT + "/customers", {"email": f"c{n}@example.com"}, AUTH).status, 201)
        process.kill()
        process.wait()
        again, words = self.start("peers.woocommerce", "--data", self.folder, "--port", words[1])
        self.assertEqual(f"http://127.0.0.1:{words[1]}", url)
        reply = call(url, "GET", ROOT + "/customers", headers=AUTH)
        self.assertEqual(reply.headers["X-WP-Total"], "50")
        again.terminate()
        self.assertEqual(again.wait(5), 0)

    def test_all_four_and_their_end_with_the_starter(self):
        file = os.path.join(self.folder, "ports.json")
        process, words = self.start("peers", "--data", self.folder, "--ports-file", file, "--restart")
        self.assertEqual(words[0], "ready")
        with open(file, encoding="utf-8") as text:
            urls = json.load(text)
        self.assertEqual(sorted(urls), ["espocrm", "google", "mailman", "woocommerce"])
        for name, url in urls.items():
            self.assertEqual(call(url, "GET", "/_peer/health").json["peer"], name)
        with open(os.path.join(self.folder, "pids.json"), encoding="utf-8") as text:
            pids = json.load(text)
        os.kill(pids["google"], signal.SIGKILL)
        self.assertTrue(self.becomes(urls["google"], True, after=0.3))
        process.kill()
        process.wait()
        for url in urls.values():
            self.assertTrue(self.becomes(url, False), url)

    def becomes(self, url, alive, after=0.0):
        """Whether the peer at `url` is, within half a minute, alive or not as wanted."""
        time.sleep(after)
        until = time.time() + 30
        while time.time() < until:
            try:
                found = call(url, "GET", "/_peer/health").status == 200
            except OSError:
                found = False
            if found == alive:
                return True
            time.sleep(0.05)
        return False
