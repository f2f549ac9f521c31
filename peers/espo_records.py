"""Contacts and accounts of the CRM: attributes, addresses, validation, duplicates."""
import copy
import datetime
import re
import secrets

from .messages import Answer, Refusal, json_answer

PLACE = ("Street", "City", "State", "Country", "PostalCode")
COMMON = {"description": None, "emailAddress": None, "emailAddressIsOptedOut": None, "emailAddressIsInvalid": None,
          "emailAddressData": [], "phoneNumber": None, "phoneNumberIsOptedOut": None, "phoneNumberIsInvalid": None,
          "phoneNumberData": [], "assignedUserId": None, "assignedUserName": None, "teamsIds": [], "teamsNames": {}}
DEFAULTS = {
    "Contact": {"salutationName": None, "firstName": None, "lastName": None, "middleName": None, "title": None,
                "doNotCall": False, "accountId": None, "accountName": None, "accountsIds": [],
                **{"address" + p: None for p in PLACE}, **COMMON},
    "Account": {"name": None, "website": None, "type": None, "industry": None, "sicCode": None,
                **{f"{k}Address{p}": None for k in ("billing", "shipping") for p in PLACE}, **COMMON},
}
READ_ONLY = {"id", "createdAt", "modifiedAt", "createdById", "createdByName", "modifiedById", "modifiedByName",
             "versionNumber", "deleted", "accountName", "assignedUserName"}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
PHONE = re.compile(r"\+?[0-9()\-./#, ]+")


def refuse(status, reason, body=None):
    """A refusal as the CRM sends it: the reason in X-Status-Reason, mostly no body."""
    headers = [("X-Status-Reason", reason)]
    if body is None:
        return Refusal(Answer(status, b"", headers))
    return Refusal(json_answer(status, body, headers, "application/json"))


def stamp(seconds):
    """A time as the CRM writes it: UTC, whole seconds, no zone."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def new_id():
    """Seventeen hexadecimal digits."""
    return secrets.token_hex(9)[:17]


def name_of(kind, body):
    """The name attribute: an account's own, a person's first, middle and last."""
    if kind == "Account":
        return body.get("name")
    return " ".join(p for p in (body.get("firstName"), body.get("middleName"), body.get("lastName")) if p) or None


def shown(kind, doc, peer, select=None, listing=False):
    """A record as answered; lists leave emailAddressData and phoneNumberData out."""
    out = {"id": doc.id, "name": name_of(kind, doc.body), "deleted": False, **copy.deepcopy(doc.body)}
    if out.get("accountId"):
        account = peer.store.doc("Account", out["accountId"])
        out["accountName"] = account.body.get("name") if account else None
    out.update(createdAt=stamp(doc.created), modifiedAt=stamp(doc.modified), createdById="api", createdByName="API")
    out.update(modifiedById="api", modifiedByName="API")
    if not peer.setting("optimistic"):
        out.pop("versionNumber", None)
    if listing and not peer.setting("list_address_data"):
        out.pop("emailAddressData", None)
        out.pop("phoneNumberData", None)
    if select:
        out = {k: v for k, v in out.items() if k in select or k == "id"}
    return out


def merged(kind, old, given):
    """The record after `given` is laid over `old`; attributes the CRM does not know are left out without a word."""
    body = copy.deepcopy(old)
    for name, value in given.items():
        if name in READ_ONLY or kind == "Contact" and name == "name":
            continue
        if name in DEFAULTS[kind] or re.fullmatch(r"c[A-Z]\w*", name):
            body[name] = value
    for part in ("emailAddress", "phoneNumber"):
        _addresses(body, given, part)
    return body


def _addresses(body, given, part):
    """Keeps `emailAddress` and `emailAddressData` in step (the same for phone numbers)."""
    data = part + "Data"
    if data in given:
        entries = [_entry(part, e) for e in given[data] or [] if e.get(part)]
    elif part in given:
        rest = [e for e in body[data] if not e["primary"] and e[part] != given[part]]
        same = [e for e in body[data] if e[part] == given[part]]
        first = {**_entry(part, same[0] if same else {part: given[part]}), "primary": True} if given[part] else None
        entries = ([first] if first else []) + rest
    else:
        return
    if entries and not any(e["primary"] for e in entries):
        entries[0]["primary"] = True
    primary = next((e for e in entries if e["primary"]), None)
    body[data], body[part] = entries, primary[part] if primary else None
    body[part + "IsOptedOut"] = bool(primary and primary["optOut"])
    body[part + "IsInvalid"] = bool(primary and primary["invalid"])


def _entry(part, given):
    value = given[part].strip() if isinstance(given[part], str) else given[part]
    out = {part: value, "primary": bool(given.get("primary")), "optOut": bool(given.get("optOut")),
           "invalid": bool(given.get("invalid"))}
    if part == "emailAddress":
        out["lower"] = str(value).lower()
    else:
        out["type"] = given.get("type") or "Mobile"
    return out


def validate(kind, body, multi):
    """400 naming the field when a required one is empty or one has the wrong form."""
    def wrong(field, how):
        return refuse(400, f"Field validation failure; entityType: {kind}, field: {field}, type: {how}",
                      {"messageTranslation": {"label": "validationFailure", "scope": None,
                                              "data": {"field": field, "type": how}}})
    required = "lastName" if kind == "Contact" else "name"
    if not body.get(required):
        raise wrong(required, "required")
    for part, form in (("emailAddress", EMAIL), ("phoneNumber", PHONE)):
        for entry in body[part + "Data"]:
            if not isinstance(entry[part], str) or not form.fullmatch(entry[part]):
                raise wrong(part, "valid")
    for name, value in body.items():
        if name in multi and value is not None and not (isinstance(value, list)
                                                        and all(isinstance(v, str) for v in value)):
            raise wrong(name, "array")
        if isinstance(value, str) and len(value) > 255 and name not in ("description",) and "Street" not in name:
            raise wrong(name, "maxLength")


def keys(kind):
    """What records of a kind are looked up by: name and each e-mail address."""
    return lambda body: ["name " + (name_of(kind, body) or "").lower(),
                         *["mail " + e["lower"] for e in body["emailAddressData"]]]


def duplicates(store, kind, body, own=None):
    """The living records with the same name or one of the same e-mail addresses."""
    found = {d.id: d for key in keys(kind)(body) for d in store.lookup(kind, key)}
    return [d for id, d in sorted(found.items()) if id != own]
