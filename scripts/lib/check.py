"""Checks the tree: imports between rooms, sizes of files, links in the docs. Exit status 1 with findings."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Which rooms a room may import (docs/architecture.md).
MAY = {
    "CCurl": set(),
    "Cryptography": {"CLibcrypto"},
    "Postgres": {"CLibpq", "CHost"},
    "Hub": {"CPhone"},
    "Store": {"Postgres", "Hub", "Cryptography"},
    "ConnectorKit": {"Hub", "Cryptography", "CCurl", "CLibcurl"},
    "Connectors": {"ConnectorKit", "Hub", "Cryptography"},
    "Relay": {"Store", "ConnectorKit", "Hub"},
    "Web": {"Store", "Hub", "Cryptography"},
}
ROOMS = set(MAY) | {"CLibpq", "CLibcurl", "CLibcrypto", "CPhone", "CHost", "Kontor", "Bench"}
IMPORT = re.compile(r"^\s*(?:(?:public|internal|private|package|@testable)\s+)*import\s+(?:\w+\s+)?(\w+)", re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
MOST_LINES = 500


def imports():
    for room, allowed in MAY.items():
        for path in sorted((ROOT / "Sources" / room).rglob("*.swift")):
            for name in IMPORT.findall(path.read_text()):
                if name in ROOMS and name not in allowed | {room}:
                    yield f"{path.relative_to(ROOT)}: {room} may not import {name}"


def sizes():
    for folder in ("Sources", "Tests", "peers"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".swift", ".py") and len(path.read_text().splitlines()) > MOST_LINES:
                yield f"{path.relative_to(ROOT)}: more than {MOST_LINES} lines"


def links():
    for path in sorted(p for p in ROOT.rglob("*.md") if not any(part.startswith(".build") for part in p.parts)):
        for target in LINK.findall(path.read_text()):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                yield f"{path.relative_to(ROOT)}: the link {target} leads nowhere"


def main():
    findings = [*imports(), *sizes(), *links()]
    for finding in findings:
        print("check:", finding)
    print(f"check: imports, sizes and links: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
