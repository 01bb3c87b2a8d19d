#!/bin/sh
# Makes .venv ready: `scripts/setup.sh run` for running, `scripts/setup.sh dev` for the checks too.
# Called by the Makefile when pyproject.toml or uv.lock is newer than the last set-up.
set -eu

kind=$1
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

install_line() { # apt's packages, brew's package
    if command -v apt-get >/dev/null 2>&1; then
        say "  sudo apt-get update && sudo apt-get install -y $1"
    elif command -v brew >/dev/null 2>&1; then
        say "  brew install $2"
    else
        say "  Debian, Ubuntu:  sudo apt-get install -y $1"
        say "  macOS:           brew install $2"
    fi
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && { echo "$PYTHON"; return; }
        say "PYTHON=$PYTHON is not a Python of version 3.11 or newer."
        exit 1
    fi
    for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
    say "TinyQQ needs Python 3.11 or newer. Install it with:"
    install_line "python3 python3-venv" "python@3.13"
    say "or name one that you have:  make PYTHON=/path/to/python3.12 ..."
    exit 1
}

make_venv() {
    python=$(find_python)
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$python has no venv module. Install it with:"
        install_line "python$version-venv" "python@$version"
        exit 1
    fi
    say "Making .venv with $("$python" -V) ..."
    rm -rf .venv
    "$python" -m venv .venv
}

# The lock file's exact versions, by uv; --inexact leaves pip and uv themselves in place.
install_by_uv() {
    if ! [ -x .venv/bin/uv ]; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check uv || return 1
    fi
    UV_PROJECT_ENVIRONMENT=.venv .venv/bin/uv sync --quiet --frozen --inexact "$@"
}

install_by_pip() {
    say "uv cannot install here; falling back to pip (versions by pyproject.toml, not by the lock)."
    if [ "$kind" = dev ]; then
        .venv/bin/python -c '
import tomllib
with open("pyproject.toml", "rb") as file:
    print("\n".join(tomllib.load(file)["dependency-groups"]["dev"]))' >.venv/dev-requirements.txt
        set -- -r .venv/dev-requirements.txt
    else
        set --
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e . "$@"
}

is_new_enough .venv/bin/python || make_venv
say "Installing what TinyQQ needs into .venv ..."
if [ "$kind" = dev ]; then
    install_by_uv --group dev || install_by_pip
else
    install_by_uv --no-dev || install_by_pip
fi
