"""Webhooks of the CRM: events queue up and leave in batches, signed."""
import base64
import hashlib
import hmac
import json
import re
import secrets
import time

from .espo_records import new_id, refuse, stamp
from .hooks import Job

KIND = "Webhook"
BATCH = 50
MOST_ATTEMPTS = 4
AGAIN = (None, 400, 401, 403, 404, 405, 408)
EVENT = re.compile(r"(Contact|Account)\.(create|update|delete|fieldUpdate\.\w+)")


def create(peer, given):
    """Makes a webhook with a new secret; returns the Doc."""
    event, url = given.get("event"), given.get("url")
    if not isinstance(event, str) or not EVENT.fullmatch(event):
        raise refuse(400, "Event is not valid.")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise refuse(400, "URL is not valid.")
    entity, _, rest = event.partition(".")
    body = {"event": event, "url": url, "isActive": True, "userId": "api", "entityType": entity,
            "type": rest.partition(".")[0], "field": rest.partition(".")[2] or None,
            "secretKey": secrets.token_hex(16)}
    return peer.store.put(KIND, new_id(), body)


def view(doc):
    """A webhook as answered."""
    return {"id": doc.id, **doc.body, "createdAt": stamp(doc.created), "modifiedAt": stamp(doc.modified)}


def happened(peer, kind, event, record, changed=()):
    """Queues an event with its payload as of now for each webhook that asked for it."""
    for doc in peer.store.docs(KIND):
        if not doc.body["isActive"] or doc.body["entityType"] != kind:
            continue
        if doc.body["type"] == event:
            peer.hooks.enqueue(doc.id, event, record, peer.setting("hook_delay"))
        elif doc.body["type"] == "fieldUpdate" and event == "update" and doc.body["field"] in changed:
            field = doc.body["field"]
            peer.hooks.enqueue(doc.id, "fieldUpdate", {"id": record["id"], field: record.get(field)},
                               peer.setting("hook_delay"))


def jobs(peer, entries):
    """One call per webhook and batch of up to fifty events."""
    out, by_hook = [], {}
    for entry in entries:
        by_hook.setdefault(entry["hook"], []).append(entry)
    for id, waiting in by_hook.items():
        doc = peer.store.doc(KIND, id)
        if doc is None or not doc.body["isActive"]:
            for entry in waiting:
                peer.store.purge("_queue", entry["id"])
            continue
        for start in range(0, len(waiting), BATCH):
            part = waiting[start:start + BATCH]
            body = json.dumps([e["record"] for e in part]).encode()
            digest = hmac.new(doc.body["secretKey"].encode(), body, hashlib.sha256).digest()
            signature = base64.b64encode(f"{id}:".encode() + digest).decode()
            headers = {"Content-Type": "application/json", "X-Signature": signature}
            out.append(Job(doc.body["url"], headers, body, id, part))
    return out


def done(peer, job, status):
    """Settles a call: some failures are tried again (four attempts in all), 410 removes the webhook."""
    if status == 410 and peer.store.doc(KIND, job.hook):
        peer.store.delete(KIND, job.hook)
    for entry in job.items:
        attempts = entry["attempts"] + 1
        if status in AGAIN and attempts < MOST_ATTEMPTS:
            due = time.time() + peer.setting("hook_retry")
            peer.store.put("_queue", entry["id"], {**entry, "attempts": attempts, "due": due})
        else:
            peer.store.purge("_queue", entry["id"])
