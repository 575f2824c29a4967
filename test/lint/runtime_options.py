#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What rtreg-runtime knows of command lines, against what runc and crun say of theirs: each command, and each option
with its value.

    runtime_options.py PRINT_COMMANDS [unittest's arguments]
"""

import re
import shutil
import subprocess
import sys
import unittest

PRINT_COMMANDS = None
# What runc says of the value, and crun.
RUNC_OPTION = re.compile(r"--?([\w?-]+)( value)?")
CRUN_LINE = re.compile(r"^ {2,6}((?:-[\w?], )?--[\w-]+(?:\[?=\S+)?|-[\w?], -[\w?], --[\w-]+)(?: |$)")


def table():
    """What is known: command, then name of an option → none, taken, equals."""
    known = {}
    for line in subprocess.check_output([PRINT_COMMANDS], text=True).splitlines():
        command, names, value = line.split("\t")
        known.setdefault(command, {}).update(dict.fromkeys(names.split(), value))
    return known


def told(*words):
    """The help text, wherever it is printed."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout + done.stderr


def runc_options(*words):
    part = told("runc", *words, "--help").split("OPTIONS:\n")
    for line in part[1].splitlines() if len(part) > 1 else ():
        if re.match(r"^   --?\w", line):
            for name, value in RUNC_OPTION.findall(re.split(r" {2,}", line.strip())[0]):
                yield name, "taken" if value else "none"


def runc_commands():
    part = told("runc", "--help").split("COMMANDS:\n")[1].split("\n\n")[0]
    return [name for name in re.findall(r"(?m)^   (\w+)", part) if name != "help"]


def crun_options(*words):
    for line in told("crun", *words, "--help").splitlines():
        found = CRUN_LINE.match(line)
        if not found:
            continue
        value = "equals" if "[=" in found.group(1) else "taken" if "=" in found.group(1) else "none"
        for name in re.findall(r"(?:^|, )--?([\w?-]+)", found.group(1)):
            yield name, value


def crun_commands():
    return re.findall(r"(?m)^\t(\w+) +- ", told("crun", "--help"))


class Options(unittest.TestCase):
    def compare(self, options, commands):
        known, count = table(), 0
        for command in ("", *commands):
            self.assertTrue(command == "" or command in known, f"{command} is not known")
            for name, value in options(*[command] if command else []):
                with self.subTest(command=command, option=name):
                    count += 1
                    expected = known[command].get(name)
                    if expected == "equals" and value == "none":
                        continue  # it takes none with one of the two
                    self.assertEqual(expected, value)
        self.assertGreater(count, 50, "the help texts were not understood")

    @unittest.skipUnless(shutil.which("runc"), "runc is not installed")
    def test_options_of_runc_are_known_with_their_values(self):
        self.compare(runc_options, runc_commands())

    @unittest.skipUnless(shutil.which("crun"), "crun is not installed")
    def test_options_of_crun_are_known_with_their_values(self):
        self.compare(crun_options, crun_commands())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PRINT_COMMANDS = sys.argv.pop(1)
    unittest.main()
