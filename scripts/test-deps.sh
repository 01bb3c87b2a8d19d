#!/bin/sh
# The servers that tests need: databases and registries as the system's packages. None is left
# running and none starts at boot: tests start their own, on free ports.
#
#   scripts/test-deps.sh            install what is missing (root)
#   scripts/test-deps.sh auto STAMP the same where it may; elsewhere a word about it. Touches STAMP
#                                   when everything is there.
#   scripts/test-deps.sh allowed    exit code 0 where "auto" installs: as root in a container or
#                                   under CI, or with TINYQQ_INSTALL=1
set -eu

say() { printf '%s\n' "$*" >&2; }

here=${0%/*}
[ "$here" != "$0" ] || here=.
servers=$here/../src/tinyqq/lab/servers

has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing_packages() {
    grep -v '^#' "$servers/packages.txt" | while read -r _ thing package; do
        has "$thing" || echo "$package"
    done | sort -u | tr '\n' ' '
}

in_container() {
    [ -e /.dockerenv ] || [ -e /run/.containerenv ] || [ -n "${container:-}" ] ||
        grep -q -E 'docker|containerd|kubepods|lxc' /proc/1/cgroup 2>/dev/null
}

allowed() {
    [ "${TINYQQ_INSTALL:-}" = 1 ] || [ -n "${CI:-}" ] || { [ "$(id -u)" = 0 ] && in_container; }
}

mode=${1:-install}
if [ "$mode" = allowed ]; then
    allowed
    exit
fi
packages=$(missing_packages)
if [ -n "$packages" ] && { [ "$mode" = install ] || allowed; }; then
    # shellcheck disable=SC2086
    "$servers/install.sh" $packages
    packages=$(missing_packages)
    [ -z "$packages" ] || { say "Still missing: $packages"; exit 1; }
fi
if [ "$mode" = auto ]; then
    [ -n "$packages" ] || touch "$2"
fi
