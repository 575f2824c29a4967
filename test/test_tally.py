#!/usr/bin/env python3
"""tally.py on logs as meson writes them."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TALLY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tally.py")


def entry(name, result="OK", stdout="", suite="integration"):
    return {"name": f"rtreg:{suite} / {name}", "result": result, "stdout": stdout, "duration": 1.0}


class Tally(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)

    def log(self, name, entries):
        path = os.path.join(self.place.name, name)
        with open(path, "w") as file:
            file.writelines(json.dumps(one) + "\n" for one in entries)
        return path

    def tally(self, *words):
        return subprocess.run([sys.executable, TALLY, *words], capture_output=True, text=True, check=True).stdout

    def counts(self, *words):
        return [int(number) for number in self.tally(*words).splitlines()[-1].split()]

    def names_to_run_again(self, *entries):
        return self.tally("--again", self.log("log", entries)).split()

    def test_cases_are_counted_as_the_programs_count_them(self):
        log = self.log("log", [
            entry("a", stdout="90%: Checks: 10, Failures: 1, Errors: 0\n", result="FAIL", suite="unit"),
            entry("b", stdout="Ran 5 tests in 1.0s\n\nOK (skipped=2)\n"),
            entry("c", stdout="7 passed, 0 failed\n"), entry("d"), entry("e", result="SKIP")])
        self.assertEqual(self.counts("plain", log), [9 + 3 + 7 + 1, 1, 2 + 1, 0])

    def test_crash_after_cases_that_passed_is_a_failure(self):
        log = self.log("log", [entry("a", stdout="100%: Checks: 3, Failures: 0, Errors: 0\n", result="FAIL", suite="unit")])
        self.assertEqual(self.counts("plain", log), [3, 1, 0, 0])

    def test_one_that_failed_may_run_again(self):
        self.assertEqual(self.names_to_run_again(entry("a"), entry("b", "FAIL"), entry("c", "TIMEOUT", suite="engines+once")),
                         ["b", "c"])

    def test_none_runs_again_where_one_needs_nobody_else(self):
        self.assertEqual(self.names_to_run_again(entry("a", "FAIL"), entry("b", "FAIL", suite="unit")), [])

    def test_none_runs_again_where_many_failed(self):
        self.assertEqual(self.names_to_run_again(*(entry(name, "FAIL") for name in "abc")), [])

    def test_one_that_passes_then_counts_as_unsteady_and_is_shown(self):
        log = self.log("log", [entry("a", "FAIL", stdout="what it said\nRan 5 tests in 1s\n\nFAILED (failures=1)\n")])
        again = self.log("again", [entry("a", stdout="Ran 5 tests in 1s\n\nOK\n")])
        self.assertEqual(self.counts("plain", log, again), [5, 0, 0, 1])
        self.assertIn("what it said", self.tally("plain", log, again))

    def test_one_that_fails_again_has_failed(self):
        log = self.log("log", [entry("a", "FAIL", stdout="Ran 5 tests in 1s\n\nFAILED (failures=1)\n")])
        again = self.log("again", [entry("a", "FAIL", stdout="the second time\nRan 5 tests in 1s\n\nFAILED (errors=2)\n")])
        self.assertEqual(self.counts("plain", log, again), [3, 2, 0, 0])
        self.assertIn("the second time", self.tally("plain", log, again))


if __name__ == "__main__":
    unittest.main()
