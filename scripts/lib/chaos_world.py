"""The processes that chaos kills: service, two workers, the private PostgreSQL, peers; and how each comes back."""

import json
import os
import pathlib
import signal
import time
import urllib.request

from world import World

WORKERS = ("worker1", "worker2")
PEERS = ("google", "woocommerce", "espocrm")
# one answer in seven or so of each kind that is left: together 28 % are bad
FAULTS = {
    "rate_429": 0.08, "retry_after": 1, "rate_500": 0.08, "torn": 0.08, "timeout_after_effect": 0.08,
    "duplicate_hooks": 0.3, "shuffle_hooks": True}


def ask(url, body=None):
    """A call of a peer's control surface."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60) as answer:
        return json.loads(answer.read())


class Gone(Exception):
    """What was to be killed is not there just now."""


class ChaosWorld(World):
    """A world whose parts can be killed, each with its own way back."""

    def __init__(self, program, folder=None):
        super().__init__(program, folder)
        self.frozen = {}
        self.fault_seed = None
        self.journals = {}

    # starting

    def start_service(self):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        process = self.start("kontor", [
            self.program, "serve", "--no-workers", "--data", str(self.folder / "kontor"), "--port", str(self.port),
            "--port-file", str(port_file), "--allow-networks", "127.0.0.0/8"])
        self.port = int(self.wait_for(port_file, process))
        return f"http://127.0.0.1:{self.port}"

    def start_worker(self, name):
        self.start(name, [
            self.program, "work", "--data", str(self.folder / "kontor"), "--allow-networks", "127.0.0.0/8"])

    def revive(self):
        """Starts again what ended by itself; returns the names."""
        ended = [name for name in ("kontor", *WORKERS) if self.processes[name].poll() is not None]
        for name in ended:
            self.frozen.pop(name, None)
            self.start_service() if name == "kontor" else self.start_worker(name)
        return ended

    # faults of the answers

    def bad_answers(self, seed):
        """Switches the peers' faults on, or off with None."""
        self.fault_seed = seed
        for number, name in enumerate(PEERS):
            self._bad_answers(name, number)

    def _bad_answers(self, name, number):
        wanted = {} if self.fault_seed is None else {**FAULTS, "seed": self.fault_seed + number}
        ask(f"{self.urls[name]}/_peer/faults", wanted)

    # killing

    def kill_service(self, rng):
        """The service; its PostgreSQL ends with it."""
        self.stop("kontor", signal.SIGKILL)
        time.sleep(rng.uniform(0, 1))
        self.start_service()

    def kill_worker(self, rng):
        name = rng.choice(WORKERS)
        self.frozen.pop(name, None)
        self.stop(name, signal.SIGKILL)
        time.sleep(rng.uniform(0, 1))
        self.start_worker(name)

    def kill_postmaster(self, rng):
        """PostgreSQL's first process; the service starts it again."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: self.postmaster() != pid, "PostgreSQL did not come back")

    def kill_backend(self, rng):
        """One session's process; PostgreSQL then ends all others, and recovers."""
        sessions = [pid for pid, title in self.children(self.postmaster()) if "kontor" in title]
        if not sessions:
            raise Gone("no session is open")
        os.kill(rng.choice(sessions), signal.SIGKILL)

    def kill_peer(self, rng):
        """A peer, with its memory of the last 429; its starter brings it back."""
        name = rng.choice(PEERS)
        pids = self.folder / "peers" / "pids.json"
        old = json.loads(pids.read_text())[name]
        os.kill(old, signal.SIGKILL)
        self.until(lambda: json.loads(pids.read_text())[name] != old, f"{name} did not come back")
        if self.fault_seed is not None:
            self.fault_seed += len(PEERS)
        self._bad_answers(name, PEERS.index(name))

    def freeze_worker(self, rng, seconds):
        """Stops a worker in its tracks; `thaw` lets it go on after that time."""
        free = [name for name in WORKERS if name not in self.frozen]
        if len(free) < len(WORKERS):
            raise Gone("one is frozen already")
        name = rng.choice(free)
        self.processes[name].send_signal(signal.SIGSTOP)
        self.frozen[name] = time.monotonic() + seconds

    def thaw(self, everyone=False):
        for name, until in list(self.frozen.items()):
            if everyone or time.monotonic() >= until:
                del self.frozen[name]
                self.processes[name].send_signal(signal.SIGCONT)

    def stop(self, name, how=signal.SIGTERM):
        if self.frozen.pop(name, None):
            self.processes[name].send_signal(signal.SIGCONT)
        super().stop(name, how)

    # looking

    def postmaster(self):
        """The number of PostgreSQL's first process, 0 when there is none."""
        for file in (self.folder / "kontor").rglob("postmaster.pid"):
            lines = file.read_text().split()
            if lines and pathlib.Path(f"/proc/{lines[0]}").exists():
                return int(lines[0])
        return 0

    @staticmethod
    def children(parent):
        """(number, command line) of a process's children."""
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(stat[1]) == parent:
                    yield int(folder.name), (folder / "cmdline").read_bytes().decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile

    @staticmethod
    def until(question, complaint, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if question():
                    return
            except (ValueError, OSError):
                pass  # a file that is just being written, a server that is not up yet
            if time.monotonic() > deadline:
                raise TimeoutError(complaint)
            time.sleep(0.05)
