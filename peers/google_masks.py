"""Field masks and the check of names in a person."""
from .google_errors import bad_request, refuse
from .google_fields import ENTRIES, PERSON_REST, READ_FIELDS, SINGLETONS


def mask(text, name, valid=READ_FIELDS, required=True):
    """The fields a comma-separated mask names; 400 when it is missing or names a field that does not exist."""
    fields = [f for f in (text or "").split(",") if f]
    if not fields:
        if required:
            raise refuse(400, f"{name} mask is required. Please specify one or more valid paths.")
        return None
    for field in fields:
        if field not in valid:
            message = f'Invalid {name} mask path: "{field}". Valid paths are documented at people/v1.'
            raise refuse(400, message, details=[bad_request([(name, message)])])
    return fields


def read_mask(request, required=True):
    """The mask of a reading call: personFields, or the older requestMask.includeField."""
    old = request.get("requestMask.includeField")
    if old and not request.get("personFields"):
        return mask(",".join(p.removeprefix("person.") for p in old.split(",")), "requestMask.includeField")
    return mask(request.get("personFields"), "personFields", required=required)


def check_person(person, where):
    """400 for members Google does not know, wrong shapes, or several entries in a field that takes one."""
    if not isinstance(person, dict):
        raise refuse(400, f"Invalid value at '{where}'.", details=[bad_request([(where, "not an object")])])
    for field, entries in person.items():
        if field in PERSON_REST:
            continue
        if field not in ENTRIES:
            raise unknown(where, field)
        if entries is not None and not isinstance(entries, list):
            raise refuse(400, f"Invalid value at '{where}.{field}': not a list.")
        for entry in entries or []:
            _check_entry(entry, field, f"{where}.{field}")
        if field in SINGLETONS and len(entries or []) > 1:
            raise refuse(400, f"Only one {field} entry may be specified for a contact.")


def _check_entry(entry, field, where):
    if not isinstance(entry, dict):
        raise refuse(400, f"Invalid value at '{where}'.")
    known = ENTRIES[field].split()
    for name in entry:
        if name != "metadata" and name not in known:
            raise unknown(where, name)


def unknown(where, name):
    """Google's answer to a member it does not know."""
    message = f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}': Cannot find field."
    return refuse(400, message, details=[bad_request([(where, message)])])
