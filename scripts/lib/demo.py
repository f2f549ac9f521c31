"""The five steps of the reference scenario, against the peers, through the API alone."""

import argparse
import pathlib
import secrets
import sys
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(pathlib.Path(__file__).parent)]

from peers.person import AddressBook, Crm, Newsletter, Shop  # noqa: E402
from shop import HOOK_SECRET, Owner  # noqa: E402
from world import World  # noqa: E402

PUSHERS = ("google", "shop", "crm")


class Demo:
    def __init__(self, world, kontor):
        self.kontor = kontor
        self.urls = world.urls
        self.owner = Owner(kontor, world.urls)
        self.book = AddressBook(world.urls["google"])
        self.shop = Shop(world.urls["woocommerce"])
        self.crm = Crm(world.urls["espocrm"])
        self.newsletter = Newsletter(world.urls["mailman"])
        self.faults = []

    def check(self, what, holds):
        print(f"   {'ok ' if holds else 'NOT'} {what}")
        if not holds:
            self.faults.append(what)

    def until(self, question, seconds=20):
        """Asks until the answer is a true value; the last answer otherwise."""
        deadline = time.monotonic() + seconds
        answer = question()
        while not answer and time.monotonic() < deadline:
            time.sleep(0.05)
            answer = question()
        return answer

    def contact(self, email):
        found = self.kontor.get("/contacts", q=email)["items"]
        return found[0] if found else None

    def settled(self, contact, kind, origin):
        """The verdicts on the newest change of a contact, once it is of this kind and origin and all is delivered."""
        explained = self.kontor.get(f"/contacts/{contact['id']}/explain")
        plugins = {p["connector"]: p for p in explained["plugins"]}
        for name in PUSHERS:
            given = plugins[name].get("input")
            if not given or (given["kind"], given["origin"]) != (kind, origin):
                return None
            if plugins[name]["delivery"]["state"] not in (None, "done"):
                return None
        return plugins

    def event(self, title, email, kind, origin, expected):
        """Prints an event with every plugin's verdict, and compares."""
        contact = self.until(lambda: self.contact(email))
        self.check(f"the hub has {email}", contact is not None)
        if contact is None:
            return None
        plugins = self.until(lambda: self.settled(contact, kind, origin))
        print(f"   event: contact {kind}, from {origin}: {contact['name']} (contact {contact['id']})")
        self.check(f"{title}: decided and delivered everywhere", plugins is not None)
        if plugins is None:
            for plugin in self.kontor.get(f"/contacts/{contact['id']}/explain")["plugins"]:
                print("      ", plugin["connector"], plugin["verdict"], plugin.get("input"), plugin["delivery"])
        for name in PUSHERS if plugins else ():
            verdict = plugins[name]["verdict"]
            print(f"      {name:7} {'accepts' if verdict == 'accepted' else 'rejects'}: {plugins[name]['because']} [{verdict}]")
            self.check(f"{name} says {expected[name]}", verdict == expected[name])
        return contact

    def in_crm(self, email):
        return next(iter(self.crm.find(email)), None)

    def run(self):
        # the newsletter application's administrator has set its mail domain up
        self.newsletter.call("POST", "/3.1/domains", {"mail_host": "lists.example"})
        print("\nSetting up: four systems connected, suppliers to Google, clients to the shop, everyone to the CRM")
        self.owner.set_up()
        self.hooks()
        for step in (self.step1, self.step2, self.step3, self.step4, self.step5):
            print(f"\n{step.__doc__}")
            step()
        violations = self.book.call("GET", "/_peer/violations")
        self.check("every call to Google fits its discovery document", not violations.get("violations"))

    def hooks(self):
        for topic in ("customer.created", "customer.updated", "order.created", "order.updated"):
            self.shop.call("POST", Shop.ROOT + "/webhooks", {
                "topic": topic, "delivery_url": self.owner.hook_url("shop"), "secret": HOOK_SECRET})
        for event in ("create", "update", "delete"):
            made = self.crm.call("POST", "/api/v1/Webhook", {"event": f"Contact.{event}", "url": self.owner.hook_url("crm")})
            secret = made["secretKey"]
            # EspoCRM makes a secret for each webhook: the connector takes several, separated by spaces
            self.secrets = [*getattr(self, "secrets", []), secret]
        crm = self.owner.connectors["crm"]["id"]
        self.kontor.patch(f"/connectors/{crm}", {"settings": {"webhook_secret": " ".join(self.secrets)}})

    def step1(self):
        """Step 1. Import from Google: suppliers arrive; Google rejects its own change, the CRM creates them."""
        for given, family, email, company in (
                ("Olga", "Oak", "olga@oakpine.example", "Oak & Pine"), ("Piotr", "Fir", "piotr@firs.example", "Firs"),
                ("Maja", "Ash", "maja@ash.example", "Ash Garden")):
            self.book.add(given, family, email, organizations=[{"name": company}])
        self.owner.run("google", "contacts.import")
        contact = self.event("import", "olga@oakpine.example", "new", "google",
                             {"google": "own_change", "crm": "accepted", "shop": "missing_tag"})
        self.check("it has the tag supplier", contact is not None and contact["fields"].get("tags") == ["supplier"])
        for email in ("olga@oakpine.example", "piotr@firs.example", "maja@ash.example"):
            self.check(f"the CRM has {email}", self.until(lambda: self.in_crm(email)) is not None)

    def step2(self):
        """Step 2. A customer registers in the shop: the CRM creates it, Google and the shop reject."""
        meta = [{"key": "birthday", "value": "1985-09-14"}, {"key": "industry", "value": "carpentry"}]
        self.client = self.shop.register("karol@client.example", "Karol", "Kowal", meta_data=meta)
        contact = self.event("registration", "karol@client.example", "new", "shop",
                             {"google": "missing_tag", "crm": "accepted", "shop": "own_change"})
        self.check("it has the tag client", contact is not None and contact["fields"].get("tags") == ["client"])
        record = self.until(lambda: self.in_crm("karol@client.example"))
        print(f"   the CRM now shows: {record and record.get('name')}, industry {record and record.get('cIndustry')}")
        self.check("the CRM has it, with its industry", bool(record) and record.get("cIndustry") == ["carpentry"])
        self.check("Google does not have it", not self.book.find("karol"))

    def step3(self):
        """Step 3. The CRM edits a supplier: Google updates, the CRM and the shop reject."""
        self.crm.edit(self.in_crm("olga@oakpine.example")["id"], lastName="Oakley")
        self.event("edit of a supplier", "olga@oakpine.example", "edited", "crm",
                   {"google": "accepted", "crm": "own_change", "shop": "missing_tag"})
        person = self.until(lambda: next((p for p in self.book.find("olga") if p["names"][0].get("familyName") == "Oakley"), None))
        print(f"   Google now shows: {person and person['names'][0].get('displayName')}")
        self.check("Google has the new name", person is not None)

    def step4(self):
        """Step 4. The CRM edits a client: the shop updates, the CRM and Google reject."""
        self.crm.edit(self.in_crm("karol@client.example")["id"], lastName="Kowalski")
        self.event("edit of a client", "karol@client.example", "edited", "crm",
                   {"google": "missing_tag", "crm": "own_change", "shop": "accepted"})
        customer = self.until(lambda: self.renamed_customer())
        print(f"   the shop now shows: {customer and customer['first_name']} {customer and customer['last_name']}")
        self.check("the shop has the new name", customer is not None)

    def renamed_customer(self):
        customer = self.shop.call("GET", f"{Shop.ROOT}/customers/{self.client}")
        return customer if customer["last_name"] == "Kowalski" else None

    def step5(self):
        """Step 5. Clients interested in carpentry who bought from Oak & Pine and were born in September become a group."""
        root = Shop.ROOT
        oak = self.shop.call("POST", root + "/products", {
            "name": "Oak table", "regular_price": "900.00", "meta_data": [{"key": "supplier", "value": "Oak & Pine"}]})["id"]
        fern = self.shop.call("POST", root + "/products", {
            "name": "Fern", "regular_price": "20.00", "meta_data": [{"key": "supplier", "value": "Ash Garden"}]})["id"]
        others = (
            ("born in May", "lena@client.example", "Lena", "1990-05-02", "carpentry", oak),
            ("bought elsewhere", "iga@client.example", "Iga", "1990-09-02", "carpentry", fern),
            ("another industry", "jan@client.example", "Jan", "1990-09-02", "gardening", oak),
            ("no consent", "ewa@client.example", "Ewa", "1990-09-02", "carpentry", oak))
        for _, email, given, birthday, industry, product in others:
            self.shop.register(email, given, "Test", meta_data=[
                {"key": "birthday", "value": birthday}, {"key": "industry", "value": industry}])
            self.shop.buy(email, given, "Test", [(product, 1)])
        self.shop.buy("karol@client.example", "Karol", "Kowalski", [(oak, 1)])
        for name in ("customers.import", "products.import", "orders.import"):
            self.owner.run("shop", name)
        for email in ("karol@client.example", *(o[1] for o in others if o[0] != "no consent")):
            contact = self.contact(email)
            self.kontor.post(f"/contacts/{contact['id']}/consents", {"purpose": "newsletter", "granted": True, "source": "sign-up form"})
        condition = {"all": [
            {"tag": "client"}, {"field": "industry", "is": "carpentry"}, {"bought": {"supplier": "Oak & Pine"}}, {"birth_month": 9}]}
        segment = self.kontor.post("/segments", {"name": "September carpenters", "condition": condition})
        members = self.until(lambda: self.kontor.get(f"/segments/{segment['id']}/members")["items"])
        print(f"   the segment: {', '.join(m['name'] for m in members)}")
        self.check("the segment is Karol, and Ewa who has not consented",
                   sorted(m["fields"]["given_name"] for m in members) == ["Ewa", "Karol"])
        group = next(p for p in self.owner.connectors["newsletter"]["plugins"])["id"]
        push = self.kontor.post(f"/segments/{segment['id']}/pushes", {
            "plugin": group, "group_name": "September carpenters", "purpose": "newsletter", "schedule": {"monthly": 1}})
        run = self.kontor.finished(self.kontor.post(f"/pushes/{push['id']}/run"))
        self.check(f"the group was pushed: {run['message'] or run['state']}", run["state"] == "done")
        members = self.mailman_members()
        print(f"   the newsletter application now has the group with: {', '.join(members)}")
        self.check("the group holds just the one who consented", members == ["karol@client.example"])

    def mailman_members(self):
        lists = self.newsletter.call("GET", "/3.1/lists").get("entries", [])
        chosen = [entry for entry in lists if entry["display_name"] == "September carpenters"]
        return self.newsletter.members(urllib.parse.quote(chosen[0]["list_id"])) if chosen else []


PEOPLE = {"owner@demo.example": "the owner", "sales@demo.example": "sees own clients only",
          "marketing@demo.example": "sees contacts without telephone numbers"}


def people(world, kontor, password):
    """The owner and two members of staff; the clients are the sales person's. And what clients are asked to consent to."""
    kontor.call("PUT", "/purposes/newsletter", {"title": {
        "en": "Newsletter", "pl": "Biuletyn", "nb": "Nyhetsbrev", "lt": "Naujienlaiškis", "it": "Newsletter"}})
    kontor.post("/wordings", {"purpose": "newsletter", "language": "en",
                              "body": "We send you our newsletter about once a month. You can leave at any time."})
    owner = world.make_owner("demo", "owner@demo.example", password)
    sales = world.make_person(owner, "sales", "sales@demo.example", "Ola Nowak", password)
    world.make_person(owner, "marketing", "marketing@demo.example", "Marta Zielińska", password)
    for contact in kontor.get("/contacts", tag="client")["items"][:3]:
        kontor.call("PUT", f"/contacts/{contact['id']}/owner", {"owner": sales})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kontor", required=True, help="the program")
    parser.add_argument("--exit", action="store_true", help="end with the result instead of staying up")
    parser.add_argument("--port", type=int, default=0, help="port of the API; any free one when not given")
    options = parser.parse_args()
    with World(options.kontor, port=options.port) as world:
        world.start_peers()
        url = world.start_service()
        kontor = world.make_tenant("demo")
        demo = Demo(world, kontor)
        try:
            demo.run()
        except Exception:
            for name in world.processes:
                print(f"--- {name}.log", (world.folder / f"{name}.log").read_text(errors="replace")[-3000:], sep="\n", file=sys.stderr)
            raise
        print(f"\n{'Everything was as it should be.' if not demo.faults else f'{len(demo.faults)} things were not as they should be:'}")
        for fault in demo.faults:
            print(f"   {fault}")
        password = secrets.token_hex(10)
        people(world, kontor, password)
        print(f"\nThe console is open at {url}")
        print(f"   shop demo, password {password}, as")
        for email, what in PEOPLE.items():
            print(f"   {email:24} {what}")
        if not options.exit:
            print(f"\nThe API is open at {url}/api/v1 (its document: {url}/api/v1/openapi.json).")
            print(f"   export KONTOR_URL={url} KONTOR_TOKEN={kontor.token}")
            print(f"   {options.kontor} contact list")
            print("Press Control-C to end.")
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                print()
        return 1 if demo.faults else 0


if __name__ == "__main__":
    sys.exit(main())
