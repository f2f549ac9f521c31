"""The console where it is about the shop itself: people, roles, settings, privacy."""

import pathlib
import re
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from console_case import ConsoleCase, expect  # noqa: E402


class Shop(ConsoleCase):
    def test_roles(self):
        """Who sees own clients only sees those, and nothing of settings; disabled, nothing at all."""
        sales = self.page("phone")
        self.sign_in(sales, "sales@demo.example")
        sales.goto(self.url + "/contacts")
        expect(sales.locator("#rows tbody tr")).to_have_count(3)
        for path in ("/connections", "/staff"):
            sales.goto(self.url + path)
            expect(sales.locator("main")).to_contain_text("Your role does not allow this")
        sales.goto(self.url + "/contacts/1")
        expect(sales.locator("main")).to_contain_text("There is nothing here")
        sales.goto(self.url + "/")
        self.assertNotIn("Connections", sales.locator("nav").first.text_content())
        owner = self.page()
        self.sign_in(owner)
        owner.goto(self.url + "/staff")
        row = owner.locator(".people li", has_text="Ola Nowak")
        row.locator("button:has-text('Disable')").click()
        owner.locator("dialog button", has_text="Cancel").click()
        expect(row.locator("button:has-text('Disable')")).to_be_visible()
        row.locator("button:has-text('Disable')").click()
        owner.locator("dialog button", has_text="Disable").click()
        expect(row.locator("button:has-text('Enable')")).to_be_visible()
        time.sleep(1.1)
        sales.goto(self.url + "/contacts")
        expect(sales).to_have_url(re.compile("/sign-in"))
        row.locator("button:has-text('Enable')").click()

    def test_restricting_a_role(self):
        """A role like sales, without telephone numbers and of one tag: the difference is seen at once, and explained."""
        owner = self.page("phone")
        self.sign_in(owner)
        owner.goto(self.url + "/staff/roles")
        owner.locator(".rows li", has_text="Sales").locator("a:has-text('Make one like it')").click()
        owner.fill("[name=title]", "Sales on the phone")
        expect(owner.get_by_label("Reads contacts")).to_have_value("own")
        owner.get_by_label("import and change many").check()
        owner.get_by_label("E-mail").select_option("masked")
        owner.click("button:has-text('Save')")
        expect(owner.locator("[role=alert]")).to_contain_text("do not go together")
        owner.get_by_label("import and change many").uncheck()
        expect(owner.get_by_label("E-mail")).to_have_value("masked")
        owner.click("button:has-text('Save')")
        expect(owner.locator(".notice")).to_contain_text("Saved")
        sales = self.page()
        self.sign_in(sales, "sales@demo.example")
        sales.goto(self.url + "/contacts")
        expect(sales.locator("#rows tbody tr")).to_have_count(3)
        expect(sales.locator("#rows")).to_contain_text("@client.example")
        owner.goto(self.url + "/staff")
        owner.click("a:has-text('Ola Nowak')")
        owner.get_by_label("Role").select_option(label="Sales on the phone")
        owner.click("button:has-text('Save')")
        expect(owner.locator(".facts")).to_contain_text("E-mail")
        first = self.kontor.get("/contacts/1")
        # for a second the service goes by what the session was, and PostgreSQL shows nothing
        time.sleep(1.1)
        sales.reload()
        expect(sales.locator("#rows tbody tr")).to_have_count(3)
        expect(sales.locator("#rows")).not_to_contain_text("karol@")
        expect(sales.locator("#rows")).to_contain_text("•••@client.example")
        owner.fill("main [name=contact]", "no such person")
        owner.click("button:has-text('Ask')")
        expect(owner.locator(".plain-list")).to_contain_text("nothing here")
        owner.fill("main [name=contact]", first["name"])
        owner.click("button:has-text('Ask')")
        expect(owner.locator(".answers")).to_contain_text(first["name"])
        expect(owner.locator(".answers")).to_contain_text("reads no")
        expect(owner.locator(".plain-list")).not_to_be_empty()
        owner.get_by_label("Role").select_option(label="Sales")
        owner.click("button:has-text('Save')")
        expect(owner.locator(".notice")).to_contain_text("Saved")
        # who changed which right, in words
        owner.goto(self.url + "/audit?action=added")
        added = owner.locator("li", has_text="role Sales on the phone").first
        expect(added).to_contain_text("Reads contacts: own")
        expect(added).to_contain_text("Fields, masked")
        expect(added).to_contain_text("E-mail")
        expect(owner.locator("main")).not_to_contain_text("rights")
        self.look(owner, "audit-roles")

    def test_settings(self):
        """A field, a text of consent, a token that works until it is revoked, and all of it in the audit log."""
        page = self.page("phone")
        self.sign_in(page)
        page.goto(self.url + "/settings")
        page.click("summary:has-text('Add a field')")
        field = page.locator("form[action='/settings/fields']")
        field.locator("[name=label]").fill("Kundennummer")
        field.locator("[name=type]").select_option("text")
        field.locator("[name=is_key]").check()
        field.locator("button").click()
        expect(page.locator(".rows li", has_text="Kundennummer")).to_contain_text("same value, same person")
        page.click("summary:has-text('Add a field')")
        field.locator("[name=label]").fill("Kundennummer")
        field.locator("button").click()
        expect(page.locator("[role=alert]")).to_contain_text("of this name already")
        expect(field.locator("[name=label]")).to_have_value("Kundennummer")
        row = page.locator(".rows li", has_text="Kundennummer")
        row.locator("summary").click()
        row.locator("[name=label]").fill("Customer number")
        row.locator("button:has-text('Save')").click()
        expect(page.locator(".rows li", has_text="Customer number")).to_contain_text("same value, same person")
        self.assertEqual(
            [one["label"] for one in self.kontor.get("/fields")["items"] if one["key"] == "kundennummer"], ["Customer number"])
        page.click("summary:has-text('Add a purpose')")
        page.get_by_label("English", exact=True).fill("Autumn letters")
        page.locator("form[action='/settings/purposes'] button").click()
        page.click("summary:has-text('Publish a text')")
        wording = page.locator("form[action='/settings/wordings']")
        wording.locator("[name=purpose]").select_option(label="Autumn letters")
        wording.locator("[name=body]").fill("We write to you in autumn.")
        wording.locator("button").click()
        expect(page.locator(".rows li", has_text="Autumn letters")).to_contain_text("version 1")
        page.click("summary:has-text('Make a token')")
        form = page.locator("form[action='/settings/tokens']")
        form.locator("[name=label]").fill("Till")
        form.get_by_label("read contacts").check()
        form.locator("button").click()
        token = page.locator(".handed code").inner_text()
        self.assertEqual(self.status("/api/v1/contacts", token), 200)
        self.assertEqual(self.status("/api/v1/runs", token), 403)
        page.locator(".rows li", has_text="Till").locator("button").click()
        page.locator("dialog button", has_text="Revoke").click()
        expect(page.locator(".rows li", has_text="Till")).to_contain_text("revoked")
        time.sleep(1.1)
        self.assertEqual(self.status("/api/v1/contacts", token), 401)
        page.click("a:has-text('Audit log')")
        expect(page.locator("main")).to_contain_text("field")
        page.click("a:has-text('Check for tampering')")
        expect(page.locator(".notice")).to_contain_text("whole")

    def status(self, path, token):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def test_privacy(self):
        """A consent is noted, a field held by hand, everything about a person shown, then erased for good."""
        contact = self.kontor.post("/contacts", {"fields": {
            "given_name": "Vera", "family_name": "Passing", "company": "Gone AS", "emails": [{"value": "vera@passing.example"}]}})["id"]
        page = self.page()
        self.sign_in(page)
        page.goto(f"{self.url}/contacts/{contact}")
        page.click("summary:has-text('Note a consent')")
        page.locator("form[action$='/consents'] [name=proof]").fill("said so on the telephone")
        page.click("form[action$='/consents'] button[value=true]")
        expect(page.locator(".notice")).to_be_visible()
        self.assertTrue(self.kontor.get(f"/contacts/{contact}")["consents"])
        page.click("a:has-text('preference page')")
        expect(page).to_have_url(re.compile("/preferences/"))
        page.go_back()
        page.get_by_label(re.compile("Hold this.*Company")).click()
        expect(page.get_by_label(re.compile("Let sync change.*Company"))).to_be_visible()
        self.assertEqual(self.kontor.get(f"/contacts/{contact}")["locks"], ["company"])
        with page.expect_download() as download:
            page.click("a:has-text('Download all data')")
        self.assertIn("said so on the telephone", pathlib.Path(download.value.path()).read_text("utf-8"))
        page.click("button:has-text('Erase for good')")
        self.look(page, "contact-erase")
        expect(page.locator("dialog")).to_contain_text("Also removed from: crm")
        page.locator("dialog button", has_text="Erase for good").click()
        expect(page.locator(".notice")).to_contain_text("Erased")
        expect(page.locator("main")).not_to_contain_text("Passing")
        self.settled(page, "section:has-text('was erased for good') .badge", "removed there")
        self.look(page, "contact-erased")

    def test_invitation_and_second_factor(self):
        owner = self.page()
        self.sign_in(owner)
        owner.goto(self.url + "/staff")
        form = owner.locator("form", has=owner.locator("[name=language]"))
        form.locator("[name=email]").fill("piotr@demo.example")
        form.locator("[name=name]").fill("Piotr")
        form.locator("[name=role]").select_option(label="Manager")
        form.locator("button").click()
        link = owner.locator(".handed code").inner_text()
        self.assertTrue(link.startswith(self.url + "/invitations/"), link)
        guest = self.page("phone")
        guest.goto(link)
        guest.fill("[name=password]", "password password password")
        guest.fill("[name=again]", "password password password")
        guest.click("button.act")
        expect(guest.locator("[role=alert]")).to_contain_text("too easy to guess")
        guest.fill("[name=password]", "four wet umbrellas drying")
        guest.fill("[name=again]", "four wet umbrellas drying")
        guest.click("button.act")
        guest.click("a.act")
        guest.fill("[name=tenant]", "demo")
        guest.fill("[name=email]", "piotr@demo.example")
        guest.fill("[name=password]", "four wet umbrellas drying")
        guest.click("button.act")
        expect(guest.locator(".top")).to_be_visible()
        # the owner demands a second factor of managers: until then the account alone
        policy = owner.locator("form[action='/staff/policy']")
        owner.goto(self.url + "/staff")
        policy.get_by_label("Manager").check()
        policy.locator("button").click()
        expect(owner.locator(".notice")).to_be_visible()
        time.sleep(1.1)
        guest.goto(self.url + "/contacts")
        expect(guest).to_have_url(self.url + "/account")
        expect(guest.locator(".notice")).to_contain_text("second factor")
        factor = guest.locator("form[action='/account/second-factor']")
        factor.locator("[name=password]").fill("four wet umbrellas drying")
        factor.locator("button").click()
        secret = guest.locator("code[data-copy]").inner_text()
        guest.locator("[name=code]").fill(self.code(secret))
        guest.click("button:has-text('Confirm')")
        expect(guest.locator(".codes li")).to_have_count(10)
        time.sleep(1.1)
        guest.goto(self.url + "/contacts")
        expect(guest.locator("#rows tbody tr").first).to_be_visible()
        owner.goto(self.url + "/staff")
        policy.get_by_label("Manager").uncheck()
        policy.locator("button").click()

    def test_monitoring(self):
        """Every connection with what went through, as charts and as numbers."""
        page = self.page("phone")
        self.sign_in(page)
        page.goto(self.url + "/monitoring")
        crm = page.locator("section.card", has=page.locator("h2", has_text="crm"))
        expect(crm.locator("canvas")).to_have_count(2)
        # something is drawn on each
        for canvas in crm.locator("canvas").all():
            self.assertTrue(canvas.evaluate(
                "c => new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer).some((one) => one !== 0)"))
        crm.locator("summary").click()
        expect(crm.locator("tbody tr").first).to_be_visible()
        page.click("a:has-text('7 days')")
        expect(page.locator("a[aria-current=true]", has_text="7 days")).to_be_visible()

    def test_plugin(self):
        """What a plugin takes is changed in rows and as text, after a look at what that would have decided."""
        crm = next(one for one in self.kontor.get("/connectors")["items"] if one["name"] == "crm")
        push = next(one for one in crm["plugins"] if one["capability"] == "push")
        before = push["filter"]
        # the newest contact is the first sample
        self.kontor.post("/contacts", {"fields": {"given_name": "Nina", "emails": [{"value": "nina@sample.example"}]}})
        page = self.page()
        self.sign_in(page)
        page.goto(f"{self.url}/connections/{crm['id']}")
        page.locator(".rows a").first.click()
        expect(page.locator("h1")).to_be_visible()
        page.goto(f"{self.url}/connections/{crm['id']}/plugins/{push['id']}")
        form = page.locator("form[action$='/filter']", has=page.locator("[data-rows]"))
        form.locator("[data-add]").click()
        form.locator("[name=what]").last.select_option("tag")
        form.locator("[name=value]").last.fill("nobody")
        form.locator("[name=match]").select_option("all")
        form.locator("button:has-text('Try')").click()
        expect(page.locator(".trial")).to_contain_text("would no longer be sent to crm")
        self.look(page, "plugin-filter-tried")
        self.assertEqual(self.kontor.get(f"/plugins/{push['id']}")["filter"], before, "a trial changes nothing")
        try:
            form.locator("button:has-text('Save')").click()
            expect(page.locator(".notice")).to_contain_text("Saved")
            self.assertIn({"tag": "nobody"}, self.kontor.get(f"/plugins/{push['id']}")["filter"]["all"])
            page.locator("summary", has_text="Conditions within").click()
            text = page.locator("details textarea[name=text]")
            text.fill('{"all": [')
            page.locator("details[open] button:has-text('Save')").click()
            expect(page.locator("[role=alert]")).to_contain_text("no JSON")
            page.locator("textarea[name=text]").fill('{"any": [{"all": [{"tag": "a"}, {"tag": "b"}]}, {"tag": "c"}]}')
            page.locator("section.card").first.locator("button:has-text('Save')").click()
            expect(page.locator(".notice")).to_contain_text("Saved")
            # what does not fit rows is shown as text
            expect(page.locator("form[action$='/filter'] [data-rows]")).to_have_count(0)
            expect(page.locator("textarea[name=text]")).to_have_value(re.compile('"any"'))
            # a rule of the mapping, in a row: tried, kept, taken away again
            mapped = self.kontor.get(f"/plugins/{push['id']}")["mapping"]
            rows = page.locator("form[action$='/mapping']", has=page.locator("[data-rows]"))
            count = rows.locator("[data-row]").count()
            self.assertEqual(count, len(mapped["rules"]))
            rows.locator("[data-add]").click()
            expect(rows.locator("[data-row]")).to_have_count(count + 1)
            expect(rows.locator("[name=hub] option[value='addresses[0].street']").first).to_have_text("Addresses 1: street")
            rows.locator("[name=hub]").last.select_option("notes")
            rows.locator("[name=way]").last.select_option("out")
            rows.locator("[name=remote]").last.fill("middleName")
            rows.locator("summary").last.click()
            rows.locator("[name=more]").last.fill("{")
            rows.locator("button:has-text('Save')").click()
            expect(page.locator("[role=alert]")).to_contain_text("JSON")
            rows.locator("[name=more]").last.fill('{"trim": true}')
            rows.locator("button:has-text('Try')").click()
            expect(page).to_have_url(re.compile("/runs/"))
            # the page follows its run by itself
            expect(page.locator("main dl").first).to_contain_text("nina@sample.example")
            self.look(page, "plugin-mapping-tried")
            page.goto(f"{self.url}/connections/{crm['id']}/plugins/{push['id']}")
            rows.locator("[data-add]").click()
            rows.locator("[name=hub]").last.select_option("notes")
            rows.locator("[name=way]").last.select_option("out")
            rows.locator("[name=remote]").last.fill("middleName")
            rows.locator("summary").last.click()
            rows.locator("[name=more]").last.fill('{"trim": true}')
            rows.locator("button:has-text('Save')").click()
            expect(page.locator(".notice")).to_contain_text("Saved")
            added = {"hub": "notes", "remote": "middleName", "direction": "out", "trim": True}
            self.assertEqual(self.kontor.get(f"/plugins/{push['id']}")["mapping"], {"rules": mapped["rules"] + [added]})
            rows.locator("[name=hub]").last.select_option("")
            rows.locator("[name=remote]").last.fill("")
            rows.locator("button:has-text('Save')").click()
            expect(page.locator(".notice")).to_contain_text("Saved")
            self.assertEqual(self.kontor.get(f"/plugins/{push['id']}")["mapping"], mapped)
            mapping = page.locator("[name=mapping]")
            page.locator("summary", has_text="The whole mapping").click()
            mapping.fill(mapping.input_value().replace('"company"', '"no_such_field"', 1))
            page.locator("details[open] button:has-text('Save')").click()
            expect(page.locator("[role=alert]")).to_contain_text("no_such_field")
        finally:
            self.kontor.patch(f"/plugins/{push['id']}", {"filter": before})

    def code(self, secret):
        """RFC 6238, by Python's own means."""
        import base64
        import hmac
        import struct
        key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
        digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"

    def test_live(self):
        """What somebody else does is shown on open pages by itself, and soon."""
        contact = self.kontor.post("/contacts", {"fields": {"given_name": "Liv", "family_name": "Dahl", "tags": ["here"]}})["id"]
        card, home = self.page(), self.page("phone")
        self.sign_in(card)
        card.goto(f"{self.url}/contacts/{contact}")
        self.sign_in(home)
        for page in (card, home):
            page.evaluate("window.stayed = true")
        # the stream is open
        time.sleep(1)
        start = time.monotonic()
        self.kontor.patch(f"/contacts/{contact}", {"fields": {"company": "Dahl & Co"}})
        expect(card.locator("[data-live=known]")).to_contain_text("Dahl & Co")
        print(f"shown after {time.monotonic() - start:.2f} s", file=sys.stderr)
        expect(card.locator("[data-live=history]")).to_contain_text("Dahl & Co")
        crm = next(one for one in self.kontor.get("/connectors")["items"] if one["name"] == "crm")
        self.kontor.patch(f"/connectors/{crm['id']}", {"state": "paused"})
        try:
            expect(home.locator("[data-live=home] .attention")).to_contain_text("crm")
        finally:
            self.kontor.patch(f"/connectors/{crm['id']}", {"state": "on"})
        expect(home.locator("[data-live=home]")).not_to_contain_text("crm is paused")
        for page in (card, home):
            self.assertTrue(page.evaluate("window.stayed"), "no page was loaded anew")

    def test_retention(self):
        """A rule is made, shows whom it is about, is switched on, and ends them."""
        contact = self.kontor.post("/contacts", {"fields": {"given_name": "Gone", "family_name": "Ghost", "tags": ["leaver"]}})["id"]
        page = self.page("phone")
        self.sign_in(page)
        page.goto(self.url + "/settings")
        page.click("a:has-text('Retention')")
        page.locator("a:has-text('New rule')").first.click()
        page.fill("[name=name]", "Leavers")
        page.locator("[name=kind]").select_option("erase_living")
        page.click("button:has-text('Save')")
        expect(page.locator("[role=alert]")).to_contain_text("every contact")
        page.locator("[name=what]").select_option("tag")
        page.locator("[name=value]").fill("leaver")
        page.click("button:has-text('Save')")
        rule = page.locator("section.card", has_text="Leavers")
        expect(rule).to_contain_text("1 contact")
        expect(rule).to_contain_text("Gone Ghost")
        self.look(page, "retention-rule")
        rule.locator("button:has-text('Switch on')").click()
        expect(page.locator("dialog")).to_contain_text("1 contact")
        page.locator("dialog button", has_text="Switch on").click()
        expect(rule).to_contain_text("next look")
        self.settled(page, "section.card:has-text('Leavers')", "0 contacts")
        page.goto(f"{self.url}/contacts/{contact}")
        expect(page.locator("main")).to_contain_text("erased for good")
        page.goto(self.url + "/retention")
        rule.locator("button:has-text('Delete')").click()
        page.locator("dialog button", has_text="Delete").click()
        expect(page.locator(".empty")).to_be_visible()


if __name__ == "__main__":
    unittest.main()
