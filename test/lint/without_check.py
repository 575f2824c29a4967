#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whoever builds without the packages of the tests builds nothing that needs check.

    without_check.py MESON SOURCE
"""

import json
import pathlib
import subprocess
import sys
import tempfile


def main():
    meson, source = sys.argv[1:]
    with tempfile.TemporaryDirectory() as build:
        subprocess.run([meson, "setup", "-Dunit-tests=disabled", build, source], check=True, stdout=subprocess.DEVNULL)
        targets = json.loads(subprocess.run([meson, "introspect", "--targets", build], check=True,
                                            capture_output=True).stdout)
    files = {file for target in targets for group in target["target_sources"] for file in group.get("sources", [])}
    wrong = sorted(file for file in files
                   if file.endswith(".c") and "#include <check.h>" in pathlib.Path(file).read_text())
    for file in wrong:
        print(f"{file} is built without the package check, and needs it")
    print(f"{len(files) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
