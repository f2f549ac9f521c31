"""The console in a real browser: what people do there, on desktop and phone, in both themes and every language; accessibility.

Pictures of every page are left in the folder KONTOR_PICTURES, if that is set.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts/lib"), str(pathlib.Path(__file__).parent)]

from servers import venv  # noqa: E402

PLACE = venv("browser", ["playwright==1.65.2", "axe-playwright-python==0.1.8"])
sys.path[:0] = [str(next((PLACE / "lib").glob("python3*/site-packages")))]

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

from demo import Demo, people  # noqa: E402
from world import World  # noqa: E402

# a busy machine is no failure
expect.set_options(timeout=20_000)
PASSWORD = "eleven lanterns over the bay"
PAGES = ["/", "/contacts", "/contacts/4", "/contacts/4/edit", "/contacts/new", "/segments", "/segments/1", "/segments/new", "/connections",
         "/connections/3", "/connections/new", "/connections/new/google", "/problems", "/staff", "/account"]
OUTSIDE = ["/sign-in", "/forgot-password", "/invitations/x", "/nowhere-at-all"]
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}


class Console(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        cls.addClassCleanup(cls.world.__exit__)
        cls.world.__enter__()
        cls.world.start_peers()
        cls.url = cls.world.start_service()
        cls.kontor = cls.world.make_tenant("demo")
        demo = Demo(cls.world, cls.kontor)
        demo.run()
        if demo.faults:
            raise RuntimeError(f"the reference scenario: {demo.faults}")
        people(cls.world, cls.kontor, PASSWORD)
        playwright = sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        chromium = shutil.which("chromium")
        if not chromium:
            raise RuntimeError("Debian's chromium is not installed")
        cls.browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        cls.addClassCleanup(cls.browser.close)
        cls.pictures = os.environ.get("KONTOR_PICTURES")

    def setUp(self):
        self.complaints = []

    def tearDown(self):
        self.assertEqual(self.complaints, [], "what the browser complained of")

    def page(self, size="desktop", scheme="light", locale="en-GB"):
        width, height = SIZES[size]
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale)
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and "Failed to load resource" not in said.text
                and self.complaints.append(said.text))
        page.on("request", lambda request: request.url.startswith((self.url, "data:")) or self.complaints.append(request.url))
        return page

    def sign_in(self, page, who="owner@demo.example", tenant="demo", password=PASSWORD):
        page.goto(self.url + "/")
        expect(page).to_have_url(re.compile("/sign-in"))
        page.fill("[name=tenant]", tenant)
        page.fill("[name=email]", who)
        page.fill("[name=password]", password)
        page.click("button.act")
        expect(page.locator(".top")).to_be_visible()

    def settled(self, page, locator, text, seconds=30):
        """Loads the page again until something says this."""
        deadline = time.monotonic() + seconds
        while text not in (said := page.locator(locator).first.inner_text()):
            if time.monotonic() > deadline:
                self.fail(f"{locator} says {said!r}, not {text!r}")
            time.sleep(0.5)
            page.reload()

    def test_every_page(self):
        """No serious finding of axe, nothing wider than the window, in both themes and widths."""
        axe = Axe()
        for size in SIZES:
            for scheme in ("light", "dark"):
                page = self.page(size, scheme)
                for path in OUTSIDE + PAGES:
                    if path == PAGES[0]:
                        self.sign_in(page)
                    page.goto(self.url + path)
                    where = f"{path} {size} {scheme}"
                    for opened in page.locator("main details").all():
                        opened.evaluate("one => { one.open = true }")
                    if self.pictures:
                        name = path.strip("/").replace("/", "-") or "home"
                        page.screenshot(path=f"{self.pictures}/{name}-{size}-{scheme}.png", full_page=True)
                    with self.subTest(where):
                        self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), SIZES[size][0])
                    found = axe.run(page).response["violations"]
                    serious = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found
                               if one["impact"] in ("serious", "critical")]
                    with self.subTest(where):
                        self.assertEqual(serious, [])

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
                text = page.locator("body").inner_text()
                self.assertNotRegex(text, r"\b(field|state|run|notice|menu|delivery|change)_[a-z_]+\b", f"{path} {language}")
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

    def code(self, secret):
        """RFC 6238, by Python's own means."""
        import base64
        import hmac
        import struct
        key = base64.b32decode(secret.replace(" ", "") + "=" * (-len(secret.replace(" ", "")) % 8))
        digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")
        at = digest[-1] & 15
        return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"

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
        self.settled(page, ".rows li:has-text('Group brought up to date')", f"added {len(agreed)}")

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
        page.locator(".rows li", has_text="Customers from").locator("button:has-text('Switch on')").click()
        page.locator(".rows li", has_text="Customers from").locator("button:has-text('Run now')").click()
        deadline = time.monotonic() + 30
        page.goto(self.url + "/contacts")
        while not page.locator("#rows tbody tr").count() and time.monotonic() < deadline:
            time.sleep(0.5)
            page.reload()
        expect(page.locator("#rows")).to_contain_text("Karol")


if __name__ == "__main__":
    unittest.main()
