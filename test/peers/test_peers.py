#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs in other languages print what `rtreg-bench read --json` prints of its cases.

    test_peers.py [PROGRAM]... [unittest's arguments]
"""

import json
import os
import subprocess
import sys
import unittest

SPREAD = {"min", "lower", "median", "upper", "max"}
CASE = {"name", "series", "x", "threads", "unit", "reference", "ratio"} | SPREAD
PROGRAMS = []


class Peers(unittest.TestCase):
    def test_each_prints_its_figures_and_its_own_raw_one(self):
        if not PROGRAMS:
            self.skipTest("no compiler of another language is installed")
        for program in PROGRAMS:
            with self.subTest(program):
                told = json.loads(subprocess.check_output([program, "3", "1"], timeout=200))
                self.assertEqual((told["subcommand"], told["rounds"], told["runtimes"]), ("read", 3, 64))
                self.assertEqual(os.path.basename(program), "peer-" + told["peer"])
                names = {case["name"] for case in told["cases"]}
                self.assertLessEqual({"raw", "raw, 2 readers"}, names)
                self.assertGreater(len(names), 4)
                for case in told["cases"]:
                    self.assertEqual(set(case), CASE)
                    self.assertGreater(case["min"], 0)
                    self.assertIn(case["reference"], names)
                    self.assertEqual(set(case["ratio"]), SPREAD)


if __name__ == "__main__":
    while len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        PROGRAMS.append(sys.argv.pop(1))
    unittest.main()
