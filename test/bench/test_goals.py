#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No goal of rtreg-bench is missed by more than a factor of two; RTREG_BUILD is the build folder.

By time are judged the goals of one thread: their ratios are medians of batches of microseconds, or of processor time,
so that they stay the same beside any other load; and counts, such as bytes. What two threads do together, a reader
beside a writer, the slowest of many, and what a disk does, is another matter on a machine with other work: these goals
are for a quiet machine, and for `meson test --benchmark`. In their place the instructions of one operation are counted
here, by callgrind, which sees the same on every machine.
"""

import contextlib
import functools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.environ.get("RTREG_BUILD", "build")
BENCH = os.path.join(BUILD, "tools", "rtreg-bench")
RTREGCTL = os.path.join(BUILD, "tools", "rtregctl")
RTREGD = os.path.join(BUILD, "daemon", "rtregd")
FACTOR = 2
TRIES = 3
RUNS = 30
PATIENCE = 120  # seconds that the daemon may take to answer
BATCH = 1024
BATCHES = 64
# What is counted does not depend on a disk, but the time that it takes does.
ENVIRONMENT = {**os.environ, **({"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {})}


def instructions(subcommand, case, batches, rounds=1):
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", BENCH, subcommand, "--case", case,
         "--rounds", str(rounds), "--readers", "1", "--batches", str(batches)],
        capture_output=True, text=True, check=False, timeout=600, env=ENVIRONMENT)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise AssertionError(done.stderr)
    return int(found.group(1))


def per_operation(subcommand, case):
    """What the batches add that one run has and the other has not."""
    more, fewer = (instructions(subcommand, case, batches) for batches in (BATCHES + 1, 1))
    return (more - fewer) / (BATCH * BATCHES)


def one_reload(case):
    """What three rounds add to one."""
    more, fewer = (instructions("reload", case, 1, rounds) for rounds in (4, 1))
    return (more - fewer) / 3


@contextlib.contextmanager
def rtregd():
    """One that answers; its socket."""
    with tempfile.TemporaryDirectory() as directory:
        config, socket = os.path.join(directory, "daemon.json"), os.path.join(directory, "socket")
        with open(config, "w", encoding="utf-8") as file:
            file.write("{}")
        command = [RTREGD, "--config-file", config, "--state-dir", os.path.join(directory, "state"), "--exec-root",
                   os.path.join(directory, "exec"), "--socket", socket, "--no-watch"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                end = time.monotonic() + PATIENCE
                while subprocess.run([RTREGCTL, "-s", socket, "status"], capture_output=True, check=False).returncode:
                    if process.poll() is not None or time.monotonic() > end:
                        raise AssertionError("rtregd does not answer")
                    time.sleep(0.01)
                yield socket
            finally:
                process.kill()


def processor_ns(*words):
    """The least that a program has taken of the processors, from its start to its end."""
    least = math.inf
    for _ in range(RUNS):
        silent = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
        _, status, used = os.wait4(os.posix_spawnp(words[0], words, os.environ, file_actions=silent), 0)
        if status != 0:
            raise AssertionError(f"{words} ended with {status}")
        least = min(least, (used.ru_utime + used.ru_stime) * 1e9)
    return least


class Times(unittest.TestCase):
    def told(self, *words):
        done = subprocess.run([BENCH, *words, "--json"], capture_output=True, text=True, check=False, timeout=600,
                              env=ENVIRONMENT)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        return {case["name"]: case for case in told["cases"]}, {goal["id"]: goal for goal in told["goals"]}

    def assert_held(self, measure):
        """
        None of the goals that `measure` names is missed by more than FACTOR. What is missed is measured again: a machine
        that was busy for a moment is not in the next one, and what has become slow is slow each time.
        """
        least = {}
        for _ in range(TRIES):
            for name, factor in measure().items():
                least[name] = min(factor, least.get(name, factor))
            if max(least.values()) <= FACTOR:
                return
        self.fail(f"missed by a factor of more than {FACTOR}: {least}")

    # Of the first two the quickest of all rounds is judged, which other processes delay the least.

    def reload_factors(self):
        cases, goals = self.told("reload", "--batches", "1", "--rounds", "15", "--case", "one label, 100 runtimes")
        return {"reload-100": cases["one label, 100 runtimes"]["min"] / goals["reload-100"]["bound"]}

    def socket_factors(self):
        cases, goals = self.told("socket", "--short")
        quickest = {name: case["min"] for name, case in cases.items()}
        factors = {goal: quickest["rtregd"] / quickest[name] / goals[goal]["bound"]
                   for name, goal in (("libmicrohttpd", "socket-library"), ("nginx", "socket-nginx")) if name in cases}
        factors["socket-memory"] = goals["socket-memory"]["factor"]
        # By how much more than the other the busier does: one to three is a factor of two from one to one and a half.
        busier = quickest["percent of the busier of two threads"]
        factors["socket-threads"] = busier / (100 - busier) / 1.5 if busier < 100 else math.inf
        return factors

    def process_factors(self):
        """By processor time: by the clock the two of them wait for whoever else is at work."""
        with rtregd() as socket:
            above = processor_ns(RTREGCTL, "-s", socket, "resolve", "runc") - processor_ns("true")
        _, goals = self.told("socket", "--batches", "1", "--rounds", "1", "--case", "process, ")
        return {"socket-process": above / goals["socket-process"]["bound"]}

    def shared_factors(self):
        _, goals = self.told("shared", "--short", "--rounds", "15")
        return {name: goals[name]["factor"] for name in ("shared-mapped", "shared-socket")}

    def one_thread_factors(self, subcommand, names):
        _, goals = self.told(subcommand, "--short", "--rounds", "15", "--seconds", "1", "--readers", "1")
        return {name: goals[name]["factor"] for name in names}

    def test_a_small_reload_is_not_slower_by_more_than_a_factor(self):
        self.assert_held(self.reload_factors)

    def test_a_request_takes_no_more_than_a_factor_of_what_other_servers_take(self):
        self.assert_held(self.socket_factors)

    def test_rtregctl_as_a_process_takes_no_more_than_a_factor_of_what_it_may(self):
        self.assert_held(self.process_factors)

    def test_mapped_answers_are_not_slower_by_more_than_a_factor(self):
        self.assert_held(self.shared_factors)

    def test_goals_of_one_thread_are_not_missed_by_more_than_a_factor(self):
        for subcommand, names in (("read", ("read-bp", "read-memb", "read-qsbr", "read-call", "read-call-memb",
                                            "read-prepared", "read-prepared-bp", "read-prepared-qsbr", "read-go")),
                                  ("resolve", ("resolve-64", "resolve-1024", "resolve-100000"))):
            with self.subTest(subcommand):
                self.assert_held(functools.partial(self.one_thread_factors, subcommand, names))


@unittest.skipUnless(shutil.which("valgrind"), "valgrind is not installed")
class Instructions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.raw = per_operation("read", "raw")

    def test_a_protected_look_up_has_few_more_than_an_unprotected_one(self):
        self.assertGreater(self.raw, 10)
        for case, bound in (("bp, inline", 1.15), ("memb, inline", 1.15), ("qsbr, inline", 1.05), ("bp, one call", 2),
                            ("raw, prepared", 0.6), ("bp, prepared", 0.6)):
            with self.subTest(case):
                ratio = per_operation("read", case) / self.raw
                print(f"{case}: {ratio:.3f} x raw", file=sys.stderr)
                self.assertLessEqual(ratio, FACTOR * bound)

    def test_a_mapped_look_up_has_few_more_than_one_in_process(self):
        mapped, own = (per_operation("shared", f"{case}, 64 runtimes") for case in ("mapped", "in process"))
        print(f"mapped: {mapped / own:.3f} x in process", file=sys.stderr)
        self.assertLessEqual(mapped / own, 4)

    def test_a_reload_of_ten_times_as_many_runtimes_has_about_ten_times_as_many(self):
        few, many = (one_reload(f"one label, {count} runtimes") for count in (100, 1000))
        self.assertLessEqual(many / few, 12)


if __name__ == "__main__":
    unittest.main()
