"""The load: writers at the API, and people at the CRM's and the shop's own screens.

Each field has one kind of writer and each contact one writer, who gives it ever greater numbers, so that what must be
there at the end, and in what order effects may come, is known: family_name the API, given_name the CRM, company the shop.
"""

import collections
import itertools
import json
import random
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from chaos_world import ask
from peers.person import Crm, Shop

PERSON = {"Idempotency-Key": "person"}


@dataclass
class Known:
    """What a writer knows of one contact; the numbers are those that were acknowledged, in order."""

    id: int
    email: str
    tags: list
    family: list = field(default_factory=list)
    given: list = field(default_factory=list)
    company: list = field(default_factory=list)
    is_deleted: bool = False


class Book:
    """All contacts that were acknowledged, shared by writers and people."""

    def __init__(self):
        self.lock = threading.Lock()
        self.by_email = {}
        self.counts = collections.Counter()
        self.complaints = []

    def count(self, what, by=1):
        with self.lock:
            self.counts[what] += by

    def complain(self, text):
        with self.lock:
            self.complaints.append(text)


class Worker(threading.Thread):
    """One who changes something over and over until told to stop; what was begun is brought to its end."""

    def __init__(self, book, stopping, seed):
        super().__init__(daemon=True)
        self.book, self.stopping = book, stopping
        self.rng = random.Random(seed)

    def run(self):
        while not self.stopping.is_set():
            try:
                self.step()
            except Exception as error:  # the run must go on to its comparison, which fails with this on record
                self.book.complain(f"{self.name}: {type(error).__name__}: {error}")
            self.stopping.wait(self.rng.uniform(0.05, 0.25))


class Writer(Worker):
    """A program at the API. It asks again, with the same key, when it got no answer."""

    def __init__(self, number, kontor, book, stopping, seed):
        super().__init__(book, stopping, f"{seed}-writer-{number}")
        self.name = f"writer {number}"
        self.number, self.kontor = number, kontor
        self.numbers = itertools.count(1)
        self.mine = []

    def step(self):
        dice = self.rng.random()
        if dice < 0.12 or not self.mine:
            self.create()
        elif dice < 0.14:
            self.delete()
        else:
            self.edit()

    def create(self):
        number = next(self.numbers)
        kind = "del" if self.rng.random() < 0.1 else "w"
        email = f"{kind}{self.number}x{number}@chaos.example"
        tags = self.rng.choice((["client"], ["supplier"], ["client", "supplier"]))
        fields = {
            "given_name": "Given0000000", "family_name": f"Family{number:07}", "tags": tags,
            "emails": [{"value": email}], "company": "Company0000000"}
        contact = self.call("POST", "/contacts", {"fields": fields}, f"create-{email}", lambda: self.find(email))
        known = Known(contact["id"], email, tags, [number], [0], [0])
        with self.book.lock:
            if any(k.id == known.id for k in self.mine):
                self.book.complaints.append(f"{email} was answered with contact {known.id} of another")
            self.book.by_email[email] = known
        self.mine.append(known)

    def edit(self):
        known = self.rng.choice(self.mine[-40:])
        if known.is_deleted:
            return
        number = next(self.numbers)
        self.call("PATCH", f"/contacts/{known.id}", {"fields": {"family_name": f"Family{number:07}"}})
        known.family.append(number)

    def delete(self):
        known = next((k for k in self.mine if k.email.startswith("del") and not k.is_deleted), None)
        if known:
            self.call("DELETE", f"/contacts/{known.id}")
            known.is_deleted = True

    def find(self, email):
        found = self.kontor.get("/contacts", q=email)["items"]
        return found[0] if found else None

    def call(self, method, path, body=None, key=None, look=None):
        """Sends until it is acknowledged. `look` finds what an attempt of unknown end made."""
        for attempt in itertools.count():
            request = urllib.request.Request(
                f"{self.kontor.url}/api/v1{path}", json.dumps(body).encode() if body else None, method=method)
            request.add_header("Authorization", f"Bearer {self.kontor.token}")
            request.add_header("Content-Type", "application/json")
            if key:
                request.add_header("Idempotency-Key", key)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    raw = answer.read()
                self.book.count("acknowledged")
                return json.loads(raw) if raw else None
            except urllib.error.HTTPError as error:
                raw = error.read().decode(errors="replace")
                if error.code == 409 and look:
                    # the end of the first request is not known, and its key not free: look, as the API asks for
                    made = self.looked_for(look)
                    if made:
                        return made
                    key = f"{key}+"
                elif error.code < 500:
                    raise RuntimeError(f"{method} {path}: {error.code} {raw[:300]}") from None
                else:
                    self.book.count(f"answered {error.code}")
            except OSError:
                self.book.count("no answer")
            time.sleep(min(0.1 * 2 ** attempt, 2) * self.rng.uniform(0.5, 1))

    def looked_for(self, look):
        self.book.count("key in use")
        for _ in range(40):
            try:
                return look()
            except (OSError, RuntimeError):
                time.sleep(0.5)
            except Exception:  # the API's refusal while the database is away
                time.sleep(0.5)
        raise RuntimeError("the contact cannot be looked for")


class Person(Worker):
    """Someone at a vendor's screen who repeats what failed. `calls` keeps when each path was called."""

    def __init__(self, screen, book, stopping, seed):
        super().__init__(book, stopping, f"{seed}-{type(self).__name__}")
        self.name = type(self).__name__
        screen.headers = {**screen.headers, **PERSON}
        self.screen = screen
        self.numbers = itertools.count(1)
        self.calls = []
        self.seen, self.seen_at = {}, 0

    def step(self):
        if time.monotonic() > self.seen_at + 3:
            self.seen, self.seen_at = self.look(), time.monotonic()
        with self.book.lock:
            choice = [(id, self.book.by_email[email]) for email, id in self.seen.items()
                      if email in self.book.by_email and not email.startswith("del")]
        if choice:
            id, known = self.rng.choice(choice[-60:])
            number = next(self.numbers)
            if self.insist(id, number):
                self.done(known).append(number)
                self.book.count(f"edits by the {self.name.lower()}")
        self.stopping.wait(self.rng.uniform(0.2, 0.8))

    def insist(self, id, number):
        for attempt in itertools.count():
            begun = time.time()
            try:
                self.edit(id, number)
                return True
            except RuntimeError as error:
                if str(error).startswith("404"):
                    return False
            except (OSError, ValueError, EOFError):
                pass  # cut, torn or refused by a peer that was killed
            except Exception as error:
                if type(error).__module__ != "http.client":
                    raise
            finally:
                self.calls.append((self.path(id), begun, time.time()))
            time.sleep(min(0.2 * 2 ** attempt, 2))


class Seller(Person):
    """Changes first names in the CRM."""

    def look(self):
        return {c["emailAddress"]: c["id"] for c in state(self.screen.url, "Contact") if c.get("emailAddress")}

    def edit(self, id, number):
        self.screen.edit(id, firstName=f"Given{number:07}")

    def path(self, id):
        return f"/api/v1/Contact/{id}"

    def done(self, known):
        return known.given


class Shopkeeper(Person):
    """Changes companies in the shop."""

    def look(self):
        return {c["email"]: c["id"] for c in state(self.screen.url, "customers")}

    def edit(self, id, number):
        self.screen.edit(id, billing={"company": f"Company{number:07}"})

    def path(self, id):
        return f"{Shop.ROOT}/customers/{id}"

    def done(self, known):
        return known.company


def state(url, kind):
    """A peer's living records of a kind, whatever faults are on; nothing while it is away."""
    try:
        return ask(f"{url}/_peer/state?kind={kind}")[kind]
    except (OSError, ValueError):
        return []


class Load:
    """Three writers, a seller and a shopkeeper."""

    def __init__(self, kontor, urls, seed):
        self.book = Book()
        self.stopping = threading.Event()
        writers = [Writer(n, kontor, self.book, self.stopping, seed) for n in range(3)]
        self.people = {
            "espocrm": Seller(Crm(urls["espocrm"]), self.book, self.stopping, seed),
            "woocommerce": Shopkeeper(Shop(urls["woocommerce"]), self.book, self.stopping, seed)}
        self.threads = [*writers, *self.people.values()]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(120)
            if thread.is_alive():
                self.book.complain(f"{thread.name} got no answer for two minutes")
