#!/bin/sh
# The examples, compiled as a stranger would: against the installed library, with nothing but pkg-config, by a strict
# compiler. installed.sh MESON BUILD EXAMPLES LIBDIR SANITIZERS
set -eu
meson=$1 build=$2 examples=$3 libdir=$4 sanitizers=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

DESTDIR=$work/root "$meson" install -C "$build" --no-rebuild >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
prefix=$(sed -n 's/^prefix=//p' "$work/root$libdir/pkgconfig/rtreg.pc")
export PKG_CONFIG_PATH="$work/root$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
flags="-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wstrict-prototypes -Werror -pthread"
[ "$sanitizers" = none ] || flags="$flags -fsanitize=$sanitizers"

# compile PROGRAM LIBURCU FILE...
compile() {
	program=$work/$1 liburcu=$2
	shift 2
	# shellcheck disable=SC2046,SC2086 # words
	(cd "$examples" && ${CC:-cc} $flags -o "$program" "$@" \
		$(pkg-config --define-variable=prefix="$work/root$prefix" --cflags --libs rtreg) \
		${liburcu:+$(pkg-config --cflags --libs "$liburcu")})
}

compile minimal liburcu-bp minimal.c
flags="$flags -D_LGPL_SOURCE" compile engine liburcu engine.c engine_container.c
compile client '' client.c

export LD_LIBRARY_PATH="$work/root$libdir"
printf '{"runtimes": {"true": {"path": "/bin/true"}}}' >"$work/daemon.json"
"$work/minimal" "$work/daemon.json" "$work/state" web true create
"$work/minimal" "$work/daemon.json" "$work/state" web true delete
[ "$("$work/engine" 2>&1 | head -c 13)" = 'usage: engine' ]
