"""Starts all four peers, each a process of its own in this process group.

python3 -m peers --data DIR --ports-file FILE [--discovery people.v1.json] [--only google,mailman]

FILE gets {"google": "http://127.0.0.1:PORT", ...} once all are ready, DIR/pids.json the process ids.
A peer that ends (a test killed it) is left dead unless --restart is given: then it comes back on its old port.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

NAMES = ("google", "woocommerce", "espocrm", "mailman")


def start(name, options, port):
    """Starts one peer; returns its process and port once it is ready."""
    command = [sys.executable, "-m", f"peers.{name}", "--data", options.data, "--host", options.host,
               "--port", str(port), "--guard"]
    if name == "google" and options.discovery:
        command += ["--discovery", options.discovery]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    words = process.stdout.readline().split()
    if words[:1] != ["ready"]:
        raise SystemExit(f"{name} did not start")
    return process, int(words[1])


def write(path, value):
    """Writes JSON so that a reader sees all of it or nothing."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


def run(options):
    """Starts the peers, writes the files, waits for SIGTERM or SIGINT."""
    names = options.only.split(",") if options.only else NAMES
    running = {name: start(name, options, options.base_port and options.base_port + i)
               for i, name in enumerate(names)}
    pids = os.path.join(options.data, "pids.json")
    write(pids, {name: process.pid for name, (process, _) in running.items()})
    write(options.ports_file, {name: f"http://{options.host}:{port}" for name, (_, port) in running.items()})
    print("ready", " ".join(f"{name}={port}" for name, (_, port) in running.items()), flush=True)
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.append(True))
    while not stopping:
        time.sleep(0.05)
        for name, (process, port) in running.items():
            if options.restart and process.poll() is not None:
                running[name] = start(name, options, port)
                write(pids, {n: p.pid for n, (p, _) in running.items()})
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python3 -m peers", description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--ports-file", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--base-port", type=int, default=0, help="four ports from here on; 0 picks free ones")
    parser.add_argument("--discovery", help="Google's people.v1.json, to judge requests and answers by")
    parser.add_argument("--only", help="names of the peers to start, comma-separated")
    parser.add_argument("--restart", action="store_true", help="bring a killed peer back on its port")
    chosen = parser.parse_args()
    os.makedirs(chosen.data, exist_ok=True)
    run(chosen)
