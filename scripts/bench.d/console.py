"""Pages of the console against the calls they stand on, and how soon many open consoles show a change.

console.py HOST PORT TOKEN CONTACTS SHOP PASSWORD CONSOLES: the service, a token to read and write contacts with, how many
contacts there are, the shop's name, the password of owner@bench.example, and how many consoles to open.
Prints one JSON object, times in milliseconds.
"""

import asyncio
import gzip
import json
import random
import statistics
import sys
import time
from urllib.parse import quote

HOST, PORT, TOKEN, CONTACTS, SHOP, PASSWORD, CONSOLES = sys.argv[1:8]
CONTACTS, CONSOLES = int(CONTACTS), int(CONSOLES)
ROUNDS = 60


class Client:
    """A kept connection, as a browser's or a program's."""

    def __init__(self, field):
        self.field, self.reader, self.writer = field, None, None

    async def call(self, path, method="GET", body=None):
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection(HOST, int(PORT), limit=1 << 22)
        data = b"" if body is None else json.dumps(body).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n" if data else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{self.field}\r\n{kind}\r\n"
        self.writer.write(head.encode() + data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(one[15:]) for one in head.split("\r\n") if one.startswith("content-length:")), 0)
        text = await self.reader.readexactly(length)
        if text[:2] == b"\x1f\x8b":
            text = gzip.decompress(text)
        status = int(head[9:12])
        assert 200 <= status < 300, (path, status, text[:300])
        return text

    async def stream(self):
        """Opens the stream of changes and waits for each."""
        reader, writer = await asyncio.open_connection(HOST, int(PORT))
        writer.write(f"GET /live HTTP/1.1\r\nHost: {HOST}\r\n{self.field}\r\n\r\n".encode())
        while (await reader.readline()).strip() != b"retry: 1000":
            pass
        while True:
            line = await reader.readline()
            assert line, "the stream ended"
            if line.strip() == b"event: changed":
                yield


async def timed(client, *paths):
    start = time.perf_counter()
    for path in paths:
        await client.call(path)
    return (time.perf_counter() - start) * 1000


async def pages(browser, program):
    """Median milliseconds of a page, and of the calls it stands on, asked by turns."""

    def contact():
        return random.randint(1, CONTACTS)

    def words():
        return random.choice([f"Anna{random.randint(0, 299)} Kowalska{random.randint(0, 7000)}",
                              f"a{contact()}@example.org", f"Kowalska{random.randint(0, 7000)}"])

    def lists(query):
        around = [f"/api/v1/{what}" for what in ("segments", "fields")]
        return lambda q: [f"/contacts?{query(q)}"], lambda q: [f"/api/v1/contacts?{query(q)}", *around]

    kinds = {
        "list": (lambda: None, *lists(lambda _: "")),
        # what a browser asks for while somebody scrolls or types: the rows alone
        "rows": (lambda: None, lambda _: ["/contacts?part=true"], lambda _: ["/api/v1/contacts"]),
        "search": (words, *lists(lambda q: "q=" + quote(q))),
        "tag": (lambda: None, *lists(lambda _: "tag=supplier")),
        "card": (
            contact, lambda id: [f"/contacts/{id}"],
            lambda id: [f"/api/v1/contacts/{id}{what}" for what in ("", "/explain", "/history", "/attempts")],
        ),
        "home": (
            lambda: None, lambda _: ["/"],
            lambda _: [f"/api/v1/{what}" for what in (
                "figures?days=14", "deliveries?state=dead&limit=100", "conflicts?limit=100", "duplicates?limit=100", "connectors",
                "alerts?open=true&limit=100", "runs?limit=6")]),
    }
    found = {}
    for name, (draw, page, calls) in kinds.items():
        shown, asked = [], []
        for turn in range(ROUNDS + 5):
            what = draw()
            one, other = await timed(browser, *page(what)), await timed(program, *calls(what))
            if turn >= 5:
                shown.append(one)
                asked.append(other)
        found[name] = [statistics.median(shown), statistics.median(asked), sorted(shown)[int(len(shown) * 0.95)]]
    return found


async def live(cookie, program):
    """Milliseconds from the answer to a change until each console has fetched its page and the change stands in it."""
    record = CONTACTS // 2
    shown, wanted = [], {}

    async def console():
        browser = Client(cookie)
        stream = browser.stream()
        ready.append(1)
        async for _ in stream:
            if not wanted:
                continue
            name, start = wanted["name"], wanted["start"]
            text = await browser.call(f"/contacts/{record}")
            if name.encode() in text:
                shown.append((time.perf_counter() - start) * 1000)

    ready = []
    consoles = [asyncio.create_task(console()) for _ in range(CONSOLES)]
    while len(ready) < CONSOLES:
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)
    worst, middle = [], []
    for turn in range(5):
        shown.clear()
        wanted.update(name=f"Livia{turn}x{random.randint(0, 10**6)}", start=time.perf_counter())
        await program.call(f"/api/v1/contacts/{record}", "PATCH", {"fields": {"given_name": wanted["name"]}})
        wanted["start"] = time.perf_counter()
        while len(shown) < CONSOLES:
            for one in consoles:
                if one.done():
                    one.result()
            await asyncio.sleep(0.02)
            assert time.perf_counter() - wanted["start"] < 30, f"{len(shown)} of {CONSOLES} consoles show it"
        worst.append(max(shown))
        middle.append(statistics.median(shown))
        await asyncio.sleep(3)
    for one in consoles:
        one.cancel()
    return {"live_last": statistics.median(worst), "live_median": statistics.median(middle)}


async def main():
    program = Client(f"Authorization: Bearer {TOKEN}")
    anybody = Client("Accept: application/json")
    session = json.loads(
        await anybody.call(
            "/api/v1/sessions", "POST", {"tenant": SHOP, "email": "owner@bench.example", "password": PASSWORD}
        )
    )
    cookie = f"Cookie: kontor={session['token']}\r\nAccept-Encoding: gzip"
    result = {"pages": await pages(Client(cookie), program)}
    result.update(await live(cookie, program))
    print(json.dumps(result))


asyncio.run(main())
