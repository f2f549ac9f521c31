"""The console in a real browser: what people do there, on desktop and phone, in both themes and every language; accessibility.

Pictures of every page are left in the folder KONTOR_PICTURES, if that is set.
"""

import pathlib
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from console_case import KEYS, PASSWORD, SIZES, ConsoleCase, expect  # noqa: E402

PAGES = ["/", "/contacts", "/contacts/4", "/contacts/4/edit", "/contacts/new", "/contacts/4/merge", "/contacts/4/merge?with=2", "/contacts/import", "/runs/1",
         "/segments", "/segments/1", "/segments/new", "/connections",
         "/connections/3", "/connections/1/settings", "/connections/3/settings", "/segments/1?contact=4", "/connections/new", "/connections/new/google", "/problems", "/staff", "/staff/roles", "/staff/roles/3", "/staff/roles/new",
         "/staff/2", "/settings", "/settings/sql", "/connections/1/plugins/1", "/monitoring", "/decisions?verdict=missing_tag", "/processing", "/retention", "/retention/new", "/audit?verify=true", "/account"]
OUTSIDE = ["/sign-in", "/forgot-password", "/invitations/x", "/nowhere-at-all"]


class Console(ConsoleCase):
    def test_every_page(self):
        """No serious finding of axe, nothing wider than the window, in both themes and widths."""
        # for pictures each theme in each width
        for size in SIZES:
            for scheme in ("light", "dark") if self.pictures else ("light",) if size == "desktop" else ("dark",):
                page = self.page(size, scheme)
                for path in OUTSIDE + PAGES:
                    if path == PAGES[0]:
                        self.sign_in(page)
                    page.goto(self.url + path)
                    for opened in page.locator("main details").all():
                        opened.evaluate("one => { one.open = true }")
                    if self.pictures:
                        name = re.sub(r"\W+", "-", path.strip("/")) or "home"
                        page.screenshot(path=f"{self.pictures}/{name}-{size}-{scheme}.png", full_page=True)
                    self.sound(page, f"{path} {size} {scheme}")

    def test_languages(self):
        page = self.page("phone")
        self.sign_in(page)
        for language, home in {"pl": "Start", "nb": "Hjem", "lt": "Pradžia", "it": "Home", "en": "Home"}.items():
            page.goto(self.url + "/account")
            page.select_option("select[name=language]", language)
            page.locator("form[action='/account/language'] button").click()
            expect(page.locator("html")).to_have_attribute("lang", language)
            self.assertEqual(page.locator("nav a").first.text_content().strip(), home)
            for path in PAGES:
                page.goto(self.url + path)
                for opened in page.locator("main details").all():
                    opened.evaluate("one => { one.open = true }")
                if self.pictures:
                    name = re.sub(r"\W+", "-", path.strip("/")) or "home"
                    page.screenshot(path=f"{self.pictures}/{name}-{language}.png", full_page=True)
                self.assertNotRegex(page.locator("body").inner_text(), KEYS, f"{path} {language}")
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390, f"{path} {language}")

    def test_why_and_mend(self):
        """A contact is not in Google: the card says why, its advice is followed, and Google has it."""
        page = self.page()
        self.sign_in(page)
        page.goto(self.url + "/contacts")
        page.fill("form.filter [name=q]", "Lena")
        expect(page.locator("#rows tbody tr")).to_have_count(1)
        page.click("#rows a.who")
        google = page.locator(".systems li", has_text="google")
        expect(google.locator(".badge")).to_have_text("not wanted")
        google.locator("summary").click()
        expect(google).to_contain_text("lacks a tag")
        expect(google).to_contain_text("add the tag “supplier”")
        page.click("a.act:has-text('Edit')")
        page.fill("[name=tags]", "client\nsupplier")
        page.click("form.card button.act")
        expect(page.locator(".notice")).to_contain_text("Saved")
        self.settled(page, ".systems li:has-text('google') .badge", "has it")
        expect(page.locator(".timeline li").first).to_contain_text("supplier")

    def test_segment_and_group(self):
        """A segment is built with its count in sight, and becomes a group of those who agreed to letters."""
        page = self.page()
        self.sign_in(page)
        page.goto(self.url + "/segments")
        page.click("a.act")
        page.fill("[name=name]", "Autumn clients")
        row = page.locator("[data-row]")
        row.nth(0).locator("[name=what]").select_option("tag")
        row.nth(0).locator("[name=value]").fill("client")
        expect(page.locator("#preview")).to_contain_text("5 contacts")
        expect(page.locator("#preview")).to_contain_text("has the tag “client”")
        page.click("[data-add]")
        row.nth(1).locator("[name=what]").select_option("birth_month")
        row.nth(1).locator("[name=value]").fill("thirteen")
        expect(page.locator("#preview .bad")).to_be_visible()
        row.nth(1).locator("[name=value]").fill("9")
        expect(page.locator("#preview")).to_contain_text("was born in September")
        self.look(page, "segment-preview")
        page.click("form.card .buttons button.act")
        expect(page.locator("h1")).to_have_text("Autumn clients")
        expect(page.locator("main")).to_contain_text("Karol Kowalski")
        expect(page.locator("main")).to_contain_text("Ewa Test")
        everybody = int(page.locator(".split h2").first.inner_text().split()[0])
        agreed = [one for one in self.kontor.get("/contacts", tag="client")["items"]
                  if "consent:newsletter" in one["consents"] and one["fields"].get("birth_month") == 9]
        self.assertGreater(everybody, len(agreed), "Ewa is in it, and has not agreed")
        page.fill("[name=monthly]", "1")
        page.click("button:has-text('Make the group')")
        expect(page.locator(".notice")).to_contain_text("It runs now")
        expect(page.locator("main")).to_contain_text("Autumn clients · newsletter")
        page.goto(self.url + "/")
        self.settled(page, ".rows li:has-text('Group brought up to date')", f"added: {len(agreed)}")

    def test_many_at_once(self):
        """Some are found, kept as a view, marked, changed in one run, and that is undone."""
        for name in ("Mona", "Mila"):
            self.kontor.post("/contacts", {"fields": {"given_name": name, "family_name": "Many", "tags": ["crowd"]}})
        page = self.page()
        self.sign_in(page)
        page.goto(self.url + "/contacts?tag=crowd")
        page.click("summary:has-text('Save this view')")
        page.locator("form[action='/contacts/views'] [name=name]").fill("The crowd")
        page.locator("form[action='/contacts/views'] button").click()
        expect(page.locator(".views a", has_text="The crowd")).to_have_attribute("aria-current", "true")
        page.goto(self.url + "/contacts")
        page.click(".views a:has-text('The crowd')")
        expect(page.locator("#rows tbody tr")).to_have_count(2)
        page.get_by_label("Mark Mona Many").check()
        expect(page.locator("[data-picked]:not(body)")).to_have_text("1 marked")
        page.get_by_label("Mark all on this page").check()
        expect(page.locator("[data-picked]:not(body)")).to_have_text("2 marked")
        page.click("[data-marked] a")
        page.locator("#many [name=add_tags]").fill("autumn, north")
        page.locator("#many [name=remove_tags]").fill("crowd")
        page.locator("#many [name=field]").select_option("language")
        page.locator("#many [name=value]").fill("nb")
        self.look(page, "contacts-many")
        page.locator("#many button").click()
        expect(page).to_have_url(re.compile(r"/runs/\d+"))
        expect(page.locator(".counts p", has_text="changed").first).to_contain_text("2")
        found = self.kontor.get("/contacts", tag="north")["items"]
        self.assertEqual([one["fields"]["language"] for one in found], ["nb", "nb"])
        self.assertEqual(self.kontor.get("/contacts", tag="crowd")["items"], [])
        page.click("button:has-text('Undo')")
        page.locator("dialog button", has_text="Undo").click()
        deadline = time.monotonic() + 120
        while len(self.kontor.get("/contacts", tag="crowd")["items"]) < 2 and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assertEqual(len(self.kontor.get("/contacts", tag="crowd")["items"]), 2)
        page.goto(self.url + "/contacts?tag=crowd")
        page.locator(".view", has_text="The crowd").locator("button").click()
        expect(page.locator(".notice")).to_be_visible()
        expect(page.locator(".views a", has_text="The crowd")).to_have_count(0)

    def test_palette(self):
        """A few letters lead to a page, or to a person."""
        page = self.page()
        self.sign_in(page)
        page.keyboard.press("Control+k")
        field = page.get_by_role("combobox")
        expect(field).to_be_focused()
        field.fill("monitor")
        page.keyboard.press("Enter")
        expect(page).to_have_url(self.url + "/monitoring")
        page.locator("[data-palette-open]").click()
        field.fill("karol")
        option = page.get_by_role("option", name="Karol")
        expect(option).to_be_visible()
        self.look(page, "palette")
        while option.get_attribute("aria-selected") != "true":
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("Karol")

    def test_operator(self):
        """Who hosts Kontor makes a shop with its owner, limits it, prices it, closes it and drops it."""
        made = subprocess.run(
            [self.world.program, "tenant", "token", "operator", "--data", str(self.world.folder / "kontor"), "--log", "warning"],
            capture_output=True, text=True)
        token = re.search(r"kontor_[A-Za-z0-9_-]+", made.stdout).group()
        page = self.page("phone")
        page.goto(self.url + "/operator")
        expect(page).to_have_url(self.url + "/operator/sign-in")
        page.fill("[name=token]", "kontor_nothing")
        page.click("button.act")
        expect(page.locator("[role=alert]")).to_contain_text("no operator's token")
        page.fill("[name=token]", token)
        page.click("button.act")
        expect(page.locator("tbody tr", has_text="demo")).to_be_visible()
        page.goto(self.url + "/operator/tariffs")
        page.fill("[name=name]", "shop")
        page.fill("[name=base]", "19.90")
        page.locator("[name='upto.1']").fill("1000")
        page.locator("[name='price.1']").fill("0.05")
        page.locator("[name='price.2']").fill("0,02")
        page.click("main form button.act")
        expect(page.locator(".rows")).to_contain_text("up to 1000: 0.05")
        self.look(page, "operator-tariffs")
        page.goto(self.url + "/operator")
        page.click("a[href='/operator/new']")
        self.look(page, "operator-new")
        page.fill("[name=title]", "Fjord & Co")
        page.fill("[name=name]", "fjord")
        page.fill("[name=country]", "no")
        page.click("main form button.act")
        expect(page.locator("h1")).to_have_text("Fjord & Co")
        page.locator("select[name=tariff]").select_option("shop")
        page.click("button[value=tariff]")
        expect(page.locator("tfoot")).to_contain_text("19.90 EUR")
        page.locator("[name=contacts]").fill("500")
        page.click("button[value=limits]")
        expect(page.locator("[name=contacts]")).to_have_value("500")
        page.fill("[name=email]", "kari@fjord.example")
        page.click("button[value=owner]")
        expect(page.locator(".handed code")).to_contain_text("/invitations/")
        self.look(page, "operator-tenant")
        page.click("button[value=suspend]")
        page.locator("dialog button", has_text="Suspend").click()
        expect(page.locator(".badge").first).to_have_text("suspended")
        page.click("button[value=resume]")
        expect(page.locator(".badge").first).to_have_text("open")
        with page.expect_download() as exported:
            page.click("a[download]")
        archive = pathlib.Path(exported.value.path()).read_bytes()
        page.click("summary:has-text('Drop the shop')")
        page.fill("[name=confirm]", "fjor")
        page.click("button[value=drop]")
        expect(page.locator("[role=alert]")).to_contain_text("Type the shop's name")
        page.click("summary:has-text('Drop the shop')")
        page.fill("[name=confirm]", "fjord")
        page.click("button[value=drop]")
        expect(page.locator(".notice")).to_be_visible()
        expect(page.locator("tbody tr", has_text="fjord")).to_have_count(0)
        page.click("a[href='/operator/restore']")
        self.look(page, "operator-restore")
        page.fill("[name=title]", "Fjord again")
        for name, file, said in [
            ("fjord", archive[: len(archive) // 2], "no complete export"),
            ("demo", archive, "already"),
            ("fjord", archive, None),
        ]:
            page.fill("[name=name]", name)
            page.set_input_files("[name=file]", {"name": "fjord.jsonl", "mimeType": "application/x-ndjson", "buffer": file})
            page.click("main form button.act")
            if said:
                expect(page.locator("[role=alert]")).to_contain_text(said)
                expect(page.locator("[name=title]")).to_have_value("Fjord again")
        expect(page.locator("h1")).to_have_text("Fjord again")
        expect(page.locator(".notice")).to_contain_text("paused")
        page.goto(self.url + "/operator")
        expect(page.locator("tbody tr", has_text="fjord")).to_have_count(1)
        self.look(page, "operator")
        page.click("[aria-label='Sign out']")
        page.goto(self.url + "/operator")
        expect(page).to_have_url(self.url + "/operator/sign-in")

    def test_import(self):
        """A file is sent, its columns are set right, tried, taken in, and taken back."""
        page = self.page()
        self.sign_in(page)
        page.goto(self.url + "/contacts")
        page.click("a:has-text('Import')")
        rows = ["Vorname;Nachname;Mail;Wohnort;Unsinn", "Åse;Dahl;ase@import.example;Bergen;x1",
                "Jonas;Petraitis;not an address;Vilnius;x2", "Giulia;Però;giulia@import.example;Bari;x3"]
        page.set_input_files("[name=file]", {"name": "messe.csv", "mimeType": "text/csv",
                                             "buffer": "\r\n".join(rows).encode("cp1252")})
        page.click("button:has-text('Look at the file')")
        expect(page.locator("h1")).to_have_text("messe.csv")
        expect(page.get_by_label("Vorname")).to_have_value("given_name")
        expect(page.get_by_label("Unsinn")).to_have_value("")
        expect(page.locator("main")).to_contain_text("Åse")
        page.get_by_label("Unsinn").select_option(label="Notes")
        self.look(page, "import-columns")
        page.click("button:has-text('Try it')")
        expect(page.locator(".counts")).to_be_visible(timeout=120_000)
        expect(page.locator(".counts p").first).to_contain_text("3")
        expect(page.locator("main")).to_contain_text("Rows to look at")
        expect(page.locator(".rows .bad").first).to_contain_text("not an address")
        outcome = page.locator(".rows li:has(.bad)", has_text="not an address")
        expect(outcome).to_contain_text("will be imported without: E-mail")
        expect(page.locator(".counts")).to_contain_text("1of them with a problem")
        expect(page.get_by_label("Unsinn")).to_have_value("notes")
        self.assertEqual(self.kontor.get("/contacts", q="import.example")["items"], [], "nothing was taken in")
        self.look(page, "import-tried")
        page.click("button:has-text('Import now')")
        expect(page).to_have_url(re.compile(r"/runs/\d+"))
        expect(page.locator("button:has-text('Undo this import')")).to_be_visible(timeout=120_000)
        expect(page.locator("h1")).to_have_text("messe.csv imported")
        page.click("summary:has-text('Show the contacts')")
        expect(page.locator("details a.chip")).to_have_text(["Åse Dahl", "Jonas Petraitis", "Giulia Però"])
        self.look(page, "import-done")
        found = self.kontor.get("/contacts", q="import.example")["items"]
        self.assertEqual({one["name"] for one in found}, {"Åse Dahl", "Giulia Però"})
        self.assertEqual(found[0]["fields"]["notes"], "x1")
        with page.expect_download() as download:
            page.goto(self.url + "/contacts")
            page.fill("form.filter [name=q]", "ase@import.example")
            expect(page.locator("#rows tbody tr")).to_have_count(1)
            page.click("a:has-text('Export')")
        file = pathlib.Path(download.value.path()).read_text("utf-8")
        self.assertEqual(file.count("example"), 1, "what is searched for, and no more")
        self.assertIn("Åse", file)
        page.go_back()
        page.goto(self.url + "/")
        page.click(".rows a:has-text('Import of a file') >> nth=0")
        page.click("button:has-text('Undo this import')")
        page.locator("dialog button", has_text="Undo this import").click()
        deadline = time.monotonic() + 120
        while self.kontor.get("/contacts", q="import.example")["items"] and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assertEqual(self.kontor.get("/contacts", q="import.example")["items"], [])

    def test_merge_and_undo(self):
        """One person is there twice: what both hold is put together by choice, and taken apart again."""
        first, second = (
            self.kontor.post("/contacts", {"fields": fields})["id"] for fields in (
                {"given_name": "Kari", "family_name": "Strand", "company": "Strand AS", "tags": ["autumn"],
                 "emails": [{"value": "kari@strand.example"}]},
                {"given_name": "Kari", "family_name": "Strand-Lie", "company": "Strand Trading AS", "tags": ["fair"],
                 "emails": [{"value": "kari.strand@post.example"}], "notes": "Met at the fair"}))
        page = self.page("phone")
        self.sign_in(page)
        page.goto(f"{self.url}/contacts/{first}")
        page.click("a:has-text('Merge')")
        page.fill("main [name=q]", "kari.strand")
        page.click("form.filter button")
        page.click("a:has-text('Compare')")
        company = page.locator("fieldset", has_text="Company")
        company.get_by_label("Strand Trading AS").check()
        page.click("button:has-text('Merge into one contact')")
        expect(page.locator(".notice")).to_contain_text("one now")
        facts = page.locator(".facts").first
        for text in ("kari@strand.example", "kari.strand@post.example", "Strand Trading AS", "Met at the fair"):
            expect(facts).to_contain_text(text)
        expect(page.locator("h1")).to_have_text("Kari Strand")
        page.goto(f"{self.url}/contacts/{second}")
        expect(page.locator(".fault")).to_contain_text("merged into another one")
        self.look(page, "contact-merged")
        page.click("a:has-text('Open that one')")
        undo = page.locator("button:has-text('Undo the merge')")
        undo.click()
        page.locator("dialog button", has_text="Undo the merge").click()
        expect(page.locator(".notice")).to_contain_text("undone")
        expect(facts).to_contain_text("Strand AS")
        expect(facts).not_to_contain_text("kari.strand@post.example")
        self.assertEqual(self.kontor.get(f"/contacts/{second}")["fields"]["family_name"], "Strand-Lie")

    def test_first_run(self):
        """A new shop: nothing is there, a system is connected, its contacts come."""
        self.world.make_tenant("fresh")
        self.world.make_owner("fresh", "new@fresh.example", PASSWORD)
        page = self.page()
        self.sign_in(page, "new@fresh.example", tenant="fresh")
        page.locator(".empty a.act").click()
        page.click(".tile:has-text('WooCommerce')")
        for name, value in {"base_url": self.world.urls["woocommerce"], "consumer_key": "ck_demo",
                            "consumer_secret": "cs_demo"}.items():
            page.fill(f"[name='set.{name}']", value)
        page.click("button.act")
        expect(page.locator(".notice")).to_contain_text("Connected")
        page.locator(".rows li", has_text="Contacts from").locator("button:has-text('Switch on')").click()
        page.locator(".rows li", has_text="Contacts from").locator("button:has-text('Run now')").click()
        deadline = time.monotonic() + 120
        page.goto(self.url + "/contacts")
        while not page.locator("#rows tbody tr").count() and time.monotonic() < deadline:
            time.sleep(0.5)
            page.reload()
        expect(page.locator("#rows")).to_contain_text("Karol")


if __name__ == "__main__":
    unittest.main()
