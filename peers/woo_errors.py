"""The shop's way to say no: code, message, data.status."""
from .messages import Refusal, json_answer


def error(status, code, message, **data):
    """An error answer."""
    return json_answer(status, {"code": code, "message": message, "data": {"status": status, **data}})


def refuse(status, code, message, **data):
    """The same as a refusal to raise."""
    return Refusal(error(status, code, message, **data))


def invalid_param(name, words):
    """WordPress's refusal of one parameter."""
    return refuse(400, "rest_invalid_param", f"Invalid parameter(s): {name}", params={name: words},
                  details={name: {"code": "rest_invalid_param", "message": words, "data": None}})
