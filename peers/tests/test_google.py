"""The Google peer's traps, and its truth to the discovery document."""
import json
import os
import unittest
from urllib.parse import parse_qs, urlencode, urlsplit

from peers import google_fields
from peers.discovery import Discovery
from peers.google import GooglePeer

from .support import PeerCase

DOCUMENT = os.environ.get("KONTOR_PEOPLE_DISCOVERY")
if not DOCUMENT:
    print("KONTOR_PEOPLE_DISCOVERY is not set: the Google peer is not held against the discovery document.")
ALL = ",".join(google_fields.READ_FIELDS)
PERSON = {"names": [{"givenName": "Anna", "familyName": "Nowak"}],
          "emailAddresses": [{"value": "anna@example.com", "type": "work"}],
          "phoneNumbers": [{"value": "+48 600 100 200", "type": "mobile"}],
          "addresses": [{"city": "Warszawa", "streetAddress": "Prosta 1", "countryCode": "PL"}],
          "birthdays": [{"date": {"year": 1990, "month": 5, "day": 4}}],
          "userDefined": [{"key": "industry", "value": "IT"}], "clientData": [{"key": "kontor", "value": "7"}]}


class GoogleCase(PeerCase):
    """A Google peer with an access token; with the discovery document every test ends without violations."""

    peer_class = GooglePeer

    def setUp(self):
        self.settings = {"discovery": DOCUMENT} if DOCUMENT else {}
        super().setUp()
        self.auth = {"Authorization": "Bearer " + self.token()["access_token"]}

    def token(self, **form):
        """An answer of the token endpoint."""
        given = {"grant_type": "refresh_token", "refresh_token": "demo-refresh", "client_id": "demo-client",
                 "client_secret": "demo-secret", **form}
        return self.call("POST", "/token", urlencode(given)).json

    def create(self, **fields):
        """A new contact as answered."""
        reply = self.call("POST", f"/v1/people:createContact?personFields={ALL}", {**PERSON, **fields})
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json

    def connections(self, status=200, **query):
        """One page of the list."""
        reply = self.call("GET", "/v1/people/me/connections?" + urlencode({"personFields": "names,metadata", **query}))
        self.assertEqual(reply.status, status, reply.body)
        return reply.json

    def update(self, person, etag=None, fields="names", **changes):
        """An update with the person's own or another etag."""
        sources = [{"type": "CONTACT", "etag": etag or person["metadata"]["sources"][0]["etag"]}]
        return self.call("PATCH", f"/v1/{person['resourceName']}:updateContact?updatePersonFields={fields}",
                         {"metadata": {"sources": sources}, **changes})

    def assertError(self, reply, code, status):
        """The answer is a google.rpc.Status error."""
        self.assertEqual((reply.status, reply.json["error"]["code"], reply.json["error"]["status"]),
                         (code, code, status), reply.body)

    def tearDown(self):
        if DOCUMENT:
            found = self.call("GET", "/_peer/violations").json["violations"]
            self.assertEqual([v for v in found if v["side"] == "answer"], [])


class OAuthTests(GoogleCase):
    def test_without_token_and_after_expiry_401(self):
        self.assertError(self.call("GET", "/v1/contactGroups", headers={"Authorization": ""}), 401, "UNAUTHENTICATED")
        self.call("POST", "/_peer/settings", {"token_ttl": -1})
        old = {"Authorization": "Bearer " + self.token()["access_token"]}
        self.assertError(self.call("GET", "/v1/contactGroups", headers=old), 401, "UNAUTHENTICATED")

    def test_refusals_of_the_token_endpoint(self):
        self.assertEqual(self.token(refresh_token="other")["error"], "invalid_grant")
        self.assertEqual(self.token(client_secret="other")["error"], "invalid_client")
        self.assertEqual(self.token(grant_type="password")["error"], "unsupported_grant_type")

    def test_code_serves_once(self):
        query = urlencode({"client_id": "demo-client", "redirect_uri": "http://a.example/cb", "state": "s"})
        location = self.call("GET", "/o/oauth2/v2/auth?" + query).headers["Location"]
        self.assertIn("state=s", location)
        form = {"grant_type": "authorization_code", "redirect_uri": "http://a.example/cb",
                "code": parse_qs(urlsplit(location).query)["code"][0]}
        self.assertIn("refresh_token", self.token(**form))
        self.assertEqual(self.token(**form)["error"], "invalid_grant")


class PersonTests(GoogleCase):
    def test_fields_come_back_dressed(self):
        person = self.create()
        self.assertEqual(person["names"][0]["displayName"], "Anna Nowak")
        self.assertEqual(person["phoneNumbers"][0]["canonicalForm"], "+48600100200")
        self.assertEqual(person["userDefined"][0]["key"], "industry")
        self.assertEqual(person["clientData"][0]["value"], "7")
        group = person["memberships"][0]["contactGroupMembership"]["contactGroupResourceName"]
        self.assertEqual(group, "contactGroups/myContacts")

    def test_stale_etag_is_refused_and_changes_nothing(self):
        person = self.create()
        new = self.update(person, names=[{"givenName": "Ewa"}])
        self.assertEqual(new.status, 200, new.body)
        self.assertError(self.update(person, names=[{"givenName": "Iza"}]), 400, "FAILED_PRECONDITION")
        kept = self.call("GET", f"/v1/{person['resourceName']}?personFields=names").json
        self.assertEqual(kept["names"][0]["givenName"], "Ewa")
        self.assertEqual(self.update(new.json, names=[{"givenName": "Iza"}]).status, 200)

    def test_update_needs_sources_and_mask(self):
        name = self.create()["resourceName"]
        body = {"names": [{"givenName": "Ewa"}]}
        self.assertError(self.call("PATCH", f"/v1/{name}:updateContact?updatePersonFields=names", body),
                         400, "INVALID_ARGUMENT")
        self.assertError(self.call("PATCH", f"/v1/{name}:updateContact", body), 400, "INVALID_ARGUMENT")

    def test_update_without_groups_is_refused(self):
        self.assertError(self.update(self.create(), fields="memberships", memberships=[]), 400, "INVALID_ARGUMENT")

    def test_unknown_members_and_parameters_are_refused(self):
        for body in ({"surname": "x"}, {"names": [{"surname": "x"}]}, {"names": [{"givenName": "a"}, {}]}):
            self.assertError(self.call("POST", "/v1/people:createContact", body), 400, "INVALID_ARGUMENT")
        self.assertError(self.call("GET", "/v1/people/me/connections?personFields=names&page=2"), 400,
                         "INVALID_ARGUMENT")
        self.assertError(self.call("GET", "/v1/people/me/connections"), 400, "INVALID_ARGUMENT")
        self.assertError(self.call("GET", "/v1/people/me/connections?personFields=surname"), 400, "INVALID_ARGUMENT")
        self.assertEqual(self.log()["counts"]["effects"], 0)

    def test_missing_is_404(self):
        self.assertError(self.call("GET", "/v1/people/c1?personFields=names"), 404, "NOT_FOUND")
        self.assertError(self.call("DELETE", "/v1/people/c1:deleteContact"), 404, "NOT_FOUND")

    def test_search(self):
        self.create()
        found = self.call("GET", "/v1/people:searchContacts?query=now&readMask=names").json
        self.assertEqual(len(found["results"]), 1)
        self.assertEqual(self.call("GET", "/v1/people:searchContacts?query=&readMask=names").json, {})


class BatchTests(GoogleCase):
    def batch(self, count, **more):
        """A batch creation of `count` contacts."""
        contacts = [{"contactPerson": {"names": [{"givenName": f"N{i}"}]}} for i in range(count)]
        return self.call("POST", "/v1/people:batchCreateContacts", {"contacts": contacts, **more})

    def test_limits(self):
        self.assertError(self.batch(201), 400, "INVALID_ARGUMENT")
        reply = self.batch(200, readMask="names")
        self.assertEqual(len(reply.json["createdPeople"]), 200)
        self.assertEqual(self.batch(1).json, {}, "without readMask nothing comes back")
        self.assertError(self.call("POST", "/v1/people:batchDeleteContacts",
                                   {"resourceNames": [f"people/c{i}" for i in range(501)]}), 400, "INVALID_ARGUMENT")

    def test_update_get_delete(self):
        people = [p["person"] for p in self.batch(2, readMask="names,metadata").json["createdPeople"]]
        change = {p["resourceName"]: {"metadata": p["metadata"], "names": [{"givenName": "New"}]} for p in people}
        body = {"contacts": change, "updateMask": "names", "readMask": "names"}
        reply = self.call("POST", "/v1/people:batchUpdateContacts", body)
        self.assertEqual({r["person"]["names"][0]["givenName"] for r in reply.json["updateResult"].values()}, {"New"})
        self.assertError(self.call("POST", "/v1/people:batchUpdateContacts", body), 400, "FAILED_PRECONDITION")
        names = [p["resourceName"] for p in people]
        query = urlencode({"personFields": "names", "resourceNames": names + ["people/c1"]}, doseq=True)
        answers = self.call("GET", "/v1/people:batchGet?" + query).json["responses"]
        self.assertEqual([a["httpStatusCode"] for a in answers], [200, 200, 404])
        self.assertEqual(self.call("POST", "/v1/people:batchDeleteContacts", {"resourceNames": names}).status, 200)
        self.assertEqual(self.connections(), {})


class SyncTests(GoogleCase):
    def test_changes_and_deletes_since_the_token(self):
        first, second = self.create(), self.create()
        token = self.connections(requestSyncToken="true")["nextSyncToken"]
        self.assertNotIn("connections", self.connections(syncToken=token))
        self.update(first, names=[{"givenName": "Ewa"}])
        self.call("DELETE", f"/v1/{second['resourceName']}:deleteContact")
        answer = self.connections(syncToken=token)
        marks = {p["resourceName"]: p["metadata"].get("deleted", False) for p in answer["connections"]}
        self.assertEqual(marks, {first["resourceName"]: False, second["resourceName"]: True})
        self.assertNotIn("connections", self.connections(syncToken=answer["nextSyncToken"]))

    def test_expired_token_names_its_reason(self):
        token = self.connections(requestSyncToken="true")["nextSyncToken"]
        self.call("POST", "/_peer/settings", {"expire_sync_tokens": True})
        error = self.connections(400, syncToken=token)["error"]
        self.assertEqual(error["details"][0]["reason"], "EXPIRED_SYNC_TOKEN")
        self.assertTrue(error["details"][0]["@type"].endswith("google.rpc.ErrorInfo"))
        fresh = self.connections(requestSyncToken="true")["nextSyncToken"]
        self.connections(syncToken=fresh)
        self.call("POST", "/_peer/settings", {"sync_token_ttl": -1})
        self.connections(400, syncToken=fresh)

    def test_pages_and_the_token_on_the_last_alone(self):
        made = {self.create()["resourceName"] for _ in range(5)}
        seen, query = [], {"pageSize": 2, "requestSyncToken": "true"}
        while True:
            answer = self.connections(**query)
            seen += [p["resourceName"] for p in answer["connections"]]
            self.assertNotEqual("nextPageToken" in answer, "nextSyncToken" in answer)
            if "nextPageToken" not in answer:
                break
            query["pageToken"] = answer["nextPageToken"]
        self.assertEqual((set(seen), len(seen)), (made, 5))

    def test_other_parameters_than_at_first_are_refused(self):
        self.create(), self.create()
        answer = self.connections(pageSize=1)
        self.connections(400, pageToken=answer["nextPageToken"], personFields="names")
        self.connections(400, pageSize=1001)

    def test_own_writes_may_come_late(self):
        token = self.connections(requestSyncToken="true")["nextSyncToken"]
        self.call("POST", "/_peer/settings", {"sync_delay": 60})
        self.create()
        self.assertEqual(len(self.connections()["connections"]), 1)
        answer = self.connections(syncToken=token)
        self.assertNotIn("connections", answer)
        self.call("POST", "/_peer/settings", {"sync_delay": 0})
        self.assertEqual(len(self.connections(syncToken=answer["nextSyncToken"])["connections"]), 1)


class GroupTests(GoogleCase):
    def test_life_of_a_group(self):
        person = self.create()["resourceName"]
        body = {"contactGroup": {"name": "VIP"}}
        group = self.call("POST", "/v1/contactGroups", body).json
        self.assertError(self.call("POST", "/v1/contactGroups", body), 409, "ALREADY_EXISTS")
        path = f"/v1/{group['resourceName']}"
        modify = {"resourceNamesToAdd": [person, "people/c1"]}
        self.assertEqual(self.call("POST", path + "/members:modify", modify).json,
                         {"notFoundResourceNames": ["people/c1"]})
        shown = self.call("GET", path + "?maxMembers=10").json
        self.assertEqual((shown["memberCount"], shown["memberResourceNames"]), (1, [person]))
        self.assertEqual(self.call("PUT", path, {"contactGroup": {"name": "Gold"}}).json["name"], "Gold")
        self.call("POST", "/v1/contactGroups/myContacts/members:modify", {"resourceNamesToRemove": [person]})
        last = self.call("POST", path + "/members:modify", {"resourceNamesToRemove": [person]}).json
        self.assertEqual(last, {"canNotRemoveLastContactGroupResourceNames": [person]})
        self.assertEqual(self.call("DELETE", path).json, {})
        names = [g["name"] for g in self.call("GET", "/v1/contactGroups").json["contactGroups"]]
        self.assertNotIn("Gold", names)
        self.assertError(self.call("DELETE", "/v1/contactGroups/starred"), 400, "INVALID_ARGUMENT")


class QuotaTests(GoogleCase):
    def test_429_in_google_s_words(self):
        self.faults(rate_429=1, retry_after=7)
        reply = self.call("GET", "/v1/contactGroups")
        self.assertError(reply, 429, "RESOURCE_EXHAUSTED")
        self.assertEqual(reply.headers["Retry-After"], "7")
        self.faults()
        self.call("POST", "/_peer/settings", {"quota_per_minute": 1})
        self.call("GET", "/v1/contactGroups")
        self.assertError(self.call("GET", "/v1/contactGroups"), 429, "RESOURCE_EXHAUSTED")


@unittest.skipUnless(DOCUMENT, "KONTOR_PEOPLE_DISCOVERY is not set")
class DiscoveryTests(GoogleCase):
    def test_tables_are_those_of_the_document(self):
        document = Discovery.load(DOCUMENT)
        person = document.schemas["Person"]["properties"]
        lists = {k: v["items"]["$ref"] for k, v in person.items() if v.get("type") == "array"}
        ours = {k: set(v.split()) | {"metadata"} for k, v in google_fields.ENTRIES.items()}
        theirs = {k: set(document.schemas[ref]["properties"]) | {"metadata"} for k, ref in lists.items()}
        self.assertEqual(ours, theirs)
        self.assertEqual(set(google_fields.PERSON_REST), set(person) - set(lists))
        self.assertEqual(google_fields.COMMON_QUERY, set(document.common))

    def test_a_request_that_does_not_fit_is_refused_and_noted(self):
        body = {"names": [{"givenName": 5}]}
        self.assertError(self.call("POST", "/v1/people:createContact", body), 400, "INVALID_ARGUMENT")
        body = {"birthdays": [{"date": {"year": "x"}}]}
        self.assertError(self.call("POST", "/v1/people:createContact", body), 400, "INVALID_ARGUMENT")
        found = self.call("GET", "/_peer/violations").json["violations"]
        self.assertEqual([v["side"] for v in found], ["request", "request"])

    def test_an_answer_that_does_not_fit_is_found(self):
        document = Discovery.load(DOCUMENT)
        wrong = {"connections": [{"names": "x", "surname": 1}], "totalItems": "5"}
        found = document.problems({"$ref": "ListConnectionsResponse"}, wrong, "answer", lenient=False)
        self.assertEqual(len(found), 3, found)
        good = json.loads(json.dumps(self.create()))
        self.assertEqual(document.problems({"$ref": "Person"}, good, "answer", lenient=False), [])


if __name__ == "__main__":
    unittest.main()
