#!/bin/sh
# The example of README.md, as its reader would try it: minimal.sh MINIMAL
set -eu
minimal=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

expect() {
	if [ "$2" != "$3" ]; then
		echo "$1: expected '$3', seen '$2'"
		exit 1
	fi
}

# What a runtime is called with, and what comes of it.
run() {
	code=0
	said=$("$minimal" "$work/daemon.json" "$work/state" "$@" 2>"$work/err") || code=$?
}

locked_in() { find "$work/state/lock-ins" -name web; }

cat >"$work/runtime" <<'SCRIPT'
#!/bin/sh
echo "$@"
[ "$2" != fail ] || exit 7
SCRIPT
chmod 755 "$work/runtime"
configure() {
	cat >"$work/daemon.json" <<-JSON
		{"default-runtime": "mine", "runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"},
		 "mine": {"path": "$work/$1", "runtimeArgs": ["--tag=$2"]}}}
	JSON
}

configure runtime 1
run web '' create
expect create "$code $said" '0 --tag=1 create'
expect resolved "$(cat "$work/err")" 'mine: shim io.containerd.runc.v2'
[ -n "$(locked_in)" ] || { echo 'create: no lock-in'; exit 1; }

# Over what would be a restart of the engine: the container keeps what it was created with, and others do not get it.
configure runtime 2
run web '' start
expect start "$code $said" '0 --tag=1 start'
run web2 mine create
expect 'another container' "$code $said" '0 --tag=2 create'
run web kata kill
expect 'another runtime' "$code $said" '125 '
run web '' fail
expect 'exit code' "$code $said" '7 --tag=1 fail'
[ -n "$(locked_in)" ] || { echo 'fail: no lock-in any more'; exit 1; }
run web '' delete
expect delete "$code $said" '0 --tag=1 delete'
expect unlocked "$(locked_in)" ''

# What fails first leaves nothing behind: the container can be created again, by another runtime.
run web mine fail
expect 'first command' "$code $said" '7 --tag=2 fail'
expect 'nothing of a failure' "$(locked_in)" ''
run web kata create
expect 'no binary' "$code" 127
expect 'nothing of a shim' "$(locked_in)" ''

run web nothing create
expect unknown "$code $(cat "$work/err")" '125 minimal: unknown or invalid runtime name: nothing'
configure missing 3
run web mine create
expect missing "$code" 127
expect 'nothing of it' "$(locked_in)" ''
rm "$work/daemon.json"
run web mine create
expect 'no file' "$code" 125
grep -q "$work/daemon.json" "$work/err" || { echo "no file: $(cat "$work/err")"; exit 1; }
