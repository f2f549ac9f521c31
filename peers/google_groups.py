"""Contact groups and their members."""
import secrets

from .google_errors import refuse
from .google_fields import GROUP_FIELDS
from .google_masks import mask, unknown
from .google_people import KIND as PEOPLE, groups_of, stamp
from .google_sync import fingerprint, page, page_size
from .messages import flag, json_answer

KIND = "contactGroups"
SYSTEM = ("myContacts", "starred", "friends", "family", "coworkers", "blocked", "all", "chatBusy")
NAMES = {"chatBusy": "Chat contacts"}
DEFAULT_FIELDS = ["metadata", "groupType", "memberCount", "name"]


def prepare(store):
    """The groups every account has."""
    for name in SYSTEM:
        id = f"contactGroups/{name}"
        if not store.doc(KIND, id):
            store.put(KIND, id, {"name": name, "formattedName": NAMES.get(name, name[:1].upper() + name[1:]),
                                 "groupType": "SYSTEM_CONTACT_GROUP"})


def members_of(store, id):
    """The persons in a group, in the order of their last change."""
    return [d for d in store.docs(PEOPLE) if id in groups_of(d.body)]


def shown(store, doc, fields=None, most=0):
    """A group as answered; `most` is how many members are named."""
    fields = fields or DEFAULT_FIELDS
    out = {"resourceName": doc.id, "etag": f"g{doc.seq:x}="}
    if doc.deleted:
        return {**out, "metadata": {"deleted": True, "updateTime": stamp(doc.modified)}}
    members = members_of(store, doc.id)
    if "metadata" in fields and doc.body["groupType"] == "USER_CONTACT_GROUP":
        out["metadata"] = {"updateTime": stamp(doc.modified)}
    for name in ("groupType", "clientData", "name"):
        if name in fields and name in doc.body:
            out[name] = doc.body[name]
    if "name" in fields:
        out["formattedName"] = doc.body["formattedName"]
    if "memberCount" in fields and members:
        out["memberCount"] = len(members)
    if most and members:
        out["memberResourceNames"] = [m.id for m in members[:most]]
    return out


def find(store, id):
    """The group, or 404."""
    doc = store.doc(KIND, id)
    if doc is None:
        raise refuse(404, "Requested entity was not found.")
    return doc


def _group_in(peer, payload, own=None):
    group = payload.get("contactGroup") or {}
    for name in group:
        if name not in (*GROUP_FIELDS, "etag", "formattedName", "memberResourceNames", "resourceName"):
            raise unknown("contact_group", name)
    name = (group.get("name") or "").strip()
    if not name:
        raise refuse(400, "Contact group name is required.")
    for other in peer.store.docs(KIND):
        if other.id != own and other.body["name"].lower() == name.lower():
            raise refuse(409, "Contact group name already exists.")
    return name, group


def list_groups(peer, request):
    """contactGroups.list"""
    fields = mask(request.get("groupFields"), "groupFields", GROUP_FIELDS, required=False)
    size = page_size(request, 30, 1000)
    docs, total, more = page(peer, request, KIND, size, fingerprint(request, ["groupFields"]), want_sync=True)
    out = {"contactGroups": [shown(peer.store, d, fields) for d in docs], "totalItems": total, **more}
    return json_answer(200, {k: v for k, v in out.items() if v != []})


def get_group(peer, request, id):
    """contactGroups.get"""
    fields = mask(request.get("groupFields"), "groupFields", GROUP_FIELDS, required=False)
    return json_answer(200, shown(peer.store, find(peer.store, id), fields, int(request.get("maxMembers", "0"))))


def batch_get(peer, request):
    """contactGroups.batchGet"""
    fields = mask(request.get("groupFields"), "groupFields", GROUP_FIELDS, required=False)
    out = []
    for name in request.all("resourceNames"):
        doc = peer.store.doc(KIND, name)
        if doc:
            group = shown(peer.store, doc, fields, int(request.get("maxMembers", "0")))
            out.append({"requestedResourceName": name, "status": {}, "contactGroup": group})
        else:
            out.append({"requestedResourceName": name, "status": {"code": 5, "message": "Not found."}})
    return json_answer(200, {"responses": out})


def create(peer, request):
    """contactGroups.create"""
    payload = request.json()
    name, group = _group_in(peer, payload)
    body = {"name": name, "formattedName": name, "groupType": "USER_CONTACT_GROUP"}
    if group.get("clientData"):
        body["clientData"] = group["clientData"]
    doc = peer.store.put(KIND, "contactGroups/" + secrets.token_hex(8), body)
    peer.effect(request, "create", KIND, doc.id, name, body)
    return json_answer(200, shown(peer.store, doc))


def update(peer, request, id):
    """contactGroups.update"""
    doc = find(peer.store, id)
    _user_group(doc)
    payload = request.json()
    name, group = _group_in(peer, payload, own=id)
    fields = [f for f in payload.get("updateGroupFields", "name").split(",") if f]
    if group.get("etag") and group["etag"] != f"g{doc.seq:x}=":
        raise refuse(400, "Request contact group etag is different than the current etag.", "FAILED_PRECONDITION")
    body = dict(doc.body)
    if "name" in fields:
        body.update(name=name, formattedName=name)
    if "clientData" in fields:
        body["clientData"] = group.get("clientData") or []
    doc = peer.store.put(KIND, id, body)
    peer.effect(request, "update", KIND, id, name, body)
    return json_answer(200, shown(peer.store, doc))


def _user_group(doc):
    if doc.body["groupType"] != "USER_CONTACT_GROUP":
        raise refuse(400, "System contact groups cannot be changed.")


def delete(peer, request, id):
    """contactGroups.delete; its members stay unless deleteContacts is true."""
    doc = find(peer.store, id)
    _user_group(doc)
    for member in members_of(peer.store, id):
        if flag(request.get("deleteContacts")):
            peer.store.delete(PEOPLE, member.id)
            peer.effect(request, "delete", PEOPLE, member.id)
        else:
            _regroup(peer.store, member, [g for g in groups_of(member.body) if g != id])
    peer.store.delete(KIND, id)
    peer.effect(request, "delete", KIND, id, doc.body["name"])
    return json_answer(200, {})


def _regroup(store, doc, groups):
    entries = [{"contactGroupMembership": {"contactGroupResourceName": g}} for g in groups]
    store.put(PEOPLE, doc.id, {**doc.body, "memberships": entries})


def modify(peer, request, id):
    """contactGroups.members.modify: up to 1,000 names; nobody leaves the last group."""
    store = peer.store
    find(store, id)
    payload = request.json()
    for name in payload:
        if name not in ("resourceNamesToAdd", "resourceNamesToRemove"):
            raise unknown("", name)
    add, remove = payload.get("resourceNamesToAdd") or [], payload.get("resourceNamesToRemove") or []
    if len(add) + len(remove) > 1000:
        raise refuse(400, "The total number of resource names must be less than or equal to 1000.")
    if id not in (f"contactGroups/{n}" for n in ("myContacts", "starred")) and \
            find(store, id).body["groupType"] != "USER_CONTACT_GROUP":
        raise refuse(400, "The members of this system contact group cannot be changed.")
    missing, last = [], []
    for name, joins in [(n, True) for n in add] + [(n, False) for n in remove]:
        doc = store.doc(PEOPLE, name)
        if doc is None:
            missing.append(name)
            continue
        groups = groups_of(doc.body)
        wanted = groups + [id] if joins and id not in groups else [g for g in groups if joins or g != id]
        if not wanted:
            last.append(name)
        elif wanted != groups:
            _regroup(store, doc, wanted)
            peer.effect(request, "update", "memberships", name, id, {"group": id, "member": joins})
    out = {"notFoundResourceNames": missing, "canNotRemoveLastContactGroupResourceNames": last}
    return json_answer(200, {k: v for k, v in out.items() if v})
