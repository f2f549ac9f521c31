"""Connects a tenant to the peers as the shop owner of the reference scenario does."""

HOOK_SECRET = "demo-hook-secret"


def plugin(connector, name):
    return next(p for p in connector["plugins"] if p["name"] == name)


def with_rules(plugin, *rules, without=()):
    """A plugin's mapping with further rules, without those that write the named hub fields."""
    kept = [r for r in plugin["mapping"]["rules"] if r.get("hub") not in without]
    return {"rules": kept + list(rules)}


class Owner:
    """The shop owner at the console; every step is a call of the API."""

    def __init__(self, kontor, urls):
        self.kontor = kontor
        self.urls = urls
        self.connectors = {}

    def connect(self, kind, name, settings):
        made = self.kontor.post("/connectors", {"kind": kind, "name": name, "settings": settings})
        self.connectors[name] = self.kontor.get(f"/connectors/{made['id']}")
        return self.connectors[name]

    def switch_on(self, connector, name, **changes):
        one = plugin(self.connectors[connector], name)
        self.kontor.patch(f"/plugins/{one['id']}", {"state": "on", **changes})
        return one["id"]

    def set_up(self):
        fields = [
            {"key": "industry", "label": "Industry", "type": "multi_choice", "choices": ["carpentry", "gardening", "plumbing"]},
        ]
        for field in fields:
            self.kontor.post("/fields", field)
        self.google()
        self.shop()
        self.crm()
        self.newsletter()

    def google(self):
        url = self.urls["google"]
        google = self.connect("google", "google", {
            "base_url": url, "token_url": url + "/token", "client_id": "demo-client",
            "client_secret": "demo-secret", "refresh_token": "demo-refresh"})
        supplier = {"hub": "tags", "constant": ["supplier"], "direction": "in"}
        self.switch_on("google", "contacts.import", mapping=with_rules(plugin(google, "contacts.import"), supplier))
        self.switch_on("google", "contacts.push", filter={"tag": "supplier"})

    def shop(self):
        shop = self.connect("woocommerce", "shop", {
            "base_url": self.urls["woocommerce"], "consumer_key": "ck_demo", "consumer_secret": "cs_demo",
            "webhook_secret": HOOK_SECRET})
        own = [
            {"hub": "birthday", "remote": "meta_data[?key=birthday].value", "format": "date"},
            {"hub": "industry", "remote": "meta_data[?key=industry].value", "separator": ";"},
        ]
        client = {"hub": "tags", "constant": ["client"], "direction": "in"}
        self.switch_on("shop", "customers.import", mapping=with_rules(plugin(shop, "customers.import"), client, *own))
        self.switch_on("shop", "customers.push", filter={"tag": "client"}, mapping=with_rules(plugin(shop, "customers.push"), *own))
        self.switch_on("shop", "products.import")
        self.switch_on("shop", "orders.import")

    def crm(self):
        crm = self.connect("espocrm", "crm", {
            "base_url": self.urls["espocrm"], "api_key": "demo-key", "webhook_secret": HOOK_SECRET})
        own = [{"hub": "industry", "remote": "cIndustry", "each": True}]
        for name in ("contacts.import", "contacts.push"):
            self.switch_on("crm", name, mapping=with_rules(plugin(crm, name), *own))

    def newsletter(self):
        self.connect("mailman", "newsletter", {
            "base_url": self.urls["mailman"], "user": "restadmin", "password": "restpass", "domain": "lists.example"})
        self.switch_on("newsletter", "segment.group")

    def hook_url(self, connector):
        return self.kontor.url + self.kontor.get(f"/connectors/{self.connectors[connector]['id']}/hook-url")["path"]

    def run(self, connector, name, seconds=60):
        """Fetches now, and waits for the end."""
        started = self.kontor.post(f"/plugins/{plugin(self.connectors[connector], name)['id']}/run")
        ended = self.kontor.finished(started, seconds)
        assert ended["state"] == "done", ended
        return ended
