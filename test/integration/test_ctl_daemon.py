#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregctl with a real rtregd: what the one asks is what the other answers."""

import json
import os
import signal
import subprocess
import unittest

from test_daemon import PATIENCE, RTREGD, DaemonTest

RTREGCTL = os.path.join(os.path.dirname(os.path.dirname(RTREGD)), "tools", "rtregctl")


class CtlTest(DaemonTest):
    def start(self, *options, **places):
        # what reloads is rtregctl alone
        super().start("--no-watch", *options, **places)

    def command_line(self, *words):
        return [RTREGCTL, "-s", self.socket, *words]

    def ctl(self, *words, code=0):
        """Runs rtregctl; what it prints on stdout, or where it fails on stderr."""
        result = subprocess.run(self.command_line(*words), capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, code, result)
        return result.stderr if code else result.stdout

    def begin(self, *words):
        process = subprocess.Popen(self.command_line(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.finish, process)
        return process

    def finish(self, process):
        self.end(process)
        process.stdout.close()
        process.stderr.close()

    def read_to(self, stream, word):
        """Reads lines up to one with `word`, which is there or comes."""
        for line in stream:
            if word in line:
                return line
        return self.fail(f"no line with {word!r}")


class Ctl(CtlTest):
    def test_events_lists_start_and_reloads_and_ends(self):
        self.start()
        self.configure({"debug": True})
        self.ctl("reload")
        lines = self.ctl("events").splitlines()
        self.assertEqual([line.split()[2:4] for line in lines], [["daemon", "start"], ["daemon", "reload"]])
        self.assertIn("debug=true", lines[1])

    def test_events_json_are_the_lines_of_the_daemon(self):
        self.start()
        events = [json.loads(line) for line in self.ctl("events", "--json", "--since", "1h").splitlines()]
        self.assertEqual([event["Action"] for event in events], ["start"])

    def test_mistyped_runtime_is_suggested(self):
        self.configure({"runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"}}})
        self.start()
        self.assertIn('did you mean "kata"?', self.ctl("resolve", "kaat", code=4))

    def test_status_and_uptime_agree(self):
        self.start()
        lines = dict(line.split("   ", 1) for line in self.ctl("status").splitlines())
        self.assertIn(f"({lines['uptime'].strip()} ago)", lines["started"])

    def test_watching_outlives_a_restart(self):
        self.start()
        for words in (["status"], ["ls"]):
            with self.subTest(words):
                process = self.begin(*words, "--watch")
                first = process.stdout.readline()
                self.stop()
                self.read_to(process.stderr, "waiting for rtregd")
                self.start()
                self.read_to(process.stdout, first.split()[0])
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
