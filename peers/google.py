"""Google People API v1 with its OAuth 2 token endpoint, as one account's address book.

python3 -m peers.google --port P --data DIR
"""
import re

from . import google_groups, google_oauth, google_people, google_read, google_write
from .discovery import Discovery
from .google_errors import error, refuse
from .google_fields import COMMON_QUERY
from .google_masks import check_person
from .peer import Peer
from .serve import main

PEOPLE_QUERY = {"personFields", "requestMask.includeField", "sources"}
PAGE_QUERY = {"pageSize", "pageToken", "syncToken"}

# Method, pattern of the path, what answers, and the query parameters it takes.
ROUTES = [(m, re.compile(f"/v1/{p}"), f, q) for m, p, f, q in (
    ("GET", r"people/me/connections", google_read.connections,
     PEOPLE_QUERY | PAGE_QUERY | {"requestSyncToken", "sortOrder"}),
    ("GET", r"people:batchGet", google_read.batch_get, PEOPLE_QUERY | {"resourceNames"}),
    ("GET", r"people:searchContacts", google_read.search, {"pageSize", "query", "readMask", "sources"}),
    ("POST", r"people:createContact", google_write.create, {"personFields", "sources"}),
    ("POST", r"people:batchCreateContacts", google_write.batch_create, set()),
    ("POST", r"people:batchUpdateContacts", google_write.batch_update, set()),
    ("POST", r"people:batchDeleteContacts", google_write.batch_delete, set()),
    ("PATCH", r"(people/[^/:]+):updateContact", google_write.update, {"personFields", "sources", "updatePersonFields"}),
    ("DELETE", r"(people/[^/:]+):deleteContact", google_write.delete, set()),
    ("GET", r"(people/[^/:]+)", google_read.get, PEOPLE_QUERY),
    ("GET", r"contactGroups:batchGet", google_groups.batch_get, {"groupFields", "maxMembers", "resourceNames"}),
    ("GET", r"contactGroups", google_groups.list_groups, PAGE_QUERY | {"groupFields"}),
    ("POST", r"contactGroups", google_groups.create, set()),
    ("GET", r"(contactGroups/[^/:]+)", google_groups.get_group, {"groupFields", "maxMembers"}),
    ("PUT", r"(contactGroups/[^/:]+)", google_groups.update, set()),
    ("DELETE", r"(contactGroups/[^/:]+)", google_groups.delete, {"deleteContacts"}),
    ("POST", r"(contactGroups/[^/:]+)/members:modify", google_groups.modify, set()),
)]


class GooglePeer(Peer):
    """Google People API v1 of one account."""

    name = "google"
    SETTINGS = {"client_id": "demo-client", "client_secret": "demo-secret", "refresh_token": "demo-refresh",
                "token_ttl": 3600.0, "sync_token_ttl": 7 * 86400.0, "sync_delay": 0.0, "batch_partial": False,
                "quota_per_minute": 0, "discovery": ""}

    def __init__(self, store, settings):
        super().__init__(store, settings)
        path = self.setting("discovery")
        self.discovery = Discovery.load(path) if path else None
        self.minute, self.used = 0, 0

    def prepare(self):
        google_groups.prepare(self.store)

    def change_settings(self, wanted):
        """`expire_sync_tokens` true makes every sync token handed out so far too old."""
        wanted = dict(wanted)
        if wanted.pop("expire_sync_tokens", False):
            with self.store.tx():
                self.store.set("expired_until", google_people.time_now())
        super().change_settings(wanted)

    def handle(self, request):
        if request.method == "POST" and request.path in ("/token", "/oauth2/v4/token"):
            return google_oauth.token(self, request)
        if request.method == "GET" and request.path == "/o/oauth2/v2/auth":
            return google_oauth.authorize(self, request)
        for method, pattern, function, query in ROUTES:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                google_oauth.require(self, request)
                self._quota()
                self._check(request, query)
                return function(self, request, *match.groups())
        return error(404, f"Method not found: {request.method} {request.path}")

    def _quota(self):
        limit = self.setting("quota_per_minute")
        minute = int(google_people.time_now() // 60)
        if minute != self.minute:
            self.minute, self.used = minute, 0
        self.used += 1
        if limit and self.used > limit:
            raise refuse(429, "Quota exceeded for quota metric 'Critical read requests' and limit 'Critical read "
                              "requests per minute per user'.")

    def _check(self, request, known):
        for name, value in request.query:
            if name not in known | COMMON_QUERY:
                raise refuse(400, f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query '
                                  "parameter.")
            if name == "fields" or name == "alt" and value != "json":
                raise refuse(400, f"This peer does not offer {name}={value}.")
        if request.method in ("POST", "PUT", "PATCH"):
            try:
                if not isinstance(request.json(), dict):
                    raise ValueError("not an object")
            except ValueError as problem:
                raise refuse(400, f"Invalid JSON payload received. {problem}") from None
        problems = self.discovery.request_problems(request) if self.discovery else []
        if problems:
            raise refuse(400, "Invalid JSON payload received. " + "; ".join(problems))

    def judge(self, request, answer):
        if self.discovery:
            for violation in self.discovery.verdicts(request, answer):
                self.store.note("violations", violation)

    def fault_answer(self, status, retry_after):
        if status == 429:
            return error(429, "Quota exceeded for quota metric 'Critical write requests' and limit 'Critical write "
                              "requests per minute per user'.", headers=[("Retry-After", str(retry_after))])
        return error(500, "Internal error encountered.")

    def seed(self, body):
        """{"people": [Person], "groups": [name], "generate": n}; returns the resource names made."""
        out = {"people": [], "groups": []}
        for name in body.get("groups", []):
            id = f"contactGroups/seed{self.store.next('groups'):x}"
            self.store.put("contactGroups", id, {"name": name, "formattedName": name,
                                                 "groupType": "USER_CONTACT_GROUP"})
            out["groups"].append(id)
        made = [{"names": [{"givenName": f"Given{i}", "familyName": f"Family{i}"}],
                 "emailAddresses": [{"value": f"person{i}@example.com", "type": "work"}]}
                for i in range(body.get("generate", 0))]
        for person in body.get("people", []) + made:
            check_person(person, "person")
            out["people"].append(google_write.insert(self, person).id)
        return out

    def view(self, kind, doc):
        if kind == "contactGroups":
            return google_groups.shown(self.store, doc, None, 10**6)
        return google_people.shown(doc, None)


if __name__ == "__main__":
    main(GooglePeer)
