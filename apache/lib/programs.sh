# The programs: copied from the build, so that a later build changes nothing under them; their
# settings; and the pools, the dispatcher and the receiver.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

changed='' # programs, and "settings", that are not what runs now

is_changed()
{
    case " $changed " in
    *" $1 "*) return 0 ;;
    esac
    return 1
}

# install_file FROM TO MODE: 0 when TO has changed; what runs keeps the old file.
install_file()
{
    [ -e "$1" ] || die "there is no $1"
    ! cmp -s "$1" "$2" || return 1
    cp "$1" "$2.new" && chmod "$3" "$2.new" && mv -f "$2.new" "$2" || die "$2 cannot be written"
}

install_programs()
{
    programs=$(CDPATH='' cd -- "$programs" && pwd -P) || die "there is no folder for --programs"
    for program in huskyvoice-api.fcgi huskyvoice-hooks.fcgi huskyvoice-voice.fcgi \
        huskyvoice-dispatch huskyvoice-admin huskyvoice-receiver; do
        if install_file "$programs/$program" "$run/bin/$program" 755; then
            changed="$changed $program"
        fi
    done
    for migration in "$top"/sql/migrations/*.sql; do
        install_file "$migration" "$run/migrations/$(basename "$migration")" 644
    done
}

settings_of_quickstart()
{
    cat <<END
public_url = http://127.0.0.1:$port
key_file = $run/etc/keys
runtime_dir = $run/sockets
migrations_dir = $run/migrations
database_hosts = unix:$db_socket
database_name = $db_name
database_user = huskyvoice
database_password = $db_password
deliver_allow_cidrs = 127.0.0.0/8
simulator_ring = 1s
simulator_talk = 2s
END
}

# Later lines win over earlier ones of the same name; the order stays.
merge_settings()
{
    awk '
        /^[ \t]*(#|$)/ { next }
        {
            at = index($0, "=")
            name = substr($0, 1, at - 1); gsub(/[ \t]/, "", name)
            value = substr($0, at + 1); gsub(/^[ \t]+|[ \t]+$/, "", value)
            if (!(name in values)) order[++n] = name
            values[name] = value
        }
        END { for (i = 1; i <= n; i++) print order[i] " = " values[order[i]] }'
}

write_settings()
{
    if [ ! -e "$dir/etc/local.conf" ]; then
        echo "# Your own settings (huskyvoice.conf(5)); they win over those of quickstart." \
            >"$dir/etc/local.conf"
    fi
    if [ ! -s "$dir/etc/keys" ]; then
        make_key_file
    fi
    config=$run/etc/huskyvoice.conf
    umask 077
    {
        settings_of_quickstart
        cat "$dir/etc/local.conf"
        printf '%s' "$settings"
    } | merge_settings >"$dir/etc/settings" || die "$dir/etc/settings cannot be written"
    install_file "$dir/etc/keys" "$run/etc/keys" 600
    if install_file "$dir/etc/settings" "$config" 600; then
        changed="$changed settings"
    fi
    umask 022
    give_to_user "$run/etc/keys" "$config"
}

make_key_file()
{
    "$run/bin/huskyvoice-admin" keyfile create "$dir/etc/keys" >"$dir/log/admin.log" 2>&1 ||
        die_log "$dir/log/admin.log" "the key file cannot be made"
}

admin()
{
    "$run/bin/huskyvoice-admin" --config "$config" "$@" 2>>"$dir/log/admin.log" 9>&-
}

migrate()
{
    : >"$dir/log/admin.log"
    admin migrate >>"$dir/log/admin.log" || die_log "$dir/log/admin.log" "the schema cannot be made"
}

processes_per_pool=8
hooks_processes=4

start_pool() # NAME PROCESSES
{
    pool=$1 pool_processes=$2
    if alive "$pool" && ! is_changed settings && ! is_changed "huskyvoice-$pool.fcgi"; then
        return
    fi
    end "$pool"
    rm -f "$run/sockets/$pool.sock"
    launch "$pool" env HUSKYVOICE_CONFIG="$config" spawn-fcgi -n -s "$run/sockets/$pool.sock" \
        -M 0660 -b 1024 -- "$(command -v multiwatch)" -f "$pool_processes" -s TERM -- \
        "$run/bin/huskyvoice-$pool.fcgi"
    wait_for 100 test -S "$run/sockets/$pool.sock" ||
        die_log "$dir/log/$pool.log" "the pool huskyvoice-$pool.fcgi did not start"
}

start_programs()
{
    step "Starting responders and dispatcher"
    case $server in
    apache | lighttpd | nginx)
        start_pool api "$processes_per_pool"
        start_pool hooks "$hooks_processes"
        start_pool voice "$processes_per_pool"
        ;;
    *) # the web server starts them
        end api
        end hooks
        end voice
        ;;
    esac
    start_dispatcher
}

start_dispatcher()
{
    if [ "$want_dispatcher" = no ]; then
        end dispatcher
    elif ! alive dispatcher || is_changed settings || is_changed huskyvoice-dispatch; then
        end dispatcher
        launch dispatcher "$run/bin/huskyvoice-dispatch" --config "$config"
    fi
}

# Only a dispatcher has something for it.
start_receiver()
{
    if [ "$want_dispatcher" = no ]; then
        end receiver
        return
    fi
    if alive receiver && ! is_changed huskyvoice-receiver && [ "$new_webhook" = no ]; then
        return
    fi
    end receiver
    printf '%s\n' "$webhook_secret" >"$run/etc/webhook-secret"
    give_to_user "$run/etc/webhook-secret"
    chmod 600 "$run/etc/webhook-secret"
    launch receiver "$run/bin/huskyvoice-receiver" --port "$receiver_port" \
        --secret-file "$run/etc/webhook-secret"
    wait_for 50 receiver_answers_or_died
    alive receiver || die_log "$dir/log/receiver.log" "the receiver of webhooks did not start"
    alive dispatcher || die_log "$dir/log/dispatcher.log" "the dispatcher did not start"
}

receiver_answers_or_died()
{
    ! alive receiver || curl -s -o /dev/null "http://127.0.0.1:$receiver_port/"
}
