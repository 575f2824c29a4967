#!/usr/bin/env python3
"""Thread-local storage of a shared library, its own and what it uses of others', is reached in the initial-exec model:
no call to __tls_get_addr(), and no relocation of the models that need one.

    tls.py READELF LIBRARY SYMBOL      SYMBOL: one that the library has or asks for, else it is not the one that is meant
"""

import subprocess
import sys

CALLS = ("DTPMOD", "DTPOFF", "DTPREL", "TLSDESC", "__tls_get_addr")


def slow(relocations, symbols):
    """The lines that show a slow access."""
    return [line.strip() for line in (relocations + symbols).splitlines() if any(word in line for word in CALLS)]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    readelf, library, symbol = sys.argv[1:]
    parts = [subprocess.run([readelf, "--wide", what, library], capture_output=True, text=True, check=True).stdout
             for what in ("--relocs", "--dyn-syms")]
    if symbol not in parts[1]:
        sys.exit(f"{library}: knows no {symbol}")
    found = slow(*parts)
    for line in found:
        print(f"FAIL {line}")
    print(f"{len(found)} slow accesses")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
