#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes through the API: they stand in the registry's own drop-in, last over a restart, and a refused one leaves
everything as it was."""

import json
import os
import subprocess
import unittest

from test_daemon import PATIENCE
from test_watch import RUNC, WatchTest


class ChangeTest(WatchTest):
    def own(self):
        """The bytes of the registry's own drop-in; None without one."""
        try:
            with open(self.fragment("50-rtregctl.json"), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def own_json(self):
        return json.loads(self.own())

    def put(self, name, entry=None, headers=None):
        return self.request("PUT", "/v1/runtimes/" + name, entry if isinstance(entry, str) else json.dumps(entry or RUNC),
                            headers)

    def remove(self, name, headers=None):
        return self.request("DELETE", "/v1/runtimes/" + name, headers=headers)

    def set_default(self, name, headers=None):
        return self.request("PUT", "/v1/default-runtime", json.dumps({"runtime": name}), headers)

    def done(self, reply):
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json

    def runtimes(self):
        return self.get("/v1/runtimes").json["runtimes"]

    def assert_refused(self, reply, status, *words):
        self.assertEqual(reply.status, status, reply.text)
        for word in words:
            self.assertIn(word, reply.json["message"])


class Done(ChangeTest):
    def test_runtime_added_is_there_and_in_the_drop_in(self):
        self.start()
        reply = self.done(self.put("crun", {"path": "/bin/true", "runtimeArgs": ["--x"]}))
        self.assertEqual((reply["previous"], reply["generation"]), (1, 2))
        self.assertEqual([change["key"] for change in reply["changed"]], ["runtimes", "runtimes.crun"])
        self.assertEqual(self.runtimes()["crun"]["runtimeArgs"], ["--x"])
        self.assertEqual(self.own_json(), {"runtimes": {"crun": {"path": "/bin/true", "runtimeArgs": ["--x"]}}})
        self.assertEqual(self.entries(), [("api", "ok", 2)])

    def test_runtime_put_again_is_replaced(self):
        self.start()
        self.done(self.put("r"))
        reply = self.done(self.put("r", {"runtimeType": "io.containerd.kata.v2", "options": {"a": 1}}))
        self.assertEqual([change["key"] for change in reply["changed"]], ["runtimes", "runtimes.r"])
        self.assertEqual((self.runtimes()["r"]["path"], self.runtimes()["r"]["shim"]), (None, "io.containerd.kata.v2"))

    def test_runtime_removed_is_gone_and_the_others_stay(self):
        self.start()
        self.done(self.put("a"))
        self.done(self.put("b"))
        self.assertEqual(self.done(self.remove("a"))["generation"], 4)
        self.assertEqual(set(self.runtimes()) - {"runc", "io.containerd.runc.v2"}, {"b"})
        self.assertEqual(list(self.own_json()["runtimes"]), ["b"])

    def test_default_is_set(self):
        self.start()
        self.done(self.put("r"))
        reply = self.done(self.set_default("r"))
        self.assertEqual([change["key"] for change in reply["changed"]], ["default-runtime"])
        self.assertEqual(self.get("/v1/resolve?runtime=").json["name"], "r")
        self.assertEqual(self.own_json()["default-runtime"], "r")

    def test_the_same_again_is_unchanged(self):
        self.start()
        self.done(self.put("r"))
        before = self.own()
        reply = self.done(self.put("r"))
        self.assertEqual((reply["unchanged"], reply["generation"], self.own()), (True, 2, before))

    def test_names_are_decoded_once(self):
        self.start()
        self.done(self.put("my%2Fown%20100%25"))
        self.assertIn("my/own 100%", self.runtimes())
        self.done(self.remove("my%2Fown%20100%25"))
        self.assertNotIn("my/own 100%", self.runtimes())

    def test_all_stay_over_a_restart(self):
        self.start()
        self.done(self.put("r"))
        self.done(self.set_default("r"))
        before = self.own()
        self.assertEqual(self.stop(), 0)
        self.start()
        self.assertEqual((self.get("/v1/runtimes").json["default"], self.own()), ("r", before))
        self.done(self.set_default("runc"))
        self.done(self.remove("r"))

    def test_operators_files_are_never_written(self):
        os.mkdir(self.fragments)
        self.write(self.fragment("10-a.json"), {"runtimes": {"other": RUNC}})
        files = {path: os.stat(path) for path in (self.config, self.fragment("10-a.json"))}
        self.start()
        self.done(self.put("r"))
        self.done(self.set_default("other"))
        for path, before in files.items():
            after = os.stat(path)
            self.assertEqual((after.st_ino, after.st_mtime_ns, after.st_ctime_ns),
                             (before.st_ino, before.st_mtime_ns, before.st_ctime_ns))

    def test_right_condition(self):
        self.start()
        self.done(self.put("r", headers={"If-Match": '"1"'}))
        self.done(self.set_default("r", {"If-Match": "2"}))
        self.done(self.set_default("runc", {"If-Match": "*"}))
        self.done(self.remove("r", {"If-Match": '"4"'}))


class Watched(ChangeTest):
    def test_own_write_causes_no_reload(self):
        self.start("--debug")
        self.done(self.put("r"))
        self.wait_for_look()
        self.assert_nothing_before(("api", "ok", 2))

    def test_refused_change_causes_no_reload(self):
        self.start()
        self.done(self.put("r"))
        self.assert_refused(self.put("r", {"path": "/bin/true", "runtimeType": "x.y.v1"}), 400)
        self.assert_nothing_before(("api", "ok", 2), ("api", "failed", 2))

    def test_what_others_wrote_is_noticed_although_a_change_was_refused(self):
        reply = self.start_and_ask_before(lambda: self.rename_over(self.config, self.label("b")), "PUT", "/v1/runtimes/r",
                                          "{}")
        self.assertEqual(reply.status, 400)
        self.wait_for_label("b")
        self.wait_for_entries(("api", "ok", 2), ("api", "failed", 2), ("watch", "ok", 3))

    def test_drop_in_written_by_somebody_else_is_noticed(self):
        self.start()
        self.done(self.put("r"))
        self.rename_over(self.fragment("50-rtregctl.json"), {"runtimes": {"s": RUNC}})
        self.wait_for(lambda: "s" in self.runtimes(), "the runtime")
        self.assertEqual(self.entries()[-1], ("watch", "ok", 3))


class Refused(ChangeTest):
    def setUp(self):
        super().setUp()
        self.configure({"runtimes": {"mine": RUNC}})

    def with_own(self, **options):
        """A daemon that has a drop-in of its own; returns its bytes."""
        self.start("--no-watch", **options)
        self.done(self.put("r"))
        return self.own()

    def test_bad_entries(self):
        before = self.with_own()
        for entry in ('{"path": "/bin/true", "runtimeType": "a.b.v1"}', "{}", "{", "[]", '"x"', "null", '{"path": 1}',
                      '{"path": "/bin/true"} x', '{"path": "/bin/true\\u0000"}'):
            with self.subTest(entry):
                self.assert_refused(self.put("r", entry), 400)
                self.assertEqual((self.own(), self.generation()), (before, 2))
        self.assert_refused(self.request("PUT", "/v1/runtimes/r"), 400)
        self.assertEqual(self.get("/v1/status").json["reload"]["result"], "failed")

    def test_names_that_cannot_be(self):
        before = self.with_own()
        for name in ("runc", "a%00b", "a%zz"):
            with self.subTest(name):
                self.assert_refused(self.put(name), 400)
        self.assertEqual(self.put("").status, 404)
        self.assertEqual((self.own(), self.generation()), (before, 2))

    def test_runtime_of_another_file(self):
        before = self.with_own()
        self.assert_refused(self.put("mine"), 400, "mine", self.config, "50-rtregctl.json")
        self.assert_refused(self.remove("mine"), 404, "mine")
        self.assertEqual((self.own(), self.generation()), (before, 2))

    def test_runtime_that_is_not_there(self):
        before = self.with_own()
        self.assert_refused(self.remove("nosuch"), 404, "nosuch")
        self.assertEqual((self.own(), self.entries()), (before, [("api", "ok", 2)]))

    def test_runtime_that_is_the_default(self):
        self.with_own()
        self.done(self.set_default("r"))
        before = self.own()
        self.assert_refused(self.remove("r"), 400, "r")
        self.assertEqual((self.own(), self.generation()), (before, 3))
        self.assertIn("r", self.runtimes())

    def test_default_that_does_not_exist(self):
        before = self.with_own()
        self.assert_refused(self.set_default("nosuch"), 400, "nosuch")
        for body in ("", "{", "[]", "{}", '{"runtime": 1}', '{"runtime": "r", "x": 1}', '"r"'):
            with self.subTest(body):
                self.assert_refused(self.request("PUT", "/v1/default-runtime", body), 400)
        self.assertEqual((self.own(), self.generation()), (before, 2))

    def test_default_that_another_file_sets(self):
        self.configure({"runtimes": {"mine": RUNC}, "default-runtime": "mine"})
        before = self.with_own()
        self.assert_refused(self.set_default("r"), 400, self.config)
        self.assertEqual((self.own(), self.get("/v1/runtimes").json["default"]), (before, "mine"))

    def test_wrong_condition(self):
        before = self.with_own()
        wrong = {"If-Match": '"1"'}
        for reply in (self.put("s", headers=wrong), self.remove("r", wrong), self.set_default("r", wrong)):
            self.assert_refused(reply, 412)
            self.assertEqual(reply.headers["ETag"], '"2"')
        self.assert_refused(self.put("s", headers={"If-Match": "x"}), 400)
        self.assertEqual((self.own(), self.entries()), (before, [("api", "ok", 2)]))

    def test_first_change_leaves_no_drop_in(self):
        self.start("--no-watch")
        self.assert_refused(self.put("r", "{}"), 400)
        self.assertIsNone(self.own())

    def test_other_files_that_are_broken(self):
        before = self.with_own()
        self.configure("{")
        self.assert_refused(self.put("s"), 400)
        self.assertEqual(self.own(), before)

    def test_body_too_large_is_413(self):
        before = self.with_own()
        self.assertEqual(self.put("s", '{"path": "' + "x" * (1 << 20) + '"}').status, 413)
        self.assertEqual(self.own(), before)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_strangers_change_nothing(self):
        os.chmod(self.directory, 0o755)
        self.start("--no-watch", "--socket-mode", "0666")
        ask = ("import http.client,os,socket,sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
               "c=http.client.HTTPConnection('x'); c.sock=socket.socket(socket.AF_UNIX); c.sock.connect(sys.argv[1])\n"
               "c.request(*sys.argv[2:]); print(c.getresponse().status)")
        for words in (("PUT", "/v1/runtimes/r", json.dumps(RUNC)), ("DELETE", "/v1/runtimes/r"),
                      ("PUT", "/v1/default-runtime", '{"runtime": "runc"}'), ("POST", "/v1/confirm"),
                      ("POST", "/v1/reload?confirm=5")):
            with self.subTest(words):
                done = subprocess.run(["python3", "-c", ask, self.socket, *words], capture_output=True, text=True,
                                      timeout=PATIENCE, check=True)
                self.assertEqual(done.stdout, "403\n")
        self.assertEqual((self.own(), self.generation()), (None, 1))


if __name__ == "__main__":
    unittest.main()
