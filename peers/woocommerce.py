"""WooCommerce REST API v3 with webhooks, as a shop of version 7.9.

python3 -m peers.woocommerce --port P --data DIR
"""
import base64
import binascii
import copy
import re

from . import woo_hooks
from .hooks import HookSender
from .messages import Refusal, flag, json_answer
from .peer import Peer
from .serve import main
from .woo_errors import error, refuse
from .woo_lists import list_records
from .woo_records import CHECKS, DEFAULTS, KEYS, merged, shown

ROOT = "/wp-json/wc/v3"
PATH = re.compile(ROOT + r"/(customers|orders|webhooks|products/(?:categories|tags|brands|attributes)|products)"
                         r"(?:/(batch|\d+))?/?")
SINGULAR = {"customers": "customer", "orders": "order", "products": "product", "webhooks": "webhook"}
MOST_IN_BATCH = 100


class WooCommercePeer(Peer):
    """WooCommerce REST API v3 of one shop."""

    name = "woocommerce"
    KEYS = KEYS
    SETTINGS = {"key": "ck_demo", "secret": "cs_demo", "allow_http": True, "utc_offset": 1, "hook_delay": 0.2}

    def __init__(self, store, settings):
        super().__init__(store, settings)
        self.hooks = HookSender(self)

    def handle(self, request):
        if request.path.rstrip("/") in ("/wp-json", "/wp-json/wc/v3") and request.method == "GET":
            return json_answer(200, {"namespace": "wc/v3", "name": "Peer shop", "namespaces": ["wc/v3"], "routes": {},
                                     "gmt_offset": self.setting("utc_offset"), "timezone_string": ""})
        self._require(request)
        match = PATH.fullmatch(request.path)
        if not match:
            raise refuse(404, "rest_no_route", "No route was found matching the URL and request method.")
        kind, part = match.group(1).removeprefix("products/"), match.group(2)
        method = "PUT" if part and part != "batch" and request.method in ("POST", "PATCH") else request.method
        action = {("GET", False): self._list, ("POST", False): self._create, ("POST", "batch"): self._batch,
                  ("PUT", "batch"): self._batch, ("GET", True): self._get, ("PUT", True): self._update,
                  ("DELETE", True): self._delete}.get((method, "batch" if part == "batch" else bool(part)))
        if action is None:
            raise refuse(404, "rest_no_route", "No route was found matching the URL and request method.")
        return action(request, kind, part)

    def _require(self, request):
        words = "Sorry, you cannot list resources."
        if not self.setting("allow_http"):  # over plain HTTP the real one only takes OAuth 1.0a
            raise refuse(401, "woocommerce_rest_cannot_view", words)
        scheme, _, value = request.header("authorization", "").partition(" ")
        try:
            key, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            key = secret = None
        if scheme.lower() != "basic":
            key, secret = request.get("consumer_key"), request.get("consumer_secret")
        if not key:
            raise refuse(401, "woocommerce_rest_cannot_view", words)
        if key != self.setting("key"):
            raise refuse(401, "woocommerce_rest_authentication_error", "Consumer key is invalid.")
        if secret != self.setting("secret"):
            raise refuse(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")

    def _json(self, request):
        try:
            value = request.json() if request.body else {}
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise refuse(400, "rest_invalid_json", "Invalid JSON body passed.", json_error_code=4,
                         json_error_message="Syntax error")
        return value

    def _list(self, request, kind, part):
        if kind == "webhooks":
            return woo_hooks.listing(self, request)
        return list_records(self, request, kind)

    def _find(self, kind, id):
        doc = self.store.doc(kind, id)
        if doc is None:
            if kind in ("customers", "webhooks", "orders", "products"):
                word = "shop_order" if kind == "orders" else SINGULAR[kind]
                raise refuse(404, f"woocommerce_rest_{'' if kind == 'customers' else word + '_'}invalid_id",
                             "Invalid resource ID." if kind == "customers" else "Invalid ID.")
            raise refuse(404, "woocommerce_rest_term_invalid", "Resource does not exist.")
        return doc

    def _show(self, kind, doc):
        return woo_hooks.view(doc, self) if kind == "webhooks" else shown(kind, doc, self)

    def _get(self, request, kind, id):
        return json_answer(200, self._show(kind, self._find(kind, id)))

    def _create(self, request, kind, part):
        doc = self.create(kind, self._json(request), request)
        location = [("Location", f"{self.base_url}{request.path.rstrip('/')}/{doc.id}")]
        return json_answer(201, self._show(kind, doc), location)

    def create(self, kind, given, request=None):
        """Makes a record; without a request it happens silently (seed)."""
        if kind == "webhooks":
            return woo_hooks.create(self, given)
        if given.get("id"):
            raise refuse(400, f"woocommerce_rest_{SINGULAR.get(kind, kind)}_exists",
                         f"Cannot create existing {SINGULAR.get(kind, kind)}.")
        body = merged(self.store, kind, DEFAULTS[kind], given)
        CHECKS[kind](self.store, body, None, given)
        id = self.store.next("terms" if kind not in SINGULAR else "posts" if kind != "customers" else "customers")
        if kind == "orders":
            body["number"] = str(id)
        if kind == "products":
            body["permalink"] = f"{self.base_url}/product/{body['slug']}/"
        doc = self.store.put(kind, str(id), body)
        if request:
            self._tell(request, "create", kind, doc)
        return doc

    def _tell(self, request, action, kind, doc):
        key = doc.body.get("email") or doc.body.get("sku") or doc.body.get("name") or doc.body.get("order_key")
        self.effect(request, action, kind, int(doc.id), key, doc.body)
        if kind in SINGULAR:
            woo_hooks.happened(self, SINGULAR[kind], action + "d", int(doc.id))

    def _update(self, request, kind, id):
        return json_answer(200, self._show(kind, self.update(kind, id, self._json(request), request)))

    def update(self, kind, id, given, request):
        """Changes a record; the modification date moves even when nothing differs, as on the real one."""
        doc = self._find(kind, id)
        if kind == "webhooks":
            return woo_hooks.update(self, doc, given)
        body = merged(self.store, kind, doc.body, given)
        CHECKS[kind](self.store, body, doc.id, given)
        doc = self.store.put(kind, doc.id, body)
        self._tell(request, "update", kind, doc)
        return doc

    def _delete(self, request, kind, id):
        return json_answer(200, self.delete(kind, id, flag(request.get("force")), request))

    def delete(self, kind, id, force, request):
        """Deletes for good, or puts orders and products into the trash; returns what is answered."""
        doc = self._find(kind, id)
        before = self._show(kind, doc)
        if not force:
            if kind not in ("orders", "products"):
                raise refuse(501, "woocommerce_rest_trash_not_supported",
                             f"{kind.capitalize()} do not support trashing.")
            if doc.body["status"] == "trash":
                raise refuse(410, "woocommerce_rest_already_trashed", f"The {SINGULAR[kind]} has already been deleted.")
            doc = self.store.put(kind, doc.id, {**doc.body, "status": "trash"})
            before = self._show(kind, doc)
        else:
            self.store.delete(kind, doc.id)
        if kind != "webhooks":
            self._tell(request, "delete", kind, doc)
        return before

    def _batch(self, request, kind, part):
        given = self._json(request)
        parts = {p: given.get(p) or [] for p in ("create", "update", "delete")}
        if sum(map(len, parts.values())) > MOST_IN_BATCH:
            raise refuse(413, "woocommerce_rest_request_entity_too_large",
                         f"Unable to accept more than {MOST_IN_BATCH} items for this request.")
        work = {"create": lambda item: self._show(kind, self.create(kind, item, request)),
                "update": lambda item: self._show(kind, self.update(kind, item.get("id", 0), item, request)),
                "delete": lambda id: self.delete(kind, id, True, request)}
        out = {}
        for name, items in parts.items():
            if items:
                out[name] = [self._one(work[name], item) for item in items]
        return json_answer(200, out)

    def _one(self, work, item):
        """One item of a batch: its mistake is its own and does not stop the others."""
        try:
            return work(item)
        except Refusal as refusal:
            id = item.get("id", 0) if isinstance(item, dict) else item
            return {"id": id, "error": refusal.answer.value}

    def hook_jobs(self, entries):
        """See HookSender."""
        return woo_hooks.jobs(self, entries)

    def hook_done(self, job, status):
        """See HookSender."""
        woo_hooks.done(self, job, status)

    def fault_answer(self, status, retry_after):
        if status == 429:
            answer = error(429, "too_many_requests", "Too many requests.")
            answer.headers.append(("Retry-After", str(retry_after)))
            return answer
        return error(500, "internal_server_error", "<p>There has been a critical error on this website.</p>")

    def seed(self, body):
        """{"categories"|"tags"|"brands"|"attributes"|"products"|"customers"|"orders": [...]}; returns the ids made."""
        out = {}
        for kind in ("categories", "tags", "brands", "attributes", "products", "customers", "orders"):
            out[kind] = [int(self.create(kind, copy.deepcopy(given)).id) for given in body.get(kind, [])]
        return out

    def view(self, kind, doc):
        return self._show(kind, doc)


if __name__ == "__main__":
    main(WooCommercePeer)
