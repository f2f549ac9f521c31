"""Compares, after the load: what was acknowledged, what the hub holds, what the peers hold, and what was done there."""

import collections
import datetime
import itertools
import json
import re

from chaos_world import FAULTS, PEERS, ask

# seconds in which calls may be under way already when the 429 leaves
GRACE = 0.25
# seconds before a fault in which an answer may not have been heard, and after it until sessions are open again
BEFORE, AFTER = 0.25, 1.0
FIELDS = {"family": "family_name", "given": "given_name", "company": "company"}


def number(text):
    """The number that a value ends in; None of what is none of ours."""
    found = re.search(r"(\d{7})$", text or "")
    return int(found.group(1)) if found else None


class Remote:
    """A peer as it stands: the living records by e-mail address, each with the numbers of its fields."""

    def __init__(self, name, url):
        self.name, self.url = name, url
        self.log = ask(f"{url}/_peer/log")
        read, kind = getattr(self, name), {"google": "people", "woocommerce": "customers", "espocrm": "Contact"}[name]
        self.kind, self.read = kind, read
        self.records = collections.defaultdict(list)
        state = ask(f"{url}/_peer/state")
        for record in next(v for k, v in state.items() if k.lower().rstrip("s") in (kind.lower().rstrip("s"), "person")):
            email, values = read(record)
            self.records[email].append(values)

    @staticmethod
    def google(record):
        name = (record.get("names") or [{}])[0]
        company = (record.get("organizations") or [{}])[0].get("name")
        email = (record.get("emailAddresses") or [{}])[0].get("value", "")
        return email, {"family": number(name.get("familyName")), "given": number(name.get("givenName")),
                       "company": number(company)}

    @staticmethod
    def woocommerce(record):
        return record.get("email", ""), {
            "family": number(record.get("last_name")), "given": number(record.get("first_name")),
            "company": number((record.get("billing") or {}).get("company"))}

    @staticmethod
    def espocrm(record):
        return record.get("emailAddress") or "", {
            "family": number(record.get("lastName")), "given": number(record.get("firstName"))}

    def wants(self, known):
        """Whether the hub's rules send a contact here."""
        tag = {"google": "supplier", "woocommerce": "client"}.get(self.name)
        return not known.is_deleted and (tag is None or tag in known.tags)


class Report:
    """Findings by kind, each with a line that says where."""

    KINDS = ("lost", "doubled", "out of order", "early", "differs", "left over", "other")

    def __init__(self):
        self.lines = {kind: [] for kind in self.KINDS}
        self.table = []
        self.history = []

    def add(self, kind, line):
        self.lines[kind].append(line)

    def row(self, what, value):
        self.table.append((what, value))

    def count(self, kind):
        return len(self.lines[kind])

    def print(self):
        for what, value in self.table:
            print(f"   {what:46} {value}")
        for kind, lines in self.lines.items():
            for line in lines[:20]:
                print(f"   {kind}: {line}")
            if len(lines) > 20:
                print(f"   {kind}: and {len(lines) - 20} more")
        for line in self.history:
            print(f"   {line}")


def compare(kontor, urls, load, windows):
    """The whole comparison; returns a Report."""
    report = Report()
    for complaint in load.book.complaints:
        report.add("other", complaint)
    known = sorted(load.book.by_email.values(), key=lambda k: k.id)
    hub = contacts(kontor)
    in_hub(report, known, hub, conflicts(kontor))
    in_feed(report, kontor, known)
    remotes = [Remote(name, urls[name]) for name in PEERS]
    for remote in remotes:
        name = remote.name
        at_peer(report, remote, known, hub)
        in_order(report, remote)
        early(report, remote, load.people.get(name), windows)
        for crash in remote.log["crashes"]:
            report.add("other", f"{name} itself failed: {crash['error'].strip().splitlines()[-1]}")
    histories(report, kontor, remotes, hub)
    for what, value in sorted(load.book.counts.items()):
        report.row(what, value)
    report.row("contacts made", len(known))
    report.row("of these deleted", sum(k.is_deleted for k in known))
    return report


def contacts(kontor):
    """All living contacts of the hub by e-mail address."""
    out, cursor = collections.defaultdict(list), None
    while True:
        page = kontor.get("/contacts", limit=500, cursor=cursor)
        for contact in page["items"]:
            email = (contact["fields"].get("emails") or [{}])[0].get("value", "")
            out[email].append(contact)
        cursor = page["next"]
        if not cursor:
            return out


def conflicts(kontor):
    """Contacts and fields where the hub kept its own value against a remote's, which the conflict list tells."""
    out, cursor = set(), None
    while True:
        page = kontor.get("/conflicts", limit=500, cursor=cursor)
        out |= {(c["contact"], c["field"]) for c in page["items"] if c["kept"] == "hub"}
        cursor = page["next"]
        if not cursor:
            return out


def in_hub(report, known, hub, listed):
    """The hub holds each acknowledged contact once, with the values acknowledged last. A person's edit at a remote that
    the hub weighed against its own value and listed as a conflict is not lost: it is counted apart."""
    settled = 0
    for one in known:
        found = hub.get(one.email, [])
        if one.is_deleted:
            if found:
                report.add("lost", f"the deletion of contact {one.id}")
            continue
        if not found:
            report.add("lost", f"contact {one.id} ({one.email}) is not in the hub")
            continue
        if len(found) > 1:
            report.add("doubled", f"hub: {one.email} is contacts {', '.join(str(c['id']) for c in found)}")
        for name, field in FIELDS.items():
            wanted, is_ = getattr(one, name)[-1], number(found[0]["fields"].get(field))
            if wanted == is_:
                continue
            if name != "family" and (one.id, field) in listed:
                settled += 1
            else:
                report.add("lost", f"contact {one.id}: {field} was acknowledged as {wanted}, the hub has {is_}")
    report.row("edits at remotes that lost a listed conflict", settled)
    strange = set(hub) - {one.email for one in known}
    for email in sorted(strange):
        report.add("other", f"hub: nobody made {email}")


def in_feed(report, kontor, known):
    """The change feed tells every change that the API acknowledged, in their order."""
    seen, newest, place, count = collections.defaultdict(set), {}, None, 0
    while True:
        page = kontor.get("/changes", limit=1000, after=place)
        if not page["items"]:
            break
        place, count = page["next"], count + len(page["items"])
        for change in page["items"]:
            value = number((change["after"] or {}).get("family_name")) if change["entity"] == "contact" else None
            if value is None:
                continue
            seen[change["record"]].add(value)
            # the feed is in the order of transactions, one record's changes in the order of its versions
            newest.setdefault(change["record"], []).append((change["version"], value))
    for record, pairs in newest.items():
        for (_, before), (version, value) in itertools.pairwise(sorted(pairs)):
            if value < before:
                report.add("out of order", f"feed: contact {record} shows {value} in version {version} after {before}")
    for one in known:
        for missing in sorted(set(one.family) - seen[one.id]):
            report.add("lost", f"contact {one.id}: family_name {missing} is not in the change feed")
    report.row("changes in the feed", count)


def at_peer(report, remote, known, hub):
    """Each contact is once where it belongs, with the hub's values, and deleted ones are nowhere."""
    wanted = 0
    for one in known:
        found = remote.records.get(one.email, [])
        if not remote.wants(one):
            if found:
                report.add("left over", f"{remote.name}: {one.email} (contact {one.id})")
            continue
        wanted += 1
        if not found:
            report.add("lost", f"{remote.name}: {one.email} (contact {one.id}) is not there")
            continue
        if len(found) > 1:
            report.add("doubled", f"{remote.name}: {one.email} (contact {one.id}) is there {len(found)} times")
        contact = next(iter(hub.get(one.email, [])), None)
        for name, value in found[0].items():
            has = contact and number(contact["fields"].get(FIELDS[name]))
            if value != has:
                report.add("differs", f"{remote.name}: {one.email} (contact {one.id}) {name} is {value}, the hub has {has}")
    effects = [e for e in remote.log["effects"] if e["idempotency_key"] != "person"]
    kinds = collections.Counter(e["action"] for e in effects)
    report.row(f"{remote.name}: contacts that belong there", wanted)
    report.row(f"{remote.name}: made, changed, deleted by Kontor", " ".join(str(kinds[k]) for k in ("create", "update", "delete")))
    report.row(f"{remote.name}: calls refused by a fault", len(remote.log["refused"]))
    # made twice, also when one of the two was deleted again
    living = {e["record"] for e in effects if e["kind"] == remote.kind}
    made = collections.Counter(e["key"] for e in effects if e["action"] == "create")
    for key, times in made.items():
        if times > 1 and len(remote.records.get(key, [])) < 2:
            report.add("doubled", f"{remote.name}: {key} was made {times} times (of {len(living)} records)")


def in_order(report, remote):
    """No effect puts an older number into a field than an earlier effect did."""
    newest = {}
    for effect in remote.log["effects"]:
        if effect["action"] == "delete" or "body" not in effect:
            continue
        for name, value in remote.read(effect["body"])[1].items():
            if value is None:
                continue
            before = newest.get((effect["record"], name), (-1, None))
            if value < before[0]:
                who = "a person" if effect["idempotency_key"] == "person" else "Kontor"
                report.add("out of order", f"{remote.name}: {who} wrote {name} {value} of record {effect['record']} "
                           f"(effect {effect['n']}, {effect['key']}) after {before[0]} (effect {before[1]})")
            newest[effect["record"], name] = (value, effect["n"])


def histories(report, kontor, remotes, hub):
    """What became of the contacts that effects out of order are about: each change of the hub with its actor, and each
    effect at each peer, in the order of time, so that the cause can be seen."""
    emails = {m.group() for line in report.lines["out of order"] if (m := re.search(r"[^ ,]+@[^ ,)]+", line))}
    for email in sorted(emails):
        entries = []
        for contact in hub.get(email, []):
            for change in kontor.get(f"/contacts/{contact['id']}/history", limit=500)["items"]:
                entries.append((change["at"], "hub", json.dumps(change)))
        for remote in remotes:
            for effect in remote.log["effects"]:
                if effect["key"] == email:
                    at = datetime.datetime.fromtimestamp(effect["time"], datetime.timezone.utc).isoformat()
                    values = remote.read(effect["body"])[1] if "body" in effect else ""
                    entries.append((at, remote.name, f"effect {effect['n']}: {effect['action']} {values}, "
                                    f"key {effect['idempotency_key']}"))
        report.history += [f"{email}: {at} {who} {what}" for at, who, what in sorted(entries)]


def early(report, remote, person, windows):
    """Kontor's calls between a 429 that Kontor got and the end of its Retry-After. What a person was told Kontor cannot
    know: each of a person's calls answers for one entry of the same path and time. Nor can it know a 429 that went to
    a process which was killed or frozen just then, or that found no database to tell the others: those of the time of
    a fault are counted apart.
    """
    calls = list(person.calls) if person else []

    def is_own(entry):
        own = next((c for c in calls if c[0] == entry["path"] and c[1] <= entry["time"] <= c[2]), None)
        if own and entry["method"] == "PUT":
            calls.remove(own)
            return True
        return False

    told = [e["time"] for e in remote.log["refused"] if e["status"] == 429 and not is_own(e)]
    unheard = [t for t in told if any(a - BEFORE < t < b + AFTER for a, b in windows)]
    calls[:] = person.calls if person else []
    excused = 0
    for entry in remote.log["early"]:
        if is_own(entry):
            continue
        since = [(entry["time"] - t, t) for t in told if GRACE < entry["time"] - t < FAULTS["retry_after"]]
        if any(t not in unheard for _, t in since):
            report.add("early", f"{remote.name}: {entry['method']} {entry['path']} {min(since)[0]:.3f} s after a 429")
        elif since:
            excused += 1
    report.row(f"{remote.name}: early after a 429 amid a fault", excused)
