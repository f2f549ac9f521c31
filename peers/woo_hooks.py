"""Webhooks of the shop: subscription, ping, late delivery with the state of that moment, disabling."""
import base64
import hashlib
import hmac
import json
import time

from .hooks import Job
from .messages import json_answer
from .woo_errors import invalid_param, refuse
from .woo_records import dates, shown

KIND = "webhooks"
TOPICS = [f"{r}.{e}" for r in ("customer", "order", "product") for e in ("created", "updated", "deleted", "restored")
          if (r, e) != ("customer", "restored")]
MOST_FAILURES = 5


def view(doc, peer):
    """A webhook as answered: its secret is write-only."""
    body = {k: v for k, v in doc.body.items() if k not in ("secret", "failures")}
    return {"id": int(doc.id), **body, **dates(doc, peer.setting("utc_offset"))}


def _merged(old, given):
    body = dict(old)
    for name in ("name", "status", "topic", "delivery_url", "secret"):
        if isinstance(given.get(name), str):
            body[name] = given[name]
    if body["topic"] not in TOPICS and not body["topic"].startswith("action."):
        raise refuse(400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic must be valid.")
    if not body["delivery_url"].startswith(("http://", "https://")):
        raise refuse(400, "woocommerce_rest_webhook_invalid_delivery_url",
                     "Webhook delivery URL must be a valid URL starting with http:// or https://.")
    if body["status"] not in ("active", "paused", "disabled"):
        raise invalid_param("status", "status is not one of active, paused, disabled.")
    body["name"] = body["name"] or f"Webhook created on {time.strftime('%b %d, %Y')}"
    body["resource"], _, body["event"] = body["topic"].partition(".")
    body["hooks"] = [f"woocommerce_{body['event'].removesuffix('d')}_{body['resource']}"]
    return body


def create(peer, given):
    """Makes a webhook and queues its unsigned ping; returns the Doc."""
    empty = {"name": "", "status": "active", "topic": "", "delivery_url": "", "secret": "", "failures": 0}
    body = _merged(empty, given)
    body["secret"] = body["secret"] or hashlib.md5(b"1|admin").hexdigest()
    doc = peer.store.put(KIND, str(peer.store.next(KIND)), body)
    if body["status"] == "active":
        peer.hooks.enqueue(doc.id, "ping", 0, 0)
    return doc


def update(peer, doc, given):
    """Changes a webhook; setting it active forgets its failures."""
    body = _merged(doc.body, given)
    if given.get("status") == "active":
        body["failures"] = 0
    return peer.store.put(KIND, doc.id, body)


def listing(peer, request):
    """The webhooks, newest first."""
    docs = sorted(peer.store.docs(KIND), key=lambda d: -int(d.id))
    wanted = request.get("status", "all")
    docs = [d for d in docs if wanted in ("all", "any", d.body["status"])]
    page, size = int(request.get("page", "1")), min(100, int(request.get("per_page", "10")))
    headers = [("X-WP-Total", str(len(docs))), ("X-WP-TotalPages", str(-(-len(docs) // size)))]
    return json_answer(200, [view(d, peer) for d in docs[(page - 1) * size:page * size]], headers)


def happened(peer, resource, event, id):
    """Queues an event for every active webhook of its topic, late as wp-cron makes it."""
    for doc in peer.store.docs(KIND):
        if doc.body["status"] == "active" and doc.body["topic"] == f"{resource}.{event}":
            peer.hooks.enqueue(doc.id, event, id, peer.setting("hook_delay"))


def jobs(peer, entries):
    """The calls for due queue entries; those of a webhook that is gone or asleep are dropped."""
    out = []
    for entry in entries:
        doc = peer.store.doc(KIND, entry["hook"])
        if doc is None or doc.body["status"] != "active":
            peer.store.purge("_queue", entry["id"])
        elif entry["event"] == "ping":
            headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": _agent()}
            out.append(Job(doc.body["delivery_url"], headers, f"webhook_id={doc.id}".encode(), doc.id, [entry]))
        else:
            body = _payload(peer, doc, entry)
            out.append(Job(doc.body["delivery_url"], _headers(peer, doc, body), body, doc.id, [entry]))
    return out


def _agent():
    return "WooCommerce/7.9.0 Hookshot (WordPress/6.2)"


def _payload(peer, doc, entry):
    """The record as the API would show it now, not as it was when the event happened."""
    resource = doc.body["resource"]
    if entry["event"] == "deleted":
        value = {"id": entry["record"]}
    else:
        record = peer.store.doc(resource + "s", entry["record"])
        if record:
            value = shown(resource + "s", record, peer)
        else:
            value = {"code": f"woocommerce_rest_{resource}_invalid_id", "message": "Invalid ID.",
                     "data": {"status": 404}}
    return json.dumps(value).encode()


def _headers(peer, doc, body):
    signature = base64.b64encode(hmac.new(doc.body["secret"].encode(), body, hashlib.sha256).digest()).decode()
    # The real delivery id comes from webhook id and second alone, so it repeats for different records.
    delivery = hashlib.md5(f"{doc.id}{int(time.time())}".encode()).hexdigest()
    return {"Content-Type": "application/json", "User-Agent": _agent(), "X-WC-Webhook-Source": peer.base_url + "/",
            "X-WC-Webhook-Topic": doc.body["topic"], "X-WC-Webhook-Resource": doc.body["resource"],
            "X-WC-Webhook-Event": doc.body["event"], "X-WC-Webhook-Signature": signature,
            "X-WC-Webhook-ID": doc.id, "X-WC-Webhook-Delivery-ID": delivery}


def done(peer, job, status):
    """Settles a call: never sent again; the fifth failure in a row disables the webhook."""
    for entry in job.items:
        peer.store.purge("_queue", entry["id"])
    doc = peer.store.doc(KIND, job.hook)
    if doc is None or job.items[0]["event"] == "ping":
        return
    body = dict(doc.body)
    body["failures"] = 0 if status is not None and 200 <= status < 300 else body["failures"] + 1
    if body["failures"] >= MOST_FAILURES:
        body["status"] = "disabled"
    if body != doc.body:
        peer.store.put(KIND, doc.id, body)
