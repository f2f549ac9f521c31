"""Search parameters: PHP-style query arrays and the where items."""
import json
import re

from .espo_records import name_of, refuse, stamp


def parse(query):
    """The query's nested arrays (`where[0][type]=after`) as dictionaries; `searchParams` JSON is laid over."""
    root = {}
    for name, value in query:
        parts = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        node = root
        for part, nxt in zip(parts, parts[1:] + [None]):
            key = part if part != "" else str(len(node))
            if nxt is None:
                node[key] = value
            else:
                node = node.setdefault(key, {})
                if not isinstance(node, dict):
                    raise refuse(400, "Bad query.")
    if "searchParams" in root:
        try:
            root.update(json.loads(root["searchParams"]))
        except ValueError:
            raise refuse(400, "Bad searchParams.") from None
    return root


def _list(value):
    if isinstance(value, dict):
        return [value[k] for k in sorted(value, key=lambda k: int(k) if k.isdigit() else 0)]
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def value_of(kind, doc, attribute):
    """The value a filter or an order compares."""
    extra = {"id": doc.id, "name": name_of(kind, doc.body), "createdAt": stamp(doc.created),
             "modifiedAt": stamp(doc.modified), "deleted": False}
    return extra.get(attribute, doc.body.get(attribute))


def _values(kind, doc, attribute):
    """All values an equality looks at: every e-mail address and number, not the primary alone."""
    if attribute in ("emailAddress", "phoneNumber"):
        return [str(e[attribute]).lower() for e in doc.body[attribute + "Data"]] or [None]
    value = value_of(kind, doc, attribute)
    return [_plain(value)]


def _plain(value):
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.lower() if isinstance(value, str) else value if value is None else str(value)


def _order(a, b):
    """-1, 0 or 1; numbers as numbers, text as text; None when one is missing."""
    if a is None or b is None or isinstance(a, (list, dict)):
        return None
    try:
        a, b = float(a), float(b)
    except (TypeError, ValueError):
        a, b = str(a), str(b)
    return (a > b) - (a < b)


COMPARE = {"greaterThan": (1,), "after": (1,), "lessThan": (-1,), "before": (-1,), "greaterThanOrEquals": (0, 1),
           "lessThanOrEquals": (-1, 0)}
LIKE = {"contains": "%{}%", "startsWith": "{}%", "endsWith": "%{}", "like": "{}",
        "notContains": "%{}%", "notLike": "{}"}


def matches(kind, doc, items):
    """Whether a record satisfies all where items."""
    return all(_item(kind, doc, item) for item in _list(items))


def _item(kind, doc, item):
    type, attribute, value = item.get("type"), item.get("attribute", item.get("field")), item.get("value")
    if type in ("or", "and"):
        inner = [_item(kind, doc, i) for i in _list(value)]
        return any(inner) if type == "or" else all(inner)
    if not attribute or not re.fullmatch(r"\w+", attribute):
        raise refuse(400, "Bad where item. No attribute.")
    have = value_of(kind, doc, attribute)
    if type in COMPARE:
        return _order(have, value) in COMPARE[type]
    if type == "between":
        low, high = _list(value)
        return _order(have, low) in (0, 1) and _order(have, high) in (-1, 0)
    if type in LIKE:
        pattern = ".*".join(re.escape(p) for p in LIKE[type].format(str(value).lower()).split("%"))
        hit = any(v is not None and re.fullmatch(pattern, str(v), re.S) for v in _values(kind, doc, attribute))
        return hit != type.startswith("not")
    if type in ("equals", "notEquals", "in", "notIn", "on"):
        wanted = [_plain(v) for v in _list(value)]
        return any(v in wanted for v in _values(kind, doc, attribute)) != type.startswith("not")
    if type.startswith("array"):
        return _array(type, have if isinstance(have, list) else [], _list(value))
    simple = {"isNull": lambda: have is None, "isNotNull": lambda: have is not None,
              "isTrue": lambda: have is True, "isFalse": lambda: not have}
    if type not in simple:
        raise refuse(400, f"Bad where item. Type '{type}' is not offered by this peer.")
    return simple[type]()


def _array(type, have, wanted):
    answers = {"arrayAnyOf": any(w in have for w in wanted), "arrayNoneOf": not any(w in have for w in wanted),
               "arrayAllOf": all(w in have for w in wanted), "arrayIsEmpty": not have, "arrayIsNotEmpty": bool(have)}
    if type not in answers:
        raise refuse(400, f"Bad where item. Type '{type}'.")
    return answers[type]
