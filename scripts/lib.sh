# Shared by the scripts; to be sourced. Sets: root, cache, build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${KONTOR_CACHE:-$HOME/.cache/kontor}
build=${KONTOR_BUILD:-$root/.build}
mkdir -p "$cache"

say() { printf '\n== %s\n' "$*"; }

# A Python environment with packages from PyPI, kept in the cache: venv NAME PACKAGE...
# Prints its folder; rebuilt when the list of packages changes.
venv() {
    local folder=$cache/venv-$1; shift
    if [ "$(cat "$folder/packages" 2>/dev/null)" != "$*" ]; then
        rm -rf "$folder"
        python3 -m venv "$folder" >&2
        "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
        printf '%s' "$*" >"$folder/packages"
    fi
    echo "$folder"
}

# Google's discovery document of the People API, from the package that carries it.
people_discovery() {
    local folder
    folder=$(venv google google-api-python-client==2.187.0)
    echo "$folder"/lib/python3*/site-packages/googleapiclient/discovery_cache/documents/people.v1.json
}
