"""Memberships, addresses and users."""
import secrets
import time

from .espo_records import stamp
from .mailman_lists import find_list
from .mailman_params import params, truth
from .mailman_records import (EMAIL, address_view, answer, collection, created, member_view, members, no_content,
                              refuse, tagged, user_view)
from .messages import json_answer

ROLES = ("member", "owner", "moderator", "nonmember")
JOINING = ["display_name", "delivery_mode", "delivery_status", "role", "pre_verified", "pre_confirmed",
           "pre_approved", "invitation", "send_welcome_message"]


def _now():
    return stamp(time.time()).replace(" ", "T")


def make_address(peer, email, display_name, verified):
    """The address with its user, made when it is new; verifying sticks."""
    id = email.lower()
    doc = peer.store.doc("addresses", id)
    if doc:
        if verified and not doc.body["verified_on"]:
            doc = peer.store.put("addresses", id, {**doc.body, "verified_on": _now()})
        return doc
    user = secrets.token_hex(16)
    peer.store.put("users", user, {"display_name": display_name, "created_on": _now()})
    return peer.store.put("addresses", id, {
        "email": email, "display_name": display_name, "user_id": user, "registered_on": _now(),
        "verified_on": _now() if verified else None})


def member_of(peer, list_id, email, role="member"):
    """The membership of an address, or None."""
    found = peer.store.lookup("members", f"{role} {list_id} {email.lower()}")
    return found[0] if found else None


def keys(body):
    """What a membership is looked up by."""
    return [f"{body['role']} {body['list_id']} {body['email'].lower()}"]


def join(peer, list_id, email, display_name, role="member", mode="regular", status="enabled"):
    """Makes a membership; 409 when it is there already."""
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        raise refuse(400, 'Invalid Parameter "subscriber": .')
    if peer.store.doc("lists", list_id) is None:
        raise refuse(400, "No such list")
    if member_of(peer, list_id, email, role):
        raise refuse(409, "Member already subscribed")
    make_address(peer, email, display_name, True)
    return peer.store.put("members", secrets.token_hex(16), {
        "list_id": list_id, "email": email, "role": role, "delivery_mode": mode, "delivery_status": status})


def subscribe(peer, request):
    """POST /members: 201 when all needed consent is given beforehand, else 202 with a token."""
    given = params(request, ["list_id", "subscriber"], JOINING)
    role = given.get("role", "member")
    if role not in ROLES:
        raise refuse(400, 'Invalid Parameter "role": Accepted Values are: ' + ", ".join(ROLES) + ".")
    held = peer.store.doc("lists", str(given["list_id"]).lower())
    if held is None:
        raise refuse(400, "No such list")
    waits = _waits(held.body["config"]["subscription_policy"], given) if role == "member" else None
    email = given["subscriber"]
    if waits and not member_of(peer, held.id, str(email)):
        if not EMAIL.fullmatch(str(email)):
            raise refuse(400, 'Invalid Parameter "subscriber": .')
        if any((d.body["list_id"], d.body["email"].lower()) == (held.id, email.lower())
               for d in peer.store.docs("_pending")):
            raise refuse(409, "Subscription request already pending")
        token = secrets.token_hex(20)
        peer.store.put("_pending", token, {"email": email, "list_id": held.id, "owner": waits})
        return json_answer(202, tagged({"token": token, "token_owner": waits}), content_type="application/json")
    doc = join(peer, held.id, email, given.get("display_name", ""), role, given.get("delivery_mode", "regular"),
               given.get("delivery_status", "enabled"))
    peer.effect(request, "create", "members", doc.id, f"{held.id} {email}", given)
    return created(peer.link(f"members/{doc.id}"))


def _waits(policy, given):
    """Who must still agree: `subscriber`, `moderator` or None."""
    verified = truth(given, "pre_verified")
    confirmed = truth(given, "pre_confirmed") or policy in ("open", "moderate")
    if not verified or not confirmed or truth(given, "invitation"):
        return "subscriber"
    return None if truth(given, "pre_approved") or policy in ("open", "confirm") else "moderator"


def roster(peer, request, name, role):
    """GET /lists/ID/roster/ROLE"""
    docs = members(peer.store, find_list(peer, name).id, role)
    return collection(_Views(peer, docs), request)


class _Views:
    """Members shown only when a page takes them."""

    def __init__(self, peer, docs):
        self.peer, self.docs = peer, docs

    def __len__(self):
        return len(self.docs)

    def __getitem__(self, part):
        return [member_view(self.peer, d) for d in self.docs[part]]

    def __iter__(self):
        return iter(self[:])


def drop_many(peer, request, name, role):
    """DELETE /lists/ID/roster/member with `emails`: which of them were members and are gone."""
    held = find_list(peer, name)
    emails = params(request, ["emails"])["emails"]
    out = {}
    for email in emails if isinstance(emails, list) else [emails]:
        doc = member_of(peer, held.id, email)
        out[email] = doc is not None
        if doc:
            _drop(peer, request, doc)
    return answer(out)


def _drop(peer, request, doc):
    peer.store.delete("members", doc.id)
    peer.effect(request, "delete", "members", doc.id, f"{doc.body['list_id']} {doc.body['email']}")


def by_email(peer, request, name, role, email):
    """GET /lists/ID/member/EMAIL"""
    return answer(member_view(peer, _on_list(peer, name, role, email)))


def _on_list(peer, name, role, email):
    doc = member_of(peer, find_list(peer, name).id, email, role)
    if doc is None:
        raise refuse(404)
    return doc


def drop_by_email(peer, request, name, role, email):
    """DELETE /lists/ID/member/EMAIL"""
    _drop(peer, request, _on_list(peer, name, role, email))
    return no_content()


def all_members(peer, request):
    """GET /members"""
    docs = sorted(peer.store.docs("members"), key=lambda d: (d.body["list_id"], d.body["email"].lower()))
    return collection(_Views(peer, docs), request)


def find(peer, request):
    """GET or POST /members/find by subscriber (`*` stands for anything), list_id and role"""
    names = ("subscriber", "list_id", "role", "fqdn_listname")
    given = {n: request.get(n) for n in names if request.get(n)}
    if request.body:
        given.update(params(request, [], [*names, "count", "page"]))
    out = []
    for doc in peer.store.docs("members"):
        body = doc.body
        if all((_like(body["email"], given.get("subscriber")),
                given.get("list_id", body["list_id"]).lower() == body["list_id"],
                given.get("fqdn_listname", body["list_id"]).replace("@", ".") == body["list_id"],
                given.get("role", body["role"]) == body["role"])):
            out.append(doc)
    out.sort(key=lambda d: (d.body["list_id"], d.body["email"].lower()))
    return collection(_Views(peer, out), request)


def _like(email, wanted):
    if wanted is None:
        return True
    parts = wanted.lower().split("*")
    email = email.lower()
    if len(parts) == 1:
        return email == parts[0]
    return email.startswith(parts[0]) and email.endswith(parts[-1]) and all(p in email for p in parts)


def _member(peer, id):
    doc = peer.store.doc("members", id)
    if doc is None:
        raise refuse(404, "404 Not Found")
    return doc


def get_member(peer, request, id):
    """GET /members/ID"""
    return answer(member_view(peer, _member(peer, id)))


def patch_member(peer, request, id):
    """PATCH /members/ID: address, delivery_mode, delivery_status, moderation_action"""
    doc = _member(peer, id)
    given = params(request, [], ["address", "delivery_mode", "delivery_status", "moderation_action"])
    body = {**doc.body, **{k: v for k, v in given.items() if k != "address"}}
    if "address" in given:
        address = peer.store.doc("addresses", str(given["address"]).lower())
        if address is None or not address.body["verified_on"]:
            raise refuse(400, "Address not registered")
        body["email"] = address.body["email"]
    peer.store.put("members", id, body)
    peer.effect(request, "update", "members", id, f"{body['list_id']} {body['email']}", given)
    return no_content()


def drop_member(peer, request, id):
    """DELETE /members/ID"""
    _drop(peer, request, _member(peer, id))
    return no_content()


def users(peer, request):
    """GET /users"""
    return collection([user_view(peer, d) for d in peer.store.docs("users")], request)


def _user(peer, name):
    address = peer.store.doc("addresses", name.lower())
    doc = peer.store.doc("users", address.body["user_id"] if address else name)
    if doc is None:
        raise refuse(404)
    return doc


def get_user(peer, request, name):
    """GET /users/ID or /users/EMAIL"""
    return answer(user_view(peer, _user(peer, name)))


def patch_user(peer, request, name):
    """PATCH /users/ID: display_name"""
    doc = _user(peer, name)
    given = params(request, ["display_name"])
    peer.store.put("users", doc.id, {**doc.body, **given})
    peer.effect(request, "update", "users", doc.id, name, given)
    return no_content()


def drop_user(peer, request, name):
    """DELETE /users/ID: with addresses and memberships"""
    doc = _user(peer, name)
    for address in [a for a in peer.store.docs("addresses") if a.body["user_id"] == doc.id]:
        for member in [m for m in peer.store.docs("members") if m.body["email"].lower() == address.id]:
            _drop(peer, request, member)
        peer.store.delete("addresses", address.id)
    peer.store.delete("users", doc.id)
    peer.effect(request, "delete", "users", doc.id, name)
    return no_content()


def addresses(peer, request):
    """GET /addresses"""
    return collection([address_view(peer, d) for d in peer.store.docs("addresses")], request)


def _address(peer, email):
    doc = peer.store.doc("addresses", email.lower())
    if doc is None:
        raise refuse(404)
    return doc


def get_address(peer, request, email):
    """GET /addresses/EMAIL"""
    return answer(address_view(peer, _address(peer, email)))


def patch_address(peer, request, email):
    """PATCH /addresses/EMAIL: display_name"""
    doc = _address(peer, email)
    given = params(request, ["display_name"])
    peer.store.put("addresses", doc.id, {**doc.body, **given})
    peer.effect(request, "update", "addresses", doc.id, doc.id, given)
    return no_content()
