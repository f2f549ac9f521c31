"""Starting a peer from the command line."""
import argparse
import os
import signal
import sys
import threading

from .store import Store
from .web import Server


def parser_for(peer_class):
    """The command line of one peer: common options and one option for each setting."""
    parser = argparse.ArgumentParser(prog=f"python3 -m peers.{peer_class.name}", description=peer_class.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", required=True, help="folder for the state")
    parser.add_argument("--guard", action="store_true", help="end when standard input closes")
    for name, default in peer_class.SETTINGS.items():
        option = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(option, action=argparse.BooleanOptionalAction, default=None)
        else:
            parser.add_argument(option, type=type(default), default=None, help=f"default {default}")
    return parser


def build(peer_class, data, host="127.0.0.1", port=0, **settings):
    """A listening server with its peer, not yet serving; starts the peer's webhook thread when it has one."""
    os.makedirs(data, exist_ok=True)
    peer = peer_class(Store(os.path.join(data, f"{peer_class.name}.db")), settings)
    server = Server(host, port, peer)
    peer.base_url = f"http://{host}:{server.server_address[1]}"
    if peer.hooks:
        peer.hooks.start()
    return server


def main(peer_class, arguments=None):
    """Runs one peer until SIGTERM or SIGINT; prints `ready PORT` once it listens."""
    options = vars(parser_for(peer_class).parse_args(arguments))
    settings = {name: options[name] for name in peer_class.SETTINGS if options[name] is not None}
    server = build(peer_class, options["data"], options["host"], options["port"], **settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    if options["guard"]:
        threading.Thread(target=_end_with_input, daemon=True).start()
    print("ready", server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.1)


def _end_with_input():
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)
