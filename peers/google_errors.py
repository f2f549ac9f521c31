"""Google's way to say no: google.rpc.Status with details, as JSON."""
from .messages import Refusal, json_answer

STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
          409: "ALREADY_EXISTS", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL"}
DOMAIN = "googleapis.com"


def error(code, message, status=None, details=(), headers=()):
    """An error answer; `status` names the google.rpc.Code when it is not the usual one for `code`."""
    body = {"code": code, "message": message, "status": status or STATUS[code]}
    if details:
        body["details"] = list(details)
    return json_answer(code, {"error": body}, headers)


def refuse(code, message, status=None, details=()):
    """The same as a refusal to raise."""
    return Refusal(error(code, message, status, details))


def error_info(reason, **metadata):
    """A google.rpc.ErrorInfo detail."""
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": DOMAIN,
            "metadata": {"service": "people.googleapis.com", **metadata}}


def bad_request(violations):
    """A google.rpc.BadRequest detail from (field, description) pairs."""
    return {"@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": f, "description": d} for f, d in violations]}
