#!/usr/bin/env bash
# A Radicale CardDAV server for tests: a real address book of another maker.
#
# usage: radicale.sh setup            make the Python environment (once; needs network)
#        radicale.sh serve DIR PORT   run in the foreground with its data in DIR
#
# The environment lives under $KONTOR_CACHE (default ~/.cache/kontor). User "shop", password "open-sesame-41".
set -euo pipefail
. "$(dirname "$0")/pypi.sh"
pypi radicale 3.9.0

serve() {
    local data=$1 port=$2
    mkdir -p "$data"
    printf 'shop:open-sesame-41\n' >"$data/users"
    cat >"$data/config" <<CONFIG
[server]
hosts = 127.0.0.1:$port
max_connections = 20
[auth]
type = htpasswd
htpasswd_filename = $data/users
htpasswd_encryption = plain
delay = 0
[rights]
type = owner_only
[storage]
filesystem_folder = $data/collections
[logging]
level = info
CONFIG
    exec "$venv/bin/radicale" --config "$data/config"
}

case ${1:-} in
setup) setup ;;
serve) serve "$2" "$3" ;;
*)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
