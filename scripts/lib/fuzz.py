"""Has schemathesis try the API of a service made for it."""

import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from world import World  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kontor", required=True, help="the program")
    options = parser.parse_args()
    with World(options.kontor) as world:
        url = world.start_service()
        kontor = world.make_tenant("fuzz")
        environment = {**os.environ, "KONTOR_URL": url, "KONTOR_TOKEN": kontor.token}
        return subprocess.run(["sh", str(ROOT / "Tests/Support/schemathesis.sh")], env=environment, cwd=world.folder).returncode


if __name__ == "__main__":
    sys.exit(main())
