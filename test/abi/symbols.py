#!/usr/bin/env python3
"""The symbols that librtreg.so exports are the functions and variables that its public headers declare RTREG_EXPORT,
no more and no less.

    symbols.py NM LIBRARY HEADER...
"""

import pathlib
import re
import subprocess
import sys

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
# Up to the first parenthesis, or to the end of a variable's, stands the type; the last word before it is the name.
DECLARATION = re.compile(r"\bRTREG_EXPORT\b([^;(]*)[;(]")


def declared(headers):
    names = set()
    for header in headers:
        text = COMMENT.sub(" ", pathlib.Path(header).read_text(encoding="utf-8"))
        text = ATTRIBUTE.sub(" ", re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE))
        names |= {m.group(1).replace("*", " ").split()[-1] for m in DECLARATION.finditer(text)}
    return names


def exported(nm, library):
    out = subprocess.run([nm, "-D", "--defined-only", "--format=posix", library], capture_output=True, text=True,
                         check=True).stdout
    return {line.split()[0].split("@")[0] for line in out.splitlines() if line.strip()}


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    wanted, seen = declared(sys.argv[3:]), exported(sys.argv[1], sys.argv[2])
    for name in sorted(wanted - seen):
        print(f"{name}: declared, not exported")
    for name in sorted(seen - wanted):
        print(f"{name}: exported, not declared")
    print(f"{len(wanted)} declared, {len(seen)} exported")
    return 0 if wanted == seen and wanted else 1


if __name__ == "__main__":
    sys.exit(main())
