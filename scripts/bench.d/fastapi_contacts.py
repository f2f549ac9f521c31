"""The contacts API in FastAPI and asyncpg, doing the work that Kontor does for the same requests.

Bearer token looked up by its hash and remembered for a second, as Kontor does; a transaction with the signed
context; the select under row security; JSON out. Settings come from the environment, see APIBench.swift.
"""
import hashlib
import json
import os
import time
from contextlib import asynccontextmanager

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

SCHEMA = os.environ["BENCH_SCHEMA"]
INNER = bytes.fromhex(os.environ["BENCH_INNER"])
OUTER = bytes.fromhex(os.environ["BENCH_OUTER"])
COLUMNS = """c.id, c.version, c.name, c.data AS fields, c.consents, c.locks, c.origins, c.created_at, c.updated_at,
    c.deleted_at, c.merged_into, c.owner"""
ONE = f"SELECT {COLUMNS} FROM {SCHEMA}.contact c WHERE c.id = $1"
PAGE = f"SELECT {COLUMNS} FROM {SCHEMA}.contact c WHERE c.id > $1 AND c.deleted_at IS NULL ORDER BY c.id LIMIT $2"
CONTEXT = "SELECT set_config('kontor.context', $1, true), set_config('transaction_read_only', 'on', true)"
known = {}


def connection(conninfo):
    words = dict(word.split("=", 1) for word in conninfo.replace("'", "").split())
    return {
        "host": words["host"], "port": int(words["port"]), "user": words["user"], "password": words.get("password"),
        "database": words["dbname"],
    }


class Link(asyncpg.Connection):
    """Given back as it is: nothing here outlives its transaction, and kontor_app may not call what a reset calls."""

    def get_reset_query(self):
        return ""


async def prepare(link):
    await link.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(
        **connection(os.environ["BENCH_DATABASE"]), min_size=8, max_size=8, init=prepare,
        connection_class=Link)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def caller(request: Request):
    """Tenant and token of a request."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    found, until = known.get(token, (None, 0))
    if until > time.monotonic():
        return found
    row = await request.app.state.pool.fetchrow(
        "SELECT id, tenant, scopes FROM auth.open($1)", hashlib.sha256(token.encode()).digest())
    if row is None or "contacts:read" not in row["scopes"]:
        raise HTTPException(401)
    found = (row["tenant"], row["id"])
    known[token] = (found, time.monotonic() + 1)
    return found


def context(who, link):
    """tenant|actor|expiry|backend pid|HMAC-SHA256 in hex."""
    payload = f"{who[0]}|token:{who[1]}|{int(time.time()) + 900}|{link.get_server_pid()}"
    mac = hashlib.sha256(OUTER + hashlib.sha256(INNER + payload.encode()).digest()).hexdigest()
    return f"{payload}|{mac}"


def shown(row):
    item = dict(row)
    for key in ("created_at", "updated_at", "deleted_at"):
        if item[key] is not None:
            item[key] = item[key].isoformat()
    return item


async def ask(request, who, query, *arguments):
    async with request.app.state.pool.acquire() as link:
        async with link.transaction():
            await link.execute(CONTEXT, context(who, link))
            return await link.fetch(query, *arguments)


@app.get("/api/v1/contacts/{number}")
async def one(number: int, request: Request, who=Depends(caller)):
    rows = await ask(request, who, ONE, number)
    if not rows:
        raise HTTPException(404)
    return JSONResponse(shown(rows[0]))


@app.get("/api/v1/contacts")
async def page(request: Request, limit: int = 50, after: int = 0, who=Depends(caller)):
    rows = await ask(request, who, PAGE, after, limit)
    return JSONResponse({"items": [shown(row) for row in rows]})
