#!/usr/bin/env python3
"""Holds the #include lines of a tree to the table in docs/architecture.md.

    includes.py ROOT

The stations of lib/ and their order are read from the picture in that document. One line per offence; exit 1 if
there is any.
"""

import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STATION = re.compile(r"^ lib/(\w+)\s")

# Who may include a library's headers: header pattern, then the paths (a folder ends in a slash).
LIBRARIES = (
    ("json-c", re.compile(r"json(-c/.*|_\w+)?\.h|json-c/.*"), ("lib/values/parse.c", "tools/reply.c", "test/")),
    ("libsodium", re.compile(r"sodium(/.*)?(\.h)?"), ("lib/base/digest.c", "test/")),
    ("libmicrohttpd", re.compile(r"microhttpd.*\.h"), ("daemon/", "tools/bench/constant.c", "test/unit/daemon/")),
    ("liburcu (bulletproof)", re.compile(r"urcu-bp\.h|urcu/urcu-bp\.h"), ("daemon/", "tools/bench/flavor.h", "test/", "docs/examples/")),
    ("liburcu", re.compile(r"urcu.*"), ("lib/store/rcu.h", "tools/bench/flavor.h", "test/", "docs/examples/")),
    ("libsystemd", re.compile(r"systemd/.*"), ("daemon/notify.c",)),
    ("check", re.compile(r"check\.h"), ("test/",)),
)
PUBLIC = ("rtreg/rtreg.h", "rtreg/inline.h", "rtreg/client.h")
# What the programs may use of the library's inside, besides base/.
PROGRAMS_MAY = {"daemon": ("values/keys.h", "values/parse.h", "values/value.h", "shared/format.h", "shared/write.h"),
                "tools": ("values/keys.h", "client/http.h", "shared/write.h")}
# What a station may include of those above it, where that is not all of them.
STATIONS_MAY = {"shared": ("values",), "client": ("values", "lockins", "shared")}
# The generator of the manual reads rtregd's table of options too.
MANUAL = re.compile(r"tools/manual\w*\.[ch]")
MANUAL_MAY = ("daemon/options.h",)
# rtreg-runtime must do without the daemon, and without the registry.
FRONT_DOOR = "tools/runtime/"
FRONT_DOOR_MAY = ("bytes/source.h", "lockins/lock_in.h", "lockins/lockins.h", "lockins/name.h", "runtimes/lookup.h",
                  "values/parse.h")
SYSTEM_FOLDERS = ("sys", "linux", "arpa", "net", "netinet", "asm", "bits")


def stations(root):
    """The folders of lib/ in their order, base first."""
    lines = (root / "docs/architecture.md").read_text(encoding="utf-8").splitlines()
    found = [m.group(1) for m in map(STATION.match, lines) if m]
    if not found:
        sys.exit("includes.py: no stations in docs/architecture.md")
    return ["base"] + found


def library_of(header):
    for name, pattern, places in LIBRARIES:
        if pattern.fullmatch(header):
            return name, places
    return None, ()


def within(path, places):
    return any(path.startswith(place) if place.endswith("/") else path == place for place in places)


def check_system(path, header):
    """Offence of an angle include that is not of the project's own public headers, or None."""
    name, places = library_of(header)
    if name:
        return None if within(path, places) else f"{name} is for {', '.join(places)} alone"
    folder = header.split("/")[0] if "/" in header else None
    if folder and folder not in SYSTEM_FOLDERS:
        return "neither a system header nor one of the libraries in docs/architecture.md"
    return None


def check_lib(folder, header, order):
    """Offence of an include of "folder/file.h" in lib/<folder>/, or None."""
    target = header.split("/")[0] if "/" in header else None
    if target is None:
        return "write it as \"folder/file.h\""
    if target not in order:
        return f"{target}/ is no station of lib"
    if target == folder or target == "base":
        return None
    if folder == "base":
        return "base may include the public header only"
    if order.index(target) > order.index(folder):
        return f"{target}/ stands after {folder}/"
    may = STATIONS_MAY.get(folder, order)
    return None if target in may else f"{folder}/ may include base/ and {', '.join(may)}/"


def check_program(root, path, header):
    """Offence of a quoted include in daemon/ or tools/, or None."""
    own = path.split("/")[0]
    if header.startswith("base/") or header in PROGRAMS_MAY[own]:
        return None
    if MANUAL.fullmatch(path) and header in MANUAL_MAY:
        return None
    if path.startswith(FRONT_DOOR) and header in FRONT_DOOR_MAY:
        return None
    if (root / own / header).is_file() or (header.startswith(own + "/") and (root / header).is_file()):
        return None
    return f"{own}/ may include the public header, base/ and {', '.join(PROGRAMS_MAY[own])}"


def offence(root, order, path, kind, header):
    parts = path.split("/")
    if header in PUBLIC:
        inside = parts[:3] == ["lib", "include", "rtreg"]
        if header == "rtreg/inline.h" and not inside:
            return "include rtreg/rtreg.h, which includes it"
        return None
    if kind == "<":
        return check_system(path, header)
    if library_of(header)[0]:
        return check_system(path, header)
    if parts[0] == "lib" and parts[1] == "include":
        return "a public header includes public headers and the C library's alone"
    if parts[0] == "lib":
        return check_lib(parts[1], header, order)
    if parts[0] in ("daemon", "tools"):
        return check_program(root, path, header)
    return None


def sources(root):
    for folder in ("lib", "daemon", "tools", "test", "docs/examples"):
        yield from sorted(p for p in (root / folder).rglob("*") if p.suffix in (".c", ".h"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]).resolve()
    order = stations(root)
    files = offences = 0
    for folder in sorted(p.name for p in (root / "lib").iterdir() if p.is_dir()):
        if folder != "include" and folder not in order:
            print(f"lib/{folder}: not in the picture in docs/architecture.md")
            offences += 1
    for file in sources(root):
        path = file.relative_to(root).as_posix()
        files += 1
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            why = offence(root, order, path, match.group(1), match.group(2)) if match else None
            if why:
                print(f"{path}:{number}: {match.group(2)}: {why}")
                offences += 1
    print(f"{files} files, {offences} offences")
    return 1 if offences or not files else 0


if __name__ == "__main__":
    sys.exit(main())
