"""Listing: paging, order, search and filters, each kind with what it honours and what it passes over."""
import datetime
import math

from .messages import flag, json_answer
from .woo_errors import invalid_param
from .woo_records import shown

ORDERBY = {"customers": ("name", {"id", "include", "name", "registered_date"}, "asc"),
           "orders": ("date", {"date", "id", "include", "title", "slug", "modified"}, "desc"),
           "products": ("date", {"date", "id", "include", "title", "slug", "modified", "price", "popularity",
                                 "rating", "menu_order"}, "desc")}
TERM_ORDER = ("name", {"id", "include", "name", "slug", "term_group", "description", "count"}, "asc")


def whole(request, name, default, least, most):
    """A whole number among the parameters; 400 in WordPress's words outside its range."""
    text = request.get(name)
    if text is None:
        return default
    if not text.lstrip("-").isdigit():
        raise invalid_param(name, f"{name} is not of type integer.")
    value = int(text)
    if value < least or most is not None and value > most:
        words = f"{name} must be between {least} (inclusive) and {most} (inclusive)" if most is not None \
            else f"{name} must be greater than or equal to {least}"
        raise invalid_param(name, words)
    return value


def list_records(peer, request, kind):
    """One page of a kind, with X-WP-Total, X-WP-TotalPages and Link headers."""
    size = whole(request, "per_page", 10, 1, 100)
    number = whole(request, "page", 1, 1, None)
    offset = whole(request, "offset", (number - 1) * size, 0, None)
    docs = [d for d in peer.store.docs(kind) if _wanted(peer, request, kind, d)]
    _sort(request, kind, docs)
    pages = math.ceil(len(docs) / size)
    headers = [("X-WP-Total", str(len(docs))), ("X-WP-TotalPages", str(pages))]
    links = [f'<{peer.base_url}{request.path}?page={n}&per_page={size}>; rel="{rel}"'
             for n, rel in ((number - 1, "prev"), (number + 1, "next")) if 1 <= n <= pages]
    if links:
        headers.append(("Link", ", ".join(links)))
    return json_answer(200, [shown(kind, d, peer) for d in docs[offset:offset + size]], headers)


def _sort(request, kind, docs):
    default, known, direction = ORDERBY.get(kind, TERM_ORDER)
    by = request.get("orderby", default)
    if by not in known:
        raise invalid_param("orderby", f"orderby is not one of {', '.join(sorted(known))}.")
    order = request.get("order", direction)
    if order not in ("asc", "desc"):
        raise invalid_param("order", "order is not one of asc, desc.")
    keys = {"id": lambda d: int(d.id), "date": lambda d: (int(d.created), int(d.id)),
            "registered_date": lambda d: (int(d.created), int(d.id)),
            "modified": lambda d: (int(d.modified), int(d.id)),
            "name": lambda d: (d.body.get("username") or d.body.get("name", ""), int(d.id)),
            "title": lambda d: (d.body.get("name", ""), int(d.id)), "slug": lambda d: d.body.get("slug", ""),
            "price": lambda d: float(d.body.get("price") or 0), "include": lambda d: _ids(request).index(int(d.id))
            if int(d.id) in _ids(request) else 0}
    docs.sort(key=keys.get(by, keys["id"]), reverse=order == "desc")


def _ids(request, name="include"):
    """A list parameter: comma-separated, or repeated as name[]."""
    texts = ",".join(request.all(name) + request.all(name + "[]")
                     + [v for k, v in request.query if k.startswith(name + "[") and k != name + "[]"])
    return [int(t) for t in texts.split(",") if t.strip().isdigit()]


def _words(request, name):
    return [w for v in request.all(name) + request.all(name + "[]") for w in v.split(",") if w]


def _wanted(peer, request, kind, doc):
    include, exclude = _ids(request), _ids(request, "exclude")
    if include and int(doc.id) not in include or int(doc.id) in exclude:
        return False
    search = request.get("search")
    if search and search.lower() not in _text(kind, doc).lower():
        return False
    return FILTERS.get(kind, lambda *_: True)(peer, request, doc)


def _text(kind, doc):
    body = doc.body
    if kind == "customers":  # user tables only: names live elsewhere and are searched by first and last name too
        return " ".join([body["email"], body["username"], body["first_name"], body["last_name"]])
    if kind == "orders":
        return " ".join([doc.id, *body["billing"].values(), *body["shipping"].values(),
                         *[line["name"] for line in body["line_items"]]])
    return " ".join([body["name"], body.get("sku", ""), body.get("description", "")])


def _customer(peer, request, doc):
    # modified_after and its like are accepted without a word and do nothing, as on the real 7.9
    email = request.get("email")
    role = request.get("role", "customer")
    return (not email or doc.body["email"].lower() == email.lower()) and role in ("all", doc.body["role"])


def _order(peer, request, doc):
    statuses = _words(request, "status") or ["any"]
    if "any" in statuses:
        visible = doc.body["status"] != "trash"
    else:
        visible = doc.body["status"] in statuses
    customer, product = request.get("customer"), request.get("product")
    return visible and (customer is None or doc.body["customer_id"] == int(customer)) \
        and (product is None or any(line["product_id"] == int(product) for line in doc.body["line_items"])) \
        and _in_time(peer, request, doc)


def _product(peer, request, doc):
    status, sku = request.get("status", "any"), request.get("sku")
    visible = doc.body["status"] != "trash" if status == "any" else doc.body["status"] == status
    in_terms = all(not _ids(request, name) or any(t["id"] in _ids(request, name) for t in doc.body[kind])
                   for name, kind in (("category", "categories"), ("tag", "tags"), ("brand", "brands")))
    return visible and (sku is None or doc.body["sku"] in sku.split(",")) and in_terms and _in_time(peer, request, doc)


def _in_time(peer, request, doc):
    """after, before, modified_after, modified_before: strict, in whole seconds, in the shop's time or GMT."""
    offset = 0 if flag(request.get("dates_are_gmt")) else peer.setting("utc_offset") * 3600
    for name, seconds, sign in (("after", doc.created, 1), ("before", doc.created, -1),
                                ("modified_after", doc.modified, 1), ("modified_before", doc.modified, -1)):
        text = request.get(name)
        if text is None:
            continue
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise invalid_param(name, "Invalid date.") from None
        # WordPress compares wall-clock columns: an offset in the text only shifts it to the shop's time
        if moment.tzinfo:
            edge = moment.timestamp()
        else:
            edge = moment.replace(tzinfo=datetime.timezone.utc).timestamp() - offset
        if sign * (int(seconds) - int(edge)) <= 0:
            return False
    return True


FILTERS = {"customers": _customer, "orders": _order, "products": _product}
