"""The /_peer/ surface: state, seed, faults, settings, journals, reset. Never touched by faults."""
from .messages import json_answer

JOURNALS = ("effects", "refused", "early", "hooks", "crashes")


def control(peer, request):
    """Answers one request under /_peer/; a mistake in it is a 400 with the reason."""
    action = ACTIONS.get((request.method, request.path.removeprefix("/_peer/")))
    if action is None:
        return json_answer(404, {"error": f"no {request.method} {request.path}",
                                 "have": sorted(f"{m} /_peer/{p}" for m, p in ACTIONS)})
    try:
        return json_answer(200, action(peer, request))
    except (ValueError, KeyError, TypeError) as error:
        return json_answer(400, {"error": f"{type(error).__name__}: {error}"})


def _state(peer, request):
    with peer.store.lock:
        state = peer.state()
    kind = request.get("kind")
    return {kind: state.get(kind, [])} if kind else state


def _log(peer, request):
    after = int(request.get("after", "0"))
    out = {part: peer.store.notes(part, after) for part in JOURNALS}
    out["counts"] = {part: len(out[part]) for part in JOURNALS}
    return out


def _seed(peer, request):
    with peer.store.tx():
        return peer.seed(request.json())


def _faults(peer, request):
    peer.faults.set(request.json())
    return peer.faults.now


def _settings(peer, request):
    if request.method == "POST":
        peer.change_settings(request.json())
    return {name: peer.setting(name) for name in peer.SETTINGS}


def _reset(peer, request):
    with peer.store.tx():
        peer.store.reset()
        peer.prepare()
    peer.faults.set({})
    return {"reset": True}


ACTIONS = {
    ("GET", "state"): _state,
    ("GET", "log"): _log,
    ("GET", "faults"): lambda peer, request: peer.faults.now,
    ("POST", "faults"): _faults,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _settings,
    ("GET", "violations"): lambda peer, request: {"violations": peer.store.notes("violations")},
    ("POST", "seed"): _seed,
    ("POST", "reset"): _reset,
    ("GET", "health"): lambda peer, request: {"peer": peer.name, "ok": True},
}
