#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The matrix engine x case: engines-matrix.json in the build folder, made by the tests, and docs/matrix.md.

    matrix.py [BUILD]     writes docs/matrix.md; what no test in BUILD has seen stays as the page has it"""

import fcntl
import json
import os
import re
import sys

from cases import CASES
from programs import BUILD, TOP

PAGE = os.path.join(TOP, "docs", "matrix.md")
ORDER = ("runc", "crun", "runc-own", "crun-own", "containerd", "dockerd", "dockerd-new", "dockerd-alone",
         "dockerd-new-alone")
HEAD = """# Engines and cases

What becomes of containers when the configuration changes under them, with real engines. `test/engines` makes this page
(`test/engines/matrix.py`), and its tests fail where they see something else than it says.

- runc and crun, *rtreg-runtime*: called through rtreg-runtime, by [lock-ins](lockins.md). *Own engine*: called by the
  least engine there can be, which asks rtregd for a lock-in and runs what it is told.
- containerd and dockerd, *rtreg-runtime*: the one runtime that they know; `ctr` and the docker CLI give the commands.
  Restarts, unless the engine's, are rtregd's.
- dockerd *alone*: as it comes, with its own `daemon.json`, SIGHUP for a reload, and live-restore. Restarts are its own.
  Nothing is expected there; the cell has the first step that failed, and how.

The containers' runtime finds a container again only with the arguments that it was made with. A wrapper script is what
stands before a runtime that has arguments. `test/run` makes the columns of the versions that Debian 12 has, of another
dockerd they are made by hand ([testing.md](testing.md)).
"""


def json_path(build=BUILD):
    return os.path.join(build, "engines-matrix.json")


def load(build=BUILD):
    try:
        with open(json_path(build)) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(key, title, cells):
    """Adds a column to what other tests write at the same time."""
    with open(json_path() + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        columns = load()
        columns[key] = {"title": title, "cells": {**columns.get(key, {}).get("cells", {}), **cells}}
        with open(json_path() + ".new", "w") as file:
            json.dump(columns, file, indent=1, ensure_ascii=False)
        os.rename(json_path() + ".new", json_path())


# What comes of these with an engine that has no registry depends on who is quicker.
RACES = ("churn",)


def text_of(cell):
    """A cell as the page shows it, its footnote's text in place of the number."""
    quoted = cell["text"].replace("`", "'").replace("|", "\\|")
    return {"pass": "pass", "n/a": "– [^" + cell["text"] + "]", "broken": f"`{quoted}`"}[cell["result"]]


def without_version(title):
    return re.sub(r" \d[\d.]*\d", "", title)


def split_row(line):
    return [word.strip() for word in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def parse(text):
    """The page's columns, title to row title to text."""
    notes = dict(re.findall(r"(?m)^\[\^(\d+)\]: (.*)$", text))
    rows = [split_row(line) for line in text.splitlines() if line.startswith("|")]
    if not rows:
        return {}
    titles, columns = rows[0][1:], {title: {} for title in rows[0][1:]}
    for row in rows[2:]:
        for title, cell in zip(titles, row[1:]):
            columns[title][row[0]] = re.sub(r"\[\^(\d+)\]", lambda found: f"[^{notes[found[1]]}]", cell)
    return {title: cells for title, cells in columns.items()}


def read_page():
    try:
        with open(PAGE) as file:
            return parse(file.read())
    except FileNotFoundError:
        return {}


def column_of(key, title):
    """The page's title for this column, to compare with; None where it has none. Else why it is not to be compared."""
    page = read_page()
    same = next((name for name in page if without_version(name) == without_version(title)), None)
    if same is None:
        return None, "" if "new" in key else f"docs/matrix.md has no column {title}"
    if same != title and "alone" in key:
        return None, ""
    return page[same], ""


def drift(key, title, cells):
    """What a run saw and the page does not have."""
    page, fault = column_of(key, title)
    if page is None:
        return [fault] if fault else []
    titles = {key: title for key, title, _ in CASES}
    return [f"docs/matrix.md, {title}, {titles[row]}: has {page.get(titles[row])}, and this run {text_of(cell)}"
            for row, cell in cells.items()
            if page.get(titles[row]) != text_of(cell) and not ("alone" in key and row in RACES)]


def columns_for(build):
    """Titles and cells by row title: what was seen, over what the page has."""
    page, seen, columns = read_page(), load(build), []
    titles = {key: title for key, title, _ in CASES}
    for key in ORDER:
        if key in seen:
            title = seen[key]["title"]
            cells = {titles[row]: text_of(cell) for row, cell in seen[key]["cells"].items() if row in titles}
            columns.append((title, {**page.pop(title, {}), **cells}))
    seen_titles = {without_version(title) for title, _ in columns}
    columns += [(title, cells) for title, cells in page.items() if without_version(title) not in seen_titles]
    return columns


def render(columns):
    notes = []

    def numbered(cell):
        def number(found):
            if found[1] not in notes:
                notes.append(found[1])
            return f"[^{notes.index(found[1]) + 1}]"
        return re.sub(r"\[\^(.*)\]", number, cell)

    lines = ["| " + " | ".join(["case", *(title for title, _ in columns)]) + " |",
             "|---" * (len(columns) + 1) + "|"]
    for _, row, _ in CASES:
        lines.append("| " + " | ".join([row, *(numbered(cells.get(row, "")) for _, cells in columns)]) + " |")
    foot = [f"[^{number}]: {note}" for number, note in enumerate(notes, 1)]
    return "\n".join([HEAD, *lines, "", *foot]) + "\n"


def main():
    columns = columns_for(sys.argv[1] if len(sys.argv) > 1 else BUILD)
    with open(PAGE, "w") as file:
        file.write(render(columns))


if __name__ == "__main__":
    main()
