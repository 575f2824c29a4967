#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every case with one engine: a column of the matrix.

    test_engines.py COLUMN [CASE]...

What came of each goes into engines-matrix.json in the build folder, and must be what docs/matrix.md says. Exits with
77 where the engine cannot be had here."""

import os
import re
import sys
import traceback

import containerd
import direct
import dockerd
import enclosure
import matrix
from cases import CASES
from engine import NotForIt
from preflight import runc_fails
from programs import cannot_contain, missing
from world import Broken

COLUMNS = {column.key: column for module in (direct, containerd, dockerd) for column in module.COLUMNS}
SKIPPED = 77  # as meson understands it
TRIES = 3  # of what an engine alone does: on a busy machine it may run into a time limit of its own

# What has no place in a cell: where things are, digests, and what engines put around the cause.
NOISE = ((r'^time="[^"]*" level=\w+ msg="(.*)"$', r"\1"), (r'\\"', '"'), (r"Error response from daemon: ", ""),
         (r"unable to retrieve OCI runtime error \(open .*?\): ", ""), (r"failed to create .*?: ", ""),
         (r": unknown$", ""), (r"(/[^\s/:\"']+){2,}/", "…/"),
         (r"\b([0-9a-f]{12,64}|[0-9A-Z-]{30,}=*)", "…"))


def shortened(text, directory):
    """The same in every run, and not long."""
    text = " ".join(str(text).split()).replace(directory, "/…")
    for pattern, instead in NOISE:
        text = re.sub(pattern, instead, text)
    return text if len(text) <= 150 else text[:149] + "…"


def outcome(engine, function):
    try:
        function(engine)
        if engine.own:
            engine.left_nothing()
        return {"result": "pass", "text": ""}
    except NotForIt as reason:
        return {"result": "n/a", "text": str(reason)}
    except Broken as reason:
        if engine.own:
            traceback.print_exc()
        return {"result": "broken", "text": shortened(reason, engine.directory)}


def show_logs(engine):
    for folder, _, files in os.walk(engine.directory):
        for name in files:
            path = os.path.join(folder, name)
            if name in ("log", "rtregd.log") and os.path.isfile(path):  # some are pipes
                with open(path, errors="replace") as file:
                    print(f"--- {path}", *file.read().splitlines()[-12:], sep="\n")


def run_cases(column, wanted):
    engine = column(enclosure.directory())
    cells = {}
    try:
        for key, title, function in CASES:
            if wanted and key not in wanted:
                continue
            engine.reset(all(cell["result"] != "broken" for cell in list(cells.values())[-1:]))
            cell = cells[key] = outcome(engine, function)
            for _ in range(0 if column.own else TRIES - 1):
                if not matrix.drift(column.key, column.title(), {key: cell}):
                    break
                engine.reset(False)
                cell = cells[key] = outcome(engine, function)
            print(f"{cell['result']:7}{key} {cell['text']}", flush=True)
        if engine.own and any(cell["result"] == "broken" for cell in cells.values()):
            show_logs(engine)
    finally:
        engine.close()
    return cells


def why_not(column):
    return cannot_contain() or missing(*column.needs)


def main():
    column, wanted = COLUMNS[sys.argv[1]], sys.argv[2:]
    enclosure.enclose(why_not(column), SKIPPED)
    reason = runc_fails(enclosure.directory())
    if reason:
        print("skipped:", reason)
        return SKIPPED
    cells = run_cases(column, wanted)
    matrix.save(column.key, column.title(), cells)
    drifted = matrix.drift(column.key, column.title(), cells)
    print(*drifted, sep="\n")
    results = [cell["result"] for cell in cells.values()]
    broken = results.count("broken") if column.own else 0
    failed = max(len(drifted), broken)
    print(f"{len(results) - results.count('n/a') - broken} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
