# What is said to the person at the terminal, and how a failure ends.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

say()
{
    printf '%s\n' "$*"
}

step()
{
    printf '== %s\n' "$*"
}

die()
{
    printf '%s: %s\n' "${me:-quickstart}" "$*" >&2
    tell_full_disk
    exit 1
}

# What is most often behind a failure of other things.
tell_full_disk()
{
    full_free=$(free_megabytes "${dir:-/nowhere}")
    if [ "${full_free:-999999}" -lt 20 ] && [ "${full_disk_told:-no}" = no ]; then
        printf '%s: the disk that holds %s is full; --dir takes another place\n' \
            "${me:-quickstart}" "$dir" >&2
    fi
}

die_usage()
{
    printf 'quickstart: %s; see sh apache/quickstart --help\n' "$*" >&2
    exit 2
}

free_megabytes()
{
    df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'
}

# die_log FILE MESSAGE: with the last lines of a log.
die_log()
{
    failed_log=$1
    shift
    printf '%s: %s\n' "${me:-quickstart}" "$*" >&2
    if [ -s "$failed_log" ]; then
        printf 'The last lines of %s:\n' "$failed_log" >&2
        tail -n 15 "$failed_log" | sed 's/^/    /' >&2
    fi
    tell_full_disk
    exit 1
}

# wait_for TENTHS COMMAND...: until the command succeeds; 1 when time is up.
wait_for()
{
    tenths=$1
    shift
    while ! "$@"; do
        tenths=$((tenths - 1))
        [ "$tenths" -gt 0 ] || return 1
        sleep 0.1
    done
}
