"""GNU Mailman 3.3 core, REST API 3.1 (3.0 paths are not offered).

python3 -m peers.mailman --port P --data DIR
"""
import base64
import binascii
import re

from . import mailman_lists, mailman_members
from .mailman_records import answer, refuse
from .messages import Refusal
from .peer import Peer
from .serve import main

ROUTES = [(m, re.compile(f"/3.1/{p}"), f) for m, p, f in (
    ("GET", r"system(?:/versions)?", lambda peer, request: answer({
        "api_version": "3.1", "mailman_version": "GNU Mailman 3.3.10 (Tom Sawyer)",
        "python_version": "3.11", "self_link": peer.link("system/versions")})),
    ("GET", r"domains", mailman_lists.domains),
    ("POST", r"domains", mailman_lists.add_domain),
    ("GET", r"domains/([^/]+)", mailman_lists.get_domain),
    ("DELETE", r"domains/([^/]+)", mailman_lists.drop_domain),
    ("GET", r"domains/([^/]+)/lists", mailman_lists.lists),
    ("GET", r"lists", mailman_lists.lists),
    ("POST", r"lists", mailman_lists.add_list),
    ("GET", r"lists/([^/]+)", mailman_lists.get_list),
    ("DELETE", r"lists/([^/]+)", mailman_lists.drop_list),
    ("GET", r"lists/([^/]+)/config(?:/(\w+))?", mailman_lists.get_config),
    ("PATCH", r"lists/([^/]+)/config(?:/(\w+))?", mailman_lists.patch_config),
    ("PUT", r"lists/([^/]+)/config/(\w+)", mailman_lists.patch_config),
    ("GET", r"lists/([^/]+)/roster/(member|owner|moderator|nonmember)", mailman_members.roster),
    ("DELETE", r"lists/([^/]+)/roster/(member)", mailman_members.drop_many),
    ("GET", r"lists/([^/]+)/(member|owner|moderator)/([^/]+)", mailman_members.by_email),
    ("DELETE", r"lists/([^/]+)/(member|owner|moderator)/([^/]+)", mailman_members.drop_by_email),
    ("GET", r"members", mailman_members.all_members),
    ("POST", r"members", mailman_members.subscribe),
    ("GET", r"members/find", mailman_members.find),
    ("POST", r"members/find", mailman_members.find),
    ("GET", r"members/([0-9a-f]{32})", mailman_members.get_member),
    ("PATCH", r"members/([0-9a-f]{32})", mailman_members.patch_member),
    ("DELETE", r"members/([0-9a-f]{32})", mailman_members.drop_member),
    ("GET", r"users", mailman_members.users),
    ("GET", r"users/([^/]+)", mailman_members.get_user),
    ("PATCH", r"users/([^/]+)", mailman_members.patch_user),
    ("DELETE", r"users/([^/]+)", mailman_members.drop_user),
    ("GET", r"addresses", mailman_members.addresses),
    ("GET", r"addresses/([^/]+)", mailman_members.get_address),
    ("PATCH", r"addresses/([^/]+)", mailman_members.patch_address),
)]


class MailmanPeer(Peer):
    """GNU Mailman 3.3 core's REST API 3.1."""

    name = "mailman"
    KEYS = {"members": mailman_members.keys}
    SETTINGS = {"user": "restadmin", "password": "restpass"}

    def link(self, path):
        """A resource's own URL."""
        return f"{self.base_url}/3.1/{path}"

    def handle(self, request):
        self._require(request)
        matches = [(m, p.fullmatch(request.path), f) for m, p, f in ROUTES]
        known = [(m, match, f) for m, match, f in matches if match]
        for method, match, function in known:
            if method == request.method:
                return function(self, request, *match.groups())
        raise refuse(405 if known else 404)

    def _require(self, request):
        value = request.header("authorization", "").removeprefix("Basic ")
        try:
            given = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        if given != f"{self.setting('user')}:{self.setting('password')}":
            raise refuse(401, "REST API authorization failed")

    def fault_answer(self, status, retry_after):
        refused = refuse(status).answer
        if status == 429:
            refused.headers.append(("Retry-After", str(retry_after)))
        return refused

    def seed(self, body):
        """{"domains": [host], "lists": [{fqdn_listname, config}], "members": [{list_id, email, display_name}]}"""
        try:
            for host in body.get("domains", []):
                mailman_lists.make_domain(self, {"mail_host": host})
            for given in body.get("lists", []):
                mailman_lists.make_list(self, given["fqdn_listname"], given.get("config", {}))
            made = [mailman_members.join(self, m["list_id"], m["email"], m.get("display_name", "")).id
                    for m in body.get("members", [])]
        except Refusal as refusal:
            raise ValueError(refusal.answer.value) from None
        return {"members": made}

    def view(self, kind, doc):
        views = {"domains": mailman_lists.domain_view, "lists": mailman_lists.list_view,
                 "members": mailman_members.member_view, "addresses": mailman_members.address_view,
                 "users": mailman_members.user_view}
        return views[kind](self, doc)


if __name__ == "__main__":
    main(MailmanPeer)
