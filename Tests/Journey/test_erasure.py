"""A person who is in every system is erased: afterwards nothing of them is anywhere, and the certificate says so."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib")]

from demo import Demo  # noqa: E402
from world import World  # noqa: E402

CANARY = "qanarino"
PHONE = "+48601987654"


class Erasure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        cls.world.start_peers()
        cls.world.start_service()
        cls.kontor = cls.world.make_tenant("erasure")
        cls.demo = Demo(cls.world, cls.kontor)
        cls.demo.owner.set_up()
        cls.demo.hooks()
        cls.demo.newsletter.call("POST", "/3.1/domains", {"mail_host": "lists.example"})

    def psql(self, statement):
        socket = self.world.folder / "kontor/postgres/socket"
        done = subprocess.run(
            ["psql", "-XAtq", "-h", str(socket), "-U", "kontor_super", "-d", "kontor", "-c", statement], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def dump(self):
        """Every row of every table, of all schemas."""
        socket = self.world.folder / "kontor/postgres/socket"
        return subprocess.run(
            ["pg_dump", "-h", str(socket), "-U", "kontor_super", "-d", "kontor", "--data-only"], capture_output=True, text=True,
            check=True).stdout

    def at_peers(self):
        """Peers whose living records hold something of the person. Their tombstones and logs are theirs: real ones have
        trash bins, too, and empty them by themselves."""
        found = set()
        for path in (self.world.folder / "peers").glob("*.db"):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                for kind, body in database.execute("SELECT kind, body FROM doc WHERE NOT deleted"):
                    if (CANARY in body.lower() or PHONE in body) and kind not in ("users", "addresses"):
                        found.add(f"{path.stem} {kind}")
        return sorted(found)

    def test_nothing_is_left(self):
        kontor, demo = self.kontor, self.demo
        # two orders in the shop, a history of names, every system, a group
        demo.shop.register(f"{CANARY}@client.example", CANARY.title(), "Testowa", billing={"phone": PHONE})
        oak = demo.shop.call("POST", demo.shop.ROOT + "/products", {"name": "Oak table", "regular_price": "900.00"})["id"]
        demo.shop.buy(f"{CANARY}@client.example", CANARY.title(), "Testowa", [(oak, 1)])
        for name in ("customers.import", "products.import", "orders.import"):
            demo.owner.run("shop", name)
        contact = demo.until(lambda: demo.contact(f"{CANARY}@client.example"))["id"]
        kontor.patch(f"/contacts/{contact}", {"fields": {
            "tags": ["client", "supplier"], "notes": f"says {CANARY}", "family_name": f"{CANARY}ska"}})
        kontor.post(f"/contacts/{contact}/consents", {
            "purpose": "newsletter", "granted": True, "source": "form", "proof": f"{CANARY} signed"})
        segment = kontor.post("/segments", {"name": "clients", "condition": {"tag": "client"}})
        group = next(p for p in demo.owner.connectors["newsletter"]["plugins"])["id"]
        push = kontor.post(f"/segments/{segment['id']}/pushes", {
            "plugin": group, "group_name": "September carpenters", "purpose": "newsletter"})
        run = kontor.finished(kontor.post(f"/pushes/{push['id']}/run"))
        self.assertEqual(run["state"], "done", run)

        def delivered():
            found = kontor.get(f"/contacts/{contact}/bindings")["items"]
            return len(found) == 3 and all(CANARY in json.dumps(b["agreed"]).lower() for b in found)
        demo.until(delivered, 60)
        found = self.at_peers()
        self.assertEqual(len({one.split()[0] for one in found}), 4, f"it is in every system first: {found}")
        self.assertIn(CANARY, self.dump().lower())

        kontor.post(f"/contacts/{contact}/erase")
        certificate = demo.until(
            lambda: (c := kontor.get(f"/contacts/{contact}/erasure"))["complete"] and c, 90)
        self.assertEqual(
            {s["connector"] for s in certificate["systems"]}, {"crm", "google", "shop", "newsletter"}, certificate)
        # polls and hooks go on, and bring nothing of the person back
        for connector, name in (("shop", "customers.import"), ("shop", "orders.import"), ("crm", "contacts.import"),
                                ("google", "contacts.import")):
            demo.owner.run(connector, name)
        time.sleep(2)
        for word in (CANARY, PHONE):
            lines = [line for line in self.dump().lower().splitlines() if word in line]
            self.assertEqual(lines, [], "in the database")
            export = self.world.folder / f"{len(word)}.export"
            subprocess.run(
                [self.world.program, "tenant", "export", "erasure", str(export), "--data", str(self.world.folder / "kontor"),
                 "--log", "warning"], check=True, capture_output=True)
            self.assertNotIn(word, export.read_text().lower(), "in the export")
            for log in (self.world.folder / "kontor.log", self.world.folder / "kontor/postgres/postgres.log"):
                self.assertNotIn(word, log.read_text(errors="replace").lower(), log.name)
        self.assertEqual(demo.mailman_members(), [])
        for peer, call in {"crm": lambda: demo.crm.find(f"{CANARY}@client.example")}.items():
            self.assertEqual(call(), [], peer)
        # a shop keeps its orders: the law on accounts has them kept there
        self.assertEqual(self.at_peers(), ["woocommerce orders"])


if __name__ == "__main__":
    unittest.main()
