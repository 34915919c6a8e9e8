# A MariaDB of our own: data below DIR, a UNIX socket, no network, durable settings.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

db_name=huskyvoice
installer='' # the process group that makes the database

# Also after somebody else restarted it with the same settings.
find_database()
{
    db_socket=$run/sockets/db.sock
    if ! alive mariadb && [ -s "$dir/data/mariadbd.pid" ]; then
        cp "$dir/data/mariadbd.pid" "$dir/run/mariadb.pid"
    fi
}

# MariaDB waits for room when the disk is full, as long as it takes.
sql()
{
    timeout 60 mariadb --no-defaults --batch --skip-column-names --socket="$db_socket" \
        --user="$(id -un)" "$@" 9>&-
}

database_answers()
{
    sql -e 'SELECT 1' >/dev/null 2>&1
}

database_answers_or_died()
{
    database_answers || ! alive mariadb
}

# The database's files belong to the server's user, or to root when that user can't get there.
choose_database_user()
{
    db_user_line=''
    [ "$(id -u)" = 0 ] || return 0
    db_os_user=root
    # shellcheck disable=SC2086
    $as_user test -x "$dir" && db_os_user=$user
    db_user_line="user = $db_os_user"
}

write_database_settings()
{
    cat >"$dir/etc/my.cnf" <<END
# Made by quickstart. A database for one machine and one server.
[mariadbd]
$db_user_line
datadir = $dir/data
socket = $db_socket
pid-file = $dir/data/mariadbd.pid
tmpdir = $run/tmp
skip-networking
skip-log-bin
innodb_flush_log_at_trx_commit = 1
innodb_buffer_pool_size = 128M
innodb_log_file_size = 64M
max_connections = 300
character-set-server = utf8mb4
END
}

make_database()
{
    [ ! -d "$dir/data" ] || return 0
    step "Making a database in $dir/data"
    rm -rf "$dir/data.new"
    set -- --defaults-file="$dir/etc/my.cnf" --datadir="$dir/data.new" --skip-test-db --force \
        --auth-root-authentication-method=socket --auth-root-socket-user="$(id -un)"
    [ "$(id -u)" != 0 ] || set -- "$@" --user="$db_os_user"
    if ! install_database "$@"; then
        rm -rf "$dir/data.new"
        die_log "$dir/log/install-db.log" "the database cannot be made"
    fi
    mv "$dir/data.new" "$dir/data" || die "$dir/data cannot be made"
}

# In a process group of its own, which ends when the disk is full: by itself it would wait for room.
install_database()
{
    setsid mariadb-install-db "$@" >"$dir/log/install-db.log" 2>&1 </dev/null 9>&- &
    installer=$!
    while kill -0 "$installer" 2>/dev/null && ! grep -q 'Disk is full' "$dir/log/install-db.log"; do
        sleep 0.2
    done
    ! grep -q 'Disk is full' "$dir/log/install-db.log" || stop_installer
    installed=0
    wait "$installer" || installed=$?
    installer=''
    return "$installed"
}

stop_installer()
{
    [ -z "$installer" ] || kill -KILL "-$installer" 2>/dev/null
}

start_database()
{
    find_database
    choose_database_user
    if alive mariadb && database_answers; then
        make_database_user
        return
    fi
    end mariadb
    write_database_settings
    make_database
    rm -f "$db_socket"
    step "Starting MariaDB"
    started="mariadb $started"
    setsid mariadbd --defaults-file="$dir/etc/my.cnf" >>"$dir/log/mariadb.log" 2>&1 </dev/null 9>&- &
    record mariadb $!
    wait_for 600 database_answers_or_died
    database_answers || die_log "$dir/log/mariadb.log" "MariaDB did not start"
    make_database_user
}

# The password is made once and kept.
make_database_user()
{
    if [ ! -s "$dir/etc/database-password" ]; then
        (umask 077 && random_hex 16 >"$dir/etc/database-password")
    fi
    db_password=$(cat "$dir/etc/database-password")
    sql <<END >>"$dir/log/install-db.log" 2>&1 || die_log "$dir/log/install-db.log" "the database's user cannot be made"
CREATE DATABASE IF NOT EXISTS $db_name CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS huskyvoice@localhost IDENTIFIED BY '$db_password';
ALTER USER huskyvoice@localhost IDENTIFIED BY '$db_password';
GRANT ALL ON $db_name.* TO huskyvoice@localhost;
END
}

random_hex()
{
    od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'
}
