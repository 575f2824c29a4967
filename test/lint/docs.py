#!/usr/bin/env python3
"""Documents that say what is so: links and paths within the project lead somewhere, the lines of a table have as many
cells as its head, the C example in README.md is the one that is compiled, and the example configuration is JSON.

    docs.py ROOT
"""

import json
import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`((?:lib|daemon|tools|test|docs)/[\w./-]+)`")
SEPARATOR = re.compile(r"(?<!\\)\|")
C_BLOCK = re.compile(r"^```c\n(.*?)^```", re.DOTALL | re.MULTILINE)


def documents(root):
    return [path for place in ("*.md", "docs/**/*.md", "lib/**/*.md", "test/**/*.md") for path in root.glob(place)]


def uneven_tables(root):
    for document in documents(root):
        cells = 0
        for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
            if not line.startswith("|"):
                cells = 0
                continue
            count = len(SEPARATOR.findall(line))
            if cells and count != cells:
                yield f"{document.relative_to(root)}:{number}: {count - 1} cells in a table of {cells - 1}"
            cells = cells or count


def dead_links(root):
    for document in documents(root):
        for target in LINK.findall(document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / target).exists():
                yield f"{document.relative_to(root)}: {target}: no such file"
        for target in PATH.findall(document.read_text(encoding="utf-8")):
            if not (root / target).exists():
                yield f"{document.relative_to(root)}: {target}: no such file"


def example_differs(root):
    block = C_BLOCK.search((root / "README.md").read_text(encoding="utf-8"))
    example = (root / "docs/examples/minimal.c").read_text(encoding="utf-8")
    if not block or block.group(1) not in example:
        yield "README.md: its C example is not a part of docs/examples/minimal.c"


def bad_json(root):
    for path in root.glob("docs/examples/*.json"):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError as e:
            yield f"{path.relative_to(root)}: {e}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1]).resolve()
    wrong = [*dead_links(root), *uneven_tables(root), *example_differs(root), *bad_json(root)]
    print("\n".join(wrong) or "documents are sound")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
