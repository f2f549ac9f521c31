"""The reference scenario's journey with real servers, each driven through its own interface alone."""

import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib")]

from demo import Demo  # noqa: E402
from shop import plugin, with_rules  # noqa: E402
from world import Kontor, Refused, World  # noqa: E402

from Tests.Journey.servers import Mailman, Radicale, Receiver  # noqa: E402

GROUP = "Carpenters"
OLGA = "olga@oakpine.example"
ANNA, LENA, EWA = "anna@client.example", "lena@client.example", "ewa@client.example"


class Journey(unittest.TestCase):
    """One journey; the steps build on each other and run in the order of their numbers."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        cls.radicale = Radicale(cls.world.folder)
        cls.addClassCleanup(cls.radicale.stop)
        cls.mailman = Mailman(cls.world.folder)
        cls.addClassCleanup(cls.mailman.stop)
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.stop)
        cls.world.start_peers()
        cls.world.start_service()
        cls.kontor = cls.world.make_tenant("journey")
        demo = Demo(cls.world, cls.kontor)
        cls.owner, cls.crm, cls.shop = demo.owner, demo.crm, demo.shop
        cls.until = staticmethod(demo.until)
        cls.kontor.post("/fields", {
            "key": "industry", "label": "Industry", "type": "multi_choice", "choices": ["carpentry", "gardening"]})
        cls.address_book()
        cls.owner.shop()
        cls.owner.crm()
        demo.hooks()
        # the newsletter's administrator has set its mail domain up
        cls.mailman.post("/3.1/domains", {"mail_host": "lists.example"})
        cls.owner.connect("mailman", "newsletter", {
            "base_url": cls.mailman.url, "user": "restadmin", "password": "restpass", "domain": "lists.example"})
        cls.group = cls.owner.switch_on("newsletter", "segment.group")

    @classmethod
    def address_book(cls):
        book = cls.owner.connect("carddav", "book", {
            "url": cls.radicale.url + Radicale.BOOK, "user": Radicale.user, "password": Radicale.password})
        supplier = {"hub": "tags", "constant": ["supplier"], "direction": "in"}
        cls.owner.switch_on("book", "contacts.import", mapping=with_rules(
            plugin(book, "contacts.import"), supplier, without=("tags",)))
        cls.owner.switch_on("book", "contacts.export", filter={"tag": "supplier"}, mapping=with_rules(
            plugin(book, "contacts.export"), without=("tags",)))

    def contact(self, text):
        found = self.kontor.get("/contacts", q=text)["items"]
        return found[0] if found else None

    def in_crm(self, email, **wanted):
        """The CRM's contact, once it has these values."""
        def look():
            found = self.crm.find(email)
            return next((c for c in found if all(c.get(k) == v for k, v in wanted.items())), None)
        found = self.until(look)
        self.assertIsNotNone(found, f"the CRM has no {email} with {wanted}")
        self.assertEqual(len(self.crm.find(email)), 1)
        return found

    def cli(self, *arguments):
        """What the program prints, with the tenant's token or, for a command of the server, its data folder."""
        folder = ["--data", str(self.world.folder / "kontor"), "--log", "warning"] if arguments[0] == "tenant" else []
        ran = subprocess.run(
            [self.world.program, *arguments, *folder], capture_output=True, text=True, timeout=120, cwd=ROOT,
            env={**os.environ, "KONTOR_URL": self.kontor.url, "KONTOR_TOKEN": self.kontor.token})
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stdout

    def imported(self, text, **query):
        """The finished run of a CSV file."""
        options = "&".join(f"{k}={v}" for k, v in query.items())
        made = self.kontor.call("POST", "/imports/csv" + (f"?{options}" if options else ""), text.encode(), "text/csv")
        return self.kontor.finished(made)

    # the steps

    def test_01_supplier_in_the_address_book_reaches_hub_and_crm(self):
        self.radicale.put(
            "olga.vcf", "UID:olga-1", "FN:Olga Oak", "N:Oak;Olga;;;", f"EMAIL;TYPE=WORK:{OLGA}", "ORG:Oak & Pine",
            "X-WARRANTY:seven years", "item1.URL:https://oakpine.example", "item1.X-ABLABEL:portfolio",
            "CATEGORIES:woodwork")
        self.owner.run("book", "contacts.import")
        contact = self.contact(OLGA)
        self.assertEqual(contact["fields"]["tags"], ["supplier"])
        self.assertEqual(contact["fields"]["company"], "Oak & Pine")
        self.in_crm(OLGA, firstName="Olga", lastName="Oak")
        self.assertEqual(self.shop.call("GET", f"{self.shop.ROOT}/customers?email={OLGA}"), [])

    def test_02_edit_in_the_crm_changes_the_card_and_keeps_what_it_does_not_know(self):
        self.crm.edit(self.in_crm(OLGA)["id"], lastName="Oakley")
        card = self.until(lambda: [x for x in [self.radicale.card("olga.vcf")] if any("Oakley" in line for line in x)])
        self.assertTrue(card, self.radicale.card("olga.vcf"))
        for line in ("X-WARRANTY:seven years", "item1.X-ABLABEL:portfolio", "CATEGORIES:woodwork", "UID:olga-1"):
            self.assertIn(line, card[0])
        self.assertIn("N:Oakley;Olga;;;", card[0])
        self.assertEqual(len(self.radicale.names()), 1)

    def test_03_customers_of_the_shop_reach_hub_and_crm_and_not_the_address_book(self):
        for email, given, industry in ((ANNA, "Anna", "carpentry"), (LENA, "Lena", "gardening"), (EWA, "Ewa", "carpentry")):
            self.shop.register(email, given, "Test", meta_data=[{"key": "industry", "value": industry}])
        for email in (ANNA, LENA, EWA):
            self.assertIsNotNone(self.until(lambda: self.contact(email)), email)
            self.assertEqual(self.contact(email)["fields"]["tags"], ["client"])
            self.in_crm(email, lastName="Test")
        self.assertEqual(len(self.radicale.names()), 1)

    def test_04_segment_becomes_a_mailman_list_of_those_who_consented(self):
        for email in (ANNA, LENA):
            self.consent(email)
        segment = self.kontor.post("/segments", {
            "name": GROUP, "condition": {"all": [{"tag": "client"}, {"field": "industry", "is": "carpentry"}]}})
        type(self).segment = segment["id"]
        type(self).push = self.kontor.post(f"/segments/{segment['id']}/pushes", {
            "plugin": self.group, "group_name": GROUP, "purpose": "newsletter"})["id"]
        self.push_group()
        self.assertEqual(self.mailman.members(GROUP), [ANNA])
        self.consent(EWA)
        self.push_group()
        self.assertEqual(self.mailman.members(GROUP), sorted([ANNA, EWA]))

    def test_05_who_no_longer_matches_leaves_the_list(self):
        self.crm.edit(self.in_crm(ANNA)["id"], cIndustry=["gardening"])
        self.assertTrue(self.until(lambda: self.contact(ANNA)["fields"]["industry"] == ["gardening"]))
        self.push_group()
        self.assertEqual(self.mailman.members(GROUP), [EWA])

    def test_06_group_pushed_under_another_name_is_renamed(self):
        self.kontor.call("DELETE", f"/pushes/{self.push}")
        made = self.kontor.post(f"/segments/{self.segment}/pushes", {
            "plugin": self.group, "group_name": "Wood", "purpose": "newsletter"})
        type(self).push = made["id"]
        self.push_group()
        self.assertEqual(self.mailman.members("Wood"), [EWA])

    def consent(self, email):
        self.kontor.post(f"/contacts/{self.contact(email)['id']}/consents", {
            "purpose": "newsletter", "granted": True, "source": "sign-up form"})

    def push_group(self):
        run = self.kontor.finished(self.kontor.post(f"/pushes/{self.push}/run"))
        self.assertEqual(run["state"], "done", run)

    CSV = ("E-mail;First name;Last name\n"
           "iga@csv.example;Iga;Row\n"
           "no address;;\n"
           "jan@csv.example;Jan;Row\n")

    def test_07_dry_run_of_a_csv_file_leaves_nothing(self):
        before = self.newest()
        run = self.imported(self.CSV, dry="true")
        self.assertEqual(run["state"], "done", run)
        self.assertEqual(run["counts"]["preview"], {"new": 2, "refused": 1}, run)
        self.assertIsNone(self.contact("csv.example"))
        self.assertEqual(self.newest(), before)

    def newest(self):
        """Where the change feed ends."""
        place = "0.0"
        while True:
            page = self.kontor.get("/changes", after=place, limit=1000)
            if not page["items"]:
                return place
            place = page["next"]

    def test_08_csv_file_is_taken_in_and_refused_lines_are_told(self):
        run = self.imported(self.CSV)
        type(self).run_id = run["id"]
        self.assertEqual(run["state"], "done", run)
        refused = self.kontor.get(f"/runs/{run['id']}/rows", verdict="refused")["items"]
        self.assertEqual([row["line"] for row in refused], [3], refused)
        for email in ("iga@csv.example", "jan@csv.example"):
            self.assertIsNotNone(self.contact(email))
            self.in_crm(email, lastName="Row")

    def test_09_undo_takes_the_import_back_everywhere(self):
        run = self.kontor.finished(self.kontor.post(f"/runs/{self.run_id}/undo"))
        self.assertEqual(run["state"], "done", run)
        self.assertIsNone(self.contact("csv.example"))
        for email in ("iga@csv.example", "jan@csv.example"):
            self.assertTrue(self.until(lambda: not self.crm.find(email)), f"{email} is still in the CRM")

    def test_10_change_leaves_as_a_signed_webhook(self):
        self.owner.connect("webhook_out", "out", {"url": self.receiver.url, "signing_secret": "out-secret"})
        out = self.owner.connectors["out"]["plugins"][0]
        self.owner.switch_on("out", out["name"], filter={"tag": "client"})
        self.kontor.patch(f"/contacts/{self.contact(LENA)['id']}", {"fields": {"notes": "pays at once"}})

        def told():
            return [(h, b) for h, b in self.receiver.received if LENA.encode() in b and b"contact.saved" in b]
        self.assertTrue(self.until(told), self.receiver.received)
        headers, body = told()[0]
        parts = dict(p.split("=", 1) for p in headers["kontor-signature"].split(","))
        wanted = hmac.new(b"out-secret", f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
        self.assertEqual(parts["v1"], wanted)
        self.assertEqual(headers["idempotency-key"], json.loads(body)["id"])

    def test_11_webhook_brings_a_contact_in_once_and_a_forged_one_none(self):
        connector = self.owner.connect("webhook_in", "in", {"secret": "in-secret"})
        self.owner.switch_on("in", "contacts.import")
        url = self.kontor.url + self.kontor.get(f"/connectors/{connector['id']}/hook-url")["path"]
        body = json.dumps({
            "id": "n-1", "given_name": "Nina", "family_name": "Hook", "emails": [{"value": "nina@hook.example"}]}).encode()
        self.assertEqual(self.hook(url, body, "wrong"), 403)
        for _ in range(2):
            self.assertEqual(self.hook(url, body, "in-secret"), 200)
        self.assertIsNotNone(self.until(lambda: self.contact("nina@hook.example")))
        self.in_crm("nina@hook.example", firstName="Nina")
        self.assertEqual(len(self.kontor.get("/contacts", q="nina@hook.example")["items"]), 1)

    @staticmethod
    def hook(url, body, secret):
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", "X-Signature": signature})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def test_12_explain_tells_why_in_words(self):
        told = self.cli("explain", "contact", str(self.contact(OLGA)["id"]))
        for word in ("book", "crm", "shop", "own_change", "missing_tag"):
            self.assertIn(word, told)
        only = self.cli("explain", "contact", str(self.contact(OLGA)["id"]), "--connector", "shop")
        self.assertIn("missing_tag", only)
        self.assertNotIn("own_change", only)

    def test_13_suspended_tenant_is_closed_and_resumed_as_it_was(self):
        before = self.contents(self.kontor)
        self.cli("tenant", "suspend", "journey")
        self.assertTrue(self.until(self.is_closed))
        self.cli("tenant", "resume", "journey")
        self.assertTrue(self.until(lambda: not self.is_closed()))
        self.assertEqual(self.contents(self.kontor), before)
        # and work goes on
        self.crm.edit(self.in_crm(EWA)["id"], lastName="Later")
        self.assertTrue(self.until(lambda: self.contact(EWA)["fields"]["family_name"] == "Later"))

    def is_closed(self):
        try:
            self.kontor.get("/contacts", limit=1)
            return False
        except Refused as refused:
            return refused.status in (401, 403)

    def test_14_export_is_restored_under_another_name_with_the_same_contents(self):
        file = self.world.folder / "journey.export"
        self.cli("tenant", "export", "journey", str(file))
        made = json.loads(self.cli("tenant", "restore", str(file), "--name", "journey-two"))
        copy = Kontor(self.kontor.url, made["token"])
        self.assertEqual(self.contents(copy), self.contents(self.kontor))
        self.assertEqual({c["state"] for c in copy.get("/connectors")["items"]}, {"paused"})
        # the copy is a tenant of its own
        copy.patch(f"/contacts/{self.contact(LENA)['id']}", {"fields": {"notes": "only here"}})
        self.assertEqual(self.contact(LENA)["fields"]["notes"], "pays at once")

    @staticmethod
    def contents(kontor):
        """What a tenant holds, as its API tells it."""
        contacts = kontor.get("/contacts", limit=500)["items"]
        return {
            "contacts": contacts,
            "history": [kontor.get(f"/contacts/{c['id']}/history")["items"] for c in contacts],
            "segments": kontor.get("/segments")["items"],
            "fields": kontor.get("/fields")["items"],
            "connectors": [{**c, "state": None, "state_reason": None} for c in kontor.get("/connectors")["items"]]}


if __name__ == "__main__":
    unittest.main()
