#!/bin/sh
# What tools/packages.sh does for programs that are unpacked and not installed: once each, and nothing breaks where
# they cannot be fetched; and that installing is tried again. apt-get and dpkg are played here.
#
#   unpack.sh SOURCE
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/tools"
cp "$1/tools/packages.sh" "$work/tools"
play() {
	printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
	chmod +x "$work/bin/$1"
}
play dpkg-query 'echo ii'
# shellcheck disable=SC2016
play dpkg 'mkdir "$3" && cp "$2" "$3"'
play apt-get "echo \"\$*\" >>$work/asked; [ ! -e $work/away ] || exit 100; [ \"\$1\" != download ] || touch some.deb"
run() { PATH="$work/bin:$PATH" "$work/tools/packages.sh" "$@" 2>"$work/said"; }
fail() { echo "$1"; cat "$work/said"; exit 1; }

name=$("$work/tools/packages.sh" list unpacked | head -n 1)
[ -n "$name" ]

run build
[ ! -e "$work/build-test" ] || fail 'building unpacks nothing'

touch "$work/away"
run test || fail 'a package that cannot be fetched is no failure'
grep -q "cannot fetch $name" "$work/said" || fail 'it says what it could not fetch'
[ -z "$(ls -A "$work/build-test/packages")" ] || fail 'nothing is left of what could not be fetched'

rm "$work/away"
run test
[ -e "$work/build-test/packages/$name/some.deb" ] || fail 'it is unpacked'
rm "$work/asked"
run test
[ ! -e "$work/asked" ] || fail 'it is fetched once'

# One that is missing can be installed, now or after a while.
play id 'echo 0'
play dpkg-query 'echo un'
play sleep "rm $work/away"
touch "$work/away"
run build || fail 'what cannot be installed at first is installed later'
[ "$(grep -c install "$work/asked")" -eq 2 ] || fail 'it is tried again, until it has been done'
play sleep ':'
touch "$work/away"
! run build || fail 'what cannot be installed is a failure'
grep -q 'By hand' "$work/said" || fail 'it says what to do'
