"""Customers, orders, products and terms: defaults, checks, and how they are shown."""
import copy
import datetime
import re
import secrets

from .woo_errors import invalid_param, refuse

BILLING = ["first_name", "last_name", "company", "address_1", "address_2", "city", "postcode", "country", "state",
           "email", "phone"]
SHIPPING = ["first_name", "last_name", "company", "address_1", "address_2", "city", "postcode", "country", "state",
            "phone"]
CUSTOMER = {"email": "", "first_name": "", "last_name": "", "role": "customer", "username": "",
            "billing": dict.fromkeys(BILLING, ""), "shipping": dict.fromkeys(SHIPPING, ""),
            "is_paying_customer": False, "avatar_url": "", "meta_data": []}
ORDER = {"parent_id": 0, "status": "pending", "currency": "PLN", "version": "7.9.0", "prices_include_tax": False,
         "discount_total": "0.00", "discount_tax": "0.00", "shipping_total": "0.00", "shipping_tax": "0.00",
         "cart_tax": "0.00", "total": "0.00", "total_tax": "0.00", "customer_id": 0, "order_key": "",
         "billing": dict.fromkeys(BILLING, ""), "shipping": dict.fromkeys(SHIPPING, ""), "payment_method": "",
         "payment_method_title": "", "transaction_id": "", "customer_ip_address": "", "customer_user_agent": "",
         "created_via": "rest-api", "customer_note": "", "date_completed": None, "date_paid": None,
         "cart_hash": "", "number": "", "meta_data": [], "line_items": [], "tax_lines": [], "shipping_lines": [],
         "fee_lines": [], "coupon_lines": [], "refunds": []}
PRODUCT = {"name": "", "slug": "", "permalink": "", "type": "simple", "status": "publish", "featured": False,
           "catalog_visibility": "visible", "description": "", "short_description": "", "sku": "", "price": "",
           "regular_price": "", "sale_price": "", "on_sale": False, "purchasable": True, "total_sales": 0,
           "virtual": False, "downloadable": False, "tax_status": "taxable", "tax_class": "", "manage_stock": False,
           "stock_quantity": None, "stock_status": "instock", "weight": "",
           "dimensions": {"length": "", "width": "", "height": ""}, "parent_id": 0, "categories": [], "tags": [],
           "brands": [], "images": [], "attributes": [], "default_attributes": [], "variations": [],
           "grouped_products": [], "menu_order": 0, "meta_data": []}
TERM = {"name": "", "slug": "", "description": "", "count": 0}
DEFAULTS = {"customers": CUSTOMER, "orders": ORDER, "products": PRODUCT, "categories": {**TERM, "parent": 0},
            "tags": TERM, "brands": {**TERM, "parent": 0},
            "attributes": {"name": "", "slug": "", "type": "select", "order_by": "menu_order", "has_archives": False}}
READ_ONLY = {"id", "date_created", "date_created_gmt", "date_modified", "date_modified_gmt", "order_key", "number",
             "is_paying_customer", "avatar_url", "permalink", "price", "total", "_links", "version", "total_sales"}
STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash",
            "checkout-draft", "auto-draft")
KEYS = {"customers": lambda body: ["email " + body["email"].lower(), "user " + body["username"]],
        "products": lambda body: [body["sku"]]}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def dates(doc, offset_hours):
    """The four dates of a record; those without _gmt are in the shop's own time zone, whole seconds."""
    out = {}
    for name, seconds in (("date_created", doc.created), ("date_modified", doc.modified)):
        moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
        local = moment + datetime.timedelta(hours=offset_hours)
        out[name] = local.strftime("%Y-%m-%dT%H:%M:%S")
        out[name + "_gmt"] = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return out


def shown(kind, doc, peer):
    """A record as answered."""
    out = {"id": int(doc.id)}
    if kind in ("customers", "orders", "products"):
        out.update(dates(doc, peer.setting("utc_offset")))
    out.update(copy.deepcopy(doc.body))
    out.pop("password", None)
    path = kind if kind in ("customers", "orders", "products") else f"products/{kind}"
    base = f"{peer.base_url}/wp-json/wc/v3/{path}"
    out["_links"] = {"self": [{"href": f"{base}/{doc.id}"}], "collection": [{"href": base}]}
    return out


def merged(store, kind, old, given):
    """The record after `given` is laid over `old` (the defaults for a new one), unknown members left out."""
    if not isinstance(given, dict):
        raise refuse(400, "rest_invalid_json", "Invalid JSON body passed.")
    out = copy.deepcopy(old)
    for name, value in given.items():
        if name in READ_ONLY or name not in DEFAULTS[kind] and name != "password":
            continue
        if name in ("billing", "shipping") and kind != "products":
            if not isinstance(value, dict):
                raise invalid_param(name, f"{name} is not of type object.")
            out[name].update({k: str(v or "") for k, v in value.items() if k in out[name]})
        elif name == "meta_data":
            out[name] = _meta(store, out[name], value)
        else:
            out[name] = _typed(name, DEFAULTS[kind].get(name), value)
    return out


def _typed(name, default, value):
    for kind, word in ((bool, "boolean"), (list, "array"), (dict, "object")):
        if isinstance(default, kind) and not isinstance(value, kind):
            raise invalid_param(name, f"{name} is not of type {word}.")
    if isinstance(default, str) and not isinstance(value, str):
        if value is None or isinstance(value, (dict, list, bool)):
            raise invalid_param(name, f"{name} is not of type string.")
        return str(value)
    return value


def _meta(store, old, given):
    """Meta data are changed by id, else added; a null value removes."""
    out = [dict(m) for m in old]
    for entry in given or []:
        same = [m for m in out if entry.get("id") == m["id"]]
        if not same and not entry.get("id"):
            same = [m for m in out if m["key"] == entry.get("key")]
        if entry.get("value") is None:
            out = [m for m in out if m not in same]
        elif same:
            same[0].update(key=entry.get("key", same[0]["key"]), value=entry["value"])
        else:
            out.append({"id": store.next("meta"), "key": entry.get("key", ""), "value": entry["value"]})
    return out


def check_customer(store, body, id, given):
    """Address well-formed and its own; a new customer needs one."""
    email = body["email"] = body["email"].strip()
    if id is None and not email:
        raise refuse(400, "rest_missing_callback_param", "Missing parameter(s): email", params=["email"])
    if "email" in given and not EMAIL.fullmatch(email):
        raise invalid_param("email", "Invalid email address.")
    for other in store.lookup("customers", "email " + email.lower()):
        if other.id != id:
            if id is None:
                raise refuse(400, "registration-error-email-exists", "An account is already registered with your "
                                                                     "email address. Please log in.")
            raise refuse(400, "woocommerce_rest_customer_invalid_email", "Email address is invalid.")
    if not body["username"]:
        name = base = email.split("@")[0].lower()
        number = 1
        while store.lookup("customers", "user " + name):
            number += 1
            name = f"{base}{number}"
        body["username"] = name


def check_order(store, body, id, given):
    """Status and customer known; lines priced and summed."""
    if body["status"] not in STATUSES:
        raise invalid_param("status", f"status is not one of {', '.join(STATUSES)}.")
    if body["customer_id"] and not store.doc("customers", body["customer_id"]):
        raise refuse(400, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid.")
    if "line_items" in given:
        body["line_items"] = [_line(store, line) for line in body["line_items"] if line.get("quantity") != 0]
    if given.get("set_paid") and body["status"] == "pending":
        body["status"] = "processing"
    total = sum(float(line["total"]) for line in body["line_items"])
    if body["line_items"] or not id:
        body["total"] = f"{total + float(body['shipping_total'] or 0):.2f}"
    if id is None:
        body["order_key"] = "wc_order_" + secrets.token_hex(6)


def _line(store, line):
    product = store.doc("products", line.get("product_id", 0))
    if line.get("product_id") and not product:
        raise refuse(400, "woocommerce_rest_invalid_product_id", "Product ID provided does not exist or is invalid.")
    body = product.body if product else PRODUCT
    quantity = int(line.get("quantity", 1))
    price = float(body["price"] or 0)
    total = str(line.get("total") or f"{price * quantity:.2f}")
    return {"id": line.get("id") or store.next("lines"), "name": line.get("name") or body["name"],
            "product_id": line.get("product_id", 0), "variation_id": 0, "quantity": quantity, "tax_class": "",
            "subtotal": str(line.get("subtotal") or total), "subtotal_tax": "0.00", "total": total,
            "total_tax": "0.00", "taxes": [], "meta_data": line.get("meta_data", []), "sku": body["sku"],
            "price": float(total) / quantity}


def check_product(store, body, id, given):
    """SKU its own; price from regular and sale price; terms known, shown with their names."""
    if body["sku"]:
        for other in store.lookup("products", body["sku"]):
            if other.id != id:
                raise refuse(400, "product_invalid_sku", "Invalid or duplicated SKU.", resource_id=int(other.id),
                             unique_sku=body["sku"] + "-1")
    body["slug"] = body["slug"] or re.sub(r"[^a-z0-9]+", "-", body["name"].lower()).strip("-")
    body["price"] = body["sale_price"] or body["regular_price"]
    body["on_sale"] = bool(body["sale_price"])
    for kind in ("categories", "tags", "brands"):
        body[kind] = [_term(store, kind, ref) for ref in body[kind]]
    for attribute in body["attributes"]:
        known = store.doc("attributes", attribute.get("id", 0))
        attribute.update(id=attribute.get("id", 0), name=known.body["name"] if known else attribute.get("name", ""))
        for name, default in (("position", 0), ("visible", False), ("variation", False), ("options", [])):
            attribute.setdefault(name, default)


def _term(store, kind, ref):
    doc = store.doc(kind, ref.get("id", 0))
    if doc is None:
        raise refuse(400, "woocommerce_rest_invalid_term", f"Invalid {kind} id {ref.get('id')}.")
    return {"id": int(doc.id), "name": doc.body["name"], "slug": doc.body["slug"]}


def check_term(kind):
    """The check of one kind of term: name given and its own."""
    def check(store, body, id, given):
        if not body["name"]:
            raise refuse(400, "rest_missing_callback_param", "Missing parameter(s): name", params=["name"])
        body["slug"] = body["slug"] or re.sub(r"[^a-z0-9]+", "-", body["name"].lower()).strip("-")
        for other in store.docs(kind):
            if other.id != id and other.body["name"].lower() == body["name"].lower():
                raise refuse(400, "term_exists", "A term with the name provided already exists with this parent.",
                             resource_id=int(other.id))
    return check


CHECKS = {"customers": check_customer, "orders": check_order, "products": check_product,
          **{k: check_term(k) for k in ("categories", "tags", "brands", "attributes")}}
