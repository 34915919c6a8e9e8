# The web server: a private frame (port, logs, modules) made here, around the same templates that a
# real installation uses.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

# A port that nobody listens on refuses the connection, which is curl's error 7.
port_is_free()
{
    port_check=0
    curl -s -o /dev/null --noproxy '*' --max-time 3 "http://127.0.0.1:$1/" || port_check=$?
    [ "$port_check" = 7 ]
}

check_port()
{
    if alive web && [ "$(cat "$dir/run/web.what" 2>/dev/null)" = "$server $port" ]; then
        return
    fi
    port_is_free "$port" || [ "$(cut -s -d' ' -f2 "$dir/run/web.what" 2>/dev/null)" = "$port" ] ||
        die "something listens on 127.0.0.1:$port already; --port takes another one"
}

fill()
{
    sed -e "s|@API_SOCKET@|$run/sockets/api.sock|g" \
        -e "s|@HOOKS_SOCKET@|$run/sockets/hooks.sock|g" \
        -e "s|@VOICE_SOCKET@|$run/sockets/voice.sock|g" \
        -e "s|@LIBEXEC@|$run/bin|g" \
        -e "s|@CONFIG@|$config|g" \
        -e "s|@ACCESS_LOG@|$web_logs/access.log|g" \
        -e "s|@PROCESSES@|$processes_per_pool|g" \
        -e "s|@LISTEN@|127.0.0.1:$port|g" \
        -e "s|@SERVER_NAME@|localhost|g" \
        -e "s|@FASTCGI_PARAMS@|/etc/nginx/fastcgi_params|g" \
        -e "s|@HANDLER@|${handler:-cgi-script}|g" \
        -e "s|@PROGRAM@|${program:-}|g" "$top/apache/$1"
}

# Only where root starts the web server does it have to become somebody else.
as_root_only()
{
    # shellcheck disable=SC2059
    [ "$(id -u)" != 0 ] || printf "$@"
}

apache_frame()
{
    cat <<END
ServerRoot "$run/web"
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile "$run/httpd.pid"
DefaultRuntimeDir "$run/web"
ErrorLog "$web_logs/web-error.log"
LogLevel warn
ServerTokens Prod
StartServers 1
ThreadsPerChild 64
MaxRequestWorkers 128
DocumentRoot "$run/www"
<Directory "/">
    AllowOverride None
    Require all denied
</Directory>
<Files ".ht*">
    Require all denied
</Files>
END
    as_root_only 'User %s\nGroup %s\n' "$user" "$group"
    for module in mpm_event authz_core setenvif "$@"; do
        printf 'LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' "$module" "$module"
    done
}

apache_fcgid_frame()
{
    printf 'FcgidIPCDir "%s"\nFcgidProcessTableFile "%s/table"\n' "$run/web" "$run/web"
}

# What a shared host does for its customers.
apache_htaccess_frame()
{
    cat <<END
TypesConfig /dev/null
<Directory "$run/www">
    AllowOverride FileInfo AuthConfig Options
    Options FollowSymLinks
    Require all granted
</Directory>
SetEnvIf Request_URI "^(.*)$" hv_path=\$1
SetEnvIf Request_URI "^(.*/v1/+(hooks|voice/+callbacks)/+)[^/]" hv_path=\$1(hidden)
SetEnvIf Request_URI "^(.*?)(tok_|[0-9a-f]{32})" hv_path=\$1(hidden)
LogFormat "%h %l %u %t \"%m %{hv_path}e %H\" %>s %b %D" huskyvoice
CustomLog "$web_logs/access.log" huskyvoice
END
}

write_htaccess()
{
    fill htaccess.in >"$run/www/.htaccess"
    for program in huskyvoice-api.fcgi huskyvoice-hooks.fcgi huskyvoice-voice.fcgi; do
        fill wrapper.fcgi.in >"$run/www/$program"
        chmod 755 "$run/www/$program"
    done
}

apache_settings()
{
    case $server in
    apache)
        apache_frame proxy proxy_fcgi buffer reqtimeout
        fill apache-proxy.conf.in
        ;;
    apache-fcgid)
        apache_frame fcgid alias
        apache_fcgid_frame
        fill apache-fcgid.conf.in
        ;;
    apache-cgi)
        apache_frame cgid mime rewrite
        printf 'ScriptSock "%s/cgid.sock"\n' "$run/web"
        apache_htaccess_frame
        handler=cgi-script write_htaccess
        ;;
    apache-htaccess-fcgid)
        apache_frame fcgid mime rewrite
        apache_fcgid_frame
        apache_htaccess_frame
        handler=fcgid-script
        write_htaccess
        ;;
    esac
}

lighttpd_settings()
{
    cat <<END
server.document-root = "$run/www"
server.bind = "127.0.0.1"
server.port = $port
server.upload-dirs = ( "$run/web" )
END
    as_root_only 'server.username = "%s"\nserver.groupname = "%s"\n' "$user" "$group"
    fill lighttpd.conf.in
}

nginx_settings()
{
    as_root_only 'user %s %s;\n' "$user" "$group"
    cat <<END
daemon off;
pid $run/nginx.pid;
error_log $web_logs/web-error.log;
worker_processes 2;
events { worker_connections 512; }
http {
client_body_temp_path $run/web/body;
fastcgi_temp_path $run/web/fastcgi;
proxy_temp_path $run/web/proxy;
scgi_temp_path $run/web/scgi;
uwsgi_temp_path $run/web/uwsgi;
END
    fill nginx.conf.in
    echo '}'
}

web_command()
{
    case $server in
    apache*) launch_web apache2 -D FOREGROUND -f "$run/etc/web.conf" ;;
    lighttpd) launch_web lighttpd -D -f "$run/etc/web.conf" ;;
    nginx) launch_web nginx -p "$run/web/" -e "$web_logs/web-error.log" -c "$run/etc/web.conf" ;;
    esac
}

# As whoever runs quickstart: a web server started by root gives that up by itself.
launch_web()
{
    as_user_saved=$as_user as_user=''
    launch web "$@"
    as_user=$as_user_saved
}

web_answers_or_died()
{
    ! alive web || curl -fs -o /dev/null --noproxy '*' --max-time 3 "$url/healthz"
}

# Some web servers open their logs as the server's user. Where that user cannot get to DIR, the logs
# are with what runs.
place_web_logs()
{
    web_logs=$dir/log
    # shellcheck disable=SC2086
    if ! $as_user test -x "$dir/log"; then
        web_logs=$run/web
        ln -sf "$web_logs/access.log" "$web_logs/web-error.log" "$dir/log/"
    fi
    [ -e "$web_logs/access.log" ] || : >"$web_logs/access.log"
    [ -e "$web_logs/web-error.log" ] || : >"$web_logs/web-error.log"
    give_to_user "$web_logs/access.log" "$web_logs/web-error.log"
}

start_web()
{
    place_web_logs
    url=http://127.0.0.1:$port
    case $server in
    apache*) apache_settings ;;
    lighttpd) lighttpd_settings ;;
    nginx) nginx_settings ;;
    esac >"$dir/etc/web.conf" || die "$dir/etc/web.conf cannot be written"
    if install_file "$dir/etc/web.conf" "$run/etc/web.conf" 644; then
        changed="$changed web"
    fi
    if alive web && ! is_changed web && ! web_must_restart; then
        return
    fi
    end web
    wait_for 20 port_is_free "$port" ||
        die "something listens on 127.0.0.1:$port already; --port takes another one"
    step "Starting $server on $url"
    : >"$dir/log/web.log"
    echo "$server $port" >"$dir/run/web.what"
    web_command
    wait_for 300 web_answers_or_died
    alive web || die_log "$(fullest_log)" "$server did not start"
    curl -fs -o /dev/null --noproxy '*' --max-time 10 "$url/healthz" ||
        die_log "$(fullest_log)" "$url/healthz does not answer well"
}

# Where the web server starts the responders itself, only its restart brings new ones.
web_must_restart()
{
    case $server in
    apache-*)
        is_changed settings || is_changed huskyvoice-api.fcgi ||
            is_changed huskyvoice-hooks.fcgi || is_changed huskyvoice-voice.fcgi
        ;;
    *) return 1 ;;
    esac
}

fullest_log()
{
    if [ -s "$dir/log/web.log" ]; then
        echo "$dir/log/web.log"
    else
        echo "$web_logs/web-error.log"
    fi
}
