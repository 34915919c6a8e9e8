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
    exit 1
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

# die_log FILE MESSAGE: with the last lines of a log, and with what is most often behind it.
die_log()
{
    failed_log=$1
    shift
    printf '%s: %s\n' "${me:-quickstart}" "$*" >&2
    if [ -s "$failed_log" ]; then
        printf 'The last lines of %s:\n' "$failed_log" >&2
        tail -n 15 "$failed_log" | sed 's/^/    /' >&2
    fi
    if [ "$(free_megabytes "$dir")" -lt 20 ]; then
        echo "quickstart: the disk that holds $dir is full; --dir takes another place" >&2
    fi
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
