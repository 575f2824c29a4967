#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregd notices changes of its configuration's files: each way of changing them leads to the next generation, once."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from test_daemon import PATIENCE, DaemonTest, Reply

RUNC = {"path": "/bin/true"}


class WatchTest(DaemonTest):
    watch = ()

    def write(self, path, value):
        """As `cp` and the shell do: into the file that is there."""
        with open(path, "w") as file:
            file.write(value if isinstance(value, str) else json.dumps(value))

    def rename_over(self, path, value):
        self.write(path + "~new", value)
        os.rename(path + "~new", path)

    @contextlib.contextmanager
    def paused(self):
        """What is done in several steps meanwhile, the daemon sees at once, however slow this machine is."""
        self.halt()
        yield
        self.process.send_signal(signal.SIGCONT)

    def start_and_ask_before(self, change, method, path, body=None):
        """A request that waits behind a reload, generation 2, when `change` is made: it is done before the watch looks."""
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.start("--debug", "--threads", "1")
        first, asking, other = (self.keep_connection() for _ in range(3))
        first.request("POST", "/v1/reload", json.dumps({"runtimes": {"slow": {"path": probe}}}))
        self.wait_for(lambda: os.path.exists(begun), "the reload to be under way")
        asking.request(method, path, body)
        for _ in range(3):  # turns of the only thread: it has taken that up by then
            self.assertEqual(self.get("/_ping", connection=other).status, 200)
        change()
        open(go, "w").close()
        self.assertEqual(Reply(first.getresponse()).json["generation"], 2)
        return Reply(asking.getresponse())

    @property
    def fragments(self):
        return self.config + ".d"

    def fragment(self, name):
        return os.path.join(self.fragments, name)

    def label(self, text):
        return {"labels": ["a=" + text]}

    def entries(self):
        """The history, oldest first, without the start: source, result, generation."""
        entries = self.get("/v1/history").json["entries"]
        return [(entry["source"], entry["result"], entry["generation"]) for entry in reversed(entries)][1:]

    def labels(self):
        return self.get("/v1/config").json["config"]["labels"]

    def wait_for_label(self, text):
        self.wait_for(lambda: self.labels() == ["a=" + text], "label " + text)

    def wait_for_entries(self, *expected):
        self.wait_for(lambda: len(self.entries()) >= len(expected), f"{len(expected)} entries")
        self.assertEqual(self.entries(), list(expected))

    def assert_noticed(self, change, text):
        """`change` sets that label; it is noticed as one reload."""
        self.start()
        with self.paused():
            change()
        self.wait_for_label(text)
        self.wait_for_entries(("watch", "ok", 2))

    def assert_still_watched(self, path=None):
        """The place is still watched in its new form."""
        before = self.generation()
        with self.paused():
            self.write(path or self.config, self.label("later"))
        self.wait_for_label("later")
        self.assertEqual(self.generation(), before + 1)

    def wait_for_look(self):
        """Needs --debug: the watch has looked at the files, and found nothing new."""
        self.wait_for(lambda: "the files are as they were when last read" in self.read_log(), "a look at the files")

    def assert_nothing_before(self, *expected):
        """A change that is noticed stands in the history directly behind `expected`."""
        generation = self.generation()
        self.rename_over(self.config, self.label("last"))
        self.wait_for_label("last")
        self.wait_for_entries(*expected, ("watch", "ok", generation + 1))


class File(WatchTest):
    def test_written_in_place(self):
        self.assert_noticed(lambda: self.write(self.config, self.label("b")), "b")
        self.assert_still_watched()

    def test_replaced_by_rename(self):
        self.assert_noticed(lambda: self.rename_over(self.config, self.label("b")), "b")
        self.assert_still_watched()

    def test_written_through_another_link(self):
        os.link(self.config, self.at("elsewhere"))
        self.assert_noticed(lambda: self.write(self.at("elsewhere"), self.label("b")), "b")

    def test_replaced_by_an_editor_that_keeps_a_backup(self):
        def edit():
            os.rename(self.config, self.config + "~")
            self.write(self.config, self.label("b"))
        self.assert_noticed(edit, "b")
        self.assert_still_watched()

    def test_deleted_fails_and_made_again_is_read(self):
        self.start()
        os.unlink(self.config)
        self.wait_for_entries(("watch", "failed", 1))
        with self.paused():
            self.write(self.config, self.label("b"))
        self.wait_for_label("b")
        self.wait_for_entries(("watch", "failed", 1), ("watch", "ok", 2))

    def test_link_to_nothing_is_read_once_it_leads_somewhere(self):
        self.start()
        os.unlink(self.config)
        os.symlink(self.at("target"), self.config)
        self.wait_for_entries(("watch", "failed", 1))
        self.write(self.at("target"), self.label("b"))
        self.wait_for_label("b")

    def test_bad_contents_are_told_and_mended(self):
        self.start()
        self.rename_over(self.config, "{")
        self.wait_for_entries(("watch", "failed", 1))
        rejected = self.get("/v1/status").json["rejected"]
        self.assertEqual(rejected["source"], "watch")
        self.assertEqual(rejected["errors"], self.get("/v1/history").json["entries"][0]["errors"])
        self.rename_over(self.config, self.label("b"))
        self.wait_for_entries(("watch", "failed", 1), ("watch", "ok", 2))
        self.assertIsNone(self.get("/v1/status").json["rejected"])

    def test_change_during_the_start_is_noticed(self):
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.configure({"runtimes": {"slow": {"path": probe}}})
        self.process = self.spawn()
        self.wait_for(lambda: os.path.exists(begun), "the start to have read the file")
        self.rename_over(self.config, self.label("b"))
        open(go, "w").close()
        self.wait_for(self.answers, "the daemon to answer")
        self.wait_for_label("b")
        self.wait_for_entries(("watch", "ok", 2))


class Directories(WatchTest):
    def setUp(self):
        super().setUp()
        os.mkdir(self.at("etc"))
        self.config = self.at("etc/daemon.json")
        self.configure({})

    def test_replaced_with_the_file_in_it(self):
        os.mkdir(self.at("next"))
        self.write(self.at("next/daemon.json"), self.label("b"))

        def swap():
            os.rename(self.at("etc"), self.at("former"))
            os.rename(self.at("next"), self.at("etc"))
        self.assert_noticed(swap, "b")
        self.assert_still_watched()

    def test_removed_and_made_later(self):
        self.start()
        shutil.rmtree(self.at("etc"))
        self.wait_for_entries(("watch", "failed", 1))
        os.mkdir(self.at("etc"))
        self.write(self.config, self.label("b"))
        self.wait_for_label("b")
        self.assertEqual(self.entries()[-1], ("watch", "ok", 2))
        self.assert_still_watched()

    def test_one_further_up_replaced(self):
        self.config = self.at("etc/a/b/daemon.json")
        os.makedirs(self.at("etc/a/b"))
        self.configure({})
        os.makedirs(self.at("next/b"))
        self.write(self.at("next/b/daemon.json"), self.label("b"))

        def swap():
            os.rename(self.at("etc/a"), self.at("former"))
            os.rename(self.at("next"), self.at("etc/a"))
        self.assert_noticed(swap, "b")


class Links(WatchTest):
    def make_version(self, number, value):
        os.makedirs(self.at(f"mount/..{number}"))
        self.write(self.at(f"mount/..{number}/daemon.json"), value)

    def swap_to(self, number):
        """As Kubernetes does when a ConfigMap has changed."""
        os.symlink(f"..{number}", self.at("mount/..data_tmp"))
        os.rename(self.at("mount/..data_tmp"), self.at("mount/..data"))

    def mount(self):
        self.make_version(1, {})
        os.symlink("..1", self.at("mount/..data"))
        self.config = self.at("mount/daemon.json")
        os.symlink("..data/daemon.json", self.config)

    def test_swapped_as_kubernetes_does_again_and_again(self):
        self.mount()
        self.start()
        for number in (2, 3, 4):
            self.make_version(number, self.label(str(number)))
            self.swap_to(number)
            shutil.rmtree(self.at(f"mount/..{number - 1}"))
            self.wait_for_label(str(number))
            self.assertEqual(self.generation(), number)
        self.assertEqual(self.entries(), [("watch", "ok", 2), ("watch", "ok", 3), ("watch", "ok", 4)])

    def test_target_elsewhere_is_watched(self):
        os.makedirs(self.at("far/away"))
        self.write(self.at("far/away/real.json"), {})
        os.unlink(self.config)
        os.symlink(self.at("far/away/real.json"), self.config)
        self.assert_noticed(lambda: self.rename_over(self.at("far/away/real.json"), self.label("b")), "b")
        self.assert_still_watched(self.at("far/away/real.json"))

    def test_pointed_to_another_file(self):
        self.write(self.at("one"), {})
        self.write(self.at("two"), self.label("b"))
        os.unlink(self.config)
        os.symlink("one", self.config)

        def point():
            os.symlink("two", self.at("link"))
            os.rename(self.at("link"), self.config)
        self.assert_noticed(point, "b")
        self.assert_still_watched(self.at("two"))

    def test_directory_that_is_a_link_with_dots(self):
        os.makedirs(self.at("x/y"))
        os.makedirs(self.at("etc"))
        os.symlink("../x/./y/../y", self.at("etc/rtreg"))
        self.config = self.at("etc/rtreg/daemon.json")
        self.configure({})
        self.assert_noticed(lambda: self.rename_over(self.at("x/y/daemon.json"), self.label("b")), "b")


class Fragments(WatchTest):
    def test_directory_made_later_with_a_fragment(self):
        def make():
            os.mkdir(self.fragments)
            self.write(self.fragment("10-a.json"), self.label("b"))
        self.assert_noticed(make, "b")
        self.assert_still_watched(self.fragment("10-a.json"))

    def test_added_changed_and_removed(self):
        os.mkdir(self.fragments)
        self.start()
        with self.paused():
            self.write(self.fragment("10-a.json"), self.label("b"))
        self.wait_for_label("b")
        self.rename_over(self.fragment("10-a.json"), self.label("c"))
        self.wait_for_label("c")
        os.unlink(self.fragment("10-a.json"))
        self.wait_for(lambda: self.labels() == [], "the label to go")
        self.wait_for_entries(("watch", "ok", 2), ("watch", "ok", 3), ("watch", "ok", 4))

    def test_directory_removed_and_moved_back(self):
        os.mkdir(self.fragments)
        self.write(self.fragment("10-a.json"), self.label("b"))
        self.start()
        os.rename(self.fragments, self.at("aside"))
        self.wait_for(lambda: self.labels() == [], "the label to go")
        os.rename(self.at("aside"), self.fragments)
        self.wait_for_label("b")
        self.assert_still_watched(self.fragment("10-a.json"))

    def test_directory_that_is_a_link_to_nothing_is_an_error_until_it_goes(self):
        os.mkdir(self.at("elsewhere"))
        os.symlink("elsewhere", self.fragments)
        self.write(self.fragment("10-a.json"), self.label("b"))
        self.start()
        os.rename(self.at("elsewhere"), self.at("aside"))
        self.wait_for_entries(("watch", "failed", 1))
        self.assertEqual(self.labels(), ["a=b"])
        os.unlink(self.fragments)
        self.wait_for_entries(("watch", "failed", 1), ("watch", "ok", 2))
        self.assertEqual(self.labels(), [])

    def test_link_whose_target_is_replaced(self):
        os.mkdir(self.fragments)
        self.write(self.at("target"), {})
        os.symlink("../target", self.fragment("10-a.json"))
        self.assert_noticed(lambda: self.rename_over(self.at("target"), self.label("b")), "b")

    def test_other_names_do_not_count(self):
        os.mkdir(self.fragments)
        self.start("--debug")
        for name in ("10-a.json~", ".10-a.json", "README", "10-a.json.swp"):
            self.write(self.fragment(name), self.label("x"))
        self.assert_nothing_before()
        self.assertNotIn("10-a.json", self.read_log())

    def test_file_and_fragments_at_once_are_one_reload(self):
        os.mkdir(self.fragments)
        self.start()
        with self.paused():
            self.rename_over(self.config, self.label("b"))
            for name in range(5):
                self.write(self.fragment(f"{name}.json"), {"runtimes": {f"r{name}": RUNC}})
        self.wait_for_entries(("watch", "ok", 2))
        self.assertEqual(self.get("/v1/status").json["runtimes"], 7)


class Nothing(WatchTest):
    def test_unrelated_files_and_accesses_are_not_even_looked_at(self):
        self.start("--debug")
        for _ in range(3):
            self.write(self.at("unrelated.json"), "{}")
            os.unlink(self.at("unrelated.json"))
            with open(self.config) as file:
                file.read()
        self.assert_nothing_before()
        names = set(re.findall(r"may have changed name=(\S+)", self.read_log()))
        self.assertEqual(names, {"daemon.json"})
        self.assertNotIn("when last read", self.read_log())

    def test_what_was_reloaded_already_causes_none(self):
        reply = self.start_and_ask_before(lambda: self.rename_over(self.config, self.label("b")), "POST", "/v1/reload")
        self.assertEqual((reply.json["generation"], self.labels()), (3, ["a=b"]))
        self.wait_for_look()
        self.assert_nothing_before(("api", "ok", 2), ("api", "ok", 3))

    def test_dry_run_and_refused_condition_do_not_pass_for_a_reload(self):
        self.start()
        self.rename_over(self.config, self.label("b"))
        self.assertEqual(self.reload(query="?dry-run=true").status, 200)
        self.assertEqual(self.reload(headers={"If-Match": "7"}).status, 412)
        self.wait_for_label("b")
        self.wait_for_entries(("watch", "ok", 2))

    def test_configuration_from_a_body_does_not_pass_for_the_files(self):
        reply = self.start_and_ask_before(lambda: self.rename_over(self.config, self.label("b")), "POST", "/v1/reload",
                                          '{"live-restore": true}')
        self.assertEqual(reply.json["generation"], 3)
        self.wait_for_label("b")
        self.wait_for_entries(("api", "ok", 2), ("api", "ok", 3), ("watch", "ok", 4))

    def test_same_contents_again_are_an_unchanged_reload(self):
        self.start()
        self.rename_over(self.config, {})
        self.wait_for_entries(("watch", "unchanged", 1))

    def watches(self):
        """Whether the daemon has an inotify watch on the directory of its configuration."""
        folder = f"/proc/{self.process.pid}/fdinfo"
        inode = os.stat(os.path.dirname(self.config)).st_ino
        watched = []
        for fd in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                with open(os.path.join(folder, fd)) as file:
                    watched += re.findall(r"^inotify .*\bino:([0-9a-f]+)", file.read(), re.MULTILINE)
        return any(int(number, 16) == inode for number in watched)

    def test_no_watch_watches_nothing(self):
        self.start("--no-watch")
        self.assertFalse(self.watches())
        self.assertEqual(self.get("/v1/status").json["watch"], {"enabled": False, "error": None})
        self.rename_over(self.config, self.label("b"))
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_entries(("signal", "ok", 2))

    def test_watching_is_told(self):
        self.start()
        self.assertTrue(self.watches())
        self.assertEqual(self.get("/v1/status").json["watch"], {"enabled": True, "error": None})


class Limits(WatchTest):
    def in_namespace_without(self, limit):
        """The command that starts rtregd where there are none of what `limit` counts."""
        return ["unshare", "-U", "-r", "sh", "-c", f"echo 0 > /proc/sys/user/{limit} && exec \"$@\"", "sh"]

    def can_be_limited(self, limit):
        return subprocess.run(self.in_namespace_without(limit) + ["true"], capture_output=True,
                              check=False).returncode == 0

    def test_failure_to_watch_is_a_warning_and_no_more(self):
        for limit, sysctl in (("max_inotify_instances", "fs.inotify.max_user_instances"),
                              ("max_inotify_watches", "fs.inotify.max_user_watches")):
            with self.subTest(limit):
                if not self.can_be_limited(limit):
                    self.skipTest("needs a user namespace")
                with open(self.log, "a") as log:
                    self.process = subprocess.Popen(self.in_namespace_without(limit) + self.command(), stderr=log,
                                                    stdin=subprocess.DEVNULL)
                self.addCleanup(self.end, self.process)
                self.wait_for(self.answers, "the daemon to answer")
                told = self.get("/v1/status").json["watch"]
                self.assertTrue(told["enabled"])
                self.assertIn("cannot watch", told["error"])
                self.assertIn(sysctl, told["error"])
                self.assertIn(told["error"].split(":")[0], self.read_log())
                self.rename_over(self.config, self.label("b"))
                self.assertEqual(self.reload().status, 200)
                self.process.send_signal(signal.SIGTERM)
                self.assertEqual(self.process.wait(PATIENCE), 0)

    def test_lost_events_count_as_one(self):
        """The daemon sleeps while more happens than the kernel keeps for it."""
        self.start()
        with open("/proc/sys/fs/inotify/max_queued_events") as file:
            most = int(file.read())
        paths = [self.at("x.json"), self.at("y.json")]
        with self.paused():
            for number in range(most // 2 + 100):
                self.write(paths[number % 2], "")
                os.unlink(paths[number % 2])
            self.rename_over(self.config, self.label("b"))
        self.wait_for_label("b")
        self.wait_for_entries(("watch", "ok", 2))
        self.assert_still_watched()


class Bursts(WatchTest):
    def test_of_writes_end_in_the_last_one(self):
        self.start()
        began = time.monotonic()
        for number in range(200):
            self.write(self.config, self.label(str(number)))
        quiet = (time.monotonic() - began) / 0.25  # as often a slow machine may have been quiet for so long
        self.wait_for_label("199")
        self.assertLess(len(self.entries()), 10 + quiet)

    def test_that_does_not_end_is_read_nonetheless(self):
        self.start()
        counter = iter(range(10**9))

        def goes_on():
            self.rename_over(self.config, self.label(str(next(counter))))
            return len(self.entries()) >= 2
        self.wait_for(goes_on, "reloads while the file is written again and again")


if __name__ == "__main__":
    unittest.main()
