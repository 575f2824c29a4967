#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inputs that the tables of cases cannot tell: files that are none, state directories that are of no use, scripts that
somebody damaged, and the numbers of generations over stops and crashes."""

import glob
import json
import os
import shutil
import signal
import stat
import subprocess
import time
import unittest

import test_daemon
from test_daemon import PATIENCE, RTREGD

NOBODY = 65534


def as_nobody(command):
    """The command as a user who owns nothing; root only gives this up, anybody else is such a user already."""
    if os.geteuid() != 0:
        return command
    if not shutil.which("setpriv"):
        raise unittest.SkipTest("needs setpriv to be somebody else than root")
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]
    probe = subprocess.run([*command[:4], RTREGD, "--version"], capture_output=True, check=False, timeout=PATIENCE)
    if probe.returncode:
        raise unittest.SkipTest("the build folder cannot be reached by another user")
    return command


class InputTest(test_daemon.DaemonTest):
    def refused(self, *texts, command=None):
        """Runs the command, which must say each of texts on a line of its own accord, exit 1, and soon."""
        began = time.monotonic()
        done = subprocess.run(command or self.command(), capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)
        self.assertLess(time.monotonic() - began, PATIENCE / 2)
        return done.stderr

    def all_files(self, directory):
        """Every name below directory with what would show that it was touched."""
        found = {}
        for path in [directory, *glob.glob(directory + "/**", recursive=True, include_hidden=True)]:
            status = os.lstat(path)
            found[path] = (status.st_ino, status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns)
        return found

    def wrapper(self, name="w"):
        reply = self.get("/v1/resolve?runtime=" + name)
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json["options"]["BinaryName"]


class ConfigurationFile(InputTest):
    """A name that leads to no regular file: told with the name, and never waited for."""

    def cases(self):
        fifo, folder, dangling = self.at("fifo"), self.at("folder"), self.at("dangling")
        os.mkfifo(fifo)
        os.mkdir(folder)
        os.symlink("nowhere", dangling)
        loop = self.at("loop")
        os.symlink("loop", loop)
        return ((fifo, "FIFO"), (folder, "directory"), ("/dev/null", "device"), ("/dev/zero", "device"),
                (dangling, "link"), (loop, "link"), (self.at("none.json"), "no such file"),
                (self.config + "/below", "Not a directory"))

    def test_validate_and_start_refuse_what_is_no_file(self):
        for path, word in self.cases():
            for more in ((), ("--validate",)):
                with self.subTest(path=path, more=more):
                    self.config = path
                    self.refused(path, word, command=self.command(*more))
        self.assertFalse(os.path.exists(self.socket))
        self.assertEqual(glob.glob(self.at("state/*")), [])

    def test_reload_refuses_what_is_no_file_and_changes_nothing(self):
        cases = self.cases()
        self.configure({"labels": ["a=b"]})
        self.start()
        before = self.get("/v1/config").text
        for path, word in cases:
            if path.startswith(self.config):
                continue
            with self.subTest(path):
                os.unlink(self.config)
                os.symlink(path, self.config)
                reply = self.reload()
                self.assertEqual(reply.status, 400, reply.text)
                self.assertIn(self.config, reply.json["message"])
                self.assertEqual(self.get("/v1/config").text, before)

    def test_link_to_a_file_is_followed(self):
        self.configure({"labels": ["a=b"]})
        os.rename(self.config, self.at("real.json"))
        os.symlink("real.json", self.config)
        self.start()
        self.assertEqual(self.get("/v1/config").json["config"]["labels"], ["a=b"])

    def test_file_without_permission_says_so(self):
        os.chmod(self.directory, 0o755)
        os.chmod(self.config, 0)
        self.addCleanup(os.chmod, self.config, 0o600)
        self.refused(self.config, "Permission denied", "readable", command=as_nobody(self.command("--validate")))


class StateDirectory(InputTest):
    def test_not_writable_says_which_and_why(self):
        os.chmod(self.directory, 0o755)
        os.mkdir(self.at("state"))
        if os.geteuid() == 0:
            os.chown(self.at("state"), NOBODY, NOBODY)
        os.chmod(self.at("state"), 0o500)
        before = self.all_files(self.at("state"))
        said = self.refused(self.at("state"), "Permission denied", command=as_nobody(self.command()))
        self.assertRegex(said, "another directory")
        self.assertEqual(self.all_files(self.at("state")), before)

    def test_cannot_be_made_says_which_and_what_to_do(self):
        os.chmod(self.directory, 0o555)
        self.addCleanup(os.chmod, self.directory, 0o755)
        if os.geteuid() == 0:
            os.chown(self.directory, NOBODY, NOBODY)
        self.refused(self.at("state"), "Permission denied", "another", command=as_nobody(self.command()))
        self.assertFalse(os.path.exists(self.at("state")))

    def test_is_a_file_says_so(self):
        open(self.at("state"), "w").close()
        said = self.refused(self.at("state"), "Not a directory")
        self.assertRegex(said, "another directory")
        self.assertTrue(os.path.isfile(self.at("state")))

    @unittest.skipIf(os.geteuid() != 0, "needs root to give a directory away")
    def test_owned_by_another_says_whose_and_what_to_do(self):
        os.mkdir(self.at("state"), 0o700)
        os.chown(self.at("state"), 12345, 12345)
        before = self.all_files(self.at("state"))
        self.refused(self.at("state"), "12345", "owner")
        self.assertEqual(self.all_files(self.at("state")), before)

    def test_writable_by_others_says_what_to_do(self):
        os.mkdir(self.at("state"))
        os.chmod(self.at("state"), 0o777)
        self.refused(self.at("state"), "0777", "chmod")
        self.assertEqual(os.listdir(self.at("state")), [])


class Mounted(InputTest):
    """The state directory on a file system of its own, in a mount namespace."""

    def mounted(self, options, then="true"):
        os.makedirs(self.at("state"), exist_ok=True)
        unshare = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        script = f'mount -t tmpfs -o mode=0700,{options} none "$0" && cd "$0" && {then} && cd / && exec "$@"'
        prefix = [*unshare, "sh", "-c", script, self.at("state")]
        try:
            probe = subprocess.run([*prefix, "true"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        except FileNotFoundError as error:
            raise unittest.SkipTest(f"no mount namespace: {error}") from None
        if probe.returncode:
            raise unittest.SkipTest(f"no mount namespace: {probe.stderr.strip()}")
        return prefix

    def start_mounted(self, prefix):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([*prefix, *self.command()], stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, self.process)
        self.wait_for(self.answers, "the daemon to answer")

    def inside(self, *names):
        return os.path.join(f"/proc/{self.process.pid}/root" + self.at("state"), *names)

    def test_noexec_is_told_with_what_to_do(self):
        self.configure({"runtimes": {"w": {"path": "/bin/true", "runtimeArgs": ["--x"]}}})
        self.start_mounted(self.mounted("noexec,size=1m"))
        line = next((line for line in self.read_log().splitlines() if "noexec" in line), "")
        for text in ("warn", self.at("state"), "remount", "another state directory"):
            self.assertIn(text, line)

    def test_full_disk_fails_the_start_and_says_where(self):
        prefix = self.mounted("size=64k", "{ head -c 200k /dev/zero >full 2>/dev/null; true; }")
        self.configure({"runtimes": {"w": {"path": "/bin/true", "runtimeArgs": ["--x"]}}})
        self.refused(self.at("state"), "No space left", command=[*prefix, *self.command()])

    def test_full_disk_fails_the_reload_until_there_is_room_again(self):
        self.start_mounted(self.mounted("size=256k"))
        wanted = {"runtimes": {"w": {"path": "/bin/true", "runtimeArgs": ["--x"]}}}
        with open(self.inside("full"), "wb", buffering=0) as full, self.assertRaises(OSError):
            while True:
                full.write(bytes(4096))
        names = os.listdir(self.inside("runtimes")) if os.path.isdir(self.inside("runtimes")) else []
        reply = self.reload(wanted)
        self.assertEqual(reply.status, 500, reply.text)
        self.assertIn("No space left", reply.json["message"])
        self.assertIn(self.at("state"), reply.json["message"])
        self.assertEqual(self.generation(), 1)
        self.assertEqual(os.listdir(self.inside("runtimes")) if names or os.path.isdir(self.inside("runtimes")) else [], names)
        os.unlink(self.inside("full"))
        self.assertEqual(self.reload(wanted).json["generation"], 2)


class DamagedScript(InputTest):
    """A script that is not as it was written is put right and told, at each reload and start, or nothing goes on."""

    def setUp(self):
        super().setUp()
        self.configure({"runtimes": {"w": {"path": "/bin/true", "runtimeArgs": ["--x", "y z"]}}})

    def damages(self):
        def overwrite(path):
            with open(path, "w") as file:
                file.write("#!/bin/sh\necho stolen\n")

        def truncate(path):
            os.truncate(path, 0)

        def link(path):
            os.unlink(path)
            os.symlink("/bin/true", path)

        def fifo(path):
            os.unlink(path)
            os.mkfifo(path)

        found = {"content": overwrite, "empty": truncate, "mode": lambda path: os.chmod(path, 0o755),
                 "not executable": lambda path: os.chmod(path, 0o600), "removed": os.unlink, "link": link, "fifo": fifo}
        if os.geteuid() == 0:
            found["owner"] = lambda path: os.chown(path, 12345, 12345)
        return found

    def facts(self, path):
        status = os.lstat(path)
        self.assertTrue(stat.S_ISREG(status.st_mode), path)
        with open(path, "rb") as file:
            return file.read(), stat.S_IMODE(status.st_mode), status.st_uid

    def test_unchanged_reload_repairs_and_warns(self):
        self.start()
        path = self.wrapper()
        good = self.facts(path)
        for name, damage in self.damages().items():
            with self.subTest(name):
                damage(path)
                reply = self.reload()
                self.assertEqual(reply.status, 200, reply.text)
                self.assertTrue(reply.json["unchanged"])
                self.assertTrue([w for w in reply.json["warnings"] if os.path.basename(path) in json.dumps(w)], reply.text)
                self.assertEqual(self.facts(path), good)
                self.assertEqual(self.reload().json["warnings"], [])

    def test_start_repairs_and_warns(self):
        self.start()
        path = self.wrapper()
        good = self.facts(path)
        for name, damage in self.damages().items():
            with self.subTest(name):
                self.assertEqual(self.stop(), 0)
                open(self.log, "w").close()
                if name != "removed":  # that one cannot be told from one that is written for the first time
                    damage(path)
                self.start()
                self.assertEqual(self.facts(path), good)
                if name != "removed":
                    self.assertIn(os.path.basename(path), self.read_log())

    def test_beyond_repair_fails_the_reload_and_changes_nothing(self):
        self.start()
        path = self.wrapper()
        os.unlink(path)
        os.makedirs(path + "/kept")
        for query in ("", "?force=true"):
            reply = self.reload(query=query)
            self.assertEqual(reply.status, 500, reply.text)
            self.assertIn(os.path.basename(path), reply.json["message"])
        self.assertEqual(self.reload({"debug": True}).status, reply.status)
        self.assertEqual((self.generation(), self.get("/v1/config").json["config"]["debug"]), (1, False))
        self.assertTrue(os.path.isdir(path + "/kept"))
        shutil.rmtree(path)
        self.assertEqual(self.reload({"debug": True}).json["generation"], 2)

    def test_dry_run_repairs_nothing(self):
        self.start()
        path = self.wrapper()
        os.chmod(path, 0o755)
        self.assertEqual(self.reload(query="?dry-run=true").status, 200)
        self.assertEqual(self.facts(path)[1], 0o755)

    def test_start_removes_what_was_left_over_and_stop_does_not(self):
        self.start()
        first = self.wrapper()
        self.reload({"runtimes": {"w": {"path": "/bin/true", "runtimeArgs": ["--other"]}}})
        second = self.wrapper()
        self.assertEqual(self.stop(), 0)
        self.assertTrue(os.path.exists(first) and os.path.exists(second))
        left = os.path.join(os.path.dirname(first), ".left-over")
        open(left, "w").close()
        self.start()
        self.assertEqual([os.path.exists(path) for path in (first, second, left)], [True, False, False])

    def test_longest_argument_can_be_executed(self):
        runtime = self.script("count", '[ "${1#--}" = --version ] || for a in "$@"; do echo "${#a}"; done\n')
        self.configure({"runtimes": {"w": {"path": runtime, "runtimeArgs": ["x" * 131071, "'" * 65535]}}})
        self.start()
        done = subprocess.run([self.wrapper(), "create"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.assertEqual(done.stdout.split(), ["131071", "65535", "6"])


class TwoDaemons(InputTest):
    def test_second_one_is_refused_by_any_name_of_the_directory_and_touches_nothing(self):
        self.configure({"runtimes": {"w": {"path": "/bin/true", "runtimeArgs": ["--x"]}}})
        self.start()
        os.symlink("state", self.at("link"))
        left = self.at("state/runtimes/.left-over")
        open(left, "w").close()
        before = self.all_files(self.at("state"))
        self.configure({"runtimes": {"other": {"path": "/bin/true", "runtimeArgs": ["--y"]}}})
        for name in ("state", "state/", "./state/../state", "link"):
            with self.subTest(name):
                said = self.refused("state", command=self.command(state=name, socket_path=self.at("other.sock")))
                self.assertRegex(said, "rtregd|in use|running|lock")
        self.assertEqual(self.all_files(self.at("state")), before)
        self.assertEqual(self.get("/_ping").status, 200)

    def test_refused_one_leaves_no_socket_and_takes_none_away(self):
        self.start()
        self.refused("state", command=self.command(socket_path=self.at("other.sock")))
        self.refused("state")
        self.assertFalse(os.path.exists(self.at("other.sock")))
        self.assertEqual(self.get("/_ping").status, 200)

    def test_killed_one_leaves_the_directory_free(self):
        self.start()
        self.process.kill()
        self.process.wait()
        self.start()
        self.assertEqual(self.get("/_ping").status, 200)


class Generations(InputTest):
    def kill(self):
        self.process.kill()
        self.process.wait()

    def force(self, times):
        connection = self.keep_connection()
        for _ in range(times):
            reply = self.request("POST", "/v1/reload?force=true", headers={"Content-Length": "0"}, connection=connection)
            self.assertEqual(reply.status, 200, reply.text)
        return reply.json["generation"]

    def test_stop_goes_on_with_the_next_and_crash_with_the_next_block(self):
        self.start()
        self.assertEqual((self.generation(), self.force(2)), (1, 3))
        self.assertEqual(self.stop(), 0)
        self.start()
        self.assertEqual((self.generation(), self.force(1)), (4, 5))
        self.kill()
        self.start()
        first = self.generation()
        self.assertIn(first, (1001, 1004), "the number after the block that held 4 and 5")
        self.kill()
        self.start()
        self.assertEqual(self.generation(), first + 1000)
        self.assertEqual(self.stop(), 0)
        self.start()
        self.assertEqual(self.generation(), first + 1001)

    def test_number_past_a_block_is_reserved_before_it_is_used(self):
        self.start()
        last = self.force(1003)
        self.assertEqual(last, 1004)
        self.kill()
        self.start()
        self.assertEqual(self.generation(), 2001)

    def test_failed_reloads_and_dry_runs_use_none_up(self):
        self.start()
        for query, body in (("", "{"), ("?dry-run=true", {"debug": True}), ("", None), ("?force=true", {"frob": 1})):
            self.reload(body, query)
        self.assertEqual(self.force(1), 2)
        self.assertEqual(self.stop(), 0)
        self.configure("{")
        self.assertEqual(self.run_once().returncode, 1)
        self.configure({})
        self.start()
        self.assertEqual(self.generation(), 3)

    def test_stop_by_sigint_is_orderly(self):
        self.start()
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.start()
        self.assertEqual(self.generation(), 2)


class Order(InputTest):
    """Section 4 of the rules: which error is the first, and so the one that is shown where there is room for one."""

    ERRORS = (({"frob": 1}, "the following directives don't match"), ({"tls": "x"}, "cannot unmarshal string into tls"),
              ({"shutdown-timeout": 4}, "specified both as a flag"), ({"log-level": "loud"}, "invalid logging level"),
              ({"cri-containerd": True, "features": {"embedded-containerd": True}}, "conflicting options"),
              ({"dns-search": ["a..b"]}, "is not a valid domain"), ({"host-gateway-ips": ["::1", "::2"]}, "only one IPv6"),
              ({"labels": ["x"]}, "bad attribute format: x"), ({"mtu": -1}, "invalid default MTU"),
              ({"max-concurrent-downloads": -1}, "invalid max concurrent downloads"),
              ({"max-concurrent-uploads": -1}, "invalid max concurrent uploads"),
              ({"max-download-attempts": -1}, "invalid max download attempts"),
              ({"node-generic-resources": ["x"]}, "could not parse GenericResource"),
              ({"hosts": ["x://y"]}, "unsupported proto"), ({"exec-opts": ["a"]}, "invalid exec-opt (a)"),
              ({"default-ipc-mode": "x"}, "default IPC mode setting (x)"),
              ({"runtimes": {"runc": {"path": "/x"}, "a": {}}}, "runtime name 'runc' is reserved"))

    def test_every_error_comes_before_those_of_later_rules(self):
        self.start("--shutdown-timeout", "3")
        whole = {}
        for part, _ in self.ERRORS:
            whole.update(part)
        for i, (part, text) in enumerate(self.ERRORS):
            with self.subTest(text):
                reply = self.reload(whole)
                self.assertEqual(reply.status, 400)
                self.assertIn(text, reply.json["message"])
                self.assertEqual(reply.json["errors"][0], reply.json["message"])
                places = [next((n for n, e in enumerate(reply.json["errors"]) if t in e), -1) for _, t in self.ERRORS[i:]]
                self.assertEqual(places, sorted(places))
                self.assertNotIn(-1, places)
            for key in part:
                del whole[key]

    def test_runtimes_in_order_of_name_after_the_default(self):
        self.start()
        reply = self.reload({"default-runtime": "none", "runtimes": {"z": {}, "runc": {}, "B": {}, "a": {}}})
        places = [next(n for n, e in enumerate(reply.json["errors"]) if text in e)
                  for text in ("'runc' is reserved", "'none' does not exist", "runtime B:", "runtime a:", "runtime z:")]
        self.assertEqual(places, sorted(places))

    def test_default_resolves_with_its_own_name(self):
        self.configure({"default-runtime": "a", "runtimes": {"a": {"path": "/a"}}})
        self.start()
        self.assertEqual(self.get("/v1/resolve?runtime=").json["name"], "a")
        self.assertEqual(self.get("/v1/resolve").json["name"], "a")


if __name__ == "__main__":
    unittest.main()
