"""Persons: what is kept and how it is shown."""
import datetime
import hashlib
import time

from .google_errors import refuse
from .google_fields import ENTRIES, UPDATE_FIELDS

KIND = "people"
MY_CONTACTS = "contactGroups/myContacts"


def stamp(seconds):
    """A time as Google writes it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def source_etag(doc):
    """The etag of the contact source: changes with every change of the person."""
    return "#" + hashlib.sha256(f"{doc.id}/{doc.seq}".encode()).hexdigest()[:16] + "="


def person_etag(doc):
    """The etag of the whole person."""
    return "%Eg" + hashlib.sha256(f"person/{doc.id}/{doc.seq}".encode()).hexdigest()[:22]


def kept(person, fields=UPDATE_FIELDS):
    """What is stored of a person sent in: writable fields, without metadata the server makes itself."""
    out = {}
    for field in fields:
        entries = [{k: v for k, v in e.items() if k != "metadata" and v is not None} for e in person.get(field) or []]
        if entries:
            out[field] = entries
    return out


def with_groups(store, body):
    """Memberships as stored: known groups only, My Contacts when none is named."""
    names = [m.get("contactGroupMembership", {}).get("contactGroupResourceName") for m in body.get("memberships", [])]
    names = [n for n in names if n] or [MY_CONTACTS]
    for name in names:
        if not store.doc("contactGroups", name):
            raise refuse(400, f"Contact group {name} does not exist.")
    body["memberships"] = [{"contactGroupMembership": {"contactGroupResourceName": n}} for n in dict.fromkeys(names)]
    return body


def groups_of(body):
    """The resource names of a stored person's groups."""
    return [m["contactGroupMembership"]["contactGroupResourceName"] for m in body["memberships"]]


def source_of(doc):
    """The contact source of a person, for its metadata."""
    return {"type": "CONTACT", "id": doc.id.removeprefix("people/c"), "etag": source_etag(doc),
            "updateTime": stamp(doc.modified)}


def shown(doc, fields):
    """A person as answered, the masked fields only; a deleted one is only its name and the mark."""
    out = {"resourceName": doc.id, "etag": person_etag(doc)}
    metadata = {"sources": [source_of(doc)], "objectType": "PERSON"}
    if doc.deleted:
        return {**out, "metadata": {**metadata, "deleted": True}}
    out["metadata"] = metadata
    source = {"type": "CONTACT", "id": metadata["sources"][0]["id"]}
    for field in ENTRIES if fields is None else fields:
        entries = doc.body.get(field)
        if entries:
            out[field] = [{"metadata": {**({"primary": True} if i == 0 else {}), "source": source},
                           **DRESS.get(field, dict)(e)} for i, e in enumerate(entries)]
    return out


def _name(entry):
    out = dict(entry)
    parts = [entry.get(k) for k in ("honorificPrefix", "givenName", "middleName", "familyName", "honorificSuffix")]
    display = " ".join(p for p in parts if p) or entry.get("unstructuredName", "")
    if not any(parts) and display:  # Google splits an unstructured name itself
        out["givenName"], _, rest = display.partition(" ")
        if rest:
            out["familyName"] = rest
    out["displayName"] = display
    first = " ".join(p for p in (out.get("givenName"), out.get("middleName")) if p)
    out["displayNameLastFirst"] = ", ".join(p for p in (out.get("familyName"), first) if p) or display
    out["unstructuredName"] = entry.get("unstructuredName") or display
    return out


def _typed(entry):
    kind = entry.get("type")
    return {**entry, "formattedType": kind[:1].upper() + kind[1:]} if kind else dict(entry)


def _phone(entry):
    out = _typed(entry)
    digits = "".join(c for c in entry.get("value", "") if c.isdigit())
    if entry.get("value", "").strip().startswith("+") and digits:
        out["canonicalForm"] = "+" + digits
    return out


def _address(entry):
    out = _typed(entry)
    lines = [entry.get("streetAddress"), entry.get("extendedAddress"),
             " ".join(p for p in (entry.get("postalCode"), entry.get("city")) if p), entry.get("region"),
             entry.get("country") or entry.get("countryCode")]
    out.setdefault("formattedValue", "\n".join(x for x in lines if x))
    return out


def _membership(entry):
    name = entry["contactGroupMembership"]["contactGroupResourceName"]
    return {"contactGroupMembership": {"contactGroupId": name.removeprefix("contactGroups/"),
                                       "contactGroupResourceName": name}}


def _birthday(entry):
    date = entry.get("date") or {}
    numbers = [str(date[k]) for k in ("month", "day", "year") if date.get(k)]
    return {**entry, "text": entry.get("text") or "/".join(numbers)}


DRESS = {"names": _name, "phoneNumbers": _phone, "addresses": _address, "memberships": _membership,
         "birthdays": _birthday, **{f: _typed for f in (
             "emailAddresses", "urls", "events", "externalIds", "organizations", "relations", "sipAddresses")}}


def time_now():
    """The peer's clock, seconds since 1970."""
    return time.time()
