"""Domains, lists, members, addresses and users: how they are kept and shown."""
import hashlib
import json
import re

from .messages import Answer, Refusal, json_answer

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+|[^@\s,]+@localhost")
CONFIG = {"display_name": "", "description": "", "subject_prefix": "", "info": "", "advertised": True,
          "subscription_policy": "confirm", "unsubscription_policy": "confirm", "send_welcome_message": True,
          "allow_list_posts": True, "anonymous_list": False, "archive_policy": "public",
          "default_member_action": "defer", "default_nonmember_action": "hold", "preferred_language": "en",
          "reply_goes_to_list": "no_munging", "max_message_size": 40, "digests_enabled": True}
CHOICES = {"subscription_policy": ("open", "confirm", "moderate", "confirm_then_moderate"),
           "unsubscription_policy": ("open", "confirm", "moderate", "confirm_then_moderate"),
           "archive_policy": ("never", "private", "public")}


def refuse(status, description=None):
    """A refusal as the REST server sends it."""
    titles = {400: "400 Bad Request", 401: "401 Unauthorized", 404: "404 Not Found", 405: "405 Method Not Allowed",
              409: "409 Conflict", 429: "429 Too Many Requests", 500: "500 Internal Server Error"}
    body = {"title": titles[status], **({"description": description} if description else {})}
    return Refusal(json_answer(status, body, content_type="application/json"))


def tagged(value):
    """A resource with its http_etag."""
    digest = hashlib.sha1(json.dumps(value, sort_keys=True).encode()).hexdigest()
    return {**value, "http_etag": f'"{digest}"'}


def answer(value):
    """A 200 with one resource."""
    return json_answer(200, tagged(value), content_type="application/json")


def no_content():
    """A 204."""
    return Answer(204)


def created(url):
    """A 201 whose Location is the new resource; no body."""
    return Answer(201, b"", [("location", url), ("Content-Type", "application/json")])


def collection(entries, request):
    """A page of a collection by `count` and `page` (from 1); an empty one has no `entries` member."""
    total, start = len(entries), 0
    count, page = request.get("count"), request.get("page")
    if count is not None or page is not None:
        for name, text in (("count", count), ("page", page)):
            if text is None or not text.lstrip("-").isdigit():
                raise refuse(400, f'Invalid Parameter "{name}": invalid literal for int() with base 10: {text!r}.')
        count, page = int(count), int(page)
        if count < 0 or page < 1:
            raise refuse(400, f'The "page should be greater than 0." parameter is invalid. {page}')
        start = (page - 1) * count
        entries = entries[start:start + count]
    value = {"start": start, "total_size": total}
    if entries:
        value["entries"] = [tagged(e) for e in entries]
    return answer(value)


def domain_view(peer, doc):
    """A mail domain."""
    return {"alias_domain": None, "base_url": None, "description": doc.body["description"], "mail_host": doc.id,
            "self_link": peer.link(f"domains/{doc.id}")}


def members(store, list_id, role="member"):
    """The members of a list in one role, by address."""
    docs = [d for d in store.docs("members") if d.body["list_id"] == list_id and d.body["role"] == role]
    return sorted(docs, key=lambda d: d.body["email"].lower())


def list_view(peer, doc):
    """A mailing list; doc.id is its list id, `name.host`."""
    config = doc.body["config"]
    return {"advertised": config["advertised"], "description": config["description"],
            "display_name": config["display_name"], "fqdn_listname": doc.body["fqdn_listname"], "list_id": doc.id,
            "list_name": doc.body["fqdn_listname"].split("@")[0],
            "mail_host": doc.body["fqdn_listname"].split("@")[1],
            "member_count": len(members(peer.store, doc.id)), "self_link": peer.link(f"lists/{doc.id}"), "volume": 1}


def member_view(peer, doc):
    """A membership."""
    body = doc.body
    address = peer.store.doc("addresses", body["email"].lower())
    return {"address": peer.link(f"addresses/{address.id}"), "bounce_score": 0,
            "last_warning_sent": "0001-01-01T00:00:00", "total_warnings_sent": 0,
            "delivery_mode": body["delivery_mode"],
            "display_name": address.body["display_name"], "email": address.id, "list_id": body["list_id"],
            "member_id": doc.id, "role": body["role"], "self_link": peer.link(f"members/{doc.id}"),
            "subscription_mode": "as_address", "user": peer.link(f"users/{address.body['user_id']}"),
            **({"moderation_action": body["moderation_action"]} if body.get("moderation_action") else {})}


def address_view(peer, doc):
    """An e-mail address."""
    out = {"email": doc.body["email"].lower(), "original_email": doc.body["email"],
           "registered_on": doc.body["registered_on"], "self_link": peer.link(f"addresses/{doc.id}"),
           "user": peer.link(f"users/{doc.body['user_id']}"), "display_name": doc.body["display_name"]}
    if doc.body["verified_on"]:
        out["verified_on"] = doc.body["verified_on"]
    return out


def user_view(peer, doc):
    """A user."""
    return {"created_on": doc.body["created_on"], "display_name": doc.body["display_name"], "is_server_owner": False,
            "self_link": peer.link(f"users/{doc.id}"), "user_id": doc.id}
