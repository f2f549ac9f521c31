"""EspoCRM REST API with webhooks, as version 8.4.

python3 -m peers.espocrm --port P --data DIR
"""
import base64
import binascii
import re

from . import espo_hooks
from .espo_records import (DEFAULTS, READ_ONLY, duplicates, keys, merged, name_of, new_id, refuse, shown, validate)
from .espo_where import matches, parse, value_of
from .hooks import HookSender
from .messages import Refusal, json_answer
from .peer import Peer
from .serve import main

PATH = re.compile(r"/api/v1/(Contact|Account|Webhook|Metadata|App/user)(?:/([0-9A-Za-z]+))?")
MOST = 200


def answer(value):
    """A 200 with JSON; the CRM answers 200 to creations too."""
    return json_answer(200, value, content_type="application/json")


class EspoPeer(Peer):
    """EspoCRM 8.4: contacts, accounts, webhooks."""

    name = "espocrm"
    KEYS = {kind: keys(kind) for kind in DEFAULTS}
    SETTINGS = {"api_key": "demo-key", "user": "admin", "password": "admin", "optimistic": True,
                "list_address_data": False, "hook_delay": 0.2, "hook_retry": 600.0,
                "multi_enums": "cIndustry,cTags,cSegments,cInterests"}

    def __init__(self, store, settings):
        super().__init__(store, settings)
        self.hooks = HookSender(self)

    def handle(self, request):
        match = PATH.fullmatch(request.path)
        self._require(request)
        if not match:
            raise refuse(404, "Not Found")
        kind, id = match.groups()
        if kind == "App/user" and request.method == "GET":
            return answer({"user": {"id": "api", "userName": "api", "type": "api"}, "acl": {}, "preferences": {}})
        if kind == "Metadata" and request.method == "GET":
            return answer({"entityDefs": {k: {"fields": self._fields(k)} for k in DEFAULTS}})
        action = {("GET", False): self._list, ("POST", False): self._create, ("GET", True): self._read,
                  ("PUT", True): self._update, ("PATCH", True): self._update,
                  ("DELETE", True): self._delete}.get((request.method, bool(id)))
        if action is None or kind in ("Metadata", "App/user"):
            raise refuse(405, "Method Not Allowed")
        return action(request, kind, id)

    def _fields(self, kind):
        fields = {n: {"type": "varchar"} for n in DEFAULTS[kind]}
        return {**fields, **{n: {"type": "multiEnum", "isCustom": True} for n in self._multi()}}

    def _multi(self):
        return self.setting("multi_enums").split(",")

    def _require(self, request):
        key = request.header("x-api-key")
        if key is not None:
            if key == self.setting("api_key"):
                return
            raise refuse(401, "Unauthorized")
        value = request.header("espo-authorization") or request.header("authorization", "").removeprefix("Basic ")
        try:
            given = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        if given != f"{self.setting('user')}:{self.setting('password')}":
            raise refuse(401, "Unauthorized")

    def _json(self, request):
        try:
            value = request.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise refuse(400, "Body is not a valid JSON object.")
        return value

    def _find(self, kind, id):
        doc = self.store.doc(kind, id)
        if doc is None:
            raise refuse(404, "Record does not exist.")
        return doc

    def _show(self, kind, doc, **how):
        return espo_hooks.view(doc) if kind == "Webhook" else shown(kind, doc, self, **how)

    def _list(self, request, kind, id):
        params = parse(request.query)
        try:
            size, offset = int(params.get("maxSize", 20)), int(params.get("offset", 0))
        except (TypeError, ValueError):
            raise refuse(400, "Bad maxSize or offset.") from None
        if size > MOST:
            raise refuse(403, f"Max size should not exceed {MOST}. Use offset and limit.")
        order = str(params.get("order", "asc" if params.get("orderBy") else "desc")).lower()
        if order not in ("asc", "desc"):
            raise refuse(400, "Bad order.")
        docs = self.store.docs(kind)
        if kind != "Webhook":
            where = params.get("where", params.get("whereGroup", []))
            docs = [d for d in docs if matches(kind, d, where) and _text(kind, d, params.get("textFilter"))]
            by = params.get("orderBy", "createdAt")
            docs.sort(key=lambda d: _sort_key(value_of(kind, d, by)), reverse=order == "desc")
        select = params.get("select", params.get("attributeSelect"))
        select = select.split(",") if isinstance(select, str) and select else select or None
        out = {"total": len(docs), "list": [self._show(kind, d, **({} if kind == "Webhook" else
                                            {"select": select, "listing": True})) for d in docs[offset:offset + size]]}
        if str(request.header("x-no-total", "")).lower() == "true":
            out["total"] = -1 if offset + size < len(docs) else -2
        return answer(out)

    def _read(self, request, kind, id):
        return answer(self._show(kind, self._find(kind, id)))

    def _create(self, request, kind, id):
        given = self._json(request)
        if kind == "Webhook":
            return answer(espo_hooks.view(espo_hooks.create(self, given)))
        return answer(self._show(kind, self.create(kind, given, request)))

    def create(self, kind, given, request=None):
        """Makes a record; 409 with the list of likely duplicates unless told to skip that check."""
        body = merged(kind, DEFAULTS[kind], given)
        self._links(body)
        validate(kind, body, self._multi())
        skip = request is None or str(request.header("x-skip-duplicate-check", "")).lower() == "true" \
            or given.get("skipDuplicateCheck") is True
        if not skip:
            same = duplicates(self.store, kind, body)
            if same:
                raise refuse(409, "duplicate", [self._show(kind, d) for d in same])
        body["versionNumber"] = 1
        doc = self.store.put(kind, new_id(), body)
        if request:
            self.effect(request, "create", kind, doc.id, body["emailAddress"] or name_of(kind, body), body)
            espo_hooks.happened(self, kind, "create", self._show(kind, doc))
        return doc

    def _links(self, body):
        if body.get("accountId"):
            if not self.store.doc("Account", body["accountId"]):
                raise refuse(400, "Linked account does not exist.")
            body["accountsIds"] = list(dict.fromkeys([body["accountId"], *body["accountsIds"]]))

    def _update(self, request, kind, id):
        doc, given = self._find(kind, id), self._json(request)
        if kind == "Webhook":
            kept = {k: v for k, v in given.items() if k in ("url", "isActive")}
            return answer(espo_hooks.view(self.store.put(kind, id, {**doc.body, **kept})))
        body = merged(kind, doc.body, given)
        self._links(body)
        validate(kind, body, self._multi())
        self._version(request, kind, doc, given, body)
        changed = [k for k in body if body[k] != doc.body.get(k)]
        if changed:
            body["versionNumber"] = doc.body["versionNumber"] + 1
            doc = self.store.put(kind, id, body)
            self.effect(request, "update", kind, id, body["emailAddress"] or name_of(kind, body),
                        {k: body[k] for k in changed})
            record = self._show(kind, doc)
            names = {*changed, "id", "modifiedAt", "modifiedById"}
            if {"firstName", "lastName", "middleName"} & set(changed):
                names.add("name")
            espo_hooks.happened(self, kind, "update", {k: v for k, v in record.items() if k in names}, changed)
        return answer(self._show(kind, doc))

    def _version(self, request, kind, doc, given, body):
        """409 `modified` when the caller's version is old and would change something that differs."""
        text = request.header("x-version-number") or request.header("x-version") or given.get("versionNumber")
        if text is None or not self.setting("optimistic") or str(text) == str(doc.body["versionNumber"]):
            return
        differing = {k: doc.body.get(k) for k in given if k not in READ_ONLY and body.get(k) != doc.body.get(k)}
        if differing:
            raise refuse(409, "modified", {"values": differing, "versionNumber": doc.body["versionNumber"]})

    def _delete(self, request, kind, id):
        doc = self._find(kind, id)
        self.store.delete(kind, id)
        if kind != "Webhook":
            self.effect(request, "delete", kind, id, doc.body["emailAddress"] or name_of(kind, doc.body))
            espo_hooks.happened(self, kind, "delete", {"id": id})
        return answer(True)

    def hook_jobs(self, entries):
        """See HookSender."""
        return espo_hooks.jobs(self, entries)

    def hook_done(self, job, status):
        """See HookSender."""
        espo_hooks.done(self, job, status)

    def fault_answer(self, status, retry_after):
        refusal = refuse(status, "Too Many Requests" if status == 429 else "Internal Server Error")
        if status == 429:
            refusal.answer.headers.append(("Retry-After", str(retry_after)))
        return refusal.answer

    def seed(self, body):
        """{"Account": [...], "Contact": [...]}; returns the ids made."""
        try:
            return {kind: [self.create(kind, given).id for given in body.get(kind, [])]
                    for kind in ("Account", "Contact")}
        except Refusal as refusal:
            raise ValueError(refusal.answer.headers[0][1]) from None

    def view(self, kind, doc):
        return self._show(kind, doc)


def _sort_key(value):
    return (value is not None, str(value).lower() if value is not None else "")


def _text(kind, doc, text):
    """The quick search: the start of name or of an e-mail address."""
    if not text:
        return True
    texts = [name_of(kind, doc.body) or "", doc.body.get("lastName") or ""]
    texts += [e["lower"] for e in doc.body["emailAddressData"]]
    return any(t.lower().startswith(str(text).lower().rstrip("*")) for t in texts)


if __name__ == "__main__":
    main(EspoPeer)
