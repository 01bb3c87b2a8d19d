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

# One line each: what must be there (a program, or a file with its path), and its Debian package.
needs() {
    cat <<'END'
mariadbd                                        mariadb-server
mariadb-install-db                              mariadb-server
/usr/lib/galera/libgalera_smm.so                mariadb-server
rsync                                           rsync
/usr/lib/mysql/plugin/ha_spider.so              mariadb-plugin-spider
redis-server                                    redis-server
redis-cli                                       redis-tools
java                                            default-jre-headless
/usr/share/java/zookeeper.jar                   zookeeper
/usr/share/java/slf4j-simple.jar                libslf4j-java
nginx                                           nginx
/usr/lib/nginx/modules/ngx_stream_module.so     libnginx-mod-stream
END
}

has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
    esac
}

missing_packages() {
    needs | while read -r thing package; do
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

install() { # packages
    if ! command -v apt-get >/dev/null 2>&1; then
        say "This script installs by apt-get, which is not here. With Homebrew:"
        say "  brew install mariadb redis zookeeper nginx"
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || { say "Needs root: $*"; exit 1; }
        exec sudo -n "$0"
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
    set -- -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
    say "Installing the servers that tests need:$(missing_packages | sed 's/^/ /')"
    apt-get update -qq
    apt-get install "$@" >/dev/null
    if [ -d /run/systemd/system ]; then
        for unit in mariadb redis-server nginx; do # those that are new, see above
            case " $* " in *" $unit "* | *" $unit-server "*) systemctl -q disable "$unit" ;; esac
        done
    fi
}

mode=${1:-install}
if [ "$mode" = allowed ]; then
    allowed
    exit
fi
packages=$(missing_packages)
if [ -n "$packages" ] && { [ "$mode" = install ] || allowed; }; then
    # shellcheck disable=SC2086
    install $packages
    packages=$(missing_packages)
    [ -z "$packages" ] || { say "Still missing: $packages"; exit 1; }
fi
if [ "$mode" = auto ]; then
    [ -n "$packages" ] || touch "$2"
fi
