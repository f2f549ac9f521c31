# A server from PyPI in an environment of its own, for the scripts beside this one; to be sourced.
#   pypi NAME VERSION   sets venv, under $KONTOR_CACHE (default ~/.cache/kontor), and defines setup(), which makes it once
pypi() {
    cache=${KONTOR_CACHE:-$HOME/.cache/kontor}
    server=$1 version=$2 venv=$cache/$1-$2
}

setup() {
    mkdir -p "$cache"
    exec 9>"$cache/$server.lock"
    flock 9
    [ -x "$venv/bin/$server" ] && return
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install -q "$server==$version"
}
