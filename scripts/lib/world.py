"""A Kontor service with its peers, started for a demo or a test, and a client for its API."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Refused(Exception):
    """An answer of the API that is no success."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail') or problem.get('title')} {problem.get('errors', '')}")
        self.status = status
        self.problem = problem


class Kontor:
    """The API under a token."""

    def __init__(self, url, token):
        self.url = url
        self.token = token

    def call(self, method, path, body=None, content_type="application/json", headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if data is not None:
            request.add_header("Content-Type", content_type)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                raw = answer.read()
                return json.loads(raw) if raw else None
        except urllib.error.HTTPError as error:
            raw = error.read()
            raise Refused(error.code, json.loads(raw) if raw.startswith(b"{") else {"title": raw.decode(errors="replace")}) from None

    def get(self, path, **query):
        query = {k: v for k, v in query.items() if v is not None}
        return self.call("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path, body=None):
        return self.call("POST", path, body)

    def patch(self, path, body):
        return self.call("PATCH", path, body)

    def finished(self, run, seconds=60):
        """Waits for a run's end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.get(f"/runs/{run['id']}")
            if state["state"] not in ("staging", "queued", "running"):
                return state
            time.sleep(0.05)
        raise TimeoutError(f"run {run['id']} has not ended: {state}")


class World:
    """The processes: peers and service, in a folder of their own."""

    def __init__(self, program, folder=None, port=0):
        self.program = str(program)
        self.is_own = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="kontor-"))
        self.port = port
        self.processes = {}
        self.urls = {}

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        return self

    def __exit__(self, *_):
        for name in reversed(list(self.processes)):
            self.stop(name)
        if self.is_own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, arguments, **more):
        log = open(self.folder / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=ROOT, **more)
        return self.processes[name]

    def stop(self, name, how=signal.SIGTERM):
        process = self.processes.pop(name)
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait_for(self, path, process, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if path.exists() and path.read_text().strip():
                return path.read_text()
            if process.poll() is not None:
                break
            time.sleep(0.05)
        tail = "\n".join((self.folder / f"{n}.log").read_text(errors="replace")[-2000:] for n in self.processes)
        raise RuntimeError(f"{path.name} did not appear:\n{tail}")

    def start_peers(self):
        ports = self.folder / "peers.json"
        ports.unlink(missing_ok=True)
        command = [sys.executable, "-m", "peers", "--data", str(self.folder / "peers"), "--ports-file", str(ports), "--restart"]
        discovery = os.environ.get("KONTOR_PEOPLE_DISCOVERY")
        if discovery:
            command += ["--discovery", discovery]
        self.urls = json.loads(self.wait_for(ports, self.start("peers", command)))
        return self.urls

    def start_service(self):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        process = self.start("kontor", [
            self.program, "serve", "--data", str(self.folder / "kontor"), "--port", str(self.port), "--port-file", str(port_file),
            "--allow-networks", "127.0.0.0/8"])
        self.port = int(self.wait_for(port_file, process))
        return f"http://127.0.0.1:{self.port}"

    def make_owner(self, tenant, email, password):
        """The owner's account of a tenant: its API client, signed in."""
        made = subprocess.run(
            [self.program, "tenant", "owner", tenant, email, "--data", str(self.folder / "kontor"), "--log", "warning"],
            input=password + "\n", capture_output=True, text=True, cwd=ROOT)
        if made.returncode:
            raise RuntimeError(made.stderr)
        return self.sign_in(tenant, email, password)

    def sign_in(self, tenant, email, password):
        anybody = Kontor(f"http://127.0.0.1:{self.port}", "")
        made = anybody.post("/sessions", {"tenant": tenant, "email": email, "password": password})
        return Kontor(anybody.url, made["token"])

    def make_person(self, owner, role, email, name, password, language="en"):
        """A member of staff who has accepted the invitation; their number."""
        roles = {one["name"]: one["id"] for one in owner.get("/roles")["items"]}
        made = owner.post("/staff", {"email": email, "name": name, "role": roles[role], "language": language, "mail": False})
        Kontor(owner.url, "").post("/invitations", {"token": made["token"], "password": password})
        return made["id"]

    def make_tenant(self, name, country="PL"):
        """A tenant's API client."""
        made = subprocess.run(
            [self.program, "tenant", "create", name, "--country", country, "--data", str(self.folder / "kontor"), "--log", "warning"],
            capture_output=True, text=True, cwd=ROOT)
        if made.returncode:
            raise RuntimeError(made.stderr)
        return Kontor(f"http://127.0.0.1:{self.port}", json.loads(made.stdout)["token"])
