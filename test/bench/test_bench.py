#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtreg-bench run as people run it. RTREG_BUILD is the build folder."""

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

BENCH = os.path.join(os.environ.get("RTREG_BUILD", "build"), "tools", "rtreg-bench")
# As few operations as there can be: what the figures are does not matter here.
QUICK = ("--rounds", "3", "--batches", "1", "--readers", "2")
TOP = {"subcommand", "version", "processors", "rounds", "slice-ns", "runtimes", "cases", "goals"}
SPREAD = {"min", "lower", "median", "upper", "max"}
CASE = {"name", "series", "x", "threads", "unit"} | SPREAD
COMPARED = {"reference", "within-noise", "ratio"}
NGINX, BESIDE_NGINX = shutil.which("nginx"), {"socket-nginx", "socket-p99"}
LARGE = {"reload-10000", "reload-linear", "reload-memory"}  # whose sizes such a run leaves out
GOAL = {"id", "case", "reference", "bound", "at-least", "measured", "factor", "verdict", "source"}


def bench(*words):
    return subprocess.run([BENCH, *words], capture_output=True, text=True, check=False, timeout=500)


def section(text, head):
    """The names in a section of the help."""
    found = re.search(rf"(?ms)^{head}:\n(.*?)(?:\n\n|\Z)", text)
    return re.findall(r"(?m)^  (?:-\w, |    )?([\w-]+)", found.group(1)) if found else []


SUBCOMMANDS = section(bench("--help").stdout, "Subcommands")


class CommandLine(unittest.TestCase):
    def test_help_tells_subcommands_and_options(self):
        done = bench("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLessEqual({"read", "pin", "resolve"}, set(SUBCOMMANDS))
        self.assertLessEqual({"--json", "--plot", "--rounds", "--check"}, set(section(done.stdout, "Options")))

    def test_help_fits_a_terminal(self):
        for words in ([], *([name] for name in SUBCOMMANDS)):
            for line in bench(*words, "--help").stdout.splitlines():
                if "Goals:" not in line and " x " not in line:
                    self.assertLessEqual(len(line), 100, line)

    def test_mistyped_subcommand_exits_2_with_a_suggestion(self):
        done = bench("raed")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn('did you mean "read"?', done.stderr)

    def test_wrong_usage_exits_2(self):
        for words in ([], ["read", "pin"], ["read", "--rounds", "0"], ["read", "--rounds", "1.5"], ["read", "--sorted"],
                      ["read", "--seconds", "nan"], ["read", "--check", "0.5"], ["read", "--plot"]):
            with self.subTest(words):
                done = bench(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertNotEqual(done.stderr, "")

    def test_unknown_case_exits_1(self):
        done = bench("pin", "--case", "no such thing")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no such thing", done.stderr)

    def test_unwritable_chart_exits_1(self):
        done = bench("pin", *QUICK, "--plot", "/proc/nothing/chart.svg")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/nothing/chart.svg: No such file", done.stderr)

    def test_without_rtregd_exits_1(self):
        for name in ("socket", "shared"):
            with self.subTest(name):
                done = subprocess.run([BENCH, name, *QUICK], capture_output=True, text=True, timeout=300, check=False,
                                      env={**os.environ, "RTREG_BENCH_PATH": "/proc/nothing"})
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("there is no rtregd in the folders of RTREG_BENCH_PATH", done.stderr)

    def test_more_readers_than_processors_is_said(self):
        done = bench("pin", "--rounds", "1", "--batches", "1", "--readers", str(4 * os.cpu_count()))
        self.assertEqual(done.returncode, 0)
        self.assertIn("processors: they share them", done.stderr)


@functools.lru_cache(maxsize=None)
def measured(name):
    """A run of a subcommand, once for all tests: its exit code, what it said, its chart."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "chart.svg")
        done = bench(name, *QUICK, "--json", "--plot", path)
        if done.returncode == 0:
            with open(path, encoding="utf-8") as chart:
                return done, chart.read()
        return done, ""


class Results(unittest.TestCase):
    def results(self, name, *words):
        done = bench(name, *QUICK, "--json", *words) if words else measured(name)[0]
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_json_has_the_documented_members(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                told = self.results(name)
                self.assertEqual(set(told), TOP)
                self.assertEqual((told["subcommand"], told["rounds"]), (name, 3))
                self.assertGreater(len(told["cases"]), 1)
                for case in told["cases"]:
                    self.assertIn(set(case), (CASE, CASE | COMPARED))
                    self.assertGreater(case["min"], 0)
                    spread = [case[key] for key in ("min", "lower", "median", "upper", "max")]
                    self.assertEqual(spread, sorted(spread))
                for goal in told["goals"]:
                    self.assertEqual(set(goal), GOAL)
                    self.assertIn(goal["verdict"], ("met", "missed", "open"))

    def test_references_are_cases(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                cases = self.results(name)["cases"]
                names = [case["name"] for case in cases]
                self.assertEqual(len(set(names)), len(names))
                self.assertLessEqual({case["reference"] for case in cases if "reference" in case}, set(names))

    def test_each_goal_of_a_subcommand_is_judged(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                judged = {goal["id"] for goal in self.results(name)["goals"]}
                goals = set(section(bench(name, "--help").stdout, "Goals"))
                self.assertEqual(judged, goals - LARGE if NGINX else goals - LARGE - BESIDE_NGINX)

    def test_chart_is_well_formed_and_names_each_series(self):
        for name in SUBCOMMANDS:
            with self.subTest(name):
                series = {case["series"] for case in self.results(name)["cases"] if case["series"]}
                self.assertGreater(len(series), 1)
                chart = ElementTree.fromstring(measured(name)[1])
                texts = [text.text or "" for text in chart.iter("{http://www.w3.org/2000/svg}text")]
                for one in series:
                    self.assertTrue(any(text.startswith(one + ": ") for text in texts), one)

    def test_table_has_a_row_for_each_case(self):
        cases = self.results("pin")["cases"]
        lines = bench("pin", *QUICK).stdout.splitlines()
        self.assertEqual(lines[0].split()[:4], ["case", "min", "median", "max"])
        self.assertEqual(len(lines[1:lines.index("")]), len(cases))

    def test_markdown_rows_have_as_many_cells_as_the_head(self):
        text = bench("pin", *QUICK, "--markdown").stdout
        for table in text.split("\n\n"):
            self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1, table)

    def test_case_by_its_whole_name_is_measured_alone(self):
        self.assertEqual([case["name"] for case in self.results("read", "--case", "raw")["cases"]], ["raw"])

    def test_case_by_a_part_brings_its_reference(self):
        names = [case["name"] for case in self.results("pin", "--case", "striped")["cases"]]
        self.assertIn("shared counter, 2 threads", names)
        self.assertNotIn("mutex, 2 threads", names)

    def test_works_in_tmpdir_and_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            for place, code in ((folder, 0), (os.path.join(folder, "missing"), 1)):
                done = subprocess.run([BENCH, "pin", *QUICK], capture_output=True, timeout=300, check=False,
                                      env={**os.environ, "TMPDIR": place})
                self.assertEqual((done.returncode, os.listdir(folder)), (code, []), done.stderr)


if __name__ == "__main__":
    unittest.main()
