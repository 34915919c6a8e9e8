# Processes of our own: started in the background as the server's user, recorded by pid in
# DIR/run/NAME.pid, and ended by that pid after making sure that it is still the same program.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

started='' # names that this run started, newest first

pid_of()
{
    [ -s "$dir/run/$1.pid" ] && tr -dc '0-9' <"$dir/run/$1.pid"
}

# Ours when its command line names a file of this state folder, as all that we start do.
alive()
{
    alive_pid=$(pid_of "$1") || return 1
    [ -r "/proc/$alive_pid/cmdline" ] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$alive_pid/cmdline" | grep -qF -e "$dir/" -e "$run/"
}

ended()
{
    ! alive "$1"
}

# launch NAME COMMAND...: in the background, as the server's user, with log/NAME.log.
launch()
{
    launch_name=$1
    shift
    started="$launch_name $started"
    # shellcheck disable=SC2086
    setsid $as_user "$@" >>"$dir/log/$launch_name.log" 2>&1 </dev/null 9>&- &
    record "$launch_name" $!
}

# record NAME PID: and waits until the child is the program, no longer a copy of this shell.
record()
{
    echo "$2" >"$dir/run/$1.pid"
    wait_for 100 has_begun "$1" "$2"
}

has_begun()
{
    alive "$1" || [ "$(tr -d '\0' 2>/dev/null <"/proc/$2/cmdline" | wc -c)" -eq 0 ]
}

# end NAME [TENTHS]: TERM, and KILL when that was not enough.
end()
{
    if alive "$1"; then
        end_pid=$(pid_of "$1")
        kill -TERM "$end_pid" 2>/dev/null
        # A stopped process does not see TERM before it goes on.
        kill -CONT "$end_pid" 2>/dev/null
        wait_for "${2:-350}" ended "$1" || kill -KILL "$end_pid" 2>/dev/null
        wait_for 50 ended "$1" || say "quickstart: $1 (pid $end_pid) does not end" >&2
    fi
    rm -f "$dir/run/$1.pid"
}

# The order matters: whoever takes work first, the database last.
stop_everything()
{
    find_database
    for name in web dispatcher api hooks voice receiver mariadb; do
        end "$name"
    done
    forget_run
}

stop_started()
{
    stop_installer
    for name in $started; do
        end "$name" 100
    done
    for pid_file in "$dir"/run/*.pid; do
        [ ! -e "$pid_file" ] || return 0
    done
    forget_run
}

# From here on a failure, or ^C, ends again what this run has started.
stop_on_failure()
{
    trap 'failed=$?; trap - EXIT; stop_started; exit "$failed"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

keep_what_runs()
{
    trap - EXIT
}
