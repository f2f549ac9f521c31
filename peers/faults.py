"""Faults on demand, decided by a seeded generator so that a run can be repeated."""
import random
import re
import threading
import time
from dataclasses import dataclass

DEFAULTS = {"rate_429": 0.0, "retry_after": 1, "rate_500": 0.0, "torn": 0.0, "latency_ms": 0,
            "timeout_after_effect": 0.0, "duplicate_hooks": 0.0, "shuffle_hooks": False, "strict_retry": False,
            "early_grace_ms": 100, "hang_ms": 0, "methods": None, "path": None, "seed": 1}


@dataclass
class Plan:
    """What shall happen to one request; `refuse` is None, 429 or 500."""

    refuse: object = None
    latency: float = 0.0
    torn: bool = False
    vanish: bool = False
    early: bool = False


class Faults:
    """The faults in force. Rates lie between 0 and 1; the peer's own /_peer/ paths never see any."""

    def __init__(self):
        self.lock = threading.Lock()
        self.set({})

    def set(self, wanted):
        """Puts the named faults in force, all others back to none; raises ValueError on an unknown name."""
        unknown = set(wanted) - set(DEFAULTS)
        if unknown:
            raise ValueError("unknown fault: " + ", ".join(sorted(unknown)))
        with self.lock:
            self.now = {**DEFAULTS, **wanted}
            self.rng = random.Random(self.now["seed"])
            self.hook_rng = random.Random(self.now["seed"])
            self.quiet_from = self.quiet_until = 0.0
            self.pattern = re.compile(self.now["path"]) if self.now["path"] else None

    def draw(self, method, path):
        """The plan for one request; each request in scope takes four numbers from the generator."""
        with self.lock:
            now = self.now
            moment = time.monotonic()
            # Calls already under way when the 429 went out are no fault of the caller, hence the grace.
            plan = Plan(early=self.quiet_from < moment < self.quiet_until)
            if now["methods"] and method not in now["methods"] or self.pattern and not self.pattern.search(path):
                return plan
            dice = [self.rng.random() for _ in range(4)]
            plan.latency = now["latency_ms"] / 1000
            if dice[0] < now["rate_429"] or plan.early and now["strict_retry"]:
                plan.refuse = 429
                if moment >= self.quiet_until:
                    self.quiet_from = moment + now["early_grace_ms"] / 1000
                self.quiet_until = max(self.quiet_until, moment + now["retry_after"])
            elif dice[1] < now["rate_500"]:
                plan.refuse = 500
            plan.vanish = dice[2] < now["timeout_after_effect"]
            plan.torn = dice[3] < now["torn"]
            return plan

    def hooks(self, jobs):
        """The webhook calls as they shall go out: some twice, some in another order."""
        with self.lock:
            out = []
            for job in jobs:
                out += [job, job] if self.hook_rng.random() < self.now["duplicate_hooks"] else [job]
            if self.now["shuffle_hooks"]:
                self.hook_rng.shuffle(out)
            return out
