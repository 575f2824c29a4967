#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is promised of rtreg-runtime, from outside: what it reads of a command line, and containers of one name."""

import json
import os
import signal
import subprocess
import threading
import unittest

from front_door_support import BOOT_ID_FILE, OTHER_BOOT, RTREG_RUNTIME, FrontDoorTest
from test_daemon import PATIENCE

# Prints how it was called, so that no process is needed to find out.
ECHO = """case " $* " in *" state "*) echo 'container does not exist' >&2; exit 1 ;; esac
printf '%s\\0' "${0##*/}" "$@"
"""
VALUES = {
    "checkpoint": "--image-path --work-path --parent-path --status-fd --page-server --manage-cgroups-mode --empty-ns",
    "events": "--interval",
    "exec": "--console-socket --cwd --env -e --user -u --additional-gids -g --process -p --pid-file --process-label "
            "--apparmor --cap -c --preserve-fds --cgroup",
    "ps": "--format -f",
    "update": "--resources -r --blkio-weight --cpu-period --cpu-quota --cpu-share --cpu-rt-period --cpu-rt-runtime "
              "--cpuset-cpus --cpuset-mems --memory --memory-reservation --memory-swap --pids-limit "
              "--l3-cache-schema --mem-bw-schema"}
SWITCHES = {
    "checkpoint": "--leave-running --tcp-established --ext-unix-sk --shell-job --lazy-pages --file-locks --pre-dump",
    "events": "--stats", "exec": "-t --tty -d --detach --no-new-privs --ignore-paused", "kill": "-a --all",
    "pause": "", "resume": "", "start": ""}


class Words(FrontDoorTest):
    """`web` is locked in to `b`, `other` to `a`, which is the default."""

    def setUp(self):
        super().setUp()
        self.runtimes = {name: {"path": self.script(name, ECHO)} for name in ("a", "b")}
        self.configure({"default-runtime": "a", "runtimes": self.runtimes})
        self.start()

    def lock_both(self):
        self.lock("web", "b")
        self.lock("other", "a")

    def goes_to(self, name, *words, **rest):
        done = subprocess.run([RTREG_RUNTIME, *words], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=PATIENCE, check=False, **rest)
        expected = [os.fsencode(word) for word in (name, *words)]
        self.assertEqual(done.stdout.split(b"\0")[:-1], expected, done.stderr)

    def test_value_of_an_option_is_not_the_container(self):
        self.lock_both()
        for command, options in VALUES.items():
            for option in options.split():
                with self.subTest(command + " " + option):
                    self.goes_to("b", command, option, "other", "web", "other")
                    if option.startswith("--"):
                        self.goes_to("b", command, option + "=other", "web", "other")

    def test_option_without_a_value_takes_no_word(self):
        self.lock_both()
        for command, options in SWITCHES.items():
            for option in [*options.split(), "--"]:
                with self.subTest(command + " " + option):
                    self.goes_to("b", command, option, "web", "other")

    def test_global_options_and_their_values(self):
        self.lock_both()
        for words in ("--log delete", "--log=file:x", "--log-format json", "--criu create", "--rootless auto",
                      "--rootless=true", "--debug", "--debug=false", "--systemd-cgroup", "--cgroup-manager cgroupfs",
                      "--cgroup-manager=systemd", "-log pause"):
            with self.subTest(words):
                self.goes_to("b", *words.split(), "kill", "web", "KILL")

    def test_last_root_counts(self):
        self.lock("web", "b", root=self.at("z"))
        self.goes_to("b", "--root", self.at("y"), "--root", self.at("z"), "kill", "web")
        self.goes_to("a", "--root", self.at("z"), "--root", self.at("y"), "kill", "web")

    def test_options_of_create_and_restore_that_take_values_do_not_hide_the_container(self):
        self.annotate("b")
        for command, options in (("create", "--console-socket --pid-file --preserve-fds --pidfd-socket"),
                                 ("restore", "--image-path --work-path --pid-file --console-socket --empty-ns "
                                             "--lsm-profile --lsm-mount-context --status-fd --manage-cgroups-mode")):
            for number, option in enumerate(options.split()):
                with self.subTest(command + " " + option):
                    container = f"{command}{number}"
                    self.goes_to("b", command, option, "x", container, cwd=self.bundle)
                    self.assertEqual(self.lock_in(container)["runtime"], "b")

    def test_bundle_in_every_spelling(self):
        self.annotate("b")
        path = self.bundle
        for number, words in enumerate((["--bundle", path], ["--bundle=" + path], ["-b", path], ["-b=" + path],
                                        ["-bundle", path], ["--bundle", "bundle"], ["-b", "./bundle/"],
                                        ["--pid-file", "--bundle", "-b", path])):
            with self.subTest(" ".join(words)):
                self.goes_to("b", "create", *words, f"c{number}", cwd=self.directory)

    def test_bytes_that_are_no_text_and_long_words_arrive(self):
        self.lock_both()
        self.goes_to("b", "exec", "web", b"\xff\xfe", "nl\n", "", *["x" * 100000] * 8)

    def test_empty_environment_variables_are_the_defaults(self):
        self.environment["RTREG_STATE_DIR"] = ""
        if not os.path.exists("/var/lib/rtreg"):
            self.fails(125, "/var/lib/rtreg", "kill", "web")
        self.environment["RTREG_STATE_DIR"] = self.at("state")
        self.environment["RTREG_SOCKET"] = ""
        if not os.path.exists("/run/rtreg"):
            self.fails(125, "/run/rtreg/rtreg.sock", "create", "--bundle", self.bundle, "web")

    def test_log_of_crun_gets_its_line(self):
        self.kill_daemon()
        self.fails(125, self.socket, "--log=file:" + self.at("l"), "--log-format=json", "create", "--bundle",
                   self.bundle, "web")
        with open(self.at("l")) as file:
            line = json.load(file)
        self.assertEqual((line["level"], self.socket in line["msg"]), ("error", True))


class SameName(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_left_over_one_of_a_runtime_with_other_arguments_gets_the_new_ones(self):
        self.do(fails=7)
        self.assertEqual(self.door("create", "--bundle", self.bundle, "web").returncode, 7)
        self.do()
        self.runtimes["first"]["runtimeArgs"] = ["--new"]
        self.settle()
        self.reload()
        self.create()
        self.assertEqual(self.called("create"), ("first", ["--new", "create", "--bundle", self.bundle, "web"]))

    def test_no_other_runtime_gets_the_name_of_one_that_runs(self):
        self.do(waits=True)
        process = self.spawn_door("run", "--bundle", self.bundle, "web")
        self.wait_for(lambda: os.path.exists(os.path.join(self.fake, "ready")), "the container")
        self.annotate("second")
        self.fails(125, "first", "create", "--bundle", self.bundle, "web")
        self.assertEqual(self.calls("create"), [])
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 42)
        self.assertEqual(self.containers(), [])

    def test_foreground_run_unlocks_though_the_daemon_was_killed_meanwhile(self):
        self.do(waits=True)
        process = self.spawn_door("run", "--bundle", self.bundle, "web")
        self.wait_for(lambda: os.path.exists(os.path.join(self.fake, "ready")), "the container")
        self.assertEqual(self.containers(), ["web"])
        self.kill_daemon()
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 42)
        self.assertEqual(self.containers(), [])

    def test_killed_run_leaves_a_lock_in_that_can_be_replaced(self):
        self.do(waits=True)
        process = self.spawn_door("run", "--bundle", self.bundle, "web")
        self.wait_for(lambda: os.path.exists(os.path.join(self.fake, "ready")), "the container")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        self.assertEqual(self.containers(), ["web"])
        os.unlink(os.path.join(self.fake, "known/first/web"))
        self.annotate("second")
        self.do()
        self.create()
        self.assertEqual(self.lock_in()["runtime"], "second")

    def test_delete_whose_runtime_has_gone_is_127_and_unlocks_nothing(self):
        self.annotate("second")
        self.create()
        os.unlink(self.at("fake-second"))
        for words in (["delete", "web"], ["delete", "--force", "web"]):
            self.fails(127, self.at("fake-second"), *words)
        self.assertEqual(self.containers(), ["web"])

    def test_daemon_killed_while_it_is_asked_creates_nothing(self):
        self.halt()
        process = self.spawn_door("create", "--bundle", self.bundle, "web")
        # it waits for the reply now, or will find nobody
        self.wait_for(lambda: os.path.exists(f"/proc/{process.pid}/fd/3") or process.poll() is not None, "a question")
        self.kill_daemon()
        self.assertEqual(process.wait(PATIENCE), 125)
        self.assertEqual((self.calls("create"), self.containers()), ([], []))

    def test_each_keeps_its_arguments_while_the_configuration_changes(self):
        end, path = threading.Event(), self.at("fake-first")

        def reload_on():
            number = 0
            while not end.is_set():
                number += 1
                self.reload({"default-runtime": "x", "runtimes": {
                    "x": {"path": path, "runtimeArgs": [f"--number={number}"]}}})

        self.reload({"default-runtime": "x", "runtimes": {"x": {"path": path, "runtimeArgs": ["--number=0"]}}})
        thread = threading.Thread(target=reload_on)
        thread.start()
        names = [f"c{number}" for number in range(10)]
        try:
            for name in names:
                self.create(name)
            for name in names:
                self.passes("kill", name)
                self.passes("delete", name)
        finally:
            end.set()
            thread.join()
        for name in names:
            used = {call["argv"][0] for call in self.calls() if call["argv"][-1] == name}
            self.assertEqual(len(used), 1, used)
        self.assertEqual(self.containers(), [])


@unittest.skipUnless(os.geteuid() == 0, "another boot needs a mount namespace of root")
class Reboot(FrontDoorTest):
    def setUp(self):
        super().setUp()
        with open(self.at("boot-id"), "w") as file:
            file.write(OTHER_BOOT + "\n")
        self.rebooted = ["unshare", "-m", "--propagation", "private", "sh", "-c",
                         f'mount --bind "$0" {BOOT_ID_FILE} && exec "$@"', self.at("boot-id")]
        if subprocess.run([*self.rebooted, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no mount namespaces")
        self.start()

    def test_start_removes_lock_ins_of_the_boot_before_with_their_scripts_and_no_others(self):
        self.create()
        kept = self.lock("made-through-the-api", "second")
        self.settle(runtimes={"second": self.runtimes["second"]}, **{"default-runtime": "second"})
        self.stop()
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([*self.rebooted, *self.command()], stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, self.process)
        self.wait_for(self.answers, "the daemon to answer")
        self.assertEqual(self.get("/v1/containers").json, {"containers": [kept]})
        self.assertEqual(self.containers(), ["made-through-the-api"])
        self.assertEqual(os.listdir(self.at("state/lock-ins/scripts")) + os.listdir(self.at("state/runtimes")), [])

    def test_foreground_run_makes_its_own_and_unlocks_it(self):
        self.create()
        self.annotate("second")
        done = subprocess.run([*self.rebooted, RTREG_RUNTIME, "run", "--bundle", self.bundle, "web"],
                              env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.called("run")[0], "second")
        self.assertEqual([call["name"] for call in self.calls("state")], ["second"])
        self.assertEqual(self.containers(), [])


if __name__ == "__main__":
    unittest.main()
