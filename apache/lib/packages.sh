# Finds out what is missing and installs it where that is possible: as root, or through sudo.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing=''

need_command()
{
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need_file()
{
    [ -e "$1" ] || missing="$missing $2"
}

need_library()
{
    if ! command -v pkg-config >/dev/null 2>&1 || ! pkg-config --exists "$1"; then
        missing="$missing $2"
    fi
}

need_for_build()
{
    need_command gcc gcc
    need_command make make
    need_command autoreconf autoconf
    need_command aclocal automake
    need_command pkg-config pkg-config
    need_file /usr/include/stdio.h libc6-dev
    need_library fcgi libfcgi-dev
    need_library json-c libjson-c-dev
    need_library libmariadb libmariadb-dev
    need_library libcrypto libssl-dev
    need_library libcurl libcurl4-openssl-dev
}

need_for_server()
{
    case $1 in
    apache* ) need_command apache2 apache2-bin ;;
    esac
    case $1 in
    *fcgid) need_file /usr/lib/apache2/modules/mod_fcgid.so libapache2-mod-fcgid ;;
    lighttpd) need_command lighttpd lighttpd ;;
    nginx) need_command nginx nginx ;;
    esac
    case $1 in
    apache | lighttpd | nginx)
        need_command spawn-fcgi spawn-fcgi
        need_command multiwatch multiwatch
        ;;
    esac
}

# Libraries that the programs of somebody else's build need are there already.
# $also_needed: a function with more needs, if any.
collect_missing()
{
    missing=''
    need_command curl curl
    need_file /etc/ssl/certs/ca-certificates.crt ca-certificates
    need_command flock util-linux
    need_command mariadbd mariadb-server-core
    need_command mariadb-install-db mariadb-server-core
    need_command mariadb mariadb-client-core
    need_for_server "$server"
    [ -n "$programs" ] || need_for_build
    "${also_needed:-true}"
    # shellcheck disable=SC2086
    missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
    missing=${missing% }
}

need_packages()
{
    collect_missing
    [ -n "$missing" ] || return 0
    as_root=''
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=sudo
        else
            tell_missing
        fi
    fi
    command -v apt-get >/dev/null 2>&1 || tell_missing
    step "Installing $missing"
    install_packages || tell_missing
    collect_missing
    [ -z "$missing" ] || tell_missing
}

tell_missing()
{
    die "these packages are missing; install them and start again:

    sudo apt-get update && sudo apt-get install --no-install-recommends $missing
"
}

# Servers that Debian would start as it installs them stay down: this needs only their programs.
install_packages()
{
    policy=/usr/sbin/policy-rc.d
    made_policy=no
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null &&
            $as_root chmod 755 "$policy" && made_policy=yes
    fi
    installed=0
    apt_log=$(mktemp) || return 1
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get install -y --no-install-recommends "$@" && exit 0
        apt-get update && apt-get install -y --no-install-recommends "$@"' apt $missing \
        >"$apt_log" 2>&1 || installed=1
    [ "$installed" = 0 ] || tail -n 15 "$apt_log" >&2
    rm -f "$apt_log"
    [ "$made_policy" = no ] || $as_root rm -f "$policy"
    return "$installed"
}
