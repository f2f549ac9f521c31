"""Connections in a real browser: what they sign in with, when they look for news, what they may see."""

import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from console_case import PASSWORD, ConsoleCase, expect  # noqa: E402


class Connections(ConsoleCase):
    def test_signing_in_there(self):
        """A new shop lets Kontor in at Google on Google's own page, and its contacts come by themselves from then on."""
        kontor = self.world.make_tenant("signing")
        self.world.make_owner("signing", "boss@signing.example", PASSWORD)
        google = self.world.urls["google"]
        page = self.page()
        self.sign_in(page, "boss@signing.example", tenant="signing")
        page.goto(self.url + "/connections/new/google")
        expect(page.locator("main")).to_contain_text(self.url + "/connections/signed-in")
        page.click("summary:has-text('More settings')")
        for name, value in {"base_url": google, "token_url": google + "/token", "client_id": "demo-client",
                            "client_secret": "demo-secret", "sign_in_url": google + "/o/oauth2/v2/auth"}.items():
            page.fill(f"[name='set.{name}']", value)
        page.click("button.act")
        expect(page.locator("main")).to_contain_text("One step is left")
        self.complaints.clear()
        came = []
        page.on("request", lambda request: came.append(request.url))
        page.click("a:has-text('Sign in there')")
        expect(page).to_have_url(re.compile(r"/connections/\d+$"))
        expect(page.locator(".notice")).to_contain_text("Connected")
        sent = re.search(r"[?&]state=([^&]+)", next(one for one in came if "/connections/signed-in" in one)).group(1)
        # Google's own page was visited, by a link
        self.assertTrue(all(one.startswith(google) for one in self.complaints), self.complaints)
        self.complaints.clear()
        expect(page.locator("main")).not_to_contain_text("One step is left")
        page.locator(".rows li", has_text="Contacts from").locator("button:has-text('Switch on')").click()
        expect(page.locator(".notice")).to_contain_text("Saved")
        deadline = time.monotonic() + 120
        while not (found := kontor.get("/contacts")["items"]) and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assertTrue(found, "an import that was switched on looks for contacts by itself")
        # what the page sent back is good once, in this session, as it was
        for state in (sent, f"1.{2 ** 63 - 1}.abc", "1.2.abc", "1.-9223372036854775808.abc"):
            page.goto(f"{self.url}/connections/signed-in?code=x&state={state}")
            expect(page.locator("main")).to_contain_text("no sign-in of yours")
        self.assertEqual(kontor.get("/connectors")["items"][0]["state"], "on")

    def test_a_refusal_there(self):
        """Who is sent back without having let Kontor in reads so, and nothing is changed."""
        page = self.page()
        self.sign_in(page)
        google = next(one for one in self.kontor.get("/connectors")["items"] if one["kind"] == "google")
        page.goto(f"{self.url}/connections/{google['id']}")
        target = page.locator("a:has-text('Sign in again')").get_attribute("href")
        went = page.request.get(self.url + target, max_redirects=0)
        self.assertEqual(went.status, 303)
        state = re.search(r"[?&]state=([^&]+)", went.headers["location"]).group(1)
        page.goto(f"{self.url}/connections/signed-in?error=access_denied&state={state}&iss=https%3A%2F%2Faccounts.example")
        expect(page.locator(".notice")).to_contain_text("nothing has changed")
        now = next(one for one in self.kontor.get("/connectors")["items"] if one["kind"] == "google")
        self.assertEqual(now["settings"], google["settings"])

    def test_settings_of_a_connection(self):
        """Its precedence, whom it sees and which fields are set; secrets stay unless new ones are typed."""
        crm = next(one for one in self.kontor.get("/connectors")["items"] if one["name"] == "crm")
        before = {key: crm[key] for key in ("rank", "hidden_fields", "closed_fields")}
        page = self.page("phone")
        self.sign_in(page)
        page.goto(f"{self.url}/connections/{crm['id']}")
        page.click("main a:has-text('Settings')")
        expect(page.locator("[name='set.api_key']")).to_have_attribute("placeholder", re.compile("kept"))
        try:
            page.fill("[name=rank]", "7")
            page.fill("[name=tags]", "client, supplier")
            page.get_by_label("Newsletter").check()
            page.click("summary:has-text('Choose fields')")
            page.get_by_label("does not see: Notes").check()
            page.get_by_label("does not change: Language").check()
            page.click("button:has-text('Save')")
            expect(page.locator(".notice")).to_contain_text("Saved")
            now = self.kontor.get(f"/connectors/{crm['id']}")
            self.assertEqual(now["rank"], 7)
            self.assertEqual(sorted(now["visible_facets"]), ["consent:newsletter", "tag:client", "tag:supplier"])
            self.assertEqual((now["hidden_fields"], now["closed_fields"]), (["notes"], ["language"]))
            self.assertEqual((now["secrets"], now["settings"]), (crm["secrets"], crm["settings"]))
            page.goto(f"{self.url}/connections/{crm['id']}/settings")
            page.fill("[name='set.base_url']", "")
            page.fill("[name=tags]", "")
            page.get_by_label("Newsletter").uncheck()
            # the browser asks for what is needed
            page.click("button:has-text('Save')")
            expect(page).to_have_url(re.compile("/settings$"))
            page.fill("[name='set.base_url']", crm["settings"]["base_url"])
            page.click("button:has-text('Save')")
            expect(page.locator(".notice")).to_contain_text("Saved")
            self.assertIsNone(self.kontor.get(f"/connectors/{crm['id']}")["visible_facets"])
        finally:
            self.kontor.patch(f"/connectors/{crm['id']}", {"visible_facets": [], **before})

    def test_when_it_looks(self):
        """How often, from which day and how much at once; tried without any effect."""
        crm = next(one for one in self.kontor.get("/connectors")["items"] if one["name"] == "crm")
        pull = next(one for one in crm["plugins"] if one["capability"] == "pull")
        page = self.page()
        self.sign_in(page)
        address = f"{self.url}/connections/{crm['id']}/plugins/{pull['id']}"
        page.goto(address)
        try:
            page.get_by_label("How often").select_option("every 15 minutes")
            page.get_by_label("From which day").fill("2020-01-31")
            page.get_by_label("Ask before").fill("500")
            page.locator("form[action$='/schedule'] button:has-text('Save')").click()
            expect(page.locator(".notice")).to_contain_text("Saved")
            now = self.kontor.get(f"/plugins/{pull['id']}")
            self.assertEqual((now["every_seconds"], now["since"], now["max_changes"]), (900, "2020-01-31", 500))
            page.get_by_label("How often").select_option("only when asked to")
            page.get_by_label("From which day").fill("")
            page.get_by_label("Ask before").fill("")
            page.locator("form[action$='/schedule'] button:has-text('Save')").click()
            expect(page.locator(".notice")).to_contain_text("Saved")
            now = self.kontor.get(f"/plugins/{pull['id']}")
            self.assertEqual((now["every_seconds"], now["since"], now["max_changes"]), (None, None, None))
            page.locator("form[action$='/schedule'] button:has-text('Try')").click()
            expect(page).to_have_url(re.compile(r"/runs/\d+"))
            run = self.kontor.get("/runs/" + page.url.rsplit("/", 1)[1])
            self.assertTrue(run["dry"])
            self.settled(page, "section.card", "done")
            self.assertRegex(page.locator("section.card").inner_text(), r"nothing to do|[a-z]+: \d")
            self.look(page, "run-dry")
        finally:
            self.kontor.patch(f"/plugins/{pull['id']}", {key: pull[key] for key in ("every_seconds", "since", "max_changes")})


if __name__ == "__main__":
    unittest.main()
