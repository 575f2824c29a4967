#!/bin/sh
# The example of README.md, as its reader would try it: embed.sh EMBED DAEMON.JSON
set -eu
embed=$1 config=$2
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT

expect() {
	if [ "$2" != "$3" ]; then
		echo "$1: expected '$3', seen '$2'"
		exit 1
	fi
}

expect default "$("$embed" "$config" "$state/s")" 'crun: shim io.containerd.runc.v2, binary /usr/local/bin/crun'
expect kata "$("$embed" "$config" "$state/s" kata)" 'kata: shim io.containerd.kata.v2, binary none'
if text=$("$embed" "$config" "$state/s" nothing 2>&1); then
	echo "an unknown runtime resolved: $text"
	exit 1
fi
expect unknown "$text" 'unknown or invalid runtime name: nothing'
if text=$("$embed" "$state/none.json" "$state/s" 2>&1); then
	echo "opened without its file: $text"
	exit 1
fi
wrapper=$("$embed" "$config" "$state/s" runsc | sed 's/.*binary //')
[ -x "$wrapper" ] || { echo "runsc: no wrapper at '$wrapper'"; exit 1; }
