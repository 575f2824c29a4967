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

compile() {
	# shellcheck disable=SC2046,SC2086 # words
	${CC:-cc} $flags -o "$work/$1" "$examples/$1.c" \
		$(pkg-config --define-variable=prefix="$work/root$prefix" --cflags --libs rtreg) $(pkg-config --cflags --libs "$2")
}

compile minimal liburcu-bp
compile engine liburcu

export LD_LIBRARY_PATH="$work/root$libdir"
printf '{"runtimes": {"true": {"path": "/bin/true"}}}' >"$work/daemon.json"
"$work/minimal" "$work/daemon.json" "$work/state" web true create
"$work/minimal" "$work/daemon.json" "$work/state" web true delete
[ "$("$work/engine" 2>&1 | head -c 13)" = 'usage: engine' ]
