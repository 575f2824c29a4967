#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregctl lock, unlock, locks: what is sent, what people are shown, and the exit codes.

    test_ctl_lock.py BUILD [unittest's arguments]        or with the build folder in RTREG_BUILD
"""

import json
import os
import urllib.parse

from ctl_support import RUNTIMES, Case, main, reply

WRAPPER = "/var/lib/rtreg/runtimes/kata.1234"
WEB = {"id": "web", "root": "", "runtime": "kata", "shim": "io.containerd.runc.v2", "options": {"BinaryName": WRAPPER},
       "binary": WRAPPER, "wrapper": WRAPPER, "generation": 7, "locked": "2026-01-02T03:04:05.678901234Z"}
SHIM = WEB | {"id": "db", "runtime": "io.containerd.x.v1", "binary": None, "wrapper": None, "options": None, "generation": 12}


def refusal(message, status, exit_code=125):
    return reply({"message": message, "exit-code": exit_code}, status, "No")


class Lock(Case):
    def target(self):
        return self.requests[0].method, self.requests[0].target

    def query(self):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.requests[0].target).query, keep_blank_values=True)

    def test_lock_asks_for_the_default_and_says_what_the_container_got(self):
        result = self.ctl("lock", "web", answer=reply(WEB, 201, "Created"))
        self.check(result, 0, f"web is locked in\nruntime      kata\nshim         io.containerd.runc.v2\nbinary       {WRAPPER}\n"
                              "generation   7\n", "")
        self.assertEqual(self.target(), ("PUT", "/v1/containers/web"))
        self.assertEqual(json.loads(self.requests[0].body), {"runtime": ""})

    def test_lock_sends_the_runtime_and_the_root(self):
        result = self.ctl("lock", "web", "--runtime", 'a "b"', "--root", "/run/a b&c", answer=reply(WEB | {"root": "/run/a b&c"}, 201))
        self.check(result, 0)
        self.assertIn("root         /run/a b&c\n", result.stdout)
        self.assertEqual(json.loads(self.requests[0].body), {"runtime": 'a "b"'})
        self.assertEqual(self.query(), {"root": ["/run/a b&c"]})

    def test_lock_says_when_one_was_there_already(self):
        result = self.ctl("lock", "web", answer=reply(WEB))
        self.check(result, 0)
        self.assertRegex(result.stdout.splitlines()[0], r"^web was locked in already, 2026-01-02 03:04:05 \(.* ago\)$")

    def test_lock_leaves_out_what_there_is_not(self):
        result = self.ctl("lock", "db", answer=reply(SHIM, 201))
        self.check(result, 0, "db is locked in\nruntime      io.containerd.x.v1\nshim         io.containerd.runc.v2\ngeneration   12\n", "")

    def test_root_is_made_absolute(self):
        here = os.getcwd()
        for root, wanted in (("x", here + "/x"), ("./x/../y", here + "/./x/../y"), (".", here + "/."), ("/x", "/x"), ("", "")):
            for words in (["lock", "web"], ["unlock", "web"], ["locks"]):
                with self.subTest(f"{words} {root}"):
                    self.ctl(*words, "--root", root, answer=reply({}))
                    self.assertEqual(self.query(), {"root": [wanted]})

    def test_strange_ids_are_sent_whole(self):
        for container in ("a/b", "..", "a b", "ä", "%2f", "a?b#c"):
            with self.subTest(container):
                self.check(self.ctl("unlock", container, answer=refusal("bad", 400)), 1)
                self.assertEqual(self.target(), ("DELETE", "/v1/containers/" + urllib.parse.quote(container, safe="")))

    def test_failing_look_up_tells_what_an_engine_would_exit_with(self):
        for exit_code in (126, 127):
            result = self.ctl("lock", "web", answer=refusal("error while looking up the specified runtime path: /x", 424, exit_code))
            self.check(result, 1, "")
            self.assertRegex(result.stderr, f"^rtregctl: error while looking .*/x\n +an engine would exit with {exit_code}\n$")

    def test_other_failures_tell_no_exit_code(self):
        for status, code in ((409, 1), (400, 1), (403, 1), (500, 1), (503, 1)):
            with self.subTest(status):
                result = self.ctl("lock", "web", answer=refusal("no", status))
                self.check(result, code, "", "rtregctl: no\n")

    def test_unknown_runtime_exits_4_and_is_suggested(self):
        def answer(connection, request):
            connection.sendall(reply(RUNTIMES) if request.method == "GET" else refusal("unknown or invalid runtime name: kaat", 400))

        result = self.ctl("lock", "web", "--runtime", "kaat", answer=answer)
        self.check(result, 4, "")
        self.assertIn('did you mean "kata"?', result.stderr)

    def test_unlock_says_so_and_one_that_is_not_there_exits_4(self):
        result = self.ctl("unlock", "web", "--root", "/x", answer=reply("", 204, "No Content"))
        self.check(result, 0, "web is unlocked\n", "")
        self.assertEqual(self.target(), ("DELETE", "/v1/containers/web?root=%2Fx"))
        self.check(self.ctl("unlock", "web", answer=refusal("web is not locked in", 404)), 4, "", "rtregctl: web is not locked in\n")
        self.check(self.ctl("unlock", "web", "--json", answer=reply("", 204, "No Content")), 0, "", "")

    def test_unlock_tells_with_which_root_one_of_that_name_is_there(self):
        others = {"containers": [WEB, WEB | {"root": "/run/a b"}, SHIM | {"root": "/run/c"}]}

        def answer(connection, request):
            connection.sendall(reply(others) if request.method == "GET" else refusal("web is not locked in", 404))

        result = self.ctl("unlock", "web", "--root", "/x", answer=answer)
        self.check(result, 4, "")
        self.assertEqual([line.strip() for line in result.stderr.splitlines()],
                         ["rtregctl: web is not locked in", "one of that name is locked in without --root",
                          "one of that name is locked in with --root /run/a b"])

    def test_json_is_the_reply_unchanged(self):
        text = '{ "containers" : [] ,"x":1}'
        self.check(self.ctl("locks", "--json", answer=reply(text)), 0, text + "\n", "")
        text = json.dumps(WEB, indent=1)
        self.check(self.ctl("lock", "web", "--json", answer=reply(text, 201)), 0, text + "\n", "")

    def test_locks_is_a_table(self):
        result = self.ctl("locks", answer=reply({"containers": [WEB, SHIM]}))
        self.check(result, 0, None, "")
        rows = [line.split("  ") for line in result.stdout.splitlines()]
        rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
        self.assertEqual(rows, [["CONTAINER", "RUNTIME", "GENERATION", "LOCKED", "BINARY"],
                                ["web", "kata", "7", "2026-01-02 03:04:05", WRAPPER],
                                ["db", "io.containerd.x.v1", "12", "2026-01-02 03:04:05", "-"]])
        self.assertEqual(self.target(), ("GET", "/v1/containers"))

    def test_locks_has_a_column_of_roots_where_there_is_one(self):
        result = self.ctl("locks", answer=reply({"containers": [WEB, WEB | {"root": "/run/\x1b[2Jx"}]}))
        self.check(result, 0)
        lines = result.stdout.splitlines()
        self.assertEqual([line.split()[-1] for line in lines], ["ROOT", "-", "/run/\\x1b[2Jx"])

    def test_locks_without_any_is_the_heads_alone(self):
        self.check(self.ctl("locks", answer=reply({"containers": []})), 0, "CONTAINER   RUNTIME   GENERATION   LOCKED   BINARY\n", "")

    def test_reply_that_lacks_what_it_should_have_exits_3(self):
        for words in (["locks"], ["lock", "web"]):
            self.check(self.ctl(*words, answer=reply({})), 3, "")

    def test_without_a_daemon_exits_3(self):
        for words in (["lock", "web"], ["unlock", "web"], ["locks"]):
            self.check(self.ctl(*words), 3, "")

    def test_wrong_usage_exits_2(self):
        for words in (["lock"], ["lock", ""], ["lock", "a", "b"], ["lock", "a", "--runtime"], ["lock", "a", "--locked", "x"], ["unlock"],
                      ["unlock", ""], ["unlock", "a", "--runtime", "x"], ["locks", "a"], ["locks", "--root"],
                      ["lock", "a", "--runtime", b"\xff"]):
            with self.subTest(words):
                self.check(self.ctl(*words), 2, "")

    def test_containers_for_completion_are_those_of_all_roots(self):
        answer = reply({"containers": [WEB, SHIM, WEB | {"id": "a\x1bb"}, {"id": ""}]})
        self.check(self.ctl("completion", "containers", answer=answer), 0, "web\ndb\n", "")
        self.assertEqual(self.target(), ("GET", "/v1/containers"))


if __name__ == "__main__":
    main()
