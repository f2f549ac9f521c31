"""State of one peer: JSON documents in a SQLite file, with a copy in memory for reading.

Every change is committed before the request that made it is answered, so a peer killed at any
moment has lost nothing it acknowledged.
"""
import copy
import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

SCHEMA = """
create table if not exists doc (kind text, id text, body text not null, seq integer not null,
    deleted integer not null, created real not null, modified real not null, primary key (kind, id));
create table if not exists kv (name text primary key, value text not null);
create table if not exists log (n integer primary key autoincrement, part text not null, entry text not null);
create index if not exists log_part on log (part, n);
"""


@dataclass
class Doc:
    """One record. `seq` is the store-wide number of its last change; times are seconds since 1970."""

    id: str
    body: dict
    seq: int
    deleted: bool
    created: float
    modified: float


class Store:
    """All methods that change something must run inside `tx()`."""

    def __init__(self, path):
        self.lock = threading.RLock()
        self.db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=normal")
        self.db.executescript(SCHEMA)
        self.depth = 0
        self.dirty = False
        self.key_functions = {}
        self._load()

    def index(self, kind, keys):
        """Keeps the living records of a kind findable by `keys(body)`, a list of texts; see `lookup`."""
        self.key_functions[kind] = keys
        self._index_all()

    def _index_all(self):
        self.by_key = {kind: {} for kind in self.key_functions}
        for kind in self.key_functions:
            for doc in self.docs(kind):
                self._index(kind, doc, True)

    def _index(self, kind, doc, present):
        if kind not in self.key_functions or doc is None or doc.deleted:
            return
        for key in self.key_functions[kind](doc.body):
            ids = self.by_key[kind].setdefault(key, set())
            (ids.add if present else ids.discard)(doc.id)

    def lookup(self, kind, key):
        """The living records with this key."""
        return [self.kinds[kind][id] for id in sorted(self.by_key[kind].get(key, ()))]

    def _load(self):
        self.kinds, self.kv = {}, {}
        for kind, id, body, seq, deleted, created, modified in self.db.execute("select * from doc order by seq"):
            doc = Doc(id, json.loads(body), seq, bool(deleted), created, modified)
            self.kinds.setdefault(kind, {})[id] = doc
        for name, value in self.db.execute("select name, value from kv"):
            self.kv[name] = json.loads(value)
        self._index_all()

    @contextmanager
    def tx(self):
        """One transaction under the store's lock; an inner one joins the outer."""
        with self.lock:
            if self.depth == 0:
                self.db.execute("begin immediate")
                self.dirty = False
            self.depth += 1
            try:
                yield self
            except BaseException:
                self.depth -= 1
                if self.depth == 0:
                    self.db.execute("rollback")
                    if self.dirty:
                        self._load()
                raise
            self.depth -= 1
            if self.depth == 0:
                self.db.execute("commit")

    def set(self, name, value):
        """Keeps a named JSON value (settings, counters, tokens)."""
        self.dirty = True
        self.kv[name] = value
        self.db.execute("insert or replace into kv values (?, ?)", (name, json.dumps(value)))

    def get_value(self, name, default=None):
        """A named JSON value; not to be changed by the caller."""
        return self.kv.get(name, default)

    def next(self, counter):
        """The next whole number of a counter, from 1."""
        value = self.kv.get("counter." + counter, 0) + 1
        self.set("counter." + counter, value)
        return value

    @property
    def seq(self):
        """The number of the last change."""
        return self.kv.get("counter.seq", 0)

    def put(self, kind, id, body, at=None):
        """Creates or replaces a record and gives it the next change number; returns the Doc."""
        now = time.time() if at is None else at
        docs = self.kinds.setdefault(kind, {})
        old = docs.get(id)
        doc = Doc(id, copy.deepcopy(body), self.next("seq"), False, old.created if old else now, now)
        self._write(kind, doc)
        self._index(kind, docs.pop(id, None), False)  # taken out, so that the order stays that of changes
        docs[id] = doc
        self._index(kind, doc, True)
        return doc

    def delete(self, kind, id):
        """Marks a record deleted; it stays as a tombstone with its last body."""
        docs = self.kinds[kind]
        old = docs[id]
        doc = Doc(id, old.body, self.next("seq"), True, old.created, time.time())
        self._write(kind, doc)
        self._index(kind, docs.pop(id), False)
        docs[id] = doc

    def purge(self, kind, id):
        """Removes a record without trace."""
        self.dirty = True
        self._index(kind, self.kinds.get(kind, {}).pop(id, None), False)
        self.db.execute("delete from doc where kind = ? and id = ?", (kind, id))

    def _write(self, kind, doc):
        self.dirty = True
        self.db.execute("insert or replace into doc values (?, ?, ?, ?, ?, ?, ?)",
                        (kind, doc.id, json.dumps(doc.body), doc.seq, int(doc.deleted), doc.created, doc.modified))

    def doc(self, kind, id):
        """The living record, or None. Its body is not to be changed: take a copy."""
        doc = self.kinds.get(kind, {}).get(str(id))
        return None if doc is None or doc.deleted else doc

    def copy(self, kind, id):
        """A changeable copy of a living record's body, or None."""
        doc = self.doc(kind, id)
        return copy.deepcopy(doc.body) if doc else None

    def docs(self, kind, deleted=False):
        """The living records (with `deleted` the tombstones too) in the order of their last change."""
        return [d for d in self.kinds.get(kind, {}).values() if deleted or not d.deleted]

    def note(self, part, entry):
        """Appends to a journal: `effects`, `refused`, `early`, `hooks`, `violations`, `crashes`."""
        self.db.execute("insert into log (part, entry) values (?, ?)", (part, json.dumps(entry)))

    def notes(self, part, after=0):
        """A journal's entries with their number `n`, those after the given number only."""
        with self.lock:
            rows = self.db.execute("select n, entry from log where part = ? and n > ? order by n", (part, after))
            return [{"n": n, **json.loads(entry)} for n, entry in rows.fetchall()]

    def reset(self):
        """Forgets everything."""
        with self.tx():
            self.dirty = True
            for table in ("doc", "kv", "log"):
                self.db.execute(f"delete from {table}")
            self.kinds, self.kv = {}, {}
            self._index_all()
