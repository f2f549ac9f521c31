"""Parameters of a Mailman request: form-encoded or JSON, checked by name."""
from urllib.parse import parse_qsl

from .mailman_records import refuse
from .messages import flag


def params(request, required=(), optional=()):
    """The body's parameters; 400 for a missing or an unexpected one. A repeated form name gives a list."""
    if "json" in request.header("content-type", ""):
        try:
            given = request.json()
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise refuse(400, "Invalid JSON")
    else:
        given = {}
        for name, value in parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True):
            if name in given:
                old = given[name]
                given[name] = old + [value] if isinstance(old, list) else [old, value]
            else:
                given[name] = value
    unexpected = sorted(set(given) - set(required) - set(optional))
    if unexpected:
        raise refuse(400, "Unexpected parameters: " + ", ".join(unexpected))
    missing = [n for n in required if n not in given]
    if missing:
        raise refuse(400, "Missing Parameter: " + ", ".join(sorted(missing)))
    return given


def truth(given, name, default=False):
    """A boolean parameter, as JSON or as text."""
    value = given.get(name, default)
    return value if isinstance(value, bool) else flag(value)
