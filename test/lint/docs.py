#!/usr/bin/env python3
"""Documents that say what is so: links within the project lead somewhere, the C example in README.md is the one
that is compiled, and the example configuration is JSON.

    docs.py ROOT
"""

import json
import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")
C_BLOCK = re.compile(r"^```c\n(.*?)^```", re.DOTALL | re.MULTILINE)


def dead_links(root):
    for document in [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("lib/**/*.md"), *root.glob("test/**/*.md")]:
        for target in LINK.findall(document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / target).exists():
                yield f"{document.relative_to(root)}: {target}: no such file"


def example_differs(root):
    block = C_BLOCK.search((root / "README.md").read_text(encoding="utf-8"))
    example = (root / "docs/examples/embed.c").read_text(encoding="utf-8")
    if not block or block.group(1) not in example:
        yield "README.md: its C example is not a part of docs/examples/embed.c"


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
    wrong = [*dead_links(root), *example_differs(root), *bad_json(root)]
    print("\n".join(wrong) or "documents are sound")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
