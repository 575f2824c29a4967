#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtreg-runtime: which runtime a command goes to, and how that is executed."""

import concurrent.futures
import os
import subprocess
import threading
import unittest

from front_door_support import OTHER_BOOT, RTREG_RUNTIME, FrontDoorTest, this_boot
from test_daemon import PATIENCE

LATER = (["start", "web"], ["state", "web"], ["kill", "web", "9"], ["pause", "web"], ["resume", "web"],
         ["exec", "--process", "/p", "--detach", "web"], ["exec", "-e", "A=b", "web", "sh", "--root", "/x"],
         ["ps", "--format", "json", "web"], ["update", "-r", "-", "web"], ["events", "--stats", "web"],
         ["checkpoint", "--image-path", "/i", "web"], ["restore", "--image-path", "/i", "web"], ["mend", "web"])


class Create(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_annotation_names_the_runtime(self):
        self.annotate("second")
        self.create()
        self.assertEqual(self.called(), ("second", ["create", "--bundle", self.bundle, "web"]))
        self.assertEqual(self.lock_in()["runtime"], "second")

    def test_no_annotation_or_an_empty_one_means_the_default(self):
        for number, annotation in enumerate((None, "")):
            self.annotate(annotation)
            self.create(f"web{number}")
            self.assertEqual(self.called()[0], "first")

    def test_annotation_null_means_the_default(self):
        self.write_config('{"annotations": {"io.rtreg.runtime": null}}')
        self.create("web")
        self.assertEqual(self.called()[0], "first")

    def test_bundle_is_the_working_directory_unless_given(self):
        self.annotate("second")
        self.passes("create", "web", cwd=self.bundle)
        self.assertEqual(self.called(), ("second", ["create", "web"]))

    def test_config_of_crun_is_read_in_place_of_the_bundles(self):
        self.write_config('{"annotations": {"io.rtreg.runtime": "second"}}', "other.json")
        self.passes("create", "--bundle", self.bundle, "--config", "other.json", "web")
        self.assertEqual(self.called()[0], "second")

    def test_arguments_arrive_unchanged_behind_those_of_the_runtime(self):
        words = ["--root", self.at("r"), "--log-format=json", "create", "--bundle", self.bundle, "--new", "", "web"]
        self.assertEqual(self.door(*words).returncode, 0)
        self.assertEqual(self.called(), ("first", [*self.odd, *words]))

    def test_runtime_takes_the_place_of_the_process(self):
        process = self.spawn_door("create", "--bundle", self.bundle, "web")
        process.wait()
        self.assertEqual(self.calls()[-1]["pid"], process.pid)

    def test_runtime_without_wrapper_gets_its_path_as_name_and_one_more_variable(self):
        self.annotate("second")
        self.create()
        call = self.calls()[-1]
        self.assertEqual(call["argv0"], self.at("fake-second"))
        added = {**call["environment"]}
        self.assertEqual(added.pop("RTREG_RUNTIME_DEPTH"), "1")
        self.assertLessEqual(added.items() - self.environment.items(), {("LC_CTYPE", "C.UTF-8")})  # python's

    def test_lock_in_is_of_this_boot_and_there_is_an_event(self):
        self.create()
        self.assertEqual(self.lock_in()["boot-id"], this_boot())
        self.assertEqual(self.container_events(), [("lock-in", "web")])

    def test_each_root_has_its_own_containers(self):
        self.annotate("second")
        self.create("web", "--root", self.at("a"))
        self.annotate(None)
        self.create("web", "--root", self.at("b"))
        self.passes("--root", self.at("a"), "state", "web")
        self.assertEqual(self.called()[0], "second")
        self.passes("--root", self.at("b"), "state", "web")
        self.assertEqual(self.called()[0], "first")

    def test_root_may_be_relative_and_unclean(self):
        self.annotate("second")
        self.passes("--root", "r/../r//./", "create", "--bundle", self.bundle, "web", cwd=self.directory)
        self.assertEqual(self.lock_in()["root"], self.at("r"))
        self.passes("--root=" + self.at("r") + "/", "state", "web")
        self.assertEqual(self.called()[0], "second")

    def test_runtime_of_the_shim_of_runc_is_its_option_or_runc(self):
        self.runtimes["typed"] = {"runtimeType": "io.containerd.runc.v2",
                                  "options": {"BinaryName": self.at("fake-second")}}
        self.runtimes["plain"] = {"runtimeType": "io.containerd.runc.v2"}
        self.settle()
        self.reload()
        self.annotate("typed")
        self.create()
        self.assertEqual(self.called()[0], "second")
        os.mkdir(self.at("bin"))
        os.symlink(self.at("fake-second"), self.at("bin/runc"))
        self.annotate("plain")
        self.passes("create", "--bundle", self.bundle, "web2",
                    environment={"PATH": self.at("bin") + ":" + os.environ["PATH"]})
        self.assertEqual(self.called(), ("runc", ["create", "--bundle", self.bundle, "web2"]))

    def test_runtime_gets_what_was_open_and_no_more(self):
        with open("/dev/null") as extra:
            for words in (["create"], ["run"], ["run", "--detach"], ["delete", "--force"]):
                self.passes(*words, *(() if "delete" in words else ("--bundle", self.bundle)), "".join(words)[:3],
                            pass_fds=[extra.fileno()])
                self.assertEqual(self.calls()[-1]["descriptors"], [0, 1, 2, extra.fileno()], words)

    def test_name_without_directory_is_found_though_there_is_no_path(self):
        self.runtimes["bare"] = {"path": "true"}
        self.runtimes["script"] = {"path": "printenv", "runtimeArgs": ["PATH"]}
        self.settle()
        self.reload()
        self.lock("web", "bare")
        self.lock("web2", "script")
        for path in ({}, {"PATH": ""}):
            for container, code, said in (("web", 0, ""), ("web2", 1, "/usr/local/sbin:")):
                with self.subTest(path=path, container=container):
                    words = [RTREG_RUNTIME, "kill", container, "9"]
                    done = subprocess.run(words, env={"RTREG_STATE_DIR": self.at("state"), **path}, text=True,
                                          capture_output=True, check=False, timeout=PATIENCE)
                    self.assertEqual((done.returncode, done.stderr), (code, ""))
                    self.assertTrue(done.stdout.startswith(said), done.stdout)

    def test_many_at_once_all_get_their_runtime(self):
        def live(number):
            container, name = f"web{number}", ("first", "second")[number % 2]
            bundle = self.at(f"bundle{number}")
            os.mkdir(bundle)
            with open(bundle + "/config.json", "w") as file:
                file.write('{"annotations": {"io.rtreg.runtime": "%s"}}' % name)
            for words in (("create", "--bundle", bundle), ("exec", "-d"), ("delete", "--force")):
                self.passes(*words, container)

        stop = threading.Event()

        def reload():
            while not stop.is_set():
                self.reload(query="?force=true")

        reloader = threading.Thread(target=reload)
        reloader.start()
        try:
            with concurrent.futures.ThreadPoolExecutor(8) as crowd:
                list(crowd.map(live, range(24)))
        finally:
            stop.set()
            reloader.join()
        for call in self.calls():
            self.assertEqual(call["name"], ("first", "second")[int(call["argv"][-1][3:]) % 2])
        self.assertEqual(self.lock_ins(), [])


class Later(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()

    def test_every_other_command_goes_to_the_locked_in_one_whatever_is_reloaded(self):
        self.create()
        self.settle(**{"default-runtime": "second", "runtimes": {"second": self.runtimes["second"]}})
        self.assertEqual(self.reload().status, 200)
        for words in LATER:
            with self.subTest(words):
                self.passes(*words)
                self.assertEqual(self.called(), ("first", [*self.odd, *words]))

    def test_nobody_asks_the_daemon(self):
        self.annotate("second")
        self.create()
        self.kill_daemon()
        for words in LATER:
            with self.subTest(words):
                self.passes(*words)
                self.assertEqual(self.called(), ("second", words))

    def test_lock_in_outlives_the_daemon(self):
        self.create()
        self.settle(**{"default-runtime": "second", "runtimes": {"second": self.runtimes["second"]}})
        self.kill_daemon()
        self.start()
        self.passes("exec", "web", "sh")
        self.assertEqual(self.called(), ("first", [*self.odd, "exec", "web", "sh"]))

    def test_exit_code_is_the_runtimes(self):
        self.create()
        self.do(exec=17)
        self.assertEqual(self.door("exec", "web", "sh").returncode, 17)

    def test_unknown_container_goes_to_the_default_that_is_live(self):
        for words in (*LATER, ["delete", "--force", "web"]):
            if words[0] in ("state", "restore"):
                continue
            self.passes(*words)
            self.assertEqual(self.called(), ("first", [*self.odd, *words]))
        self.settle(**{"default-runtime": "second"})
        self.reload()
        self.passes("kill", "web", "9")
        self.assertEqual(self.called(), ("second", ["kill", "web", "9"]))

    def test_commands_without_container_go_to_the_default(self):
        self.create()
        self.settle(**{"default-runtime": "second"})
        self.reload()
        for words in (["list", "-f", "json"], ["spec"], ["create"], ["exec", "--help", "web"],
                      ["delete", "--regex", "web"], ["kill", "no/container", "9"], ["start", "--", "-web"]):
            with self.subTest(words):
                self.passes(*words)
                self.assertEqual(self.called(), ("second", words))
        self.passes("features")

    def test_option_that_nobody_knows_does_not_hide_the_container(self):
        self.annotate("second")
        self.create()
        for words in (["exec", "--new", "web", "sh"], ["exec", "--new", "x", "web", "sh"], ["state", "--new", "x", "web"],
                      ["kill", "--new", "web", "9"], ["--new", "x", "state", "web"], ["--new", "state", "web"]):
            with self.subTest(words):
                self.passes(*words)
                self.assertEqual(self.called(), ("second", words))


class WhatCounts(FrontDoorTest):
    """Lock-ins that are there when a container begins."""

    def setUp(self):
        super().setUp()
        self.start()

    def test_one_made_through_the_api_is_honoured_under_the_root_or_none(self):
        self.lock("web", "second", self.at("r"))
        self.lock("web2", "second")
        for container in ("web", "web2"):
            self.create(container, "--root", self.at("r"))
            self.assertEqual(self.called()[0], "second")
        self.assertNotIn("boot-id", self.lock_in("web"))
        self.assertEqual(len(self.lock_ins()), 2)

    def test_one_under_another_root_is_not_this_containers(self):
        self.lock("web", "second", self.at("other"))
        self.create("web", "--root", self.at("r"))
        self.assertEqual(self.called()[0], "first")

    def test_annotation_that_agrees_passes_and_one_that_contradicts_fails(self):
        self.lock("web", "second")
        self.annotate("first")
        self.fails(125, "locked in to runtime second", "create", "--bundle", self.bundle, "web")
        self.assertEqual(self.calls(), [])
        self.annotate("second")
        self.create()
        self.assertEqual(self.called()[0], "second")

    def test_one_of_another_boot_is_void(self):
        for container, command in (("web", "create"), ("web2", "run"), ("web3", "restore")):
            with self.subTest(command):
                self.lock(container, "first", boot=OTHER_BOOT)
                self.annotate("second")
                options = ["--detach"] if command == "run" else []
                self.passes(command, "--bundle", self.bundle, *options, container)
                self.assertEqual(self.called()[0], "second")
                self.assertEqual(self.lock_in(container)["boot-id"], this_boot())
        self.assertEqual(self.calls("state"), [])

    def test_later_commands_use_one_of_another_boot_all_the_same(self):
        self.lock("web", "second", boot=OTHER_BOOT)
        self.passes("delete", "--force", "web")
        self.assertEqual(self.called()[0], "second")
        self.assertEqual(self.lock_ins(), [])

    def test_one_whose_container_is_unknown_to_its_runtime_was_left_over(self):
        self.do(fails=3)
        self.assertEqual(self.door("create", "--bundle", self.bundle, "web").returncode, 3)
        self.assertEqual(self.containers(), ["web"])
        self.do()
        self.annotate("second")
        self.create()
        self.assertEqual([(call["name"], call["argv"][-2:]) for call in self.calls("state")],
                         [("first", ["state", "web"])])
        self.assertEqual(self.called()[0], "second")
        self.assertEqual(self.container_events(), [("lock-in", "web"), ("unlock", "web"), ("lock-in", "web")])

    def test_one_whose_container_lives_stays(self):
        self.create()
        self.create()  # for the runtime to refuse
        self.assertEqual(self.called()[0], "first")
        self.annotate("second")
        self.fails(125, "locked in to runtime first", "create", "--bundle", self.bundle, "web")
        self.assertEqual(self.container_events(), [("lock-in", "web")])

    def test_one_whose_runtime_has_gone_stays_as_its_container_may_live(self):
        self.annotate("second")
        self.create()
        os.rename(self.at("fake-second"), self.at("away"))
        self.annotate(None)
        done = self.fails(127, "rtregctl unlock", "create", "--bundle", self.bundle, "web")
        self.assertIn(self.at("fake-second"), done.stderr)
        os.rename(self.at("away"), self.at("fake-second"))
        self.passes("exec", "web", "sh")
        self.assertEqual(self.called()[0], "second")

    def test_runtime_that_says_that_it_does_not_know_the_container_is_believed(self):
        said = ("container does not exist\n", "level=error msg=\"Container ID (web) does not exist\"\n",
                "error opening file `/run/crun/web/status`: No such file or directory\n", "no such container: web",
                "container web not found\n", 'level=error msg="container \\"web\\" not found"', "web: Not found")
        for text in said:
            with self.subTest(text):
                self.annotate("second")
                self.create()
                self.do(**{"state-says": text})
                self.annotate("first")
                self.create()
                self.assertEqual(self.called()[0], "first")
                self.passes("delete", "web")

    def test_runtime_that_cannot_tell_is_no_reason_to_lose_a_lock_in(self):
        self.annotate("second")
        self.create()
        self.annotate(None)
        reasons = ({"state-says": "permission denied\n"}, {"state-says": "unexpected EOF"}, {"state-dies": True},
                   {"state-says": "error opening file `/sys/fs/cgroup/web`: No such file or directory"},
                   {"state-says": "/opt/web not found"}, {"state-says": "container web2 not found"},
                   {"state-says": "x: does not exist", "state": 127}, {"state-says": "x" * 100000})
        for reason in reasons:
            with self.subTest(str(reason)[:50]):
                self.do(**reason)
                self.fails(125, "does not tell", "create", "--bundle", self.bundle, "web")
                self.assertEqual(self.lock_in()["runtime"], "second")
        self.assertEqual(len(self.calls("create")), 1)
        self.assertEqual(self.container_events(), [("lock-in", "web")])

    def test_one_of_a_container_without_root_is_not_that_of_its_namesake_with_one(self):
        self.annotate("second")
        self.create()
        root = ["--root", self.at("r")]
        self.passes(*root, "delete", "--force", "web")
        self.assertEqual((self.called()[0], self.containers()), ("first", ["web"]))
        self.annotate("first")
        self.create("web", *root)
        self.passes("state", "web")
        self.assertEqual((self.called()[0], self.containers()), ("second", ["web", "web"]))
        self.assertEqual(len(self.calls("state")), 1)

    def test_one_behind_the_void_one_counts(self):
        self.lock("web", "second")
        self.lock("web", "first", self.at("r"), OTHER_BOOT)
        self.create("web", "--root", self.at("r"))
        self.assertEqual(self.called()[0], "second")

    def test_question_has_the_global_options_but_neither_log_nor_output(self):
        self.do(fails=3)
        self.door("--root", self.at("r"), "create", "--bundle", self.bundle, "web")
        self.do()
        done = self.create("web", "--root", self.at("r"), "--log", self.at("l"), "--log=" + self.at("m"), "--debug")
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.called("state")[1], [*self.odd, "--root", self.at("r"), "--log", "/dev/null",
                                                   "--log=/dev/null", "--debug", "state", "web"])

    def test_runtime_that_does_not_tell_ends_it_and_nothing_is_created(self):
        self.create()
        self.do(**{"state-hangs": True})
        self.fails(125, "does not tell", "create", "--bundle", self.bundle, "web")
        self.assertEqual(len(self.calls("create")), 1)
        self.assertEqual(self.containers(), ["web"])

    def test_restore_goes_to_a_lock_in_of_this_boot_without_asking(self):
        self.annotate("second")
        self.create()
        self.annotate("first")
        self.passes("restore", "--bundle", self.bundle, "web")
        self.assertEqual(self.called(), ("second", ["restore", "--bundle", self.bundle, "web"]))
        self.assertEqual(self.calls("state"), [])

    def test_restore_without_lock_in_makes_one(self):
        self.annotate("second")
        self.passes("restore", "--bundle", self.bundle, "web")
        self.assertEqual((self.called()[0], self.containers()), ("second", ["web"]))


if __name__ == "__main__":
    unittest.main()
