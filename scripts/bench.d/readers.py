"""Somebody who reads contacts all the while: how long one waits for an answer, meanwhile.

Of the command line, the first four words are the service's host and port, a token to read contacts with, and how many there are.
"""

import asyncio
import json
import random
import statistics
import sys
import time

HOST, PORT, TOKEN, CONTACTS = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
READERS, EVERY = 4, 0.04


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


async def while_reading(work):
    until, times = asyncio.Event(), []
    readers = [asyncio.create_task(read(until, times)) for _ in range(READERS)]
    result = await work
    until.set()
    await asyncio.gather(*readers)
    return result, times


def p95(times):
    return statistics.quantiles(times, n=20)[18]
