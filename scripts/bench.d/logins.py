"""What a flood of sign-ins costs others, and whether sign-in tells known accounts from unknown ones.

logins.py HOST PORT TOKEN CONTACTS SHOP KNOWN: the service, a token to read contacts with, how many contacts there are, the
shop's name, and how many accounts it has (k1@bench.example ...). Prints one JSON object, times in milliseconds.
"""

import asyncio
import json
import statistics
import sys
import time

from readers import Client, p95, while_reading

SHOP, KNOWN = sys.argv[5], int(sys.argv[6])
SECONDS, FLOOD = 8, 500


async def sign_in(email):
    client, start = Client(), time.perf_counter()
    status = await client.call(
        "POST", "/api/v1/sessions", {"tenant": SHOP, "email": email, "password": "not the password of anybody"}
    )
    client.close()
    return status, (time.perf_counter() - start) * 1000


async def flood():
    answers = await asyncio.gather(*(sign_in(f"f{n}@bench.example") for n in range(FLOOD)))
    return [status for status, _ in answers]


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
