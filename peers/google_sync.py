"""Listing with page tokens and sync tokens, for persons and for groups."""
import hashlib
import json
import secrets
import time

from .google_errors import error_info, refuse

KEPT_TOKENS = 500


def page_size(request, default, most):
    """The asked page size; 0 means the default, outside the range is 400."""
    text = request.get("pageSize", "0")
    if not text.isdigit() or int(text) > most:
        raise refuse(400, f"Page size must be between 1 and {most} (inclusive).")
    return int(text) or default


def fingerprint(request, names):
    """The parameters that must stay the same from the first call on."""
    return hashlib.sha256(json.dumps([request.all(n) for n in names]).encode()).hexdigest()[:16]


def remember(store, part, content):
    """Hands out an opaque token for `content`."""
    token = part[0].upper() + secrets.token_urlsafe(18)
    tokens = store.get_value(part, {})
    if len(tokens) >= KEPT_TOKENS:
        tokens = dict(list(tokens.items())[KEPT_TOKENS // 2:])
    store.set(part, {**tokens, token: content})
    return token


def recall(store, part, token, name):
    """What a token stands for; 400 when it was never handed out."""
    content = store.get_value(part, {}).get(token)
    if content is None:
        raise refuse(400, f"Invalid {name}.")
    return content


def since(peer, request, print_):
    """The content of the request's sync token, or None without one; 400 EXPIRED_SYNC_TOKEN when too old."""
    token = request.get("syncToken")
    if not token:
        return None
    content = recall(peer.store, "sync", token, "sync token")
    if content["full"] + peer.setting("sync_token_ttl") < time.time() \
            or content["full"] <= peer.store.get_value("expired_until", 0):
        raise refuse(400, "Sync token is expired. Clear local cache and retry call without the sync token.",
                     "FAILED_PRECONDITION", [error_info("EXPIRED_SYNC_TOKEN")])
    if content["print"] != print_:
        raise refuse(400, "Request parameters must match the first call that provided the sync token.")
    return content


def page(peer, request, kind, size, print_, order=None, want_sync=False):
    """One page of a listing: (docs, total, members for the answer: nextPageToken, nextSyncToken).

    Without `order` the records come in the order of their last change, and one that changes while
    pages are read comes again at the end. `sync_delay` holds changes back from sync requests.
    """
    store = peer.store
    token = request.get("pageToken")
    start = recall(store, "page", token, "page token") if token else None
    if start and start["print"] != print_ + request.get("syncToken", ""):
        raise refuse(400, "Request parameters must match the first call that provided the page token.")
    sync = since(peer, request, print_)
    edge = time.time() - peer.setting("sync_delay")
    visible = [d for d in store.docs(kind, deleted=True) if d.modified <= edge]
    docs = [d for d in visible if d.seq > sync["seq"]] if sync else store.docs(kind)
    if order:
        docs.sort(key=order[0], reverse=order[1])
    base = start["base"] if start else max([d.seq for d in visible], default=0)
    total = len(docs)
    rest = docs[start["offset"]:] if order and start else [d for d in docs if not start or d.seq > start["after"]]
    out, members = rest[:size], {}
    if len(rest) > size:
        place = {"after": out[-1].seq, "offset": (start["offset"] if start else 0) + size}
        members["nextPageToken"] = remember(store, "page", {
            **place, "base": base, "print": print_ + request.get("syncToken", "")})
    elif want_sync:
        full = sync["full"] if sync else time.time()
        members["nextSyncToken"] = remember(store, "sync", {"seq": base, "full": full, "print": print_})
    return out, total, members
