"""Methods that read persons."""
from .google_errors import refuse
from .google_masks import mask, read_mask
from .google_people import KIND, shown
from .google_sync import fingerprint, page, page_size
from .google_write import find
from .messages import flag, json_answer


def _name(part):
    return lambda doc: ((doc.body.get("names") or [{}])[0].get(part) or "").lower()


ORDERS = {"LAST_MODIFIED_ASCENDING": None, "LAST_MODIFIED_DESCENDING": (lambda d: d.seq, True),
          "FIRST_NAME_ASCENDING": (_name("givenName"), False), "LAST_NAME_ASCENDING": (_name("familyName"), False)}


def connections(peer, request):
    """people.connections.list of people/me"""
    fields = read_mask(request)
    size = page_size(request, 100, 1000)
    order = request.get("sortOrder", "LAST_MODIFIED_ASCENDING")
    if order not in ORDERS:
        raise refuse(400, f"Invalid value at 'sort_order': \"{order}\"")
    print_ = fingerprint(request, ["personFields", "requestMask.includeField", "sources", "sortOrder"])
    want = flag(request.get("requestSyncToken")) or bool(request.get("syncToken"))
    docs, total, more = page(peer, request, KIND, size, print_, ORDERS[order], want)
    out = {"connections": [shown(d, fields) for d in docs], **more}
    if total:
        out.update(totalPeople=total, totalItems=total)
    return json_answer(200, {k: v for k, v in out.items() if v != []})


def get(peer, request, id):
    """people.get"""
    fields = read_mask(request)
    return json_answer(200, shown(find(peer.store, id), fields))


def batch_get(peer, request):
    """people.getBatchGet: up to 200 names; a missing one has its own status."""
    fields = read_mask(request)
    names = request.all("resourceNames")
    if not 1 <= len(names) <= 200:
        raise refuse(400, "Resource names count must be between 1 and 200.")
    out = []
    for name in dict.fromkeys(names):
        doc = peer.store.doc(KIND, name)
        if doc:
            out.append({"httpStatusCode": 200, "person": shown(doc, fields), "requestedResourceName": name,
                        "status": {}})
        else:
            out.append({"httpStatusCode": 404, "requestedResourceName": name,
                        "status": {"code": 5, "message": "Requested entity was not found."}})
    return json_answer(200, {"responses": out})


def search(peer, request):
    """people.searchContacts: prefix of any word of name, nickname, e-mail, phone or organisation."""
    fields = mask(request.get("readMask"), "readMask")
    size = page_size(request, 10, 30)
    query = (request.get("query") or "").strip().lower()
    hits = [d for d in peer.store.docs(KIND) if query and _matches(d.body, query)][:size]
    return json_answer(200, {"results": [{"person": shown(d, fields)} for d in hits]} if hits else {})


def _matches(body, query):
    texts = [" ".join(n.get(p, "") for p in ("givenName", "familyName")) for n in body.get("names", [])]
    for field, part in (("nicknames", "value"), ("emailAddresses", "value"), ("phoneNumbers", "value"),
                        ("organizations", "name")):
        texts += [e.get(part, "") for e in body.get(field, [])]
    return any((" " + t.lower()).find(" " + query) >= 0 for t in texts)
