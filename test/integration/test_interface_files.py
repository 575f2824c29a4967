#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is promised of the files: drop-ins, changes that last, and trials, sentence by sentence, from outside."""

import concurrent.futures
import os
import subprocess
import unittest
import urllib.parse

from test_daemon import PATIENCE, RTREGD
from test_interface import InterfaceTest


class Fragments(InterfaceTest):
    def test_names_that_do_not_end_in_json_are_ignored(self):
        for name in ("a.json.rpmnew", "b.jsonx", "c.conf", "README", "d.json~", "json"):
            self.fragment(name, "{ broken")
        self.start()
        self.assertEqual(self.reload().json["unchanged"], True)

    def test_they_count_from_the_start_with_their_origin(self):
        self.fragment("10-a.json", {"debug": True})
        self.configure({"labels": ["a=b"]})
        self.start()
        self.assertEqual((self.value("debug"), self.origin("debug")), (True, "file:10-a.json"))
        self.assertEqual((self.origin("labels"), self.origin("mtu")), ("file", "default"))

    def test_same_key_in_two_files_names_both(self):
        self.start()
        self.configure({"debug": True})
        self.fragment("50-x.json", {"debug": True})
        self.refused(self.reload(), "debug", "daemon.json", "50-x.json")
        self.configure({})
        self.fragment("60-y.json", {"debug": False})
        self.refused(self.reload(), "debug", "50-x.json", "60-y.json")
        self.assertEqual((self.generation(), self.value("debug")), (1, False))

    def test_same_key_in_two_files_fails_a_start_and_validate_too(self):
        self.configure({"debug": True})
        self.fragment("50-x.json", {"debug": True})
        for options in ((), ("--validate",)):
            done = self.run_once(*options)
            self.assertEqual(done.returncode, 1)
            self.assertIn("daemon.json", done.stderr)
            self.assertIn("50-x.json", done.stderr)

    def test_null_in_one_file_and_a_value_in_another_is_the_same_key(self):
        self.start()
        self.fragment("1.json", {"debug": None})
        self.fragment("2.json", {"debug": True})
        self.refused(self.reload(), "1.json", "2.json")

    def test_same_runtime_in_two_files_names_both(self):
        self.start()
        self.configure({"runtimes": {"r": {"path": "/bin/true"}}})
        self.fragment("1.json", {"runtimes": {"r": {"path": "/bin/true"}}})
        self.refused(self.reload(), "daemon.json", "1.json")
        self.configure({})
        self.fragment("2.json", {"runtimes": {"r": {"path": "/bin/false"}}})
        self.refused(self.reload(), "1.json", "2.json")

    def test_runtimes_are_merged_by_name(self):
        self.configure({"runtimes": {"a": {"path": "/bin/true"}}})
        self.fragment("1.json", {"runtimes": {"b": {"path": "/bin/true"}}})
        self.fragment("2.json", {"runtimes": {"c": {"path": "/bin/true"}}})
        self.start()
        self.assertLessEqual({"a", "b", "c", "runc"}, self.names())

    def test_empty_and_null_files_set_nothing(self):
        self.configure({"debug": True})
        for name, text in (("1.json", ""), ("2.json", " \n"), ("3.json", "null"), ("4.json", "{}")):
            self.fragment(name, text)
        self.start()
        self.assertEqual(self.origin("debug"), "file")

    def test_null_of_a_fragment_is_the_zero_value_and_set(self):
        self.fragment("1.json", {"labels": None, "debug": None})
        self.start()
        self.assertEqual((self.value("labels"), self.origin("debug")), ([], "file:1.json"))

    def test_null_default_shm_size_is_a_type_error_naming_the_file(self):
        self.start()
        self.fragment("1.json", {"default-shm-size": None})
        self.refused(self.reload(), "default-shm-size", "1.json")

    def test_errors_of_a_fragment_name_it(self):
        self.start()
        for value in ("{", '{"nothing": 1}', '{"mtu": "x"}', "[]", '{"runtimes": {"x": {"path": 5}}}', '{"debug": 1}',
                      '{"proxies": []}', '{"proxies": {"http-proxy": 5}}'):
            with self.subTest(value):
                self.fragment("77-odd.json", value)
                self.refused(self.reload(), "77-odd.json")
        self.assertEqual(self.generation(), 1)

    def test_proxies_are_applied_and_masked(self):
        self.fragment("proxy.json", {"proxies": {"http-proxy": "http://u:secret@p:1"}})
        self.start()
        text = self.get("/v1/config").text
        self.assertNotIn("secret", text)
        self.assertIn("http://xxxxx:xxxxx@p:1", text)
        self.assertIn("file:proxy.json", text)

    def test_same_proxy_in_two_files_names_both_and_no_password(self):
        self.start()
        self.configure({"proxies": {"http-proxy": "http://u:secret@p:1"}})
        self.fragment("proxy.json", {"proxies": {"http-proxy": "http://u:hidden@p:1"}})
        reply = self.reload()
        self.refused(reply, "http-proxy", "daemon.json", "proxy.json")
        self.assertNotIn("secret", reply.text)
        self.assertNotIn("hidden", reply.text)

    def test_flag_and_fragment_conflict_as_flag_and_file_do(self):
        self.start("--label", "a=b")
        self.fragment("1.json", {"labels": ["c=d"]})
        self.refused(self.reload(), "the following directives are specified both as a flag and in the configuration "
                     "file: labels: (from flag: [a=b], from file: [c=d])")

    def test_flag_runtime_gives_way_to_a_fragments_and_comes_back(self):
        self.fragment("1.json", {"runtimes": {"r": {"path": "/bin/false"}}})
        self.start("--add-runtime", "r=/bin/true")
        self.assertEqual(self.get("/v1/resolve?runtime=r").json["options"]["BinaryName"], "/bin/false")
        self.drop("1.json")
        self.assertEqual(self.reload().status, 200)
        self.assertEqual(self.get("/v1/resolve?runtime=r").json["options"]["BinaryName"], "/bin/true")

    def test_key_whose_fragment_went_has_its_default(self):
        wanted = {"debug": True, "shutdown-timeout": 3, "default-stop-timeout": 4, "live-restore": True,
                  "labels": ["a=b"], "insecure-registries": ["r:5000"], "registry-mirrors": ["https://m"],
                  "default-shm-size": "1m", "default-ipc-mode": "shareable", "allow-nondistributable-artifacts": ["r"],
                  "max-download-attempts": 9, "features": {"x": True}, "default-runtime": "r",
                  "runtimes": {"r": {"path": "/bin/true"}}}
        self.start()
        before = self.get("/v1/config").json
        self.fragment("1.json", wanted)
        self.assertEqual(self.reload().status, 200)
        during = self.get("/v1/config").json["config"]
        for key in wanted:
            self.assertNotEqual(during[key], before["config"].get(key), key)
        self.drop("1.json")
        self.assertEqual(self.reload().status, 200)
        after = self.get("/v1/config").json
        self.assertEqual((after["config"], after["origin"]), (before["config"], before["origin"]))
        self.assertNotIn("r", self.names())

    def test_key_absent_from_the_main_file_is_kept_beside_fragments(self):
        self.configure({"labels": ["a=b"], "runtimes": {"m": {"path": "/bin/true"}}})
        self.fragment("1.json", {"debug": True})
        self.start()
        self.configure({})
        self.drop("1.json")
        self.assertEqual(self.reload().status, 200)
        self.assertEqual((self.value("labels"), self.value("debug")), (["a=b"], False))

    def test_key_that_moves_from_a_fragment_to_another_file_is_that_files(self):
        self.fragment("1.json", {"labels": ["a=b"], "runtimes": {"r": {"path": "/bin/true"}}})
        self.start()
        self.drop("1.json")
        self.configure({"labels": ["c=d"]})
        self.fragment("2.json", {"runtimes": {"r": {"path": "/bin/true"}}})
        self.assertEqual(self.reload().status, 200)
        self.assertEqual((self.value("labels"), self.origin("labels")), (["c=d"], "file"))
        self.assertIn("r", self.names())

    def test_fragment_that_went_while_the_file_is_broken_goes_when_it_is_mended(self):
        self.fragment("1.json", {"labels": ["a=b"]})
        self.start()
        self.drop("1.json")
        self.configure("{")
        self.assertEqual(self.reload().status, 400)
        self.assertEqual(self.value("labels"), ["a=b"])
        self.configure({})
        self.assertEqual(self.reload().status, 200)
        self.assertEqual(self.value("labels"), [])

    def test_runtime_of_a_gone_fragment_that_is_the_default_is_refused(self):
        self.configure({"default-runtime": "r"})
        self.fragment("1.json", {"runtimes": {"r": {"path": "/bin/true"}}})
        self.start()
        self.drop("1.json")
        self.refused(self.reload(), "specified default runtime 'r' does not exist")
        self.assertIn("r", self.names())

    def test_linked_fragment_is_read(self):
        path = self.at("real")
        with open(path, "w") as file:
            file.write('{"debug": true}')
        os.mkdir(self.config + ".d")
        os.symlink(path, os.path.join(self.config + ".d", "1.json"))
        self.start()
        self.assertEqual(self.origin("debug"), "file:1.json")

    def test_linked_configuration_has_its_fragments_beside_the_link(self):
        os.mkdir(self.at("elsewhere"))
        with open(self.at("elsewhere/real.json"), "w") as file:
            file.write('{"labels": ["a=b"]}')
        os.unlink(self.config)
        os.symlink(self.at("elsewhere/real.json"), self.config)
        self.fragment("1.json", {"debug": True})
        self.start()
        self.assertEqual((self.value("labels"), self.value("debug")), (["a=b"], True))

    def test_fragment_that_cannot_be_read_is_an_error_naming_it(self):
        self.start()
        os.mkdir(self.config + ".d")
        path = os.path.join(self.config + ".d", "gone.json")
        for target in ("nowhere", "gone.json"):
            os.symlink(target, path)
            self.refused(self.reload(), "gone.json")
            os.unlink(path)
        os.mkfifo(path)
        self.refused(self.reload(), "gone.json")
        os.unlink(path)
        self.assertEqual(self.reload().status, 200)

    def test_directory_named_like_a_fragment_is_told(self):
        self.start()
        os.makedirs(os.path.join(self.config + ".d", "x.json"))
        self.refused(self.reload(), "x.json")
        self.assertEqual(self.generation(), 1)

    def test_missing_configuration_named_by_flag_is_an_error_with_fragments_too(self):
        os.unlink(self.config)
        self.fragment("1.json", {"debug": True})
        done = self.run_once()
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.config, done.stderr)

    def test_missing_default_configuration_leaves_its_fragments(self):
        if not self.mounts():
            self.skipTest("no mount namespaces here")
        inner = ("mount -t tmpfs none /etc && mkdir -p /etc/rtreg/daemon.json.d && "
                 "echo '{\"labels\": 5}' >/etc/rtreg/daemon.json.d/9-default.json && exec \"$@\"")
        done = subprocess.run(["unshare", "-m", "sh", "-c", inner, "sh", RTREGD, "--validate", "--state-dir",
                               self.at("state")], capture_output=True, text=True, check=False, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("9-default.json", done.stderr)

    def test_runtimes_with_a_missing_default_configuration_are_the_fragments(self):
        if not self.mounts():
            self.skipTest("no mount namespaces here")
        self.fragment("1.json", {"runtimes": {"r": {"path": "/bin/true"}}, "debug": True})
        os.unlink(self.config)
        command = [word for word in self.command() if word not in ("--config-file", self.config)]
        inner = f"mount -t tmpfs none /etc && mkdir /etc/rtreg && cp -r {self.config}.d /etc/rtreg/ && exec \"$@\""
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", inner, "sh", *command], stderr=log)
        self.addCleanup(self.end, self.process)
        self.wait_for(self.answers, "the daemon to answer")
        self.assertEqual((self.origin("debug"), "r" in self.names()), ("file:1.json", True))

    def mounts(self):
        return subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                              check=False).returncode == 0

    def test_directory_that_is_a_file_or_a_loop_is_an_error_naming_it(self):
        self.start()
        for make in (lambda: open(self.config + ".d", "w").close(),
                     lambda: os.symlink(os.path.basename(self.config) + ".d", self.config + ".d")):
            make()
            self.refused(self.reload(), self.config + ".d")
            os.unlink(self.config + ".d")
        self.assertEqual(self.reload().status, 200)

    def test_what_moved_to_a_fragment_goes_with_it(self):
        self.configure({"debug": True})
        self.start()
        self.configure({})
        self.fragment("1.json", {"debug": True})
        self.assertTrue(self.reload().json["unchanged"])
        self.drop("1.json")
        reply = self.reload().json
        self.assertEqual([change["key"] for change in reply["reset"]], ["debug"])
        self.assertFalse(self.value("debug"))

    def test_what_moved_to_the_main_file_is_kept_like_its_own(self):
        self.fragment("1.json", {"debug": True})
        self.start()
        self.drop("1.json")
        self.configure({"debug": True})
        self.assertTrue(self.reload().json["unchanged"])
        self.configure({})
        self.assertEqual(self.reload().status, 200)
        self.assertTrue(self.value("debug"))

    def test_held_key_of_a_gone_fragment_needs_a_restart(self):
        self.fragment("1.json", {"mtu": 1400})
        self.start()
        self.drop("1.json")
        reply = self.reload().json
        self.assertEqual(reply["needs-restart"], [{"key": "mtu", "from": 1400, "to": 1500}])
        self.assertEqual((reply["unchanged"], self.value("mtu")), (True, 1400))

    def test_dry_run_reads_fragments_and_changes_nothing(self):
        self.start()
        self.fragment("1.json", {"debug": True})
        self.assertEqual([change["key"] for change in self.reload(query="?dry-run=true").json["changed"]], ["debug"])
        self.fragment("1.json", "{")
        self.refused(self.reload(query="?dry-run=true"), "1.json")
        self.assertEqual((self.generation(), len(self.history())), (1, 1))
        self.assertIsNone(self.get("/v1/status").json["rejected"])

    def test_body_takes_the_place_of_file_and_fragments(self):
        self.fragment("1.json", {"labels": ["a=b"], "runtimes": {"r": {"path": "/bin/true"}}})
        self.start()
        self.assertEqual(self.reload({"labels": ["c=d"], "runtimes": {}}).status, 200)
        self.assertEqual(self.value("labels"), ["c=d"])
        self.assertNotIn("r", self.names())
        self.assertEqual(self.reload().status, 200)
        self.assertEqual(self.value("labels"), ["a=b"])
        self.assertIn("r", self.names())


class Changes(InterfaceTest):
    ODD = ("a b", "k=v", "my/custom.v1", "100%", "%2F", "käse", "x" * 255, "..", ".", "-dash", "a?b#c&d", '"q"', "'", "\\",
           "~", "ru nc=/%ü")

    def test_runtime_add_with_any_permissible_name(self):
        self.start()
        for name in self.ODD:
            with self.subTest(name):
                self.refused(self.put(name, {"path": "/bin/true"}), status=200)
                self.assertIn(name, self.names())
                self.assertEqual(self.get("/v1/resolve?runtime=" + urllib.parse.quote(name)).json["name"], name)
        self.restart_killed()
        self.assertLessEqual(set(self.ODD), self.names())
        for name in self.ODD:
            with self.subTest(name):
                self.refused(self.delete(name), status=200)
        self.assertEqual(self.names() & set(self.ODD), set())

    def test_rtregctl_takes_odd_names(self):
        self.start()
        for name in ("a b", "k=v", "my/custom.v1", "100%", "käse"):
            with self.subTest(name):
                done = self.ctl("runtime", "add", name, "--path", "/bin/true", "--arg", "--x", "--arg=a b")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.get("/v1/runtimes").json["runtimes"][name]["runtimeArgs"], ["--x", "a b"])
                self.assertEqual(self.ctl("resolve", name).returncode, 0)
                self.assertEqual(self.ctl("runtime", "rm", name).returncode, 0)

    def test_names_not_permitted_are_400(self):
        self.start()
        for path in ("a%00b", "a%0Ab", "%7F", "x" * 256, "%", "%zz", "runc"):
            with self.subTest(path):
                self.refused(self.request("PUT", "/v1/runtimes/" + path, '{"path": "/bin/true"}'))
        self.assertEqual(self.fragments(), {})
        self.assertEqual(self.ctl("runtime", "add", "runc", "--path", "/x").returncode, 1)
        self.assertEqual(self.ctl("runtime", "add", "x" * 256, "--path", "/x").returncode, 1)

    def test_stock_name_that_is_not_reserved_can_be_taken_and_given_back(self):
        self.start()
        name = "io.containerd.runc.v2"
        self.refused(self.put(name, {"path": "/bin/true"}), status=200)
        self.assertEqual(self.get("/v1/resolve?runtime=" + name).json["options"]["BinaryName"], "/bin/true")
        self.refused(self.delete(name), status=200)
        self.assertEqual(self.get("/v1/resolve?runtime=" + name).json["options"]["BinaryName"], "runc")

    def test_runtime_of_another_file_is_refused_naming_both_and_nothing_is_left(self):
        self.configure({"runtimes": {"m": {"path": "/bin/true"}}})
        self.fragment("1.json", {"runtimes": {"f": {"path": "/bin/true"}}})
        self.start()
        before = self.fragments()
        self.refused(self.put("m", {"path": "/bin/false"}), "daemon.json")
        self.refused(self.put("f", {"path": "/bin/false"}), "1.json")
        done = self.ctl("runtime", "add", "f", "--path", "/bin/false")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1.json", done.stderr)
        self.assertEqual(self.fragments(), before)

    def test_refused_entries_leave_the_fragment_as_it_was(self):
        self.start()
        self.put("good", {"path": "/bin/true"})
        before = self.fragments()
        for entry in ({"path": "/a", "options": {"x": 1}}, {"runtimeType": "io.b.c", "runtimeArgs": ["x"]},
                      {"path": "/a", "runtimeArgs": "x"}, {"path": "/a", "runtimeArgs": ["x" * 131072]}, b"\xff"):
            with self.subTest(entry):
                self.refused(self.put("bad", entry), "message")
        self.assertEqual(self.fragments(), before)
        self.assertEqual(self.generation(), 2)

    def test_entry_keys_have_no_case(self):
        self.start()
        self.refused(self.put("r", {"PATH": "/bin/true", "RuntimeArgs": ["-x"]}), status=200)
        self.assertEqual(self.get("/v1/runtimes").json["runtimes"]["r"]["path"], "/bin/true")

    def test_type_runtime_with_options(self):
        self.start()
        done = self.ctl("runtime", "add", "t", "--type", "io.containerd.kata.v2", "--option", "K=V", "--option", "A=b=c")
        self.assertEqual(done.returncode, 0, done.stderr)
        entry = self.get("/v1/runtimes").json["runtimes"]["t"]
        self.assertEqual((entry["runtimeType"], entry["options"]), ("io.containerd.kata.v2", {"K": "V", "A": "b=c"}))

    def test_reply_is_a_reloads(self):
        self.start()
        for reply in (self.put("r", {"path": "/bin/true"}), self.set_default("r"), self.set_default("runc"),
                      self.delete("r")):
            self.assertLessEqual({"generation", "previous", "unchanged", "changed", "reset", "needs-restart", "ignored",
                                  "attributes", "commit-errors", "warnings"}, set(reply.json))
            self.assertEqual(reply.headers["ETag"], f'"{reply.json["generation"]}"')
            self.assertEqual(reply.headers["Rtreg-Generation"], str(reply.json["generation"]))

    def test_rm_exits(self):
        self.configure({"runtimes": {"m": {"path": "/bin/true"}}})
        self.fragment("1.json", {"runtimes": {"f": {"path": "/bin/true"}}})
        self.start()
        self.assertEqual(self.ctl("runtime", "rm", "runc").returncode, 1)  # the default in force
        for name in ("m", "f", "io.containerd.runc.v2", "nothing"):
            with self.subTest(name):
                self.assertEqual(self.ctl("runtime", "rm", name).returncode, 4)
                self.assertEqual(self.delete(name).status, 404)
        self.ctl("runtime", "add", "d", "--path", "/bin/true")
        self.assertEqual(self.ctl("set-default", "d").returncode, 0)
        done = self.ctl("runtime", "rm", "d")
        self.assertEqual(done.returncode, 1)
        self.assertIn("default", done.stderr)
        self.assertEqual(self.ctl("set-default", "runc").returncode, 0)
        self.assertEqual(self.ctl("runtime", "rm", "d").returncode, 0)

    def test_set_default_where_another_file_sets_it_names_the_file(self):
        self.configure({"default-runtime": "runc"})
        self.start()
        done = self.ctl("set-default", "io.containerd.runc.v2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("daemon.json", done.stderr)
        self.configure({})
        self.fragment("7.json", {"default-runtime": "runc"})
        self.assertEqual(self.reload().status, 200)
        done = self.ctl("set-default", "io.containerd.runc.v2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("7.json", done.stderr)
        self.assertEqual(list(self.fragments()), ["7.json"])

    def test_set_default_where_a_flag_sets_it_is_refused(self):
        self.start("--default-runtime", "io.containerd.runc.v2")
        self.refused(self.set_default("runc"), "flag")
        self.assertEqual(self.fragments(), {})

    def test_if_match_on_every_change(self):
        self.start()
        self.put("r", {"path": "/bin/true"})
        changes = (lambda head: self.put("s", {"path": "/bin/true"}, head), lambda head: self.delete("r", head),
                   lambda head: self.set_default("r", head), lambda head: self.reload({"debug": True}, headers=head),
                   lambda head: self.reload(headers=head), lambda head: self.reload({"debug": True}, "?confirm=600", head))
        for number, change in enumerate(changes):
            for value, status in (('"1"', 412), ("1", 412), ('"99999999999999999999999"', 412), ("x", 400), ('"2', 400)):
                with self.subTest(f"{number} {value}"):
                    reply = change({"If-Match": value})
                    self.refused(reply, "message", status=status)
                    if status == 412:
                        self.assertEqual(reply.headers["Rtreg-Generation"], "2")
        self.assertEqual((self.generation(), self.confirm().status, len(self.history())), (2, 409, 2))

    def test_of_many_changes_of_one_generation_one_is_done(self):
        self.start()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(self.put, f"r{number}", {"path": "/bin/true"}, {"If-Match": "1"}) for number in range(8)]
            self.assertEqual(sorted(reply.result().status for reply in asked), [200] + [412] * 7)
        self.assertEqual((self.generation(), len(self.names())), (2, 3))

    def test_if_generation_exits_1_on_a_mismatch_and_2_if_no_number(self):
        self.start()
        for words in (("runtime", "add", "r", "--path", "/bin/true"), ("runtime", "rm", "r"), ("set-default", "runc"),
                      ("reload",)):
            with self.subTest(words):
                self.assertEqual(self.ctl(*words, "--if-generation", "7").returncode, 1)
                self.assertEqual(self.ctl(*words, "--if-generation", "x").returncode, 2)
        self.assertEqual(self.ctl("runtime", "add", "r", "--path", "/bin/true", "--if-generation", "1").returncode, 0)

    def test_lost_update_is_told_before_what_is_not_there(self):
        self.start()
        self.refused(self.delete("nothing", {"If-Match": '"7"'}), status=412)

    def test_change_reads_the_files_again(self):
        self.start()
        self.configure({"debug": True})
        self.refused(self.put("r", {"path": "/bin/true"}), status=200)
        self.assertTrue(self.value("debug"))

    def test_runtime_of_a_flag_is_taken_over_and_given_back(self):
        self.start("--add-runtime", "r=/bin/true")
        self.refused(self.put("r", {"path": "/bin/false"}), status=200)
        self.assertEqual(self.get("/v1/runtimes").json["runtimes"]["r"]["path"], "/bin/false")
        self.refused(self.delete("r"), status=200)
        self.assertEqual(self.get("/v1/runtimes").json["runtimes"]["r"]["path"], "/bin/true")
        self.refused(self.delete("r"), "flag", status=404)

    def test_file_that_another_wrote_since_counts_before_it_is_live(self):
        self.start()
        self.fragment("9.json", {"runtimes": {"late": {"path": "/bin/true"}}})
        self.refused(self.put("late", {"path": "/bin/false"}), "9.json", "late")
        self.assertNotIn("late", self.names())


class Trials(InterfaceTest):
    def revert(self, value):
        """Puts a body on trial and waits until it is gone back from."""
        self.assertEqual(self.reload(value, "?confirm=1").status, 200)
        self.wait_for(lambda: self.history()[0]["source"] == "revert", "the way back")

    def test_body_on_trial_killed_starts_with_the_files(self):
        self.configure({"labels": ["a=b"]})
        self.start()
        self.reload({"labels": ["c=d"]}, "?confirm=600")
        self.restart_killed()
        self.assertEqual(self.value("labels"), ["a=b"])

    def test_forced_reload_without_a_change_can_be_confirmed(self):
        self.start()
        self.assertEqual(self.reload(query="?confirm=600&force=true").json["generation"], 2)
        self.assertEqual(self.confirm().status, 204)

    def test_what_a_fragment_owns_is_known_behind_the_way_back(self):
        self.fragment("1.json", {"debug": True, "runtimes": {"r": {"path": "/bin/true"}}})
        self.start()
        self.revert({"labels": ["c=d"], "debug": False})
        self.assertEqual((self.value("debug"), self.origin("debug"), self.value("labels")), (True, "file:1.json", []))
        self.drop("1.json")
        self.assertEqual(self.reload().status, 200)
        self.assertEqual((self.value("debug"), "r" in self.names()), (False, False))

    def test_what_a_fragment_owns_is_known_behind_a_crash(self):
        self.fragment("1.json", {"debug": True, "runtimes": {"r": {"path": "/bin/true"}}})
        self.start()
        self.configure({"labels": ["c=d"]})
        self.reload(query="?confirm=600")
        self.restart_killed()
        self.assertEqual((self.origin("debug"), self.value("labels")), ("file:1.json", []))
        self.drop("1.json")
        self.configure({})
        self.assertEqual(self.reload().status, 200)
        self.assertEqual((self.value("debug"), "r" in self.names()), (False, False))

    def test_files_that_are_broken_do_not_keep_a_trial_from_its_way_back(self):
        self.fragment("1.json", {"debug": True})
        self.configure({"labels": ["a=b"]})
        self.start()
        self.configure({"labels": ["c=d"]})
        self.reload(query="?confirm=600")
        self.configure("{")
        self.drop("1.json")
        self.restart_killed()
        self.assertEqual((self.value("labels"), self.value("debug")), (["a=b"], True))

    def test_change_meanwhile_is_warned_of_and_gone_back_from_with_the_rest(self):
        self.configure({"labels": ["a=b"]})
        self.start()
        self.configure({"labels": ["c=d"]})
        self.reload(query="?confirm=600")
        reply = self.put("r", {"path": "/bin/true"})
        self.refused(reply, "trial", status=200)
        self.assertEqual(self.reload(query="?confirm=1&force=true").status, 200)
        self.wait_for(lambda: self.history()[0]["source"] == "revert", "the way back")
        self.assertEqual((self.value("labels"), "r" in self.names()), (["a=b"], False))

    def test_confirmation_keeps_a_change_that_came_meanwhile(self):
        self.start()
        self.configure({"labels": ["c=d"]})
        self.reload(query="?confirm=600")
        self.put("r", {"path": "/bin/true"})
        self.assertEqual(self.confirm().status, 204)
        self.restart_killed()
        self.assertEqual((self.value("labels"), "r" in self.names()), (["c=d"], True))


if __name__ == "__main__":
    unittest.main()
