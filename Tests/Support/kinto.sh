#!/usr/bin/env bash
# A Kinto server for tests, with its data in memory.
#
# usage: kinto.sh setup            make the Python environment (once; needs network)
#        kinto.sh serve DIR PORT   run in the foreground with its settings in DIR
#
# The environment lives under $KONTOR_CACHE (default ~/.cache/kontor). Anybody may make accounts, and who has one may
# make buckets. Listings come in pages of 20, whatever is asked for.
set -euo pipefail
. "$(dirname "$0")/pypi.sh"
pypi kinto 26.5.0

# One thread: by its source the memory backend compares If-Match and writes in two steps.
serve() {
    local data=$1 port=$2
    mkdir -p "$data"
    cat >"$data/kinto.ini" <<CONFIG
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = $port
threads = 1
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.userid_hmac_secret = tests-only
kinto.paginate_by = 20
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = system.Authenticated
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
CONFIG
    exec "$venv/bin/kinto" start --ini "$data/kinto.ini" --port "$port"
}

case ${1:-} in
setup) setup ;;
serve) serve "$2" "$3" ;;
*)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
