"""The CRM's traps."""
import base64
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

from peers.espocrm import EspoPeer

from .support import PeerCase, Sink


class EspoCase(PeerCase):
    """A CRM with an API key; webhooks leave at once."""

    peer_class = EspoPeer
    settings = {"hook_delay": 0.0, "hook_retry": 0.1}
    auth = {"X-Api-Key": "demo-key"}

    def make(self, status=200, headers=None, **given):
        """A new contact as answered."""
        reply = self.call("POST", "/api/v1/Contact", {"lastName": "Nowak", **given}, headers)
        self.assertEqual(reply.status, status, reply.headers)
        return reply.json if reply.body else reply

    def listed(self, *where, **query):
        """A list by where items."""
        for i, item in enumerate(where):
            for name, value in item.items():
                for j, v in enumerate(value if isinstance(value, list) else [value]):
                    query[f"where[{i}][{name}]" + (f"[{j}]" if isinstance(value, list) else "")] = v
        reply = self.call("GET", "/api/v1/Contact?" + urlencode(query))
        self.assertEqual(reply.status, 200, reply.headers)
        return reply.json

    def hook(self, event, sink):
        """A webhook at the sink."""
        return self.call("POST", "/api/v1/Webhook", {"event": event, "url": sink.url}).json


class RecordTests(EspoCase):
    def test_keys_and_basic(self):
        self.assertEqual(self.call("GET", "/api/v1/Contact", headers={"X-Api-Key": "no"}).status, 401)
        self.auth = {"Authorization": "Basic " + base64.b64encode(b"admin:admin").decode()}
        self.assertEqual(self.call("GET", "/api/v1/Contact").status, 200)

    def test_create_answers_200_and_a_twin_409(self):
        first = self.make(emailAddress="a@example.com")
        reply = self.call("POST", "/api/v1/Contact", {"lastName": "Other", "emailAddress": "A@example.com"})
        self.assertEqual((reply.status, reply.headers["X-Status-Reason"]), (409, "duplicate"))
        self.assertEqual([r["id"] for r in reply.json], [first["id"]])
        self.make(emailAddress="a@example.com", headers={"X-Skip-Duplicate-Check": "true"})
        self.assertEqual(self.listed()["total"], 2)

    def test_required_and_malformed(self):
        self.make(400, lastName="")
        self.make(400, emailAddress="nonsense")
        self.make(400, cIndustry="IT")

    def test_addresses_and_their_data_stay_in_step(self):
        data = [{"emailAddress": "b@example.com"}, {"emailAddress": "a@example.com", "primary": True, "optOut": True}]
        made = self.make(emailAddressData=data, phoneNumber="+48600100200")
        self.assertEqual((made["emailAddress"], made["emailAddressIsOptedOut"]), ("a@example.com", True))
        self.assertEqual(made["phoneNumberData"][0]["type"], "Mobile")
        item = {"type": "equals", "attribute": "emailAddress", "value": "B@example.com"}
        found = self.listed(item)["list"]
        self.assertEqual(found[0]["id"], made["id"])
        self.assertNotIn("emailAddressData", found[0], "lists leave the data out")

    def test_where(self):
        self.make(cIndustry=["IT", "Food"], cBirthMonth=5)
        self.make(lastName="Kowal", cIndustry=["Steel"])
        for item, count in (({"type": "after", "attribute": "modifiedAt", "value": "2020-01-01 00:00:00"}, 2),
                            ({"type": "after", "attribute": "modifiedAt", "value": "2999-01-01 00:00:00"}, 0),
                            ({"type": "arrayAnyOf", "attribute": "cIndustry", "value": ["IT", "Wood"]}, 1),
                            ({"type": "equals", "attribute": "cBirthMonth", "value": "5"}, 1),
                            ({"type": "startsWith", "attribute": "lastName", "value": "kow"}, 1),
                            ({"type": "isNull", "attribute": "emailAddress"}, 2),
                            ({"type": "in", "attribute": "lastName", "value": ["Nowak"]}, 1)):
            self.assertEqual(self.listed(item)["total"], count, item)
        page = self.listed(orderBy="lastName", order="desc", maxSize=1, offset=1, select="id,lastName")
        self.assertEqual((page["total"], [r["lastName"] for r in page["list"]]), (2, ["Kowal"]))
        self.assertEqual(set(page["list"][0]), {"id", "lastName"})
        self.assertEqual(self.call("GET", "/api/v1/Contact?maxSize=201").status, 403)
        self.assertEqual(self.call("GET", "/api/v1/Contact?where[0][type]=soon&where[0][attribute]=id").status, 400)

    def test_update_delete_and_old_versions(self):
        made = self.make()
        path = f"/api/v1/Contact/{made['id']}"
        self.assertRegex(made["modifiedAt"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertEqual(self.call("PUT", path, {"firstName": "Ewa"}).json["versionNumber"], 2)
        stale = self.call("PUT", path, {"firstName": "Iza"}, {"X-Version-Number": "1"})
        self.assertEqual((stale.status, stale.json["values"]), (409, {"firstName": "Ewa"}))
        self.assertEqual(self.call("DELETE", path).json, True)
        self.assertEqual(self.call("GET", path).status, 404)

    def test_accounts(self):
        account = self.call("POST", "/api/v1/Account", {"name": "Acme", "billingAddressCity": "Gdynia"}).json
        self.assertEqual(self.make(accountId=account["id"])["accountName"], "Acme")
        self.make(400, accountId="none", lastName="X")


class WebhookTests(EspoCase):
    def test_batches_are_arrays_and_signed(self):
        sink = Sink(self)
        hook = self.hook("Contact.create", sink)
        self.call("POST", "/_peer/settings", {"hook_delay": 0.4})
        ids = [self.make(lastName=f"N{i}")["id"] for i in range(3)]
        headers, body = sink.wait(1)[0]
        digest = hmac.new(hook["secretKey"].encode(), body, hashlib.sha256).digest()
        self.assertEqual(base64.b64decode(headers["X-Signature"]), f"{hook['id']}:".encode() + digest)
        got = [r["id"] for _, b in sink.calls for r in json.loads(b)]
        until = time.time() + 30
        while len(got) < 3 and time.time() < until:
            time.sleep(0.02)
            got = [r["id"] for _, b in sink.calls for r in json.loads(b)]
        self.assertEqual(got, ids)
        self.assertLessEqual(len(sink.calls), 2)

    def test_update_sends_the_changed_attributes_delete_the_id(self):
        sink = Sink(self)
        self.hook("Contact.update", sink), self.hook("Contact.delete", sink)
        id = self.make()["id"]
        self.call("PUT", f"/api/v1/Contact/{id}", {"firstName": "Ewa"})
        record = json.loads(sink.wait(1)[0][1])[0]
        self.assertEqual(record["firstName"], "Ewa")
        self.assertNotIn("lastName", record)
        self.call("DELETE", f"/api/v1/Contact/{id}")
        self.assertEqual(json.loads(sink.wait(2)[1][1]), [{"id": id}])

    def test_four_tries_and_410_ends_it(self):
        sink = Sink(self, status=404)
        hook = self.hook("Contact.create", sink)
        self.make()
        self.assertEqual(len(sink.wait(4)), 4)
        time.sleep(0.3)
        self.assertEqual(len(sink.calls), 4)
        sink.status = 410
        self.make(lastName="B")
        sink.wait(5)
        time.sleep(0.1)
        self.assertEqual(self.call("GET", f"/api/v1/Webhook/{hook['id']}").status, 404)
