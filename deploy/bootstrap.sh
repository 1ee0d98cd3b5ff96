#!/bin/sh
# What does a bare machine need before uv can do the rest? A virtual environment with uv in it, under build/.
#   bootstrap.sh PYTHON FOLDER UV_VERSION
set -eu
python=$1 folder=$2 version=$3

say() { printf '%s\n' "$@" >&2; }

command -v "$python" >/dev/null 2>&1 || {
    say "Python saknas: '$python' finns inte. Installera Python 3.11 eller senare, eller kör: make PYTHON=/sökväg/python3" \
        "Python is missing: there is no '$python'. Install Python 3.11 or newer, or run: make PYTHON=/path/to/python3"
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    say "$("$python" --version) är för gammal; 3.11 eller senare behövs. Kör till exempel: make PYTHON=python3.11" \
        "$("$python" --version) is too old; 3.11 or newer is needed. For example: make PYTHON=python3.11"
    exit 1
}

mkdir -p "$(dirname "$folder")"
log=$folder.log
say "Förbereder $folder (en gång) / preparing $folder (once) ..."
if ! "$python" -m venv --clear "$folder" >"$log" 2>&1; then
    # Debian ships Python without ensurepip; virtualenv carries its own pip.
    rm -rf "$folder"
    if ! { "$python" -m pip install --quiet --target "$folder.tool" virtualenv &&
        PYTHONPATH="$folder.tool" "$python" -m virtualenv --quiet "$folder"; } >>"$log" 2>&1; then
        say "En virtuell miljö kunde inte skapas. På Debian/Ubuntu: apt-get install python3-venv. Loggen: $log" \
            "No virtual environment could be made. On Debian/Ubuntu: apt-get install python3-venv. The log: $log"
        tail -n 5 "$log" >&2
        exit 1
    fi
fi
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$version" >>"$log" 2>&1 || {
    say "uv $version kunde inte hämtas från paketregistret. Loggen: $log" \
        "uv $version could not be fetched from the package registry. The log: $log"
    tail -n 5 "$log" >&2
    exit 1
}
