# Builds from a copy of the sources, so that a source folder that is configured itself, or not
# writable, does no harm. tests/run builds through here too.
# shellcheck shell=sh disable=SC2154,SC2034,SC2015

# copy_sources FROM TO: what the build needs; times are kept, so nothing is rebuilt needlessly.
copy_sources()
{
    mkdir -p "$2" || return 1
    (cd "$1" && tar -cf - --exclude=run.d --exclude=node_modules --exclude='*.o' --exclude='*.a' \
        --exclude=.deps --exclude=.dirstamp --exclude='*.log' --exclude='*.trs' \
        configure.ac Makefile.am .clang-format LICENSE ./*.md lib sql fcgi daemon man apache tests) |
        tar -C "$2" --no-same-owner -xf -
}

# build_tree SOURCE BUILD CONFIGURE-OPTION...: prints make's output; configures when needed only.
build_tree()
{
    tree_source=$1 tree_build=$2
    shift 2
    mkdir -p "$tree_build" || return 1
    if is_older "$tree_source/configure" "$tree_source/configure.ac"; then
        (cd "$tree_source" && autoreconf -i) || return 1
    fi
    if is_older "$tree_build/config.status" "$tree_source/configure"; then
        (cd "$tree_build" && "$tree_source/configure" -C "$@") || return 1
    fi
    make -C "$tree_build" -j "$(processors)" all
}

# is_older A B: A is not there, or B is newer.
is_older()
{
    [ ! -e "$1" ] || [ -n "$(find "$2" -newer "$1")" ]
}

processors()
{
    nproc 2>/dev/null || echo 1
}

build()
{
    [ -z "$programs" ] || return 0
    step "Building in $dir/build"
    copy_sources "$top" "$dir/source" || die "the sources cannot be copied to $dir/source"
    build_tree "$dir/source" "$dir/build" --quiet CFLAGS='-O2 -g' >"$dir/log/build.log" 2>&1 ||
        die_log "$dir/log/build.log" "the build failed"
    programs=$dir/build
}
