"""What does not go by itself, and what people do about it in the console."""

import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from console_case import ConsoleCase, expect  # noqa: E402
from peers.person import Crm  # noqa: E402


class Problems(ConsoleCase):
    def until(self, question, what):
        deadline = time.monotonic() + 120
        while not (answer := question()):
            if time.monotonic() > deadline:
                self.fail(f"not seen: {what}")
            time.sleep(0.3)
        return answer

    def test_problems(self):
        """A delivery that a system refuses, a field two systems differ in, and a pair that may be one person."""
        crm = Crm(self.world.urls["espocrm"])
        # EspoCRM takes names of at most 255 characters
        long = self.kontor.post("/contacts", {"fields": {
            "given_name": "Lena", "family_name": "von " + "Längst" * 42, "emails": [{"value": "lena@lang.example"}]}})["id"]
        split = self.kontor.post("/contacts", {"fields": {
            "given_name": "Sofie", "family_name": "Fjell", "emails": [{"value": "sofie@fjell.example"}]}})["id"]
        there = self.until(lambda: crm.find("sofie@fjell.example"), "Sofie in the CRM")[0]
        self.kontor.call("PUT", f"/contacts/{split}/locks", {"fields": ["family_name"]})
        crm.edit(there["id"], lastName="Berg")
        twin = "Vorname;Nachname;Telefon\r\nMarek;Zielony;+48 601 234 567\r\nMaria;Zielona;+48 601 234 567\r\n"
        run = self.kontor.call("POST", "/imports/csv", twin.encode(), "text/csv")
        self.kontor.finished(run)
        for path, what in (("/deliveries", "a delivery that failed"), ("/conflicts", "a conflict"), ("/duplicates", "a pair")):
            query = {"state": "dead"} if path == "/deliveries" else {}
            self.until(lambda: self.kontor.get(path, **query)["items"], what)

        page = self.page("phone")
        self.sign_in(page)
        page.goto(self.url + "/")
        self.look(page, "home-attention")
        page.goto(self.url + "/problems")
        self.look(page, "problems-full")
        refused = page.locator("li", has_text="Lena")
        expect(refused).to_contain_text("Family name: A value is longer than crm takes")
        expect(refused.locator("a", has_text="Edit contact")).to_have_attribute("href", f"/contacts/{long}/edit")
        refused.locator("summary").click()
        expect(refused).to_contain_text("field: lastName, type: maxLength")
        refused.locator("button", has_text="Try again").click()
        expect(page.locator(".notice")).to_be_visible()
        expect(page).to_have_url(re.compile("/problems"))
        pair = page.locator("li", has_text="Marek Zielony")
        expect(pair).to_contain_text("In common: Telephone")
        pair.locator("button", has_text="Not the same person").click()
        expect(page.locator(".notice")).to_contain_text("two people")
        expect(page.locator("main")).not_to_contain_text("Marek Zielony")
        clash = page.locator("li", has_text="Sofie")
        expect(clash.locator("button[value=hub]")).to_have_text("Keep “Fjell” (Kontor)")
        clash.locator("button", has_text="Use “Berg” (crm)").click()
        expect(page.locator(".notice")).to_be_visible()
        self.assertEqual(self.kontor.get(f"/contacts/{split}")["fields"]["family_name"], "Berg")
        # what is mended is taken when it is tried again
        self.kontor.patch(f"/contacts/{long}", {"fields": {"family_name": "von Kurz"}})
        self.until(lambda: crm.find("lena@lang.example"), "Lena in the CRM")
        page.reload()
        expect(page.locator("main")).not_to_contain_text("Lena")


if __name__ == "__main__":
    unittest.main()
