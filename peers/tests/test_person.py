"""What a person does at each vendor's screen."""
from peers.espocrm import EspoPeer
from peers.google import GooglePeer
from peers.mailman import MailmanPeer
from peers.person import AddressBook, Crm, Newsletter, Shop
from peers.woocommerce import WooCommercePeer

from .support import PeerCase


class AddressBookTests(PeerCase):
    peer_class = GooglePeer

    def test_add_edit_remove(self):
        book = AddressBook(self.url)
        name = book.add("Anna", "Nowak", "a@example.com")
        book.edit(name, names=[{"givenName": "Ewa"}])
        self.assertEqual(book.find("ewa")[0]["resourceName"], name)
        book.remove(name)
        self.assertEqual(book.find("ewa"), [])


class ShopTests(PeerCase):
    peer_class = WooCommercePeer

    def test_buying_registers_once(self):
        shop = Shop(self.url)
        self.call("POST", "/_peer/seed", {"products": [{"name": "Box", "regular_price": "5.00"}]})
        shop.buy("a+b@example.com", "Anna", "Nowak", [(1, 2)])
        shop.buy("a+b@example.com", "Anna", "Nowak", [(1, 1)])
        state = self.call("GET", "/_peer/state").json
        self.assertEqual((len(state["customers"]), len(state["orders"])), (1, 2))
        with self.assertRaisesRegex(RuntimeError, "registration-error-email-exists"):
            shop.register("a+b@example.com")


class CrmTests(PeerCase):
    peer_class = EspoPeer

    def test_add_edit_remove(self):
        crm = Crm(self.url)
        id = crm.add("Anna", "Nowak", "a@example.com", cIndustry=["IT"])
        crm.edit(id, title="CEO")
        self.assertEqual(crm.find("a@example.com")[0]["title"], "CEO")
        crm.remove(id)
        self.assertEqual(crm.find("a@example.com"), [])


class NewsletterTests(PeerCase):
    peer_class = MailmanPeer

    def test_open_join_leave(self):
        letter = Newsletter(self.url)
        letter.open("news@example.com")
        letter.join("news.example.com", "a@example.com", "Anna")
        self.assertEqual(letter.members("news.example.com"), ["a@example.com"])
        letter.leave("news.example.com", "a@example.com")
        self.assertEqual(letter.members("news.example.com"), [])
