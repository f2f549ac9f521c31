"""Mailman's ways."""
import base64

from peers.mailman import MailmanPeer

from .support import PeerCase

JOIN = {"list_id": "news.example.com", "pre_verified": True, "pre_confirmed": True, "pre_approved": True}


class MailmanTests(PeerCase):
    peer_class = MailmanPeer
    auth = {"Authorization": "Basic " + base64.b64encode(b"restadmin:restpass").decode()}

    def setUp(self):
        super().setUp()
        self.call("POST", "/_peer/seed", {"domains": ["example.com"], "lists": [{"fqdn_listname": "news@example.com"}]})

    def join(self, email, **more):
        """A subscription."""
        return self.call("POST", "/3.1/members", {**JOIN, "subscriber": email, **more})

    def test_credentials_and_versions(self):
        self.assertEqual(self.call("GET", "/3.1/system/versions", headers={"Authorization": ""}).status, 401)
        self.assertEqual(self.call("GET", "/3.1/system/versions").json["api_version"], "3.1")

    def test_lists_by_both_names_made_once(self):
        made = self.call("POST", "/3.1/lists", "fqdn_listname=vip@example.com")
        self.assertEqual((made.status, made.body), (201, b""))
        self.assertTrue(made.headers["location"].endswith("/3.1/lists/vip.example.com"))
        for name in ("vip.example.com", "vip@example.com", "vip%40example.com"):
            self.assertEqual(self.call("GET", f"/3.1/lists/{name}").json["list_id"], "vip.example.com")
        again = self.call("POST", "/3.1/lists", "fqdn_listname=vip@example.com")
        self.assertEqual((again.status, again.json["description"]), (400, "Mailing list exists"))
        self.assertEqual(self.call("POST", "/3.1/lists", "fqdn_listname=vip@other.example").status, 400)
        self.assertEqual(self.call("DELETE", "/3.1/lists/vip@example.com").status, 204)
        self.assertEqual(self.call("GET", "/3.1/lists/vip@example.com").status, 404)

    def test_rename(self):
        path = "/3.1/lists/news.example.com/config"
        self.assertEqual(self.call("PATCH", path, {"display_name": "Monthly", "description": "d"}).status, 204)
        self.assertEqual(self.call("GET", "/3.1/lists/news.example.com").json["display_name"], "Monthly")
        self.assertEqual(self.call("PATCH", path, {"nonsense": "1"}).status, 400)

    def test_joining_twice_is_409(self):
        made = self.join("Anna@example.com", display_name="Anna")
        self.assertEqual((made.status, made.body), (201, b""))
        self.assertEqual(self.join("anna@EXAMPLE.com").status, 409)
        self.assertEqual(self.join("b@example.com", list_id="none.example.com").json["description"], "No such list")
        self.assertEqual(self.join("nonsense").status, 400)
        self.assertEqual(self.join("c@example.com", pre_confirmed=False).status, 202)
        self.assertEqual(self.join("c@example.com", pre_confirmed=False).status, 409, "already pending")
        self.assertEqual(self.call("POST", "/3.1/members", {"list_id": "news.example.com"}).status, 400)

    def test_an_empty_page_has_no_entries(self):
        path = "/3.1/lists/news.example.com/roster/member"
        self.assertNotIn("entries", self.call("GET", path).json)
        for i in range(5):
            self.join(f"m{i}@example.com")
        page = self.call("GET", path + "?count=2&page=3").json
        self.assertEqual((page["start"], page["total_size"], [e["email"] for e in page["entries"]]),
                         (4, 5, ["m4@example.com"]))
        self.assertNotIn("entries", self.call("GET", path + "?count=2&page=4").json)
        self.assertEqual(self.call("GET", path + "?count=x&page=1").status, 400)

    def test_find_and_leave(self):
        self.join("a@example.com"), self.join("b@example.com"), self.join("c@example.com")
        found = self.call("GET", "/3.1/members/find?subscriber=a@example.com&list_id=news.example.com").json
        id = found["entries"][0]["member_id"]
        self.assertEqual(self.call("GET", "/3.1/members/find?subscriber=*@example.com").json["total_size"], 3)
        self.assertEqual(self.call("DELETE", f"/3.1/members/{id}").status, 204)
        self.assertEqual(self.call("DELETE", f"/3.1/members/{id}").status, 404)
        gone = self.call("DELETE", "/3.1/lists/news.example.com/roster/member",
                         "emails=b@example.com&emails=x@example.com").json
        self.assertEqual((gone["b@example.com"], gone["x@example.com"]), (True, False))
        self.assertEqual(self.call("DELETE", "/3.1/lists/news.example.com/member/c@example.com").status, 204)
        self.assertEqual(self.call("GET", "/3.1/lists/news.example.com").json["member_count"], 0)

    def test_users_follow_addresses(self):
        self.join("a@example.com", display_name="Anna")
        self.assertEqual(self.call("GET", "/3.1/users/a@example.com").json["display_name"], "Anna")
        self.assertEqual(self.call("PATCH", "/3.1/addresses/a@example.com", {"display_name": "Ewa"}).status, 204)
        self.assertEqual(self.call("DELETE", "/3.1/users/a@example.com").status, 204)
        self.assertEqual(self.call("GET", "/3.1/lists/news.example.com").json["member_count"], 0)
