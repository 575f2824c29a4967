#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtreg-runtime when it fails: what it says, where, and with which exit code; and that nothing was created then."""

import json
import os
import re
import signal
import subprocess
import unittest

from front_door_support import RTREG_RUNTIME, FrontDoorTest


class Failures(FrontDoorTest):
    """With a daemon. Nothing is executed and nothing stays locked in where create fails."""

    def setUp(self):
        super().setUp()
        self.start()

    def create_fails(self, code, text, *options, container="web", **rest):
        done = self.fails(code, text, *options, "create", "--bundle", self.bundle, container, **rest)
        self.assertEqual((self.calls("create"), self.lock_ins()), ([], []))
        return done


class Create(Failures):
    def test_daemon_that_is_away_is_named(self):
        self.kill_daemon()
        self.create_fails(125, self.socket)

    def test_daemon_that_hangs_has_five_seconds(self):
        self.halt()
        self.addCleanup(self.process.send_signal, signal.SIGCONT)
        self.create_fails(125, "within 5 s")

    def test_unknown_runtime_is_told_by_the_daemon(self):
        self.annotate("nothing")
        self.create_fails(125, "unknown or invalid runtime name: nothing")

    def test_binary_that_is_missing_is_127_and_one_that_cannot_be_executed_126(self):
        for name, path in (("first", self.at("fake-first")), ("second", self.at("fake-second"))):
            self.annotate(name)
            os.chmod(path, 0o644)
            self.create_fails(126, path)
            os.unlink(path)
            self.create_fails(127, path)

    def test_text_without_an_interpreter_cannot_be_executed(self):
        with open(self.at("fake-second"), "w") as file:
            file.write("no program\n")
        self.annotate("second")
        self.create_fails(126, self.at("fake-second"))

    def test_shim_without_a_runtime_binary_is_told(self):
        self.runtimes["kata"] = {"runtimeType": "io.containerd.kata.v2"}
        self.settle()
        self.reload()
        self.annotate("kata")
        self.create_fails(125, "io.containerd.kata.v2")

    def test_bad_container_names(self):
        for container in ("a/b", ".web", "_web", "we b", "x" * 129, "wéb", ""):
            with self.subTest(container):
                self.create_fails(125, "", container=container)
        self.create("x" * 128)

    def test_root_that_is_too_long(self):
        self.create_fails(125, "--root", "--root", "/" + "x" * 5000)

    def test_daemon_that_keeps_its_state_elsewhere_takes_it_back(self):
        os.mkdir(self.at("other"), 0o700)
        self.create_fails(125, "set RTREG_STATE_DIR", environment={"RTREG_STATE_DIR": self.at("other")})
        self.assertEqual(self.container_events(), [("lock-in", "web"), ("unlock", "web")])


class Bundle(Failures):
    def file(self):
        return os.path.join(self.bundle, "config.json")

    def test_missing_one(self):
        os.unlink(self.file())
        self.create_fails(125, self.file() + ": no such file")

    def test_no_regular_file_does_not_hang(self):
        os.unlink(self.file())
        os.mkfifo(self.file())
        self.create_fails(125, "FIFO")
        os.unlink(self.file())
        os.mkdir(self.file())
        self.create_fails(125, "directory")
        os.rmdir(self.file())
        os.symlink("/dev/zero", self.file())
        self.create_fails(125, "device")

    def test_bad_json_is_told_with_its_place(self):
        self.write_config('{"annotations": {\n"a": }}')
        self.create_fails(125, self.file() + ": invalid JSON: line 2, column 6: ")
        self.write_config("[1]")
        self.create_fails(125, "JSON object, not array")

    def test_annotation_that_is_no_string(self):
        self.write_config('{"annotations": {"io.rtreg.runtime": 7}}')
        self.create_fails(125, "must be a string, not number")

    def test_large_one_is_read_and_one_past_the_limit_refused(self):
        self.annotate("second", padding=["x" * 100] * 100000)
        self.create("big")
        self.assertEqual(self.called()[0], "second")
        self.passes("delete", "big")
        os.unlink(os.path.join(self.fake, "calls"))
        self.annotate("second", padding="x" * (17 << 20))
        self.create_fails(125, "16 MiB")


class Loops(Failures):
    def setUp(self):
        super().setUp()
        self.runtimes["itself"] = {"path": RTREG_RUNTIME}
        self.runtimes["script"] = {"path": self.script("script", f'exec {RTREG_RUNTIME} "$@"\n')}
        self.runtimes["wrapped"] = {"path": RTREG_RUNTIME, "runtimeArgs": ["--debug"]}
        self.settle()
        self.reload()

    def test_runtime_that_is_itself_is_refused(self):
        self.annotate("itself")
        self.create_fails(125, "is rtreg-runtime itself")

    def test_runtime_that_leads_back_ends(self):
        for number, name in enumerate(("script", "wrapped")):
            with self.subTest(name):
                self.annotate(name)
                done = self.door("create", "--bundle", self.bundle, f"web{number}")
                self.assertEqual(done.returncode, 125)
                self.assertIn("leads back to rtreg-runtime", done.stderr)

    def test_default_runtime_that_is_itself_is_refused_for_every_command(self):
        self.settle(**{"default-runtime": "itself"})
        self.reload()
        self.fails(125, "is rtreg-runtime itself", "state", "web")


class Saying(Failures):
    def logged(self, name="log"):
        with open(self.at(name)) as file:
            return file.read()

    def test_json_log_has_the_line_that_engines_look_for(self):
        self.annotate("nothing")
        done = self.create_fails(125, "nothing", "--log", self.at("l"), "--log-format", "json")
        line = json.loads(self.logged("l"))
        self.assertEqual(set(line), {"level", "msg", "time"})
        self.assertEqual(line["level"], "error")
        self.assertEqual(done.stderr, f"rtreg-runtime: {line['msg']}\n")
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_text_log_is_appended_to(self):
        self.annotate("nothing")
        for _ in range(2):
            self.create_fails(125, "nothing", "--log=file:" + self.at("l"))
        lines = self.logged("l").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[1], r'^time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" level=error msg="unknown .*nothing"$')

    def test_log_that_cannot_be_written_does_not_matter(self):
        self.annotate("nothing")
        os.mkfifo(self.at("fifo"))
        for log in (self.at("no/such/l"), self.at("fifo"), self.directory, "journald:x", "syslog:x", ""):
            with self.subTest(log):
                self.create_fails(125, "nothing", "--log", log)

    def test_message_is_one_line_whatever_it_tells(self):
        self.annotate("no\nthing")
        self.create_fails(125, "", "--log", self.at("l"), "--log-format", "json")
        self.assertNotIn("\n", json.loads(self.logged("l"))["msg"])

    def test_stderr_that_cannot_be_written_to_does_not_matter(self):
        words = [RTREG_RUNTIME, "--log", self.at("l"), "create", "--bundle", self.at("none"), "web"]
        closed = subprocess.run(words, env=self.environment, check=False, preexec_fn=lambda: os.close(2))
        self.assertEqual(closed.returncode, 125)
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "wb") as pipe, open("/dev/full", "wb") as full:
            for stderr in (pipe, full):
                self.assertEqual(subprocess.run(words, env=self.environment, check=False, stderr=stderr).returncode,
                                 125)
        self.assertEqual(self.logged("l").count("no such file"), 3)

    def test_descriptors_that_are_closed_stay_closed_for_the_runtime(self):
        def close():
            for fd in (0, 1, 2):
                os.close(fd)

        words = [RTREG_RUNTIME, "create", "--bundle", self.bundle, "web"]
        self.assertEqual(subprocess.run(words, env=self.environment, check=False, preexec_fn=close).returncode, 0)
        self.assertEqual(self.calls("create")[-1]["argv"][-1], "web")


class About(FrontDoorTest):
    """Without daemon and state directory."""

    def test_version_is_what_containerd_and_dockerd_parse(self):
        for words in (["--version"], ["-v"], ["--root", "/r", "-version"]):
            lines = self.passes(*words).stdout.splitlines()
            self.assertRegex(lines[0], r"^rtreg-runtime version \d+\.\d+\.\d+$")
            self.assertEqual([line.split(": ")[0] for line in lines[1:]], ["commit", "spec"])
            self.assertRegex(lines[2], r"^spec: 1\.\d+\.\d+$")

    def test_help_names_every_command(self):
        for words in (["--help"], ["-h"], [], ["help"], ["--root", "/r"]):
            text = self.passes(*words).stdout
            for command in ("create", "delete", "exec", "features"):
                self.assertTrue(re.search(rf"(?m)^  {command} ", text), words)

    def test_missing_state_directory_is_told(self):
        for words in (["state", "web"], ["create", "web"], ["list"], ["features"]):
            self.fails(125, "start rtregd", *words)

    def test_state_directory_without_a_default_is_told(self):
        os.mkdir(self.at("state"), 0o700)
        self.fails(125, "default-runtime", "state", "web")

    def test_relative_state_directory_is_refused(self):
        self.fails(125, "absolute", "state", "web", environment={"RTREG_STATE_DIR": "state"}, cwd=self.directory)


if __name__ == "__main__":
    unittest.main()
