"""Delivery of webhooks from a queue kept with the peer's state, by one background thread."""
import http.client
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Job:
    """One call to make; `items` are the queue entries it carries."""

    url: str
    headers: dict
    body: bytes
    hook: str
    items: list = field(default_factory=list)


class HookSender:
    """Asks the peer what is due (`hook_jobs`), sends it, and tells the peer the outcome (`hook_done`)."""

    def __init__(self, peer, interval=0.05):
        self.peer = peer
        self.interval = interval
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        """Begins delivering."""
        self.thread.start()

    def stop(self):
        """Ends delivering; what is queued stays queued."""
        self.stopped.set()
        self.thread.join()

    def enqueue(self, hook, event, record, delay):
        """Queues one event for one webhook, due after `delay` seconds; runs inside a transaction."""
        store = self.peer.store
        id = str(store.next("queue"))
        store.put("_queue", id, {"id": id, "hook": hook, "event": event, "record": record,
                                 "due": time.time() + delay, "attempts": 0})

    def due(self):
        """The queue entries whose time has come, oldest first."""
        now = time.time()
        entries = [d.body for d in self.peer.store.docs("_queue") if d.body["due"] <= now]
        return sorted(entries, key=lambda e: int(e["id"]))

    def _run(self):
        while not self.stopped.wait(self.interval):
            with self.peer.store.lock:
                due = self.due()
            if due:
                self._round()

    def _round(self):
        store = self.peer.store
        with store.tx():
            jobs = self.peer.hook_jobs(self.due())
        settled = set()
        for job in self.peer.faults.hooks(jobs):
            status = send(job)
            with store.tx():
                store.note("hooks", {"time": time.time(), "hook": job.hook, "url": job.url, "status": status,
                                     "events": [[i["event"], i["record"]] for i in job.items]})
                if id(job) not in settled:  # a doubled call counts once
                    settled.add(id(job))
                    self.peer.hook_done(job, status)


def send(job, timeout=10):
    """POSTs one job; returns the HTTP status, or None when nobody answered."""
    parts = urlsplit(job.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout)
    try:
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request("POST", target, job.body, job.headers)
        response = connection.getresponse()
        response.read()
        return response.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
