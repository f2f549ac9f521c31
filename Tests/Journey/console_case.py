"""A shop with the reference scenario in it and a browser, for everybody who tests the console."""

import atexit
import os
import pathlib
import re
import shutil
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
expect.set_options(timeout=60_000)
PASSWORD = "eleven lanterns over the bay"
AXE = Axe()
# how keys of texts begin that are made of a value
KEYS = r"\b(field|state|run|notice|menu|delivery|change|says|flow|setting|counted|error|kind|part|verdict)_[a-z_]+\b"
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}


class ConsoleCase(unittest.TestCase):
    """One shop and one browser for all classes, since both take their time to start."""

    world = None

    @classmethod
    def setUpClass(cls):
        if ConsoleCase.world:
            return
        cls = ConsoleCase
        cls.world = World(os.environ["KONTOR_PROGRAM"])
        atexit.register(cls.world.__exit__)
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
        atexit.register(playwright.stop)
        chromium = shutil.which("chromium")
        if not chromium:
            raise RuntimeError("Debian's chromium is not installed")
        cls.browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        atexit.register(cls.browser.close)
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
        page.set_default_timeout(60_000)
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

    def sound(self, page, where):
        """No serious finding of axe, nothing wider than the window, no key in place of a text."""
        with self.subTest(where):
            self.assertNotRegex(page.locator("body").inner_text(), KEYS)
        width, deadline = page.viewport_size["width"], time.monotonic() + 20
        # charts follow the window after it has changed
        while (wide := page.evaluate("document.documentElement.scrollWidth")) > width and time.monotonic() < deadline:
            time.sleep(0.1)
        with self.subTest(where):
            self.assertLessEqual(wide, width)
        found = AXE.run(page).response["violations"]
        serious = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found
                   if one["impact"] in ("serious", "critical")]
        with self.subTest(where):
            self.assertEqual(serious, [])

    def look(self, page, name):
        """The page as it stands is sound in both widths and themes; its pictures, where they are wanted."""
        before = page.viewport_size
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for theme in ("light", "dark"):
                # colours that are still on their way would be measured
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                self.sound(page, f"{name} {size} {theme}")
                if self.pictures:
                    page.screenshot(path=f"{self.pictures}/{name}-{size}-{theme}.png", full_page=True)
        page.set_viewport_size(before)
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")

    def settled(self, page, locator, text, seconds=120):
        """Loads the page again until something says this."""
        deadline = time.monotonic() + seconds
        while text not in (said := page.locator(locator).first.inner_text()):
            if time.monotonic() > deadline:
                self.fail(f"{locator} says {said!r}, not {text!r}")
            time.sleep(0.5)
            page.reload()
