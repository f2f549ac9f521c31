#!/usr/bin/env bash
# A Xandikos CardDAV server for tests: it differs from Radicale in sync tokens, XML prefixes, and has
# no login of its own.
#
# usage: xandikos.sh setup            make the Python environment (once; needs network)
#        xandikos.sh serve DIR PORT   run in the foreground with its data in DIR
#
# The environment lives under $KONTOR_CACHE (default ~/.cache/kontor). Principal "/shop/".
set -euo pipefail
. "$(dirname "$0")/pypi.sh"
pypi xandikos 0.4.10

serve() {
    local data=$1 port=$2
    mkdir -p "$data"
    exec "$venv/bin/xandikos" serve -d "$data/dav" -l 127.0.0.1 -p "$port" \
        --current-user-principal /shop/ --defaults --autocreate
}

case ${1:-} in
setup) setup ;;
serve) serve "$2" "$3" ;;
*)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
