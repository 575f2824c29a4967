#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregctl with a real rtregd: what the one asks is what the other answers."""

import json
import os
import signal
import subprocess
import time
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
        took = PATIENCE
        while took > 1:  # else the clock seems to have been set meanwhile
            begin = time.monotonic()
            text = self.ctl("status")
            took = time.monotonic() - begin
        lines = dict(line.split("   ", 1) for line in text.splitlines())
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


class Following(CtlTest):
    def test_follower_sees_events_as_they_come_and_ends_with_the_stop(self):
        self.start()
        process = self.begin("events", "--follow", "--since", "1h")
        self.read_to(process.stdout, "start")
        self.ctl("reload", "--force")
        self.read_to(process.stdout, "reload")
        self.stop()
        self.read_to(process.stdout, "stop")
        self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, ""))

    def test_follower_of_a_daemon_that_is_killed_exits_3(self):
        self.start()
        process = self.begin("events", "--follow", "--since", "1h")
        self.read_to(process.stdout, "start")
        self.end(self.process)
        self.assertEqual(process.wait(PATIENCE), 3)

    def test_filters_choose_and_unknown_ones_exit_1(self):
        self.start()
        self.configure({"mtu": -1})
        self.ctl("reload", code=1)
        lines = self.ctl("events", "--filter", "event=reload-failed").splitlines()
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].endswith("error=invalid default MTU: -1"), lines[0])
        self.ctl("events", "--filter", "bogus=x", code=1)


class Metrics(CtlTest):
    def test_metrics_are_those_of_the_daemon(self):
        self.start()
        self.assertRegex(self.ctl("metrics"), r"(?m)^rtreg_generation 1$")


class Changes(CtlTest):
    def test_a_runtime_is_added_made_the_default_and_removed(self):
        self.start()
        path = self.script("runtime", "echo '{}'")
        self.ctl("runtime", "add", "x", "--path", path, "--arg", "--debug", "--if-generation", "1")
        self.assertRegex(self.ctl("ls"), rf"(?m)^x .* {path}   --debug$")
        self.ctl("set-default", "x")
        self.assertRegex(self.ctl("ls"), r"(?m)^x +\* ")
        self.assertIn("default", self.ctl("runtime", "rm", "x", code=1))
        self.ctl("set-default", "")
        self.ctl("runtime", "rm", "x")
        self.assertNotRegex(self.ctl("ls"), r"(?m)^x ")

    def test_a_changed_runtime_outlives_a_restart(self):
        self.start()
        self.ctl("runtime", "add", "kata", "--type", "io.containerd.kata.v2", "--option", "n=5", "--option", "s=x")
        self.stop()
        self.start()
        self.assertRegex(self.ctl("resolve", "kata"), r"(?m)^n +5$")

    def test_refusals_have_their_exit_codes(self):
        self.configure({"runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"}}, "default-runtime": "kata"})
        self.start()
        self.ctl("runtime", "add", "runc", "--path", "/x", code=1)
        self.ctl("runtime", "add", "x", "--path", "/x", "--if-generation", "99", code=1)
        self.ctl("runtime", "rm", "other", code=4)
        self.assertIn("daemon.json", self.ctl("set-default", "runc", code=1))

    def test_a_mistyped_default_is_suggested(self):
        self.configure({"runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"}}})
        self.start()
        self.assertIn('did you mean "kata"?', self.ctl("set-default", "kaat", code=4))


class Trial(CtlTest):
    def test_a_configuration_on_trial_is_told_and_confirmed(self):
        self.start()
        self.configure({"debug": True})
        self.assertIn("confirm with: rtregctl confirm", self.ctl("reload", "--confirm", "600"))
        self.assertRegex(self.ctl("status"), r"(?m)^on trial .*then back to generation 1;")
        self.assertEqual(self.ctl("confirm"), "confirmed\n")
        self.assertNotIn("on trial", self.ctl("status"))
        self.ctl("confirm", code=1)

    def test_without_a_confirmation_it_goes_back(self):
        self.start()
        self.configure({"debug": True})
        self.ctl("reload", "--confirm", "1")
        self.wait_for(lambda: "revert" in self.ctl("history"), "the revert")
        self.assertNotRegex(self.ctl("config"), r"(?m)^debug +true")

    def test_a_rejected_configuration_is_shown(self):
        self.start()
        self.configure({"mtu": -1})
        self.ctl("reload", code=1)
        self.assertRegex(self.ctl("status"), r"(?m)^rejected .*source")


if __name__ == "__main__":
    unittest.main()
