"""Domains, mailing lists and their configuration."""
from .mailman_params import params, truth
from .mailman_records import (CHOICES, CONFIG, EMAIL, answer, collection, created, domain_view, list_view, members,
                              no_content, refuse)
from .messages import Refusal


def domains(peer, request):
    """GET /domains"""
    docs = sorted(peer.store.docs("domains"), key=lambda d: d.id)
    return collection([domain_view(peer, d) for d in docs], request)


def make_domain(peer, given):
    """Adds a domain; 400 when it is there already."""
    host = str(given["mail_host"]).lower()
    if not host or "@" in host or " " in host:
        raise refuse(400, "Invalid domain name")
    if peer.store.doc("domains", host):
        raise refuse(400, f"Duplicate email host: {host}")
    return peer.store.put("domains", host, {"mail_host": host, "description": given.get("description")})


def add_domain(peer, request):
    """POST /domains"""
    doc = make_domain(peer, params(request, ["mail_host"], ["description", "owner", "alias_domain"]))
    peer.effect(request, "create", "domains", doc.id, doc.id)
    return created(peer.link(f"domains/{doc.id}"))


def _domain(peer, host):
    doc = peer.store.doc("domains", host.lower())
    if doc is None:
        raise refuse(404)
    return doc


def get_domain(peer, request, host):
    """GET /domains/HOST"""
    return answer(domain_view(peer, _domain(peer, host)))


def drop_domain(peer, request, host):
    """DELETE /domains/HOST"""
    doc = _domain(peer, host)
    for held in [d for d in peer.store.docs("lists") if d.body["fqdn_listname"].endswith("@" + doc.id)]:
        _drop(peer, request, held)
    peer.store.delete("domains", doc.id)
    peer.effect(request, "delete", "domains", doc.id, doc.id)
    return no_content()


def lists(peer, request, host=None):
    """GET /lists and /domains/HOST/lists"""
    if host:
        _domain(peer, host)
    docs = sorted(peer.store.docs("lists"), key=lambda d: d.body["fqdn_listname"])
    if host:
        docs = [d for d in docs if d.body["fqdn_listname"].endswith("@" + host.lower())]
    if request.get("advertised") in ("true", "True", "1"):
        docs = [d for d in docs if d.body["config"]["advertised"]]
    return collection([list_view(peer, d) for d in docs], request)


def make_list(peer, name, config):
    """Adds a list in a known domain; 400 as Mailman words it."""
    name = str(name).lower()
    if not EMAIL.fullmatch(name):
        raise refuse(400, f"Invalid list posting address: {name}")
    host = name.split("@")[1]
    if not peer.store.doc("domains", host):
        raise refuse(400, f"Domain does not exist: {host}")
    id = name.replace("@", ".")
    if peer.store.doc("lists", id):
        raise refuse(400, "Mailing list exists")
    words = name.split("@")[0]
    start = {**CONFIG, "display_name": words.capitalize(), "subject_prefix": f"[{words.capitalize()}] ", **config}
    return peer.store.put("lists", id, {"fqdn_listname": name, "config": start})


def add_list(peer, request):
    """POST /lists"""
    doc = make_list(peer, params(request, ["fqdn_listname"], ["style_name"])["fqdn_listname"], {})
    peer.effect(request, "create", "lists", doc.id, doc.body["fqdn_listname"])
    return created(peer.link(f"lists/{doc.id}"))


def find_list(peer, name):
    """A list by list id or posting address, or 404."""
    doc = peer.store.doc("lists", name.lower().replace("@", "."))
    if doc is None:
        raise refuse(404)
    return doc


def get_list(peer, request, name):
    """GET /lists/ID"""
    return answer(list_view(peer, find_list(peer, name)))


def _drop(peer, request, doc):
    for role in ("member", "owner", "moderator"):
        for member in members(peer.store, doc.id, role):
            peer.store.delete("members", member.id)
    peer.store.delete("lists", doc.id)
    peer.effect(request, "delete", "lists", doc.id, doc.body["fqdn_listname"])


def drop_list(peer, request, name):
    """DELETE /lists/ID"""
    _drop(peer, request, find_list(peer, name))
    return no_content()


def get_config(peer, request, name, attribute):
    """GET /lists/ID/config and /config/ATTRIBUTE"""
    doc = find_list(peer, name)
    whole = {**doc.body["config"], "fqdn_listname": doc.body["fqdn_listname"],
             "posting_address": doc.body["fqdn_listname"], "mail_host": doc.body["fqdn_listname"].split("@")[1],
             "list_name": doc.body["fqdn_listname"].split("@")[0]}
    if attribute is None:
        return answer(whole)
    if attribute not in whole:
        raise refuse(404, f"Unknown attribute: {attribute}")
    return answer({attribute: whole[attribute]})


def patch_config(peer, request, name, attribute):
    """PATCH of some attributes, or PATCH and PUT of one"""
    doc = find_list(peer, name)
    if attribute is not None and attribute not in CONFIG:
        raise refuse(404, f"Unknown attribute: {attribute}")
    try:
        given = params(request, [attribute] if attribute else [], CONFIG)
    except Refusal as refusal:
        words = refusal.answer.value["description"]
        raise refuse(400, words.replace("Unexpected parameters", "Unknown attribute")) from None
    config = dict(doc.body["config"])
    for key, value in given.items():
        if isinstance(CONFIG[key], bool):
            value = truth(given, key)
        elif key in CHOICES and value not in CHOICES[key]:
            raise refuse(400, f"Invalid Parameter \"{key}\": Accepted Values are: {', '.join(CHOICES[key])}.")
        config[key] = int(value) if isinstance(CONFIG[key], int) and not isinstance(CONFIG[key], bool) else value
    peer.store.put("lists", doc.id, {**doc.body, "config": config})
    peer.effect(request, "update", "lists", doc.id, doc.body["fqdn_listname"], given)
    return no_content()
