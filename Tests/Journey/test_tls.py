"""The service by https, with a certificate that is renewed while it runs."""

import http.client
import os
import pathlib
import ssl
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib")]

from world import World  # noqa: E402


class TLS(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        cls.certificate, cls.key = (cls.world.folder / name for name in ("live.crt", "live.key"))
        for name in ("first", "second"):
            cls.make(name)
        cls.install("first")
        os.environ.update(KONTOR_TLS_CERTIFICATE=str(cls.certificate), KONTOR_TLS_KEY=str(cls.key))
        try:
            cls.world.start_service()
        finally:
            del os.environ["KONTOR_TLS_CERTIFICATE"], os.environ["KONTOR_TLS_KEY"]

    @classmethod
    def make(cls, name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.crt"],
            cwd=cls.world.folder, check=True, capture_output=True)

    @classmethod
    def install(cls, name, *endings):
        """By renaming, as those who renew certificates do."""
        for ending in endings or ("crt", "key"):
            fresh = cls.world.folder / f"fresh.{ending}"
            fresh.write_bytes((cls.world.folder / f"{name}.{ending}").read_bytes())
            fresh.rename(cls.world.folder / f"live.{ending}")

    def connect(self, trusted):
        context = ssl.create_default_context(cafile=self.world.folder / f"{trusted}.crt")
        connection = http.client.HTTPSConnection("127.0.0.1", self.world.port, context=context, timeout=120)
        connection.connect()
        self.addCleanup(connection.close)
        return connection

    def status(self, connection):
        connection.request("GET", "/health")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def shown(self, trusted, seconds=120):
        """A connection, as soon as this certificate is shown."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.connect(trusted)
            except ssl.SSLCertVerificationError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def test_renewal(self):
        old = self.connect("first")
        old.request("GET", "/sign-in")
        answer = old.getresponse()
        answer.read()
        self.assertIn("max-age", answer.getheader("Strict-Transport-Security", ""))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect("second")
        # half of a pair is not taken
        self.install("second", "crt")
        time.sleep(3)
        self.assertEqual(self.status(self.connect("first")), 200)
        self.install("second", "key")
        self.assertEqual(self.status(self.shown("second")), 200)
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect("first")
        self.assertEqual(self.status(old), 200, "who is connected stays so")
        self.certificate.write_text("nothing")
        time.sleep(3)
        self.assertEqual(self.status(self.connect("second")), 200)
        # files that are links, one step away from those that change
        for ending in ("crt", "key"):
            live = self.world.folder / f"live.{ending}"
            live.unlink()
            live.symlink_to(f"now/pair.{ending}")
            for name in ("first", "second"):
                (self.world.folder / f"{name}.pair").mkdir(exist_ok=True)
                (self.world.folder / f"{name}.pair/pair.{ending}").write_bytes((self.world.folder / f"{name}.{ending}").read_bytes())
        now = self.world.folder / "now"
        now.symlink_to("second.pair")
        self.assertEqual(self.status(self.shown("second")), 200)
        (self.world.folder / "then").symlink_to("first.pair")
        (self.world.folder / "then").rename(now)
        self.assertEqual(self.status(self.shown("first")), 200)

    def test_old_protocols(self):
        context = ssl.create_default_context(cafile=self.world.folder / "first.crt")
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        connection = http.client.HTTPSConnection("127.0.0.1", self.world.port, context=context, timeout=120)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            connection.connect()


if __name__ == "__main__":
    unittest.main()
