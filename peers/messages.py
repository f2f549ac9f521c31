"""What passes between the HTTP layer and a peer: a request, an answer, a refusal."""
import json
from dataclasses import dataclass, field


@dataclass
class Request:
    """One HTTP request, its body read whole; `path` is percent-decoded, header names are lower case."""

    method: str
    path: str
    query: list
    headers: dict
    body: bytes

    def get(self, name, default=None):
        """The last value of a query parameter, or `default`."""
        values = [v for k, v in self.query if k == name]
        return values[-1] if values else default

    def all(self, name):
        """Every value of a repeated query parameter, in order."""
        return [v for k, v in self.query if k == name]

    def header(self, name, default=None):
        """A header's value; `name` in any case."""
        return self.headers.get(name.lower(), default)

    def json(self):
        """The body as JSON; raises ValueError when it is none (also for NaN and the like)."""
        def refuse(word):
            raise ValueError(f"{word} is not JSON")
        return json.loads(self.body.decode("utf-8"), parse_constant=refuse)


@dataclass
class Answer:
    """One HTTP answer. `value` is kept for those who judge answers before they are sent."""

    status: int
    body: bytes = b""
    headers: list = field(default_factory=list)
    value: object = None


class Refusal(Exception):
    """Raised by a peer to answer with an error; whatever the request changed is rolled back."""

    def __init__(self, answer):
        super().__init__(answer.status)
        self.answer = answer


def json_answer(status, value, headers=(), content_type="application/json; charset=UTF-8"):
    """An answer with `value` as its JSON body."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, [("Content-Type", content_type), *headers], value)


def flag(text):
    """A query parameter's truth as the vendors read it: true, 1, on, yes."""
    return str(text).lower() in ("true", "1", "on", "yes")
