#!/bin/sh
# What tools/packages.sh installs for building suffices to configure a build: the libraries that only the tests
# need are hidden here, and must not be missed.
#
#   packages.sh SOURCE MESON
set -eu

source=$1
meson=$2

command -v dpkg >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pc"
for directory in $(pkg-config --variable pc_path pkg-config | tr : ' '); do
	[ ! -d "$directory" ] || find "$directory" -name '*.pc' -exec ln -sf -t "$work/pc" {} +
done

"$source/tools/packages.sh" list build >"$work/building"
"$source/tools/packages.sh" list test | grep -Fxv -f "$work/building" >"$work/testing"
while read -r package; do
	dpkg -L "$package" 2>/dev/null | sed -n 's#.*/\(.*\.pc\)$#\1#p'
done <"$work/testing" >"$work/hidden"
while read -r description; do
	rm -f "$work/pc/$description"
done <"$work/hidden"
[ -s "$work/hidden" ] || exit 77

PKG_CONFIG_LIBDIR="$work/pc" "$meson" setup "$work/build" "$source"
