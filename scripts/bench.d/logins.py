"""What a flood of sign-ins costs others, and whether sign-in tells known accounts from unknown ones.

logins.py HOST PORT TOKEN CONTACTS SHOP KNOWN: the service, a token to read contacts with, how many contacts there are, the
shop's name, and how many accounts it has (k1@bench.example ...). Prints one JSON object, times in milliseconds.
"""

import asyncio
import json
import random
import statistics
import sys
import time

HOST, PORT, TOKEN, SHOP = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[5]
CONTACTS, KNOWN = int(sys.argv[4]), int(sys.argv[6])
READERS, EVERY, SECONDS, FLOOD = 4, 0.04, 8, 500


class Client:
    """One connection, one request at a time."""

    def __init__(self):
        self.reader = self.writer = None

    async def call(self, method, path, body=None, token=None):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(HOST, PORT)
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        self.writer.write(head.encode() + b"\r\n" + data)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        await self.reader.readexactly(length)
        return int(lines[0].split()[1])

    def close(self):
        if self.writer:
            self.writer.close()


async def read(until, times):
    """Asks for a contact every EVERY seconds; a late answer does not hold the next one back in the count."""
    client, due = Client(), time.perf_counter() + random.random() * EVERY
    while not until.is_set():
        await asyncio.sleep(max(0, due - time.perf_counter()))
        status = await client.call("GET", f"/api/v1/contacts/{random.randint(1, CONTACTS)}", token=TOKEN)
        assert status == 200, status
        times.append((time.perf_counter() - due) * 1000)
        due += EVERY
    client.close()


async def sign_in(email):
    client, start = Client(), time.perf_counter()
    status = await client.call(
        "POST", "/api/v1/sessions", {"tenant": SHOP, "email": email, "password": "not the password of anybody"}
    )
    client.close()
    return status, (time.perf_counter() - start) * 1000


async def while_reading(work):
    until, times = asyncio.Event(), []
    readers = [asyncio.create_task(read(until, times)) for _ in range(READERS)]
    result = await work
    until.set()
    await asyncio.gather(*readers)
    return result, times


async def flood():
    answers = await asyncio.gather(*(sign_in(f"f{n}@bench.example") for n in range(FLOOD)))
    return [status for status, _ in answers]


def p95(times):
    return statistics.quantiles(times, n=20)[18]


async def main():
    await while_reading(asyncio.sleep(2))
    calm, during, statuses = [], [], []
    for _ in range(3):
        _, times = await while_reading(asyncio.sleep(SECONDS))
        calm.append(p95(times))
        found, times = await while_reading(flood())
        statuses += found
        during.append(p95(times))
    known, unknown = [], []
    # fewer attempts at each account than are slowed down
    for number in range(1, KNOWN + 1):
        for attempt in range(4):
            for emails, times in ((f"k{number}@bench.example", known), (f"u{number}@bench.example", unknown)):
                status, took = await sign_in(emails)
                assert status == 401, status
                times.append(took)
    print(
        json.dumps(
            {
                "calm": statistics.median(calm),
                "during": statistics.median(during),
                "refused": sum(status == 429 for status in statuses),
                "tried": sum(status == 401 for status in statuses),
                "known": statistics.median(known),
                "unknown": statistics.median(unknown),
            }
        )
    )


asyncio.run(main())
