#!/usr/bin/env bash
# The Debian packages that rtreg needs, in one place. Installs those that are missing, and only those.
#
#   tools/packages.sh build     what building and running need
#   tools/packages.sh test      the same, and what test/run needs
#   tools/packages.sh list build|test|unpacked     prints the names, installs nothing
#
# Programs that some tests use, and that bring services with them which should not start on everybody's machine, are
# not installed but unpacked into build-test/packages/NAME. Without them those tests are skipped.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)

build=(gcc libc6-dev binutils meson ninja-build pkg-config liburcu-dev libjson-c-dev libsodium-dev
       libmicrohttpd-dev libsystemd-dev)
# The sanitizers' libraries (libasan8, libtsan2, libubsan1) come with gcc.
# libdevmapper1.02.1 is what dockerd, unpacked below, needs beside what systemd brings.
# zsh and fish, for completion, take 19 MB each; groff-base, man-db and mandoc, for the manual, 8 MB together.
tests=(check python3 g++ clang clang-format clang-tidy curl shellcheck util-linux zsh fish groff-base man-db mandoc
       systemd runc crun busybox-static libdevmapper1.02.1 valgrind)
unpacked=(docker.io containerd prometheus)

say() { printf 'packages: %s\n' "$*" >&2; }

usage() {
	sed -n '2,/^set/{/^#/{s/^# \{0,1\}//;p}}' "$0"
	exit "$1"
}

# Prints those of its arguments that dpkg does not know as installed.
missing_of() {
	local name
	for name in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) == ii* ]] || echo "$name"
	done
}

# Runs a command whose output matters only if it fails: dpkg has several lines for each package.
quietly() {
	local log code=0
	log=$(mktemp)
	"$@" </dev/null >"$log" 2>&1 || code=$?
	[ "$code" -eq 0 ] || tail -n 40 "$log" >&2
	rm -f "$log"
	return "$code"
}

install_packages() {
	local prefix=()
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			say "missing: $*"
			say "installing them needs root or sudo, and here is neither. As root: apt-get install $*"
			exit 1
		fi
		prefix=(sudo)
		# Without a terminal nobody can type a password: fail instead of waiting.
		[ -t 0 ] || prefix+=(-n)
	fi
	local apt=("${prefix[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3)
	say "installing, which can take a few minutes: $*"
	# A mirror that does not answer now may do so soon, and who has the lists locked gives them back.
	local pause
	for pause in 10 30 0; do
		quietly "${apt[@]}" update -qq || say "apt-get update failed; trying with the lists that are there"
		if quietly "${apt[@]}" install -y -qq --no-install-recommends "$@"; then return; fi
		[ "$pause" -eq 0 ] || { say "that failed; trying again in $pause s" && sleep "$pause"; }
	done
	say "that failed. By hand, as root: apt-get update && apt-get install $*"
	exit 1
}

fetch_into() { (cd "$1" && quietly apt-get download -o Acquire::Retries=3 -qq "$2"); }

# Fetches a package and unpacks it, unless that has been done. What it needs to run is not looked at.
unpack_package() {
	local name=$1 into=$top/build-test/packages/$1 work
	[ ! -d "$into" ] || return 0
	mkdir -p "$top/build-test/packages"
	work=$(mktemp -d "$top/build-test/packages/.new.XXXXXX")
	# On a fresh machine there are no lists yet to find it in.
	if { fetch_into "$work" "$name" 2>/dev/null || {
		[ "$(id -u)" -eq 0 ] && quietly apt-get update -qq && fetch_into "$work" "$name"
	}; } && dpkg -x "$work"/*.deb "$work/tree"; then
		mv "$work/tree" "$into"
	else
		say "cannot fetch $name: the tests that use it will be skipped"
	fi
	rm -rf "$work"
}

list_only=no
if [ "${1-}" = list ]; then
	list_only=yes
	shift
fi
case "${1-}" in
build)
	wanted=("${build[@]}")
	unpacked=()
	;;
test) wanted=("${build[@]}" "${tests[@]}") ;;
unpacked)
	[ "$list_only" = yes ] || usage 2 >&2
	wanted=("${unpacked[@]}")
	;;
--help | -h) usage 0 ;;
*)
	[ -z "${1-}" ] || say "there is no '$1'"
	usage 2 >&2
	;;
esac
if [ "$list_only" = yes ]; then
	printf '%s\n' "${wanted[@]}"
	exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	say "no apt-get here: make sure that the counterparts of these are installed: ${wanted[*]}"
	exit 0
fi
mapfile -t missing < <(missing_of "${wanted[@]}")
[ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
for name in "${unpacked[@]}"; do unpack_package "$name"; done
