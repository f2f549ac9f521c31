"""Judging requests and answers by a Google discovery document (people.v1.json of google-api-python-client)."""
import json
import re
import time


class Discovery:
    """The methods and schemas of one discovery document."""

    def __init__(self, doc):
        self.schemas = doc["schemas"]
        self.common = doc["parameters"]
        self.methods = []
        self._walk(doc)

    @classmethod
    def load(cls, path):
        """Reads the document; OSError or ValueError when it cannot be read."""
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def _walk(self, node):
        for method in node.get("methods", {}).values():
            # flatPath spells out what "{+resourceName}" may hold; a placeholder ends at a slash or a colon
            pattern = re.sub(r"\{\w+\}", "[^/:]+", method.get("flatPath", method["path"]))
            self.methods.append((method["httpMethod"], re.compile("/" + pattern), method))
        for child in node.get("resources", {}).values():
            self._walk(child)

    def method(self, request):
        """The document's method for a request, or None."""
        for verb, pattern, method in self.methods:
            if verb == request.method and pattern.fullmatch(request.path):
                return method
        return None

    def request_problems(self, request):
        """What in the request does not fit the document, in words."""
        method = self.method(request)
        if method is None:
            return [f"no method {request.method} {request.path}"]
        known = {**self.common, **{k: v for k, v in method["parameters"].items() if v["location"] == "query"}}
        out = []
        for name, value in request.query:
            if name not in known:
                out.append(f"query: unknown parameter {name}")
            else:
                out += _query_value(known[name], value, f"query {name}")
        singles = [n for n, _ in request.query if n in known and not known[n].get("repeated")]
        out += [f"query: {n} given twice" for n in {n for n in singles if singles.count(n) > 1}]
        if "request" in method:
            try:
                out += self.problems(method["request"], request.json(), "body", lenient=True)
            except ValueError as error:
                out.append(f"body: {error}")
        elif request.body:
            out.append("body: this method takes none")
        return out

    def verdicts(self, request, answer):
        """The violations of one exchange of a method of the document, as journal entries."""
        method = self.method(request)
        if method is None:
            return []
        found = [("request", p) for p in self.request_problems(request)]
        found += [("answer", p) for p in self.answer_problems(method, answer)]
        return [{"time": time.time(), "side": side, "method": request.method, "path": request.path,
                 "status": answer.status, "problem": problem} for side, problem in found]

    def answer_problems(self, method, answer):
        """What in an answer does not fit."""
        try:
            value = json.loads(answer.body)
        except ValueError as error:
            return [f"answer: {error}"]
        if answer.status != 200:
            return _error_shape(value, answer.status)
        return self.problems(method.get("response", {}), value, "answer", lenient=False)

    def problems(self, schema, value, where, lenient):
        """What in `value` does not fit `schema`; `lenient` allows what Google's parser allows in requests."""
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        if value is None and lenient:
            return []
        kind = schema.get("type", "any")
        if kind == "object":
            return self._object(schema, value, where, lenient)
        if kind == "array":
            if not isinstance(value, list):
                return [f"{where}: not a list"]
            return [p for i, v in enumerate(value) for p in self.problems(schema["items"], v, f"{where}[{i}]", lenient)]
        return _scalar(schema, kind, value, where, lenient)

    def _object(self, schema, value, where, lenient):
        if not isinstance(value, dict):
            return [f"{where}: not an object"]
        known, rest = schema.get("properties", {}), schema.get("additionalProperties")
        out = []
        for name, inner in value.items():
            if name in known or rest is not None:
                out += self.problems(known.get(name, rest), inner, f"{where}.{name}", lenient)
            else:
                out.append(f"{where}: unknown name {name}")
        return out


def _scalar(schema, kind, value, where, lenient):
    if kind == "any":
        return []
    wanted = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}[kind]
    if lenient and kind in ("integer", "number") and isinstance(value, str):
        return [] if re.fullmatch(r"-?\d+(\.\d+)?", value) else [f"{where}: not a number"]
    if not isinstance(value, wanted) or isinstance(value, bool) and kind != "boolean":
        return [f"{where}: not a {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value} is not one of {', '.join(schema['enum'])}"]
    if schema.get("format") == "int32" and not -2**31 <= value < 2**31:
        return [f"{where}: beyond int32"]
    if schema.get("format") == "google-datetime" and not re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", value):
        return [f"{where}: not a date-time"]
    return []


def _query_value(parameter, text, where):
    if "enum" in parameter and text not in parameter["enum"]:
        return [f"{where}: {text} is not one of {', '.join(parameter['enum'])}"]
    if parameter["type"] == "integer" and not re.fullmatch(r"-?\d+", text):
        return [f"{where}: not an integer"]
    if parameter["type"] == "boolean" and text not in ("true", "false"):
        return [f"{where}: not true or false"]
    return []


def _error_shape(value, status):
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict) or error.get("code") != status or not isinstance(error.get("message"), str) \
            or not isinstance(error.get("status"), str):
        return ["answer: not an error as google.rpc.Status"]
    return [f"answer: detail without @type: {d}" for d in error.get("details", []) if "@type" not in d]
