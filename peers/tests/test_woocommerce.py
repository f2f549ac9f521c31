"""The shop's traps."""
import base64
import hashlib
import hmac
import json
import time

from peers.woocommerce import WooCommercePeer

from .support import PeerCase, Sink

ROOT = "/wp-json/wc/v3"


class WooCase(PeerCase):
    """A shop with its key; webhooks leave at once."""

    peer_class = WooCommercePeer
    settings = {"hook_delay": 0.0}
    auth = {"Authorization": "Basic " + base64.b64encode(b"ck_demo:cs_demo").decode()}

    def post(self, path, body, status=201):
        """A creation's answer."""
        reply = self.call("POST", ROOT + path, body)
        self.assertEqual(reply.status, status, reply.body)
        return reply.json

    def get(self, path, status=200):
        """A read's answer."""
        reply = self.call("GET", ROOT + path)
        self.assertEqual(reply.status, status, reply.body)
        return reply.json

    def hook(self, topic, sink, secret="s3"):
        """A webhook at the sink, its ping already in."""
        body = {"topic": topic, "delivery_url": sink.url, "secret": secret}
        made = self.post("/webhooks", body)
        sink.wait(1)
        return made


class AccessTests(WooCase):
    def test_401_without_key_with_wrong_key_and_over_http_when_refused(self):
        self.assertEqual(self.call("GET", ROOT + "/orders", headers={"Authorization": ""}).json["data"]["status"], 401)
        wrong = {"Authorization": "Basic " + base64.b64encode(b"ck_demo:no").decode()}
        self.assertEqual(self.call("GET", ROOT + "/orders", headers=wrong).status, 401)
        self.call("POST", "/_peer/settings", {"allow_http": False})
        self.assertEqual(self.get("/orders", 401)["code"], "woocommerce_rest_cannot_view")

    def test_no_route_and_no_id(self):
        self.assertEqual(self.get("/nothing", 404)["code"], "rest_no_route")
        self.assertEqual(self.get("/customers/9", 404)["code"], "woocommerce_rest_invalid_id")


class CustomerTests(WooCase):
    def test_an_address_can_register_once(self):
        self.post("/customers", {"email": "a@example.com"})
        again = self.post("/customers", {"email": "A@Example.com"}, 400)
        self.assertEqual(again["code"], "registration-error-email-exists")
        other = self.post("/customers", {"email": "b@example.com"})
        reply = self.call("PUT", f"{ROOT}/customers/{other['id']}", {"email": "a@example.com"})
        self.assertEqual((reply.status, reply.json["code"]), (400, "woocommerce_rest_customer_invalid_email"))
        self.assertEqual(self.post("/customers", {"email": "nonsense"}, 400)["code"], "rest_invalid_param")

    def test_paging_headers_and_bounds(self):
        self.call("POST", "/_peer/seed", {"customers": [{"email": f"c{i}@example.com"} for i in range(23)]})
        reply = self.call("GET", f"{ROOT}/customers?page=3&per_page=10&orderby=id")
        self.assertEqual((reply.headers["X-WP-Total"], reply.headers["X-WP-TotalPages"]), ("23", "3"))
        self.assertEqual([c["id"] for c in reply.json], [21, 22, 23])
        self.assertEqual(self.get("/customers?page=9"), [])
        self.assertEqual(self.get("/customers?per_page=101", 400)["code"], "rest_invalid_param")
        self.assertEqual(len(self.get("/customers?email=c7@example.com")), 1)
        self.assertEqual(len(self.get("/customers?search=c2&per_page=100")), 4)

    def test_modified_after_is_passed_over_in_silence(self):
        self.post("/customers", {"email": "a@example.com"})
        self.assertEqual(len(self.get("/customers?modified_after=2999-01-01T00:00:00")), 1)

    def test_no_trash(self):
        id = self.post("/customers", {"email": "a@example.com"})["id"]
        self.assertEqual(self.call("DELETE", f"{ROOT}/customers/{id}").status, 501)
        self.assertEqual(self.call("DELETE", f"{ROOT}/customers/{id}?force=true").status, 200)
        self.get(f"/customers/{id}", 404)

    def test_batch_mistakes_stand_alone(self):
        emails = ["a@example.com", "a@example.com", "b@example.com"]
        answer = self.post("/customers/batch", {"create": [{"email": e} for e in emails]}, 200)
        self.assertEqual([("error" in c) for c in answer["create"]], [False, True, False])
        answer = self.post("/customers/batch", {"update": [{"id": 1, "first_name": "A"}], "delete": [2, 99]}, 200)
        self.assertEqual(answer["update"][0]["first_name"], "A")
        self.assertEqual([("error" in c) for c in answer["delete"]], [False, True])
        too_many = {"delete": list(range(101))}
        self.assertEqual(self.post("/customers/batch", too_many, 413)["data"]["status"], 413)

    def test_meta_data_keep_their_ids(self):
        made = self.post("/customers", {"email": "a@example.com", "meta_data": [{"key": "k", "value": "1"}]})
        meta = self.call("PUT", f"{ROOT}/customers/{made['id']}", {"meta_data": [{"key": "k", "value": "2"}]})
        self.assertEqual(meta.json["meta_data"], [{"id": made["meta_data"][0]["id"], "key": "k", "value": "2"}])


class OrderTests(WooCase):
    def test_modified_after_is_honoured_in_gmt_and_in_shop_time(self):
        order = self.post("/orders", {"status": "processing"})
        self.assertNotEqual(order["date_modified"], order["date_modified_gmt"])
        gmt, local = order["date_modified_gmt"], order["date_modified"]
        earlier = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 10))
        for query, count in ((f"{earlier}&dates_are_gmt=true", 1), (f"{gmt}&dates_are_gmt=true", 0),
                             (gmt, 1), (local, 0)):
            self.assertEqual(len(self.get(f"/orders?modified_after={query}")), count, query)

    def test_lines_brands_and_supplier(self):
        brand = self.post("/products/brands", {"name": "Acme"})
        product = self.post("/products", {"name": "Box", "sku": "B1", "regular_price": "10.50",
                                          "brands": [{"id": brand["id"]}],
                                          "meta_data": [{"key": "supplier", "value": "Acme Ltd"}]})
        self.assertEqual(product["brands"][0]["name"], "Acme")
        self.assertEqual(self.post("/products", {"name": "B", "sku": "B1"}, 400)["code"], "product_invalid_sku")
        customer = self.post("/customers", {"email": "a@example.com"})["id"]
        order = self.post("/orders", {"customer_id": customer, "set_paid": True,
                                      "line_items": [{"product_id": product["id"], "quantity": 2}]})
        self.assertEqual((order["total"], order["status"]), ("21.00", "processing"))
        self.assertEqual(len(self.get(f"/orders?customer={customer}&status=processing")), 1)
        self.assertEqual(self.get(f"/products?brand={brand['id']}")[0]["id"], product["id"])
        self.assertEqual(self.post("/orders", {"customer_id": 99}, 400)["code"], "woocommerce_rest_invalid_customer_id")

    def test_trash_then_gone(self):
        id = self.post("/orders", {})["id"]
        self.assertEqual(self.call("DELETE", f"{ROOT}/orders/{id}").json["status"], "trash")
        self.assertEqual(self.get("/orders"), [])
        self.assertEqual(self.call("DELETE", f"{ROOT}/orders/{id}").status, 410)


class WebhookTests(WooCase):
    def test_ping_is_unsigned_form_data_and_events_are_signed(self):
        sink = Sink(self)
        made = self.hook("customer.created", sink)
        self.assertNotIn("secret", made)
        headers, body = sink.calls[0]
        self.assertEqual(body, f"webhook_id={made['id']}".encode())
        self.assertNotIn("X-WC-Webhook-Signature", headers)
        customer = self.post("/customers", {"email": "a@example.com"})
        headers, body = sink.wait(2)[1]
        signature = base64.b64encode(hmac.new(b"s3", body, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["X-WC-Webhook-Signature"], signature)
        self.assertEqual((headers["X-WC-Webhook-Topic"], headers["X-WC-Webhook-Resource"],
                          headers["X-WC-Webhook-Event"], headers["X-WC-Webhook-ID"]),
                         ("customer.created", "customer", "created", str(made["id"])))
        self.assertEqual(json.loads(body)["id"], customer["id"])

    def test_the_body_is_that_of_delivery_time(self):
        sink = Sink(self)
        self.hook("order.created", sink)
        self.call("POST", "/_peer/settings", {"hook_delay": 0.3})
        order = self.post("/orders", {"status": "processing"})["id"]
        self.call("PUT", f"{ROOT}/orders/{order}", {"status": "completed"})
        self.assertEqual(json.loads(sink.wait(2)[1][1])["status"], "completed")

    def test_delivery_ids_repeat(self):
        sink = Sink(self)
        self.hook("customer.created", sink)
        self.post("/customers/batch", {"create": [{"email": f"c{i}@example.com"} for i in range(20)]}, 200)
        ids = {headers["X-WC-Webhook-Delivery-ID"] for headers, _ in sink.wait(21)[1:]}
        self.assertLess(len(ids), 20)

    def test_deleted_names_the_id_alone(self):
        sink = Sink(self)
        id = self.post("/customers", {"email": "a@example.com"})["id"]
        self.hook("customer.deleted", sink)
        self.call("DELETE", f"{ROOT}/customers/{id}?force=true")
        self.assertEqual(json.loads(sink.wait(2)[1][1]), {"id": id})

    def test_five_failures_disable_and_nothing_is_sent_again(self):
        sink = Sink(self, status=500)
        made = self.hook("customer.created", sink)
        for i in range(7):
            self.post("/customers", {"email": f"c{i}@example.com"})
            sink.wait(min(2 + i, 6))
        time.sleep(0.2)
        self.assertEqual(len(sink.calls), 6, "the ping and five tries")
        self.assertEqual(self.get(f"/webhooks/{made['id']}")["status"], "disabled")

    def test_doubles_on_demand(self):
        sink = Sink(self)
        self.hook("customer.created", sink)
        self.faults(duplicate_hooks=1.0, shuffle_hooks=True)
        self.post("/customers", {"email": "a@example.com"})
        calls = sink.wait(3)
        self.assertEqual(calls[1][1], calls[2][1])
