#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtreg-runtime in front of the real runc: containers that keep what they were started with."""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

from front_door_support import ANNOTATION, FrontDoorTest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "engines"))
from preflight import runc_fails

BUSYBOX = "/bin/busybox"


def lacks():
    """Why runc cannot be used here; None if it can."""
    if os.geteuid() != 0:
        return "runc needs root"
    for program in ("runc", BUSYBOX):
        if not shutil.which(program):
            return f"{program} is not installed"
    dynamic = subprocess.run(["ldd", BUSYBOX], capture_output=True, check=False).returncode == 0
    return "busybox is not a static one" if dynamic else runc_fails()


@unittest.skipIf(lacks(), lacks())
class Runc(FrontDoorTest):
    """`strict` fails without its argument, then is runc."""

    def setUp(self):
        super().setUp()
        path = self.script("strict", '[ "$1" = "--must-have=a b" ] || { echo "without arguments" >&2; exit 99; }\n'
                                     'shift; exec runc "$@"\n')
        self.runtimes = {"strict": {"path": path, "runtimeArgs": ["--must-have=a b"]}}
        self.configure({"runtimes": self.runtimes})
        os.makedirs(os.path.join(self.bundle, "rootfs/bin"))
        shutil.copy(BUSYBOX, os.path.join(self.bundle, "rootfs/bin"))
        self.name = os.path.basename(self.directory)  # a cgroup of its own
        self.root = ["--root", self.at("runc")]
        self.addCleanup(self.remove_containers)
        self.start()

    def remove_containers(self):
        subprocess.run(["runc", *self.root, "delete", "--force", self.name], capture_output=True, check=False)

    def prepare(self, *command):
        os.unlink(os.path.join(self.bundle, "config.json"))
        subprocess.run(["runc", "spec"], cwd=self.bundle, check=True)
        with open(os.path.join(self.bundle, "config.json")) as file:
            spec = json.load(file)
        spec["process"].update(terminal=False, args=["/bin/busybox", *command])
        spec["annotations"] = {ANNOTATION: "strict"}
        self.write_config(json.dumps(spec))

    def runc(self, *words, **rest):
        # files, as a container holds its output open for as long as it lives
        with open(self.at("out"), "w") as out, open(self.at("err"), "w") as err:
            done = self.door(*self.root, *words, capture_output=False, stdout=out, stderr=err, **rest)
        with open(self.at("out")) as out, open(self.at("err")) as err:
            return done.returncode, out.read(), err.read()

    def status(self):
        code, out, err = self.runc("state", self.name)
        self.assertEqual(code, 0, err)
        return json.loads(out)["status"]

    def test_container_lives_through_loss_of_its_runtime_and_of_the_daemon(self):
        self.prepare("sleep", "1000")
        self.assertEqual(self.runc("create", "--bundle", self.bundle, "--pid-file", self.at("pid"), self.name)[0], 0)
        self.assertEqual(self.status(), "created")
        self.assertEqual(self.runc("start", self.name)[0], 0)
        self.configure({})
        self.assertEqual(self.reload().status, 200)
        self.kill_daemon()
        self.assertEqual(self.runc("exec", self.name, "/bin/busybox", "echo", "--root"), (0, "--root\n", ""))
        self.assertEqual(self.status(), "running")
        self.start()
        self.assertEqual(self.runc("exec", self.name, "/bin/busybox", "false")[0], 1)
        self.assertEqual(self.runc("kill", self.name, "KILL")[0], 0)
        self.wait_for(lambda: self.status() == "stopped", "the container to stop")
        self.assertEqual(self.runc("delete", self.name), (0, "", ""))
        self.assertEqual(self.lock_ins(), [])
        self.assertNotEqual(self.runc("state", self.name)[0], 0)

    def test_foreground_run_gives_its_exit_code_and_leaves_nothing(self):
        self.prepare("sh", "-c", "echo hello; exit 7")
        self.assertEqual(self.runc("run", "--bundle", self.bundle, self.name), (7, "hello\n", ""))
        self.assertEqual(self.lock_ins(), [])

    def test_foreground_run_passes_signals_to_the_container(self):
        self.prepare("sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do /bin/busybox sleep 0.1; done")
        process = self.spawn_door(*self.root, "run", "--bundle", self.bundle, self.name)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 5)
        self.assertEqual(self.lock_ins(), [])

    def test_create_that_failed_in_runc_can_be_tried_again(self):
        self.prepare("true")
        os.rename(os.path.join(self.bundle, "rootfs"), os.path.join(self.bundle, "away"))
        words = ("create", "--bundle", self.bundle, self.name)
        self.assertNotEqual(self.runc(*words)[0], 0)
        self.assertEqual(self.containers(), [self.name])
        os.rename(os.path.join(self.bundle, "away"), os.path.join(self.bundle, "rootfs"))
        self.assertEqual(self.runc(*words)[0], 0)
        self.assertEqual(self.runc("delete", "--force", self.name)[0], 0)
        self.assertEqual(self.lock_ins(), [])


if __name__ == "__main__":
    unittest.main()
