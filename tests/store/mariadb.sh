#!/bin/sh
# mariadb.sh start|stop DIR - a private MariaDB for tests: data and UNIX socket in DIR, no network,
# durable as a real one, user root without a password. Prints the socket's path when it is ready.
set -eu

fail() {
    echo "mariadb.sh: $*" >&2
    exit 1
}

[ $# -eq 2 ] || fail "usage: mariadb.sh start|stop DIR"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
socket=$dir/mysqld.sock
pidfile=$dir/mysqld.pid
[ ${#socket} -lt 107 ] || fail "$socket is too long for a socket's path"

find_program() {
    for name in "$@"; do
        for folder in $(echo "$PATH" | tr : ' ') /usr/sbin /usr/libexec /usr/local/sbin; do
            [ -x "$folder/$name" ] && echo "$folder/$name" && return
        done
    done
    fail "no $1 found"
}

alive() {
    [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null
}

start() {
    alive && fail "already running in $dir"
    server=$(find_program mariadbd mysqld)
    user=
    [ "$(id -u)" -ne 0 ] || user=--user=root
    rm -f "$socket" "$pidfile"
    if [ ! -d "$dir/data/mysql" ]; then
        "$(find_program mariadb-install-db mysql_install_db)" --no-defaults $user \
            --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db \
            >"$dir/install.log" 2>&1 || fail "see $dir/install.log"
    fi
    # shellcheck disable=SC2086 # $user is one word or none; EXTRA_OPTIONS are words
    "$server" --no-defaults $user --datadir="$dir/data" --socket="$socket" --pid-file="$pidfile" \
        --skip-networking --log-error="$dir/error.log" --tmpdir="$dir" \
        --innodb-buffer-pool-size=128M --innodb-log-file-size=64M \
        --innodb-flush-log-at-trx-commit=1 --log-bin="$dir/data/binlog" --sync-binlog=1 \
        --binlog-format=ROW --server-id=1 --max-connections=200 \
        --character-set-server=utf8mb4 ${MARIADB_EXTRA_OPTIONS:-} >"$dir/stdout.log" 2>&1 &
    pid=$!
    admin=$(find_program mariadb-admin mysqladmin)
    deadline=$(($(date +%s) + 60))
    until "$admin" --no-defaults --socket="$socket" --user=root ping >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || fail "the server ended; see $dir/error.log"
        [ "$(date +%s)" -lt "$deadline" ] || fail "not ready after 60 s; see $dir/error.log"
        sleep 0.05
    done
    echo "$socket"
}

stop() {
    [ -s "$pidfile" ] || return 0
    pid=$(cat "$pidfile")
    kill "$pid" 2>/dev/null || return 0
    deadline=$(($(date +%s) + 60))
    while kill -0 "$pid" 2>/dev/null; do
        [ "$(date +%s)" -lt "$deadline" ] || fail "$pid does not end"
        sleep 0.05
    done
}

case $1 in
start) start ;;
stop) stop ;;
*) fail "usage: mariadb.sh start|stop DIR" ;;
esac
