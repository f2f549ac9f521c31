"""What a flood of heavy queries on the reporting server costs somebody who reads contacts from the service.

reports.py HOST PORT TOKEN CONTACTS SQL_PORT NAME PASSWORD [NAME PASSWORD ...]: as readers.py, then the reporting server's port and
SQL logins. Prints one JSON object: p95 in milliseconds without and with the flood, queries that were answered or ended.
"""

import asyncio
import json
import statistics
import sys

import asyncpg

from readers import p95, while_reading

SQL_PORT, LOGINS = int(sys.argv[5]), list(zip(sys.argv[6::2], sys.argv[7::2]))
SECONDS, SESSIONS = 10, 4
HEAVY = (
    "SELECT a.birth_month, count(*) FROM contact a JOIN contact b ON a.family_name = b.family_name GROUP BY 1",
    "SELECT upper(name), count(*) FROM contact GROUP BY 1 ORDER BY md5(string_agg(email, ',')) LIMIT 10",
    "SELECT count(*) FROM contact a, contact b WHERE a.name < b.name",
)


async def session(name, password, until, counts):
    link = await asyncpg.connect(host="127.0.0.1", port=SQL_PORT, user=name, password=password, database="kontor")
    counts["sessions"] += 1
    number = 0
    while not until.is_set():
        query = asyncio.create_task(link.fetch(HEAVY[number % len(HEAVY)]))
        number += 1
        waiting = asyncio.create_task(until.wait())
        await asyncio.wait({query, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if query.done():
            try:
                query.result()
            except asyncpg.PostgresError:
                counts["ended"] += 1
            else:
                counts["answered"] += 1
        else:
            query.cancel()
            await asyncio.wait({query})
    await link.close(timeout=60)


async def flooded(counts):
    until = asyncio.Event()
    counts.update(sessions=0, answered=counts["answered"], ended=counts["ended"])
    sessions = [asyncio.create_task(session(*login, until, counts)) for login in LOGINS for _ in range(SESSIONS)]
    while counts["sessions"] < len(sessions):
        for failed in (task for task in sessions if task.done()):
            failed.result()
        await asyncio.sleep(0.05)
    _, times = await while_reading(asyncio.sleep(SECONDS))
    until.set()
    await asyncio.gather(*sessions)
    return p95(times)


async def main():
    await while_reading(asyncio.sleep(2))
    calm, flood, counts = [], [], {"sessions": 0, "answered": 0, "ended": 0}
    for _ in range(3):
        _, times = await while_reading(asyncio.sleep(SECONDS))
        calm.append(p95(times))
        flood.append(await flooded(counts))
    print(json.dumps({"calm": statistics.median(calm), "flood": statistics.median(flood), **counts}))


asyncio.run(main())
