# The state folder, and the folder for what runs.
#
# $dir   everything that is kept: data/ (the database), etc/, build/, log/, run/NAME.pid
# $run   what the running programs read, made anew after each --stop: bin/, etc/, migrations/,
#        www/, and those that they may write to: sockets/, web/, tmp/. It is DIR/live, or a folder
#        below /tmp when that is too deep for the path of a UNIX socket (107 bytes) or out of reach of
#        the user that a server of root's runs as.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

# Root's servers run as another user; anybody else's as that person.
choose_user()
{
    user=$(id -un) group=$(id -gn) as_user=''
    if [ "$(id -u)" = 0 ]; then
        user=www-data
        id "$user" >/dev/null 2>&1 || user=nobody
        group=$(id -gn "$user")
        as_user="setpriv --reuid=$user --regid=$group --init-groups --"
    fi
}

give_to_user()
{
    [ "$(id -u)" != 0 ] || chown "$user:$group" "$@"
}

open_state()
{
    choose_user
    mkdir -p "$dir" 2>/dev/null || die "the folder $dir cannot be made"
    dir=$(CDPATH='' cd -- "$dir" && pwd -P) || exit 1
    lock_state
    mkdir -p "$dir/run" "$dir/log" "$dir/etc" || die "nothing can be written to $dir"
    chmod 755 "$dir" && chmod 700 "$dir/etc"
    choose_run
    mkdir -p "$run/bin" "$run/etc" "$run/migrations" "$run/www" "$run/web" "$run/tmp" \
        "$run/sockets/wake" || die "nothing can be written to $run"
    give_to_user "$run/sockets" "$run/sockets/wake" "$run/web" "$run/tmp"
}

# For --stop: nothing is made.
open_existing_state()
{
    choose_user
    dir=$(CDPATH='' cd -- "$dir" && pwd -P) || exit 1
    lock_state
    find_run
}

lock_state()
{
    exec 9>"$dir/lock" || die "nothing can be written to $dir"
    flock -w 60 9 || die "another quickstart works in $dir"
}

find_run()
{
    run=$dir/live
    if [ -s "$dir/run/elsewhere" ]; then
        run=$(cat "$dir/run/elsewhere")
    fi
}

choose_run()
{
    find_run
    if [ "$run" != "$dir/live" ]; then
        [ -d "$run" ] && [ -O "$run" ] && return
        run=$dir/live
    fi
    mkdir -p "$run" && chmod 755 "$run" || die "nothing can be written to $dir"
    # The longest: sockets/wake/PID.sock
    # shellcheck disable=SC2086
    if [ "${#run}" -gt 75 ] || ! $as_user test -r "$run"; then
        run=$(mktemp -d /tmp/huskyvoice-XXXXXX) || die "no folder can be made in /tmp"
        chmod 755 "$run"
        echo "$run" >"$dir/run/elsewhere"
    fi
}

forget_run()
{
    rm -rf "$dir/live"
    case $run in
    /tmp/huskyvoice-??????) [ ! -O "$run" ] || rm -rf "$run" ;;
    esac
    rm -f "$dir/run/elsewhere"
}

check_room()
{
    need_megabytes=150 full_disk_told=no
    [ -d "$dir/data" ] || need_megabytes=450
    free=$(free_megabytes "$dir")
    [ "${free:-999999}" -ge "$need_megabytes" ] || full_disk_told=yes
    [ "$full_disk_told" = no ] ||
        die "the disk that holds $dir is full: $free MB are free, $need_megabytes MB are needed; --dir takes another place"
}
