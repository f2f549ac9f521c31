"""What every peer shares: settings, journal of effects, seeding, state."""
import json
import time

from .faults import Faults
from .messages import json_answer


class Peer:
    """Base of the four. A subclass gives `name`, `SETTINGS` (name: default), `handle`, `seed` and `fault_answer`."""

    name = "peer"
    SETTINGS = {}
    KEYS = {}  # kind: function from a body to the keys it is looked up by

    def __init__(self, store, settings):
        self.store = store
        self.start_settings = settings
        self.faults = Faults()
        self.base_url = ""
        self.hooks = None
        for kind, keys in self.KEYS.items():
            store.index(kind, keys)
        with store.tx():
            self.prepare()

    def prepare(self):
        """Writes what a fresh installation has; runs at start and after a reset, inside a transaction."""

    def setting(self, name):
        """A setting's value: set at run time, else given at the start, else the default."""
        changed = self.store.get_value("settings", {})
        if name in changed:
            return changed[name]
        return self.start_settings.get(name, self.SETTINGS[name])

    def change_settings(self, wanted):
        """Changes settings at run time; raises ValueError on an unknown name."""
        unknown = set(wanted) - set(self.SETTINGS)
        if unknown:
            raise ValueError("unknown setting: " + ", ".join(sorted(unknown)))
        with self.store.tx():
            self.store.set("settings", {**self.store.get_value("settings", {}), **wanted})

    def handle(self, request):
        """Answers one request of the vendor's own API; runs inside a transaction."""
        raise NotImplementedError

    def judge(self, request, answer):
        """Looks at a finished exchange before the answer is sent; runs inside a transaction."""

    def fault_answer(self, status, retry_after):
        """The vendor's own words for 429 (with Retry-After, in seconds) and 500."""
        headers = [("Retry-After", str(retry_after))] if status == 429 else []
        return json_answer(status, {"message": "refused by fault"}, headers)

    def effect(self, request, action, kind, record, key=None, body=None):
        """Writes one effect into the journal: `action` is create, update or delete; `key` the natural key."""
        entry = {"time": time.time(), "method": request.method, "path": request.path, "action": action,
                 "kind": kind, "record": record, "key": key, "idempotency_key": request.header("Idempotency-Key")}
        if body is not None:
            entry["body"] = body
        self.store.note("effects", entry)

    def seed(self, body):
        """Fills the peer with records as if they had always been there: no webhooks, no effects."""
        raise NotImplementedError

    def state(self):
        """All living records by kind."""
        return {kind: [self.view(kind, doc) for doc in self.store.docs(kind)]
                for kind in list(self.store.kinds) if not kind.startswith("_")}

    def view(self, kind, doc):
        """How a record is shown in `state`."""
        return json.loads(json.dumps(doc.body))
