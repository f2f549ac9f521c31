"""What a person at the vendor's own screen would do, through the vendor's ordinary API alone.

For the demonstration and for tests that want a change to begin outside of the hub:

    shop = Shop("http://127.0.0.1:8102")
    shop.buy("anna@example.com", "Anna", "Nowak", [(product_id, 2)])

From the command line: python3 -m peers.person shop URL register anna@example.com Anna Nowak
"""
import base64
import json
import sys
import urllib.error
import urllib.request
from urllib.parse import quote, urlencode


class Screen:
    """Calls one vendor's API; `headers` carry the credentials."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.headers = {}

    def call(self, method, path, body=None, form=None):
        """The answer's JSON, or None when there is none; RuntimeError with the vendor's words on a refusal."""
        data, headers = None, dict(self.headers)
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif form is not None:
            data = urlencode(form, doseq=True).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{error.code} {error.read().decode(errors='replace')}") from None
        return json.loads(text) if text else None


def basic(user, password):
    """The header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class AddressBook(Screen):
    """Google Contacts."""

    def __init__(self, url, refresh_token="demo-refresh", client_id="demo-client", client_secret="demo-secret"):
        super().__init__(url)
        token = self.call("POST", "/token", form={"grant_type": "refresh_token", "refresh_token": refresh_token,
                                                  "client_id": client_id, "client_secret": client_secret})
        self.headers = {"Authorization": "Bearer " + token["access_token"]}

    def add(self, given, family, email, **fields):
        """A new contact; its resource name."""
        person = {"names": [{"givenName": given, "familyName": family}], "emailAddresses": [{"value": email}], **fields}
        return self.call("POST", "/v1/people:createContact", person)["resourceName"]

    def find(self, query):
        """The contacts whose name or address begins so."""
        query = urlencode({"query": query, "readMask": "names,emailAddresses,phoneNumbers,userDefined,metadata"})
        return [r["person"] for r in self.call("GET", "/v1/people:searchContacts?" + query).get("results", [])]

    def edit(self, name, **fields):
        """Replaces fields of a contact, read afresh first as the screen does."""
        person = self.call("GET", f"/v1/{name}?personFields=metadata")
        return self.call("PATCH", f"/v1/{name}:updateContact?updatePersonFields={','.join(fields)}",
                         {"metadata": {"sources": person["metadata"]["sources"]}, **fields})

    def remove(self, name):
        """Deletes a contact."""
        self.call("DELETE", f"/v1/{name}:deleteContact")


class Shop(Screen):
    """The shop: customers who register and buy."""

    ROOT = "/wp-json/wc/v3"

    def __init__(self, url, key="ck_demo", secret="cs_demo"):
        super().__init__(url)
        self.headers = basic(key, secret)

    def register(self, email, given="", family="", **fields):
        """A new customer; its id."""
        body = {"email": email, "first_name": given, "last_name": family, **fields}
        return self.call("POST", self.ROOT + "/customers", body)["id"]

    def buy(self, email, given, family, lines):
        """An order of (product id, quantity) pairs, registering the buyer when the shop does not know the address."""
        known = self.call("GET", f"{self.ROOT}/customers?email={quote(email)}")
        customer = known[0]["id"] if known else self.register(email, given, family)
        body = {"customer_id": customer, "set_paid": True,
                "billing": {"first_name": given, "last_name": family, "email": email},
                "line_items": [{"product_id": p, "quantity": q} for p, q in lines]}
        return self.call("POST", self.ROOT + "/orders", body)["id"]

    def edit(self, id, **fields):
        """Changes a customer."""
        return self.call("PUT", f"{self.ROOT}/customers/{id}", fields)


class Crm(Screen):
    """The CRM: a seller at work."""

    def __init__(self, url, api_key="demo-key"):
        super().__init__(url)
        self.headers = {"X-Api-Key": api_key}

    def add(self, given, family, email, **fields):
        """A new contact; its id."""
        body = {"firstName": given, "lastName": family, "emailAddress": email, **fields}
        return self.call("POST", "/api/v1/Contact", body)["id"]

    def find(self, email):
        """The contacts with an address."""
        where = {"where[0][type]": "equals", "where[0][attribute]": "emailAddress", "where[0][value]": email}
        return self.call("GET", "/api/v1/Contact?" + urlencode(where))["list"]

    def edit(self, id, **fields):
        """Changes a contact."""
        return self.call("PUT", f"/api/v1/Contact/{id}", fields)

    def remove(self, id):
        """Deletes a contact."""
        self.call("DELETE", f"/api/v1/Contact/{id}")


class Newsletter(Screen):
    """Mailman: an owner looking after lists."""

    def __init__(self, url, user="restadmin", password="restpass"):
        super().__init__(url)
        self.headers = basic(user, password)

    def open(self, fqdn):
        """A new list, its domain first when it is new."""
        host = fqdn.split("@")[1]
        known = [d["mail_host"] for d in self.call("GET", "/3.1/domains").get("entries", [])]
        if host not in known:
            self.call("POST", "/3.1/domains", {"mail_host": host})
        self.call("POST", "/3.1/lists", {"fqdn_listname": fqdn})

    def join(self, list_id, email, name=""):
        """Subscribes an address."""
        self.call("POST", "/3.1/members", {"list_id": list_id, "subscriber": email, "display_name": name,
                                           "pre_verified": True, "pre_confirmed": True, "pre_approved": True})

    def leave(self, list_id, email):
        """Unsubscribes an address."""
        self.call("DELETE", f"/3.1/lists/{list_id}/member/{quote(email)}")

    def members(self, list_id):
        """The addresses on a list."""
        return [m["email"] for m in self.call("GET", f"/3.1/lists/{list_id}/roster/member").get("entries", [])]


SCREENS = {"addressbook": AddressBook, "shop": Shop, "crm": Crm, "newsletter": Newsletter}


def main(arguments):
    """SCREEN URL ACTION [VALUE | field=value ...]; a value that is JSON is taken as such."""
    screen, url, action, *rest = arguments
    plain, named = [], {}
    for word in rest:
        name, sign, value = word.partition("=")
        target = value if sign and name.isidentifier() else word
        try:
            target = json.loads(target)
        except ValueError:
            pass  # plain text
        if sign and name.isidentifier():
            named[name] = target
        else:
            plain.append(target)
    print(json.dumps(getattr(SCREENS[screen](url), action)(*plain, **named), ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
