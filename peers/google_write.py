"""Methods that create, change and delete persons, one by one and in batches."""
from .google_errors import refuse
from .google_fields import UPDATE_FIELDS
from .google_masks import check_person, mask, read_mask, unknown
from .google_people import KIND, kept, shown, source_etag, with_groups
from .messages import Refusal, json_answer

STALE = "Request person.etag is different than the current person.etag. Clear local cache and get the latest person."


def find(store, id):
    """The person, or 404."""
    doc = store.doc(KIND, id)
    if doc is None:
        raise refuse(404, "Requested entity was not found.")
    return doc


def key_of(body):
    """The natural key of a person in the journal: its first e-mail, else its first external id or name."""
    for field, part in (("emailAddresses", "value"), ("externalIds", "value"), ("names", "givenName")):
        for entry in body.get(field, []):
            if entry.get(part):
                return entry[part]
    return None


def insert(peer, person, request=None):
    """Keeps a new person; returns its Doc. Without a request it leaves no effect in the journal."""
    number = peer.store.next("people")
    body = with_groups(peer.store, kept(person))
    doc = peer.store.put(KIND, f"people/c{7300000000000000000 + number * 7919}", body)
    if request:
        peer.effect(request, "create", KIND, doc.id, key_of(body), body)
    return doc


def create(peer, request):
    """people.createContact"""
    fields = read_mask(request, required=False)
    person = request.json()
    check_person(person, "person")
    return json_answer(200, shown(insert(peer, person, request), fields))


def _members(payload, known):
    if not isinstance(payload, dict):
        raise refuse(400, "Invalid JSON payload received.")
    for name in payload:
        if name not in known:
            raise unknown("", name)


def batch_create(peer, request):
    """people.batchCreateContacts: up to 200, all or none; without readMask nothing comes back."""
    payload = request.json()
    _members(payload, ("contacts", "readMask", "sources"))
    contacts = payload.get("contacts") or []
    if not 1 <= len(contacts) <= 200:
        raise refuse(400, "Contacts count must be between 1 and 200.")
    fields = mask(payload.get("readMask"), "readMask", required=False)
    made = []
    for contact in contacts:
        _members(contact, ("contactPerson",))
        person = contact.get("contactPerson")
        check_person(person, "contacts.contact_person")
        made.append(insert(peer, person, request))
    if not fields:
        return json_answer(200, {})
    return json_answer(200, {"createdPeople": [answer_of(d, fields) for d in made]})


def answer_of(doc, fields):
    """One person of a batch answer."""
    return {"httpStatusCode": 200, "person": shown(doc, fields), "requestedResourceName": doc.id, "status": {}}


def change(peer, request, id, person, fields):
    """Replaces the named fields of a person whose contact source etag is the current one."""
    doc = find(peer.store, id)
    check_person(person, "person")
    sources = (person.get("metadata") or {}).get("sources") or []
    etags = [s.get("etag") for s in sources if s.get("type") == "CONTACT"]
    if not etags or not etags[0]:
        raise refuse(400, "Request must set person.etag or person.metadata.sources.etag for the source that is "
                          "being updated.")
    if etags[0] != source_etag(doc):
        raise refuse(400, STALE, "FAILED_PRECONDITION")
    new = kept(person, fields)
    body = {**{k: v for k, v in doc.body.items() if k not in fields}, **new}
    if "memberships" in fields:
        if not new.get("memberships"):
            raise refuse(400, "Contact must be a member of at least one contact group.")
    body = with_groups(peer.store, body)
    doc = peer.store.put(KIND, id, body)
    peer.effect(request, "update", KIND, id, key_of(body), new)
    return doc


def update(peer, request, id):
    """people.updateContact"""
    fields = mask(request.get("updatePersonFields"), "updatePersonFields", UPDATE_FIELDS)
    shown_fields = read_mask(request, required=False)
    return json_answer(200, shown(change(peer, request, id, request.json(), fields), shown_fields))


def batch_update(peer, request):
    """people.batchUpdateContacts: up to 200 by resource name, all or none (see setting batch_partial)."""
    payload = request.json()
    _members(payload, ("contacts", "readMask", "sources", "updateMask"))
    contacts = payload.get("contacts") or {}
    if not 1 <= len(contacts) <= 200:
        raise refuse(400, "Contacts count must be between 1 and 200.")
    fields = mask(payload.get("updateMask"), "updateMask", UPDATE_FIELDS)
    shown_fields = mask(payload.get("readMask"), "readMask", required=False)
    out = {}
    for id, person in contacts.items():
        out[id] = _change_one(peer, request, id, person, fields, shown_fields)
    return json_answer(200, {"updateResult": out} if shown_fields else {})


def _change_one(peer, request, id, person, fields, shown_fields):
    try:
        return answer_of(change(peer, request, id, person, fields), shown_fields or [])
    except Refusal as refusal:
        if not peer.setting("batch_partial"):
            raise
        error = refusal.answer.value["error"]
        code = {"NOT_FOUND": 5, "FAILED_PRECONDITION": 9}.get(error["status"], 3)
        return {"httpStatusCode": error["code"], "requestedResourceName": id,
                "status": {"code": code, "message": error["message"]}}


def delete(peer, request, id):
    """people.deleteContact"""
    doc = find(peer.store, id)
    peer.store.delete(KIND, id)
    peer.effect(request, "delete", KIND, id, key_of(doc.body))
    return json_answer(200, {})


def batch_delete(peer, request):
    """people.batchDeleteContacts: up to 500, all or none."""
    payload = request.json()
    _members(payload, ("resourceNames",))
    names = payload.get("resourceNames") or []
    if not 1 <= len(names) <= 500:
        raise refuse(400, "Resource names count must be between 1 and 500.")
    for name in dict.fromkeys(names):
        delete(peer, request, name)
    return json_answer(200, {})
