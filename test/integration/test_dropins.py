#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Drop-ins beside the configuration file, and what stays of a rejected one, from outside: rtregd and rtregctl."""

import os
import signal
import stat
import subprocess
import unittest

from test_daemon import PATIENCE, DaemonTest

RTREGCTL = os.path.abspath(os.path.join(os.environ.get("RTREG_BUILD", "build"), "tools", "rtregctl"))
KATA = '{"runtimes": {"kata": {"runtimeType": "io.containerd.kata.v2"}}}'


class DropIns(DaemonTest):
    def put(self, name, text):
        folder = self.config + ".d"
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name)
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def ctl(self, *words):
        return subprocess.run([RTREGCTL, "-s", self.socket, *words], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def rejected(self, name=""):
        return os.path.join(self.at("state"), "rejected", name)

    def test_validate_reads_the_drop_ins(self):
        path = self.put("50-kata.json", KATA)
        self.assertEqual(self.run_once("--validate").returncode, 0)
        self.put("60-kata.json", KATA)
        for result in (self.run_once("--validate"), self.ctl("validate", self.config)):
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"runtime kata is set in two files: {path} and ", result.stderr)
            self.assertIn("/60-kata.json", result.stderr)

    def test_start_with_a_broken_drop_in_fails_and_names_it(self):
        path = self.put("50-kata.json", "{,")
        result = self.run_once()
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"{path}: invalid JSON: line 1, column 2", result.stderr)

    def test_a_package_comes_and_goes(self):
        self.start()
        path = self.put("50-kata.json", KATA)
        reply = self.reload()
        self.assertEqual(reply.status, 200, reply.text)
        self.assertIn("runtimes.kata", [change["key"] for change in reply.json["changed"]])
        self.assertEqual(self.get("/v1/config").json["origin"]["runtimes.kata"], "file:50-kata.json")
        self.assertEqual(self.get("/v1/resolve?runtime=kata").status, 200)
        os.unlink(path)
        reply = self.reload()
        self.assertEqual([change["key"] for change in reply.json["reset"]], ["runtimes.kata"])
        self.assertEqual(self.get("/v1/resolve?runtime=kata").status, 400)

    def test_broken_drop_in_is_400_and_changes_nothing(self):
        self.put("50-kata.json", KATA)
        self.start()
        before = self.get("/v1/config").text
        self.put("60-x.json", "[]")
        reply = self.reload()
        self.assertEqual(reply.status, 400)
        self.assertIn("60-x.json: invalid JSON: ", reply.json["message"])
        self.assertEqual(self.get("/v1/config").text, before)

    def test_signal_reads_the_drop_ins(self):
        self.start()
        self.put("50-kata.json", KATA)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.generation() == 2, "the reload")
        self.assertEqual(self.get("/v1/config").json["origin"]["runtimes"], "file:50-kata.json")

    def test_config_origin_names_the_file(self):
        self.configure({"labels": ["site=a"], "runtimes": {"crun": {"path": "/bin/crun"}}})
        self.put("50-kata.json", KATA)
        self.put("60-x.json", '{"debug": true}')
        self.start("--add-runtime", "flagged=/bin/x")
        rows = [line.split(None, 2)[:2] for line in self.ctl("config", "--origin").stdout.splitlines()]
        for row in (["labels", "file"], ["debug", "file:60-x.json"], ["runtimes.kata", "file:50-kata.json"],
                    ["runtimes.crun", "file"], ["runtimes.flagged", "flag"]):
            self.assertIn(row, rows)

    def test_move_between_files_shows_the_new_one_in_the_same_generation(self):
        self.configure({"debug": True})
        self.start()
        self.configure({})
        self.put("60-x.json", '{"debug": true}')
        reply = self.reload()
        self.assertTrue(reply.json["unchanged"])
        self.assertEqual(reply.json["generation"], 1)
        config = self.get("/v1/config")
        self.assertEqual(config.json["origin"]["debug"], "file:60-x.json")
        self.assertEqual(config.headers["Rtreg-Generation"], "1")

    def test_rejected_files_are_kept_until_a_reload_succeeds(self):
        self.start()
        self.configure("{,")
        self.put("50-kata.json", KATA)
        self.assertEqual(self.reload().status, 400)
        with open(self.rejected("daemon.json")) as file:
            self.assertEqual(file.read(), "{,")
        with open(self.rejected("daemon.json.d/50-kata.json")) as file:
            self.assertEqual(file.read(), KATA)
        with open(self.rejected("errors")) as file:
            self.assertRegex(file.read(), r"\Ainvalid JSON: [^\n]*\n\Z")
        self.assertEqual(stat.S_IMODE(os.stat(self.rejected()).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.rejected("daemon.json")).st_mode), 0o600)
        self.assertEqual(self.reload({"nonsense": 1}).status, 400)
        self.assertEqual(sorted(os.listdir(self.rejected())), ["body.json", "errors"])
        self.configure({})
        self.assertEqual(self.reload().status, 200)
        self.assertFalse(os.path.exists(self.rejected()))


if __name__ == "__main__":
    unittest.main()
