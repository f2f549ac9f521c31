"""Drains jobs that do nothing with pgqueuer, once for each batch size given.

pgqueuer_drain.py CONNINFO JOBS BATCH...     prints {"batch": n, "rate": jobs per second} of the best one
"""
import asyncio
import json
import sys
import time

import asyncpg
import uvloop
from pgqueuer import AsyncpgDriver, Queries, QueueManager
from pgqueuer.types import QueueExecutionMode


def connection(conninfo):
    """asyncpg's arguments for a conninfo of libpq's keyword form."""
    words = dict(word.split("=", 1) for word in conninfo.replace("'", "").split())
    return {"host": words["host"], "port": int(words["port"]), "user": words["user"], "database": words["dbname"]}


async def drain(arguments, jobs, batch):
    """Jobs per second of one drain; putting them in is not counted."""
    pool = await asyncpg.connect(**arguments)
    driver = AsyncpgDriver(pool)
    queries = Queries(driver)
    for start in range(0, jobs, 1000):
        count = min(1000, jobs - start)
        await queries.enqueue(["job"] * count, [None] * count, [0] * count)
    manager = QueueManager(queries)
    done = 0

    @manager.entrypoint("job")
    async def job(_):
        nonlocal done
        done += 1

    began = time.perf_counter()
    await manager.run(batch_size=batch, mode=QueueExecutionMode.drain)
    took = time.perf_counter() - began
    await pool.close()
    if done != jobs:
        raise SystemExit(f"{done} of {jobs} jobs were done")
    return jobs / took


async def main():
    arguments = connection(sys.argv[1])
    jobs = int(sys.argv[2])
    setup = await asyncpg.connect(**arguments)
    queries = Queries(AsyncpgDriver(setup))
    if not await queries.schema_is_installed():
        await queries.install()
    # what earlier drains left in its log and its tables' dead rows must not slow this one
    await setup.execute("TRUNCATE pgqueuer, pgqueuer_log, pgqueuer_statistics")
    best = {"batch": 0, "rate": 0.0}
    for batch in map(int, sys.argv[3:]):
        rate = await drain(arguments, jobs, batch)
        print(f"batches of {batch}: {rate:.0f} jobs/s", file=sys.stderr)
        if rate > best["rate"]:
            best = {"batch": batch, "rate": rate}
    await setup.close()
    print(json.dumps(best))


uvloop.run(main())
