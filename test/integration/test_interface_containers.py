#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is promised of lock-ins, from outside: their files and scripts, what a start makes of them, and rtregctl."""

import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest
from urllib.parse import quote

from test_daemon import PATIENCE, RTREGD, DaemonTest

RTREGCTL = os.path.join(os.path.dirname(RTREGD), "..", "tools", "rtregctl")
NOBODY = 65534


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class LockInTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.one, self.two = self.script("one", "exit 0\n"), self.script("two", "exit 0\n")
        self.runtimes = {"one": {"path": self.one, "runtimeArgs": ["--a"]},
                         "two": {"path": self.two, "runtimeArgs": ["--b"]}, "bare": {"path": self.one},
                         "typed": {"runtimeType": "io.containerd.kata.v2"}}
        self.configure({"runtimes": self.runtimes, "default-runtime": "one"})

    def drop_runtimes(self):
        self.configure({"runtimes": {}, "default-runtime": "runc"})

    @staticmethod
    def target(container, root=None):
        return "/v1/containers/" + quote(container, safe="") + ("?root=" + quote(root, safe="") if root else "")

    def lock(self, container, runtime="", root=None):
        return self.request("PUT", self.target(container, root), json.dumps({"runtime": runtime}))

    def locked(self, container="c1", runtime="two", root=None):
        reply = self.lock(container, runtime, root)
        self.assertEqual(reply.status, 201, reply.text)
        return reply.json

    def unlock(self, container, root=None):
        self.assertEqual(self.request("DELETE", self.target(container, root)).status, 204)

    def found(self, container="c1", root=None):
        reply = self.get(self.target(container, root))
        return reply.json if reply.status == 200 else None

    def all(self):
        return self.get("/v1/containers").json["containers"]

    def file(self, container="c1", root=None):
        return self.at(os.path.join("state/lock-ins", digest(root.encode()) if root else "_", container))

    def scripts(self):
        """The second copies: bytes by name."""
        top = self.at("state/lock-ins/scripts")
        return {name: read(os.path.join(top, name)) for name in os.listdir(top)} if os.path.isdir(top) else {}

    def remove_scripts(self):
        for name in self.scripts():
            os.unlink(self.at("state/lock-ins/scripts/" + name))

    def wrappers(self):
        return set(os.listdir(self.at("state/runtimes")))

    def restart(self, kill=False):
        if kill:
            self.process.kill()
            self.process.wait()
        else:
            self.assertEqual(self.stop(), 0)
        self.start()

    def ctl(self, *words, **rest):
        return subprocess.run([RTREGCTL, "-s", self.socket, *words], capture_output=True, text=True,
                              timeout=PATIENCE * 3, check=False, **rest)


class Files(LockInTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_each_has_a_file_below_the_digest_of_its_root_and_nothing_else_is_there(self):
        for container, root in (("c1", None), ("c1", "/run/a b"), ("x" * 128, "/é"), ("A.b_c-d", "/")):
            with self.subTest(container[:9], root=root):
                self.locked(container, root=root)
                self.assertEqual(os.listdir(os.path.dirname(self.file(container, root))), [container])
                self.unlock(container, root)
                self.assertFalse(os.path.exists(self.file(container, root)))

    def test_file_is_never_written_again(self):
        self.locked()
        before, content = os.stat(self.file()), read(self.file())
        self.lock("c1")
        self.lock("c1", "one")
        self.drop_runtimes()
        self.reload(query="?force=true")
        for kill in (False, True):
            self.restart(kill)
            self.lock("c1")
        after = os.stat(self.file())
        self.assertEqual((before.st_ino, before.st_mtime_ns, before.st_ctime_ns),
                         (after.st_ino, after.st_mtime_ns, after.st_ctime_ns))
        self.assertEqual(read(self.file()), content)

    def test_file_removed_by_hand_is_no_lock_in_and_one_put_back_is(self):
        lock_in, content = self.locked(), read(self.file())
        os.unlink(self.file())
        self.assertEqual((self.found(), self.all()), (None, []))
        self.assertEqual(self.request("DELETE", self.target("c1")).status, 404)
        write(self.file(), content)
        os.chmod(self.file(), 0o600)
        self.assertEqual((self.found(), self.all()), (lock_in, [lock_in]))

    def test_others_cannot_write_there(self):
        self.locked(root="/r")
        for top, _, files in os.walk(self.at("state/lock-ins")):
            for path in [top] + [os.path.join(top, name) for name in files]:
                self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)

    def test_text_of_the_wrapper_is_kept_once_under_its_digest(self):
        wrapper = read(self.locked()["wrapper"])
        self.locked("c2")
        self.locked("c3", root="/r")
        self.assertEqual(self.scripts(), {digest(wrapper): wrapper})
        self.unlock("c1")
        self.assertEqual(len(self.scripts()), 1)
        self.locked("c4", "one")
        self.assertEqual(len(self.scripts()), 2)

    def test_runtimes_without_a_wrapper_keep_no_text(self):
        self.locked("c1", "bare")
        self.locked("c2", "typed")
        self.assertEqual(self.scripts(), {})

    def test_no_generation_and_no_history_come_of_it(self):
        before = self.generation()
        self.locked()
        self.unlock("c1")
        self.assertEqual((self.generation(), len(self.get("/v1/history").json["entries"])), (before, 1))

    def test_what_it_refers_to_is_of_the_generation_that_it_names(self):
        arguments, made, end = {}, [], threading.Event()

        def reload_on():
            number = 0
            while not end.is_set():
                number += 1
                reply = self.reload({"default-runtime": "x", "runtimes": {
                    "x": {"path": self.one, "runtimeArgs": [f"--number={number}"]}}})
                arguments[reply.json["generation"]] = f"--number={number}".encode()

        thread = threading.Thread(target=reload_on)
        thread.start()
        try:
            self.wait_for(lambda: arguments, "a reload")
            for number in range(100):
                made.append(self.locked(f"c{number}", ""))
        finally:
            end.set()
            thread.join()
        made = [lock_in for lock_in in made if lock_in["runtime"] == "x"]
        self.assertTrue(made)
        for lock_in in made:
            self.assertIn(arguments[lock_in["generation"]], read(lock_in["wrapper"]))

    def test_state_directory_that_has_gone_is_500_and_no_missing_runtime(self):
        self.locked()
        shutil.rmtree(self.at("state"))
        reply = self.lock("c2", "one")
        self.assertEqual((reply.status, reply.json["exit-code"]), (500, 125))
        self.assertIsNone(self.found())
        self.assertEqual(self.get("/v1/status").status, 200)

    def test_event_follower_gets_it_in_the_form_that_docker_prints(self):
        self.locked()
        self.unlock("c1")
        until = str(int(time.time()) + 1)
        docker = shutil.which("docker")
        if not docker:
            self.skipTest("no docker command line client")
        done = subprocess.run([docker, "-H", "unix://" + self.socket, "events", "--since", "0", "--until", until,
                               "--filter", "container=c1", "--format", "{{.Type}} {{.Action}} {{.Actor.ID}}"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.stdout.splitlines(), ["container lock-in c1", "container unlock c1"], done.stderr)


class Space(LockInTest):
    def test_full_file_system_is_500_and_leaves_nothing(self):
        state = self.at("state")
        os.mkdir(state, 0o700)
        command = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                   'mount -t tmpfs -o size=1m,mode=700 none "$0" && exec "$@"', state]
        if os.geteuid() != 0 or subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no mount namespaces")
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([*command, *self.command()], stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, self.process)
        self.wait_for(self.answers, "the daemon to answer")
        self.locked()
        inside = f"/proc/{self.process.pid}/root" + state
        fill = os.open(inside + "/fill", os.O_WRONLY | os.O_CREAT)
        with self.assertRaises(OSError):
            while True:
                os.write(fill, b"x" * 4096)
        os.close(fill)
        reply = self.lock("c2", "one")
        self.assertEqual(reply.status, 500, reply.text)
        self.assertIn("No space left", reply.json["message"])
        self.assertIsNone(self.found("c2"))
        self.assertEqual(os.listdir(inside + "/lock-ins/_"), ["c1"])
        self.assertEqual(self.lock("c1").status, 200)
        os.unlink(inside + "/fill")
        self.locked("c2", "one")


class Start(LockInTest):
    DAMAGES = (("missing", os.unlink), ("truncated", lambda path: os.truncate(path, 0)),
               ("changed", lambda path: write(path, b"#!/bin/sh\n")),
               ("not executable", lambda path: os.chmod(path, 0o600)),
               ("open to all", lambda path: os.chmod(path, 0o777)))

    def setUp(self):
        super().setUp()
        self.start()

    def damages(self):
        yield from self.DAMAGES
        if os.geteuid() == 0:
            yield "of somebody else", lambda path: os.chown(path, NOBODY, NOBODY)

        def link(path):
            os.rename(path, self.at("elsewhere"))
            os.symlink(self.at("elsewhere"), path)
        yield "a link", link
        yield "without its directory", lambda path: shutil.rmtree(os.path.dirname(path))

    def is_put_right(self, wrapper, content):
        self.assertEqual(read(wrapper), content)
        self.assertFalse(os.path.islink(wrapper))
        status = os.stat(wrapper)
        self.assertEqual((status.st_mode & 0o7777, status.st_uid), (0o700, os.geteuid()))
        self.assertEqual(subprocess.run([wrapper], check=False).returncode, 0)
        self.assertIn(os.path.basename(wrapper), self.read_log())

    def test_damaged_script_of_a_runtime_that_has_gone_is_put_right_and_told(self):
        wrapper = self.locked()["wrapper"]
        content = read(wrapper)
        self.drop_runtimes()
        for name, damage in self.damages():
            with self.subTest(name):
                self.stop()
                damage(wrapper)
                os.truncate(self.log, 0)
                self.start()
                self.is_put_right(wrapper, content)

    def test_the_same_at_a_reload(self):
        wrapper = self.locked()["wrapper"]
        content = read(wrapper)
        self.drop_runtimes()
        self.reload()
        for name, damage in self.DAMAGES:
            with self.subTest(name):
                damage(wrapper)
                os.truncate(self.log, 0)
                self.assertTrue(self.reload().json["unchanged"])
                self.is_put_right(wrapper, content)

    def test_the_same_at_a_reload_of_a_daemon_that_never_knew_the_runtime(self):
        wrapper = self.locked()["wrapper"]
        content = read(wrapper)
        self.drop_runtimes()
        self.restart()
        os.unlink(wrapper)
        self.reload()
        self.is_put_right(wrapper, content)

    def test_second_copy_is_put_right_too(self):
        self.locked()
        content = self.scripts()
        self.drop_runtimes()
        for name, damage in self.DAMAGES[:3]:
            with self.subTest(name):
                self.stop()
                damage(self.at("state/lock-ins/scripts/" + next(iter(content))))
                self.start()
                self.assertEqual(self.scripts(), content)

    def test_script_without_any_copy_comes_back_with_the_configuration_in_both_places(self):
        wrapper, content = self.locked()["wrapper"], self.scripts()
        self.stop()
        os.unlink(wrapper)
        self.remove_scripts()
        self.start()
        self.assertTrue(os.access(wrapper, os.X_OK))
        self.assertEqual(self.scripts(), content)
        self.assertNotIn("is lost", self.read_log())

    def test_script_without_any_copy_is_told_and_the_start_goes_on(self):
        lock_in = self.locked()
        self.drop_runtimes()
        self.stop()
        os.unlink(lock_in["wrapper"])
        self.remove_scripts()
        self.start()
        self.assertRegex(self.read_log(), re.escape(os.path.basename(lock_in["wrapper"])) + ".* is lost")
        self.assertEqual(self.found(), lock_in)

    def test_scripts_that_no_lock_in_needs_go_at_the_start_and_not_before(self):
        wrapper = self.locked()["wrapper"]
        self.locked("c2", "one")
        self.unlock("c2")
        self.drop_runtimes()
        self.reload()
        self.assertEqual((len(self.wrappers()), len(self.scripts())), (2, 2))
        self.restart()
        self.assertEqual(self.wrappers(), {os.path.basename(wrapper)})
        self.assertEqual(list(self.scripts()), [wrapper[-64:]])
        self.unlock("c1")
        self.restart(kill=True)
        self.assertEqual((self.wrappers(), self.scripts()), (set(), {}))

    def test_validation_and_a_start_that_fails_remove_nothing(self):
        lock_in = self.locked()
        before = self.wrappers(), self.scripts(), read(self.file())
        self.stop()
        for configuration, code in (({}, 0), ({"debug": 5}, 1)):
            self.configure(configuration)
            self.assertEqual(self.run_once("--validate").returncode, code)
        self.assertEqual(self.run_once().returncode, 1)
        self.assertEqual((self.wrappers(), self.scripts(), read(self.file())), before)
        self.drop_runtimes()
        self.start()
        self.assertEqual(self.found(), lock_in)

    def test_left_over_dot_files_go(self):
        self.locked()
        self.stop()
        left = [self.at("state/lock-ins/_/.x"), self.at("state/lock-ins/scripts/.y"), self.at("state/runtimes/.z")]
        for path in left:
            write(path, b"half")
        self.start()
        self.assertEqual([path for path in left if os.path.exists(path)], [])
        self.assertEqual(len(self.all()), 1)

    def test_hostile_name_and_arguments_arrive_after_loss_of_runtime_and_script(self):
        arguments = ["--x=a b", "q'\"", "nl\n", "$HOME `id` \\", "", "é\x01"]
        show = self.script("show", "for word; do printf '[%s]' \"$word\"; done\n")
        self.configure({"default-runtime": "runc",
                        "runtimes": {"../../esc": {"path": show, "runtimeArgs": arguments}}})
        self.reload()
        wrapper = self.locked("c1", "../../esc")["wrapper"]
        self.assertEqual(os.path.dirname(wrapper), self.at("state/runtimes"))
        self.drop_runtimes()
        self.stop()
        os.unlink(wrapper)
        self.start()
        done = subprocess.run([wrapper, "last one"], capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout, "".join(f"[{word}]" for word in [*arguments, "last one"]))

    def test_every_one_that_was_answered_is_there_however_often_it_is_killed(self):
        made = {}

        def lock_on(name, end):
            number = 0
            while not end.is_set():
                try:
                    reply = self.lock(f"{name}-{number}", ("one", "two")[number % 2], "/r" if number % 3 else None)
                except (OSError, http.client.HTTPException):
                    return
                made[reply.json["id"]] = reply.json
                number += 1

        for turn in range(5):
            end = threading.Event()
            threads = [threading.Thread(target=lock_on, args=(f"c{turn}-{who}", end)) for who in range(3)]
            for thread in threads:
                thread.start()
            before = len(made)
            self.wait_for(lambda: len(made) >= before + 9, "some lock-ins")
            self.process.send_signal(signal.SIGKILL)
            end.set()
            for thread in threads:
                thread.join()
            self.process.wait()
            self.start()
        there = {lock_in["id"]: lock_in for lock_in in self.all()}
        self.assertEqual({name: there.get(name) for name in made}, made)


class Command(LockInTest):
    def setUp(self):
        super().setUp()
        self.start()

    def exits(self, code, *words, **rest):
        done = self.ctl(*words, **rest)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done

    def test_exit_codes(self):
        for code, *words in ((0, "lock", "c1"), (0, "lock", "c1", "--runtime", "one"),
                             (1, "lock", "c1", "--runtime", "two"), (4, "lock", "c2", "--runtime", "nosuch"),
                             (1, "lock", ".bad"), (1, "lock", "a/b"),
                             (1, "unlock", "../x"), (0, "lock", "c1", "--root", "/r"), (0, "unlock", "c1"),
                             (4, "unlock", "c1"), (0, "unlock", "--root=/r", "c1"), (0, "locks")):
            with self.subTest(" ".join(words)):
                self.exits(code, *words)
        self.assertEqual(self.all(), [])

    def test_json_is_what_the_api_says(self):
        self.assertEqual(json.loads(self.exits(0, "--json", "lock", "c1", "--root", "/a b&c=%20/é").stdout),
                         self.found("c1", "/a b&c=%20/é"))
        self.assertEqual(json.loads(self.exits(0, "locks", "--json").stdout), {"containers": self.all()})

    def test_missing_and_unexecutable_runtimes_are_named(self):
        os.chmod(self.one, 0o644)
        self.assertIn(self.one, self.exits(1, "lock", "c1").stderr)
        os.unlink(self.two)
        self.assertIn(self.two, self.exits(1, "lock", "c1", "--runtime", "two").stderr)
        self.assertEqual(self.all(), [])

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_somebody_else_may_look_and_no_more(self):
        self.stop()
        self.start("--socket-mode", "0666")
        for path in (self.directory, os.path.dirname(self.socket)):
            os.chmod(path, 0o755)
        self.locked()
        stranger = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        shutil.copy(RTREGCTL, self.at("rtregctl"))
        for code, *words in ((0, "locks"), (1, "lock", "c2"), (1, "unlock", "c1")):
            done = subprocess.run([self.at("rtregctl"), "-s", self.socket, *words], capture_output=True, text=True,
                                  timeout=PATIENCE, check=False, **stranger)
            self.assertEqual(done.returncode, code, f"{words}: {done.stderr}")
        self.assertEqual([lock_in["id"] for lock_in in self.all()], ["c1"])


if __name__ == "__main__":
    unittest.main()
