#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtreg-runtime and the state directory: whom it trusts; read-only, elsewhere, and after a reboot."""

import json
import os
import shlex
import shutil
import subprocess
import unittest

from front_door_support import BOOT_ID_FILE, OTHER_BOOT, RTREG_RUNTIME, FrontDoorTest
from test_daemon import PATIENCE

STRANGER = 54321
SPACE = ["unshare", "-m", "--propagation", "private"]


def may_mount():
    return shutil.which("unshare") and subprocess.run(
        [*SPACE, "sh", "-c", f"mount --bind /proc/version {BOOT_ID_FILE}"], capture_output=True, check=False,
        timeout=PATIENCE).returncode == 0


class Trust(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.create()
        self.state = self.at("state")
        self.count = len(self.calls())

    def refused(self, text, *words, **rest):
        self.fails(125, text, *(words or ["state", "web"]), **rest)
        self.assertEqual(len(self.calls()), self.count)

    def test_directory_that_others_can_write_to_is_refused(self):
        for mode in (0o770, 0o707):
            os.chmod(self.state, mode)
            for words in (["state", "web"], ["create", "web2"], ["list"]):
                self.refused("chmod go-w", *words)
        os.chmod(self.state, 0o755)
        self.passes("state", "web")

    def test_directory_below_one_that_is_sticky_and_open_to_all_is_trusted(self):
        os.mkdir(self.at("open"))
        os.chmod(self.at("open"), 0o1777)
        os.rename(self.state, self.at("open/state"))
        self.passes("exec", "web", "sh", environment={"RTREG_STATE_DIR": self.at("open/state")})

    def test_file_in_place_of_the_directory_is_told(self):
        self.refused("Not a directory", environment={"RTREG_STATE_DIR": self.config})

    @unittest.skipUnless(os.geteuid() == 0, "needs root: files of others")
    def test_directory_of_somebody_else_is_refused(self):
        os.chown(self.state, STRANGER, STRANGER)
        self.refused(f"belongs to user {STRANGER}, whom user 0 does not trust: change its owner")
        # who is not root has no use for another owner of what is not his
        for directory in (self.directory, self.state):
            os.chmod(directory, 0o755)
        self.refused("run this as root, or set RTREG_STATE_DIR", user=STRANGER + 1, group=STRANGER, extra_groups=[])

    @unittest.skipUnless(os.geteuid() == 0, "needs root: files of others")
    def test_lock_in_of_somebody_else_is_refused(self):
        directory, name = self.lock_ins()[0]
        path = os.path.join(self.state, "lock-ins", directory, name)
        os.chown(path, STRANGER, STRANGER)
        self.refused("not to be trusted")
        self.refused("not to be trusted", "delete", "web")

    @unittest.skipUnless(os.geteuid() == 0, "needs root: files of others")
    def test_default_runtime_of_somebody_else_is_refused(self):
        os.chown(os.path.join(self.state, "default-runtime"), STRANGER, STRANGER)
        self.refused("not to be trusted", "state", "web2")

    @unittest.skipUnless(os.geteuid() == 0, "needs root: to be somebody else")
    def test_somebody_who_may_not_read_it_is_told(self):
        os.chmod(self.directory, 0o755)
        self.refused("Permission denied", user=STRANGER, group=STRANGER, extra_groups=[])

    def test_damaged_lock_in_is_told_and_nothing_else_executed(self):
        directory, name = self.lock_ins()[0]
        with open(os.path.join(self.state, "lock-ins", directory, name), "w") as file:
            file.write("{")
        self.refused("is not a lock-in")
        self.refused("is not a lock-in", "create", "--bundle", self.bundle, "web")

    def test_wrapper_that_is_missing_is_told(self):
        wrapper = self.lock_in()["wrapper"]
        os.unlink(wrapper)
        done = self.door("exec", "web", "sh")
        self.assertEqual(done.returncode, 127)
        self.assertIn(wrapper, done.stderr)


@unittest.skipUnless(may_mount(), "mounting in a namespace of one's own is not allowed here")
class Namespaces(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()

    def inside(self, mounts, *words, **environment):
        script = f"{mounts} && exec {shlex.join([RTREG_RUNTIME, *words])}"
        return subprocess.run([*SPACE, "sh", "-c", script], env={**self.environment, **environment}, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)

    def passes_inside(self, *arguments, **rest):
        done = self.inside(*arguments, **rest)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def other_boot(self):
        with open(self.at("boot-id"), "w") as file:
            file.write(OTHER_BOOT + "\n")
        return f"mount --bind {self.at('boot-id')} {BOOT_ID_FILE}"

    def read_only(self):
        state = self.at("state")
        return f"mount --bind {state} {state} && mount -o remount,bind,ro {state}"

    def test_id_is_used_again_after_a_reboot(self):
        self.annotate("second")
        self.create()
        self.annotate("first")
        self.passes_inside(self.other_boot(), "create", "--bundle", self.bundle, "web")
        self.assertEqual(self.called()[0], "first")
        self.assertEqual((self.lock_in()["boot-id"], self.lock_in()["runtime"]), (OTHER_BOOT, "first"))
        self.assertEqual(self.calls("state"), [])

    def test_left_over_of_before_the_reboot_can_be_deleted(self):
        self.annotate("second")
        self.create()
        self.passes_inside(self.other_boot(), "delete", "web")
        self.assertEqual((self.called()[0], self.lock_ins()), ("second", []))

    def test_read_only_directory_serves_every_command_and_the_daemon_unlocks(self):
        self.passes_inside(self.read_only(), "create", "--bundle", self.bundle, "web")
        self.passes_inside(self.read_only(), "exec", "web", "sh")
        self.passes_inside(self.read_only(), "delete", "web")
        self.assertEqual(self.lock_ins(), [])

    def test_unlock_that_fails_is_a_warning_and_the_exit_code_stays(self):
        self.create()
        self.kill_daemon()
        done = self.inside(self.read_only(), "--log", self.at("l"), "--log-format", "json", "delete", "web")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"^rtreg-runtime: warning: container web stays locked in: .*Read-only")
        with open(self.at("l")) as file:
            line = json.loads(file.read())
        self.assertEqual(line["level"], "warning")
        self.assertIn("Read-only file system", line["msg"])
        self.assertEqual(self.containers(), ["web"])
        self.assertEqual(self.called("delete")[0], "first")

    def test_directory_at_another_path_serves_every_command(self):
        state, elsewhere = self.at("state"), self.at("elsewhere")
        os.mkdir(elsewhere)
        move = f"mount --bind {state} {elsewhere} && mount -t tmpfs none {state}"
        for words in (["create", "--bundle", self.bundle, "web"], ["exec", "web", "sh"], ["delete", "web"]):
            self.passes_inside(move, *words, RTREG_STATE_DIR=elsewhere)
            self.assertEqual(self.called(), ("first", [*self.odd, *words]))
        self.assertEqual(self.lock_ins(), [])

    @unittest.skipUnless(os.geteuid() == 0, "needs root: files of others")
    def test_directory_of_the_user_rtreg_is_trusted(self):
        self.create()
        state = self.at("state")
        for top, _, files in os.walk(state):
            for path in (top, *(os.path.join(top, name) for name in files)):
                os.chown(path, STRANGER, STRANGER)
        users = self.at("passwd")
        shutil.copy("/etc/passwd", users)
        with open(users, "a") as file:
            file.write(f"rtreg:x:{STRANGER}:{STRANGER}::/nonexistent:/bin/false\n")
        self.passes_inside(f"mount --bind {users} /etc/passwd", "exec", "web", "sh")
        self.assertEqual(self.called()[0], "first")


if __name__ == "__main__":
    unittest.main()
