#!/bin/sh
# Installs the packages that are named, on Debian and Ubuntu, as root or by sudo. None of their
# services is left running, and none starts at boot.
set -eu

say() { printf '%s\n' "$*" >&2; }

if ! command -v apt-get >/dev/null 2>&1; then
    say "This installs by apt-get, which is not here. With Homebrew:"
    say "  brew install mariadb redis zookeeper nginx"
    exit 1
fi
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || { say "Needs root: $*"; exit 1; }
    exec sudo -n /bin/sh "$0" "$@"
fi

# With this answer packages start no service; whoever has a policy already keeps it.
policy=/usr/sbin/policy-rc.d
if ! [ -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
say "Installing $*"
apt-get update -qq
apt-get install -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" >/dev/null
if [ -d /run/systemd/system ]; then
    for unit in mariadb redis-server nginx; do # those that are new
        case " $* " in *" $unit "* | *" $unit-server "*) systemctl -q disable "$unit" ;; esac
    done
fi
