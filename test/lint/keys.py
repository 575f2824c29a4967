#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/configuration.md against the table of keys: every key is there once, with the type, the default, the flag and
the rule for reloads that it has.

    keys.py PRINT_KEYS DOCUMENT
"""

import pathlib
import re
import subprocess
import sys

CODE = re.compile(r"`([^`]+)`")
# What the table does not hold: it depends on the machine or the daemon, or is better read otherwise.
TOLD_DEFAULTS = {
    "default-cgroupns-mode": "`private` on cgroup v2, else `host`",
    "default-shm-size": "64 MiB",
    "exec-root": "`/run/rtreg`",
}


class Key:
    def __init__(self, fields):
        self.name, self.type, self.rule, self.default, self.flag = fields

    def told_default(self):
        """The default as the manual has it."""
        if self.name in TOLD_DEFAULTS:
            return TOLD_DEFAULTS[self.name]
        if self.default.startswith('"'):
            return "`" + self.default.strip('"') + "`"
        return self.default or "–"


def read_table(program):
    lines = [line.split("\t") for line in subprocess.check_output([program], text=True).splitlines()]
    keys = {fields[1]: Key(fields[1:]) for fields in lines if fields[0] == "key"}
    return keys, [fields[1] for fields in lines if fields[0] == "compat"]


def section(text, begin, end):
    """What stands between two texts, both of which must be there."""
    return text.split(begin, 1)[1].split(end, 1)[0]


def rows(text):
    """The cells of the lines of tables, but for heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith("---") and row[0] != "key"]


def names_in(cell, keys):
    """The keys that a cell names; `proxies` is three."""
    for name in CODE.findall(cell):
        yield from [key for key in keys if key.startswith("proxies.")] if name == "proxies" else [name]


def check_once(seen, wanted, where):
    for name in sorted({*seen, *wanted}):
        if name not in wanted:
            yield f"{where}: {name} does not belong there"
        elif seen.count(name) != 1:
            yield f"{where}: {name} is there {seen.count(name)} times"


def check_keys(text, keys):
    seen = []
    for cell, kind, default, reload, *_ in rows(section(text, "<!-- keys: begin -->", "<!-- keys: end -->")):
        for name in names_in(cell, keys):
            seen.append(name)
            if name not in keys:
                continue
            key = keys[name]
            told = (kind, default, reload)
            is_type = "object" if name.startswith("proxies.") else key.type
            true = (is_type, key.told_default(), "restart" if key.rule == "restart" else "yes")
            if told != true:
                yield f"All keys: {name} is told as {told}, and is {true}"
    yield from check_once(seen, keys, "All keys")


def check_rules(text, keys):
    seen = []
    for cell, absent, present in rows(section(text, "## What a reload does", "\n## ")):
        for name in names_in(cell, keys):
            seen.append(name)
            rule = keys[name].rule if name in keys else ""
            if (absent == "kept") != rule.startswith("keep") or ("if not empty" in present) != (rule == "keep-nonempty"):
                yield f"What a reload does: {name} has the rule {rule}"
    yield from check_once(seen, [key.name for key in keys.values() if key.rule != "restart"], "What a reload does")


def check_flags(text, keys):
    flags = section(text, "## Command-line flags", "\n## ")
    without = re.search(r"Every key but ([^.]*?) has a flag", flags)
    told = CODE.findall(without.group(1)) if without else []
    yield from check_once(told, [key.name for key in keys.values() if not key.flag], "keys without a flag")
    pairs = [f"{CODE.findall(row[0])[0]} {CODE.findall(row[1])[0]}" for row in rows(flags)]
    other = [f"{key.name} --{key.flag}" for key in keys.values() if key.flag and key.name.split(".")[-1] != key.flag]
    yield from check_once(pairs, other, "flags of another name")


def check_compat(text, compat):
    told = CODE.findall(section(text, "<!-- without effect: begin -->", "<!-- without effect: end -->"))
    yield from check_once([name for name in told if name != "proxies"], compat, "accepted without effect")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    keys, compat = read_table(sys.argv[1])
    text = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    wrong = [*check_keys(text, keys), *check_rules(text, keys), *check_flags(text, keys), *check_compat(text, compat)]
    print("\n".join(wrong) or f"the manual tells {len(keys)} keys as they are")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
