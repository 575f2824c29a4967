#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage: page.py BUILD [PART]... [-- OPTION...]

Makes the tables and charts of docs/performance.md anew, from runs of rtreg-bench in the folder BUILD; no figure there is
typed. The machine should have nothing else to do.

A PART of the page that is made stands between `<!-- PART -->` and `<!-- /PART -->`: read, pin, resolve, reload, socket,
shared, or peers. Without any all are made. OPTIONs are for rtreg-bench.
"""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/performance.md"
CHARTS = ROOT / "docs/performance"
PART = re.compile(r"(?ms)^<!-- ([a-z]+) -->\n.*?^<!-- /\1 -->$")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def where_and_when():
    load = pathlib.Path("/proc/loadavg").read_text(encoding="utf-8").split()[0]
    return (f"Measured {datetime.date.today().isoformat()}, {os.cpu_count()} processors ({processor()}), "
            f"Linux {platform.release().split('-')[0]}, load {load} at the end.")


def measured(build, name, options):
    """The tables of one subcommand; its chart is written beside."""
    CHARTS.mkdir(exist_ok=True)
    command = [str(build / "tools/rtreg-bench"), name, *options]
    text = subprocess.check_output([*command, "--markdown", "--plot", str(CHARTS / f"{name}.svg")], text=True)
    said = " ".join(["rtreg-bench", name, *options])
    return f"![{name}](performance/{name}.svg)\n\n`{said}`. {where_and_when()}\n\n{text}"


def compared(build):
    """What the peers say, beside rtreg-bench's own raw pointer at the same time."""
    own = json.loads(subprocess.check_output(
        [build / "tools/rtreg-bench", "read", "--case", "raw", "--json", "--seconds", "1"], text=True))
    raw = own["cases"][0]["median"]
    lines = ["| peer | case | median | x its own raw | x raw in C |", "| --- | --- | ---: | ---: | ---: |"]
    for program in sorted((build / "test/peers").glob("peer-*")):
        if not program.is_file():
            continue
        told = json.loads(subprocess.check_output([program], text=True))
        for case in told["cases"]:
            lines.append(f"| {told['peer']} | `{case['name']}` | {case['median']:.2f} ns | {case['ratio']['median']:.2f} "
                         f"| {case['median'] / raw if case['threads'] == 1 else float('nan'):.2f} |".replace("nan", ""))
    return f"{where_and_when()} The raw pointer in C took {raw:.2f} ns.\n\n" + "\n".join(lines) + "\n"


def main():
    words = sys.argv[1:]
    options = words[words.index("--") + 1:] if "--" in words else []
    words = words[:words.index("--")] if "--" in words else words
    if "--help" in words or "-h" in words:
        print(__doc__.strip())
        return
    if not words or words[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(2)
    build, wanted = pathlib.Path(words[0]), words[1:]
    parts = [found.group(1) for found in PART.finditer(PAGE.read_text(encoding="utf-8"))]
    for name in wanted:
        if name not in parts:
            sys.exit(f"page.py: the page has no part {name}, but {', '.join(parts)}")
    if not os.access(build / "tools/rtreg-bench", os.X_OK):
        sys.exit(f"page.py: there is no {build}/tools/rtreg-bench")

    def made(part):
        name = part.group(1)
        if wanted and name not in wanted:
            return part.group(0)
        text = compared(build) if name == "peers" else measured(build, name, options)
        return f"<!-- {name} -->\n{text}<!-- /{name} -->"

    page = PART.sub(made, PAGE.read_text(encoding="utf-8"))
    with tempfile.NamedTemporaryFile("w", dir=PAGE.parent, delete=False, encoding="utf-8") as new:
        new.write(page)
    pathlib.Path(new.name).chmod(0o644)
    pathlib.Path(new.name).replace(PAGE)


if __name__ == "__main__":
    main()
