#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lock-ins from outside: what a container was given it keeps, and every reply about it says so in the same bytes."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import unittest
import uuid
from urllib.parse import quote

from test_daemon import PATIENCE, DaemonTest

MEMBERS = ["id", "root", "runtime", "shim", "options", "binary", "wrapper", "generation", "locked"]
RFC_3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$"
CROWD = 24


def together(do):
    """What `do` returns for each of the numbers, all at once."""
    results, gate = [None] * CROWD, threading.Barrier(CROWD)

    def run(number):
        gate.wait(PATIENCE)
        results[number] = do(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class ContainersTest(DaemonTest):
    def setUp(self):
        super().setUp()
        self.first = self.script("first", 'echo "first $*"\n')
        self.second = self.script("second", 'echo "second $*"\n')
        self.configure({"default-runtime": "first", "runtimes": {
            "first": {"path": self.first, "runtimeArgs": ["--a", "b c"]}, "second": {"path": self.second},
            "kata": {"runtimeType": "io.containerd.kata.v2", "options": {"ConfigPath": "/k"}}}})

    @staticmethod
    def place(container=None, root=None, **arguments):
        """The target for a container, or for all; what is given as bytes stays what it is."""
        if root is not None:
            arguments["root"] = root
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in arguments.items())
        path = "/v1/containers" + ("" if container is None else "/" + quote(container, safe=""))
        return path + ("?" + query if query else "")

    def lock(self, container, body=None, root=None, **rest):
        body = json.dumps(body) if isinstance(body, dict) else body
        return self.request("PUT", self.place(container, root), body, **rest)

    def locked(self, *arguments, **rest):
        reply = self.lock(*arguments, **rest)
        self.assertEqual(reply.status, 201, reply.text)
        return reply

    def look(self, container, root=None):
        return self.get(self.place(container, root))

    def unlock(self, container, root=None, **arguments):
        return self.request("DELETE", self.place(container, root, **arguments))

    def listed(self, root=None):
        reply = self.get(self.place(root=root))
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json["containers"]

    def ids(self, root=None):
        return [lock_in["id"] for lock_in in self.listed(root)]

    def refused(self, reply, status, exit_code=125, text=""):
        self.assertEqual(reply.status, status, reply.text)
        self.assertEqual(reply.json["exit-code"], exit_code)
        self.assertIn(text, reply.json["message"])

    def kill(self):
        self.process.kill()
        self.process.wait()


class LockIns(ContainersTest):
    def test_new_one_has_all_members_and_the_same_bytes_from_then_on(self):
        self.start()
        made = self.locked("web")
        self.assertEqual(list(made.json), MEMBERS)
        self.assertEqual((made.json["id"], made.json["root"], made.json["runtime"]), ("web", "", "first"))
        self.assertEqual((made.json["shim"], made.json["generation"]), ("io.containerd.runc.v2", 1))
        self.assertRegex(made.json["locked"], RFC_3339)
        resolved = self.get("/v1/resolve").json["options"]
        self.assertEqual((made.json["options"], made.json["binary"]), (resolved, resolved["BinaryName"]))
        self.assertEqual(made.json["wrapper"], resolved["BinaryName"])
        again = self.lock("web")
        self.assertEqual((again.status, again.text), (200, made.text))
        self.assertEqual((self.look("web").status, self.look("web").text), (200, made.text))
        self.assertEqual(self.get("/v1/containers").text, '{"containers":[' + made.text + "]}")
        for reply in (made, again, self.look("web"), self.get("/v1/containers")):
            self.assertEqual(reply.headers["Content-Type"], "application/json")
            self.assertIsNone(reply.headers["Rtreg-Generation"])

    def test_every_form_of_an_empty_request_is_the_default(self):
        self.start()
        for number, body in enumerate((None, "", " \n", "{}", '{"runtime":""}')):
            with self.subTest(body):
                self.assertEqual(self.locked(f"c{number}", body).json["runtime"], "first")

    def test_named_runtimes_of_each_form(self):
        self.start()
        plain = self.locked("plain", {"runtime": "second"}).json
        self.assertEqual((plain["binary"], plain["wrapper"]), (self.second, None))
        kata = self.locked("kata", {"runtime": "kata"}).json
        self.assertEqual((kata["shim"], kata["options"], kata["binary"], kata["wrapper"]),
                         ("io.containerd.kata.v2", {"ConfigPath": "/k"}, None, None))
        implicit = self.locked("implicit", {"runtime": "io.containerd.some.v1"}).json
        self.assertEqual((implicit["runtime"], implicit["shim"], implicit["options"]),
                         ("io.containerd.some.v1", "io.containerd.some.v1", None))

    def test_another_runtime_is_409_and_the_first_stays(self):
        self.start()
        made = self.locked("web", {"runtime": "second"})
        self.refused(self.lock("web", {"runtime": "kata"}), 409, text="second")
        self.assertEqual(self.lock("web", {"runtime": "second"}).text, made.text)
        self.assertEqual(self.lock("web").text, made.text, "the default is not another")
        self.assertEqual(self.look("web").text, made.text)

    def test_unknown_runtime_is_400_and_makes_nothing(self):
        self.start()
        self.refused(self.lock("web", {"runtime": "nosuch"}), 400, text="unknown or invalid runtime name: nosuch")
        self.assertEqual(self.listed(), [])

    def test_failing_look_up_is_424_with_the_exit_code_of_an_engine(self):
        self.start()
        os.chmod(self.first, 0o644)
        self.refused(self.lock("web"), 424, 126, self.first)
        os.unlink(self.first)
        self.refused(self.lock("web"), 424, 127, "error while looking up the specified runtime path: ")
        self.assertEqual(self.listed(), [])
        self.script("first", "exit 0\n")
        self.locked("web")

    def test_what_is_locked_in_needs_no_look_up_any_more(self):
        self.start()
        made = self.locked("web")
        os.unlink(self.first)
        self.assertEqual(self.lock("web").text, made.text)

    def test_unlocking_is_204_and_then_there_is_none(self):
        self.start()
        self.locked("web")
        reply = self.unlock("web")
        self.assertEqual((reply.status, reply.text), (204, ""))
        for reply in (self.unlock("web"), self.look("web")):
            self.refused(reply, 404, text="web")
        self.assertEqual(self.locked("web", {"runtime": "kata"}).json["runtime"], "kata")

    def test_guard_keeps_one_that_was_made_later(self):
        self.start()
        old = self.locked("web").json["locked"]
        self.assertEqual(self.unlock("web", locked=old).status, 204)
        new = self.locked("web")
        self.refused(self.unlock("web", locked=old), 412)
        self.assertEqual(self.look("web").text, new.text)
        self.assertEqual(self.unlock("web", locked=new.json["locked"]).status, 204)
        self.refused(self.unlock("web", locked=old), 404)

    def test_list_is_in_order_and_of_one_root_if_asked(self):
        self.start()
        for container, root in (("b", None), ("a", None), ("z", "/x"), ("c", "/x"), ("c", "/y")):
            self.locked(container, root=root)
        self.assertEqual(self.ids(""), ["a", "b"])
        self.assertEqual(self.ids("/x"), ["c", "z"])
        self.assertEqual(self.ids("/nowhere"), [])
        everything = [(lock_in["root"], lock_in["id"]) for lock_in in self.listed()]
        self.assertEqual(everything, [("", "a"), ("", "b"), ("/x", "c"), ("/x", "z"), ("/y", "c")])

    def test_other_methods_and_head(self):
        self.start()
        self.locked("web")
        for path in ("/v1/containers", "/v1/containers/web"):
            reply = self.request("HEAD", path)
            self.assertEqual((reply.status, reply.text), (200, ""))
            self.assertEqual(int(reply.headers["Content-Length"]), len(self.get(path).text))
        self.assertEqual(self.request("POST", "/v1/containers").headers["Allow"], "GET, HEAD")
        self.assertEqual(self.request("POST", "/v1/containers/web").headers["Allow"], "GET, HEAD, PUT, DELETE")

    def test_one_connection_serves_all_of_it(self):
        self.start()
        connection = self.keep_connection()
        for _ in range(3):
            self.assertEqual(self.lock("web", {"runtime": ""}, connection=connection).status, 201)
            self.assertEqual(self.get("/v1/containers", connection=connection).status, 200)
            self.assertEqual(self.request("DELETE", "/v1/containers/web", connection=connection).status, 204)


class Names(ContainersTest):
    def test_ids_that_the_reference_allows(self):
        self.start()
        for container in ("a", "7", "A.b_c-D", "a..", "a" * 128, "web.1", "0" * 64, "CON", "a.lock"):
            with self.subTest(container):
                made = self.locked(container)
                self.assertEqual(made.json["id"], container)
                self.assertEqual(self.look(container).text, made.text)
                self.assertEqual(self.unlock(container).status, 204)

    def test_ids_that_it_does_not_allow(self):
        self.start()
        self.locked("web")
        for container in ("a" * 129, "a" * 4000, ".", "..", ".a", "-a", "_a", "a b", "a/b", "../a", "/a", "a\n", "ä", "a:b",
                          "a%", "*", "a\x7f", "a\\b", "a+b", "a,b", "~", "lock-ins/_/web"):
            with self.subTest(container):
                for reply in (self.lock(container), self.look(container), self.unlock(container)):
                    self.refused(reply, 400)
        self.assertEqual(self.ids(), ["web"])

    def test_ids_are_decoded_once(self):
        self.start()
        self.assertEqual(self.request("PUT", "/v1/containers/%77eb").json["id"], "web")
        self.assertEqual(self.get("/v1/containers/%77%65b").status, 200)
        for path in ("%2577eb", "web%00", "%00", "web%2f", "%2e%2e", "web%", "web%4", "web%zz", "%c0%ae", "%ff"):
            with self.subTest(path):
                for method in ("PUT", "GET", "DELETE"):
                    self.refused(self.request(method, "/v1/containers/" + path), 400)
        for path in ("", "/", "/web/", "/web/x", "/./web", "/../containers/web"):
            self.assertEqual(self.get("/v1/containers" + path).status, 404 if path else 200, path)

    def test_roots_are_apart_and_made_clean(self):
        self.start()
        made = self.locked("web", root="/run/x")
        self.assertEqual(made.json["root"], "/run/x")
        self.assertNotEqual(self.locked("web").text, made.text)
        for root in ("/run/x/", "//run///x", "/run/./x", "/run/y/../x", "/../run/x/.", "/run/x//"):
            with self.subTest(root):
                reply = self.lock("web", root=root)
                self.assertEqual((reply.status, reply.text), (200, made.text))
        self.assertEqual(self.unlock("web", "/run/x/").status, 204)
        self.assertEqual(self.look("web").status, 200, "the one without is another")

    def test_roots_of_all_kinds(self):
        self.start()
        roots = ["/", "/a b", "/a+b", "/a&b=c", "/a%2Fb", "/ä", "/" + "x" * 255, "/a\nb", "/_", "/'\"$(x)", "/" + "d/" * 900 + "e"]
        for root in roots:
            with self.subTest(root[:40]):
                made = self.locked("web", root=root)
                self.assertEqual(made.json["root"], root)
                self.assertEqual(self.look("web", root).text, made.text)
        self.assertEqual(len(self.ids()), len(roots))
        for root in roots:
            self.assertEqual(self.unlock("web", root).status, 204)

    def test_roots_that_are_none(self):
        self.start()
        for query in ("root=x", "root=.", "root=./x", "root=..", "root=%00", "root=/a%00b", "root=%", "root=/%zz", "root=~", "root=/%ff%fe",
                      "root=/a%c0%ae", "root=/" + "a/" * 2500):
            for method in ("PUT", "GET", "DELETE"):
                with self.subTest(f"{method} {query[:30]}"):
                    self.refused(self.request(method, "/v1/containers/web?" + query), 400)
            with self.subTest(f"list of {query[:30]}"):
                self.refused(self.get("/v1/containers?" + query), 400)
        self.assertEqual(self.listed(), [])

    def test_empty_root_is_none(self):
        self.start()
        made = self.locked("web", root="")
        self.assertEqual(made.json["root"], "")
        self.assertEqual(self.look("web").text, made.text)


class Bodies(ContainersTest):
    def test_bad_ones_are_400_and_make_nothing(self):
        self.start()
        for body in ("[]", '""', "1", "null", "true", "{", "{}{}", '{"runtime":"first",}', "{'runtime':'first'}", '{"runtime":1}',
                     '{"runtime":null}', '{"runtime":[]}', '{"runtime":{}}', '{"runtime":true}', '{"Runtime":"first"}', '{"name":"x"}',
                     '{"runtime":"first","x":1}', '{"runtime":"fi\\u0000rst"}', '{"runtime":"a\nb"}', b'{"runtime":"\xff"}',
                     '{"boot-id":1}', '{"boot-id":null}', '{"boot-id":""}', '{"boot-id":"x"}', '{"boot-id":"' + "a" * 37 + '"}',
                     '{"boot-id":"../../../../etc/passwd/aaaaaaaaaaaaa"}', '{"id":"other"}', '{"root":"/x"}', b"\xef\xbb\xbf{}", "[" * 100000):
            with self.subTest(body[:40]):
                self.refused(self.lock("web", body), 400)
        self.assertEqual(self.listed(), [])

    def test_the_last_of_members_with_one_name_counts(self):
        self.start()
        self.assertEqual(self.locked("web", '{"runtime":"kata","runtime":"second"}').json["runtime"], "second")

    def test_body_over_the_limit_is_413(self):
        self.start()
        reply = self.lock("web", '{"runtime":"' + "a" * (1 << 20) + '"}')
        self.assertEqual(reply.status, 413)

    def test_bodies_elsewhere_are_not_looked_at(self):
        self.start()
        self.locked("web")
        self.assertEqual(self.request("GET", "/v1/containers/web", "{").status, 200)
        self.assertEqual(self.request("DELETE", "/v1/containers/web", "{").status, 204)


class Durability(ContainersTest):
    def test_bytes_are_the_same_after_kill_and_start(self):
        self.start()
        made = {name: self.locked(name, root=root).text for name, root in (("a", None), ("b", "/x"), ("c", "/x/y z"))}
        everything = self.get("/v1/containers").text
        self.kill()
        self.start()
        self.assertEqual(self.get("/v1/containers").text, everything)
        self.assertEqual(self.lock("b", root="/x").text, made["b"])

    def test_removed_ones_are_gone_after_kill_and_start(self):
        self.start()
        self.locked("stays")
        self.locked("goes")
        self.assertEqual(self.unlock("goes").status, 204)
        self.kill()
        self.start()
        self.assertEqual(self.ids(), ["stays"])

    def ran(self, lock_in):
        return subprocess.run([lock_in["binary"], "exec"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    def test_reloads_that_change_or_drop_the_runtime_change_nothing(self):
        self.start()
        made = self.locked("web")
        for value in ({"default-runtime": "first", "runtimes": {"first": {"path": self.first, "runtimeArgs": ["--other"]}}},
                      {"default-runtime": "first", "runtimes": {"first": {"path": self.second}}},
                      {"default-runtime": "runc", "runtimes": {}}):
            self.configure(value)
            reply = self.reload()
            self.assertEqual(reply.status, 200, reply.text)
            self.assertEqual(self.look("web").text, made.text)
            self.assertEqual(self.lock("web").text, made.text)
            self.assertEqual(self.ran(made.json), "first --a b c exec\n")
        self.refused(self.lock("web", {"runtime": "runc"}), 409)
        self.assertEqual(self.lock("web", {"runtime": "first"}).text, made.text, "though it is gone for others")
        self.assertEqual(self.locked("new").json["runtime"], "runc")

    def test_its_script_outlives_a_restart_without_the_runtime(self):
        self.start()
        made = self.locked("web")
        self.configure({})
        for end in (self.stop, self.kill):
            end()
            self.start()
            self.assertEqual(self.look("web").text, made.text)
            self.assertEqual(self.ran(made.json), "first --a b c exec\n")
        self.assertEqual(self.unlock("web").status, 204)
        self.stop()
        self.start()
        self.assertFalse(os.path.exists(made.json["binary"]))

    def test_one_of_this_boot_stays_and_one_of_another_goes_at_the_start(self):
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            here = file.read().strip()
        self.start()
        made = self.locked("here", {"boot-id": here, "runtime": "kata"})
        self.assertEqual(made.json["boot-id"], here)
        self.assertEqual(made.json["runtime"], "kata")
        self.locked("there", {"boot-id": str(uuid.uuid4())})
        self.locked("for-good")
        self.kill()
        self.start()
        self.assertEqual(self.ids(), ["for-good", "here"])
        self.assertEqual(self.look("here").text, made.text)


class Crowds(ContainersTest):
    def test_one_of_many_for_one_container_makes_it_and_all_get_it(self):
        self.start()
        for container in ("a", "b", "c"):
            replies = together(lambda number, container=container: self.lock(container))
            self.assertEqual(sorted(reply.status for reply in replies), [200] * (CROWD - 1) + [201])
            self.assertEqual(len({reply.text for reply in replies}), 1)

    def test_one_runtime_wins_where_many_are_asked_for(self):
        self.start()
        names = ["first", "second", "kata"]
        replies = together(lambda number: self.lock("web", {"runtime": names[number % 3]}))
        winner = next(reply for reply in replies if reply.status == 201)
        for number, reply in enumerate(replies):
            if names[number % 3] == winner.json["runtime"]:
                self.assertEqual(reply.text, winner.text)
            else:
                self.refused(reply, 409)

    def test_many_containers_over_reloads_are_all_made(self):
        self.start()
        over = threading.Event()

        def reload_again_and_again():
            while not over.is_set():
                self.reload(query="?force=true")

        reloader = threading.Thread(target=reload_again_and_again)
        reloader.start()
        replies = together(lambda number: [self.lock(f"c{number}-{i}") for i in range(10)])
        over.set()
        reloader.join()
        made = {reply.json["id"]: reply.json for several in replies for reply in several}
        self.assertEqual({lock_in["id"]: lock_in for lock_in in self.listed()}, made)
        self.assertEqual(len(made), CROWD * 10)

    def test_one_of_many_removes_it(self):
        self.start()
        self.locked("web")
        statuses = [reply.status for reply in together(lambda number: self.unlock("web"))]
        self.assertEqual(sorted(statuses), [204] + [404] * (CROWD - 1))

    def test_lock_in_does_not_wait_behind_a_reload(self):
        begun = self.at("begun")
        slow = self.script("slow", f'[ "$1" = features ] && : >{begun} && while [ ! -e {self.at("go")} ]; do sleep 0.05; done\n')
        self.start()
        reloading = threading.Thread(target=self.reload, args=({"default-runtime": "runc", "runtimes": {"slow": {"path": slow}}},))
        reloading.start()
        try:
            self.wait_for(lambda: os.path.exists(begun), "the probe")
            self.assertEqual(self.locked("web").json["generation"], 1)
            self.assertEqual(self.unlock("web").status, 204)
            self.assertEqual(self.get("/v1/containers").status, 200)
        finally:
            open(self.at("go"), "w", encoding="ascii").close()
            reloading.join()

    def test_nobody_else_waits_for_those_who_wait_for_another_process(self):
        self.start()
        self.locked("web")
        with open(self.at("state/lock-ins/_/web"), encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # as whoever is removing it
            replies = []
            hanging = [threading.Thread(target=lambda: replies.append(self.unlock("web"))) for _ in range(8)]
            for thread in hanging:
                thread.start()
            for _ in range(4):
                for path in ("/v1/containers", "/v1/containers/web", "/v1/resolve", "/v1/status", "/metrics"):
                    self.assertEqual(self.get(path).status, 200)
            self.assertEqual(replies, [], "they cannot have ended")
            self.wait_for(lambda: replies, "the first to give up")
        for thread in hanging:
            thread.join()
        self.refused(replies[0], 503, text="does not finish")
        self.assertLessEqual({reply.status for reply in replies}, {204, 404, 503})

    def test_stop_answers_those_in_flight(self):
        self.start()
        before = threading.Event()
        statuses = []

        def lock_on(number):
            connection = self.keep_connection()
            for i in range(1000):
                try:
                    statuses.append(self.lock(f"c{number}-{i}", connection=connection).status)
                except OSError:
                    return
                before.set()

        threads = [threading.Thread(target=lock_on, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        self.assertTrue(before.wait(PATIENCE))
        self.assertEqual(self.stop(), 0)
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(statuses), {201, 503})
        self.start()
        self.assertGreaterEqual(len(self.ids()), statuses.count(201))


class Telling(ContainersTest):
    def container_events(self, **filters):
        filters = {"type": ["container"], **filters}
        return self.events("since=0&filters=" + quote(json.dumps(filters)))

    def test_events_tell_of_what_was_made_and_removed_and_of_nothing_else(self):
        self.start()
        self.locked("web", root="/run/x")
        self.lock("web", root="/run/x")
        self.lock("web", {"runtime": "kata"}, root="/run/x")
        self.lock("other", {"runtime": "nosuch"})
        self.unlock("web")
        self.unlock("web", "/run/x", locked="2026-01-01T00:00:00.000000000Z")
        self.assertEqual(self.unlock("web", "/run/x").status, 204)
        attributes = {"generation": "1", "root": "/run/x", "runtime": "first", "shim": "io.containerd.runc.v2"}
        events = self.container_events()
        self.assertEqual([(event["Action"], event["status"]) for event in events], [("lock-in", "lock-in"), ("unlock", "unlock")])
        for event in events:
            self.assertEqual((event["Type"], event["id"], event["Actor"]), ("container", "web", {"ID": "web", "Attributes": attributes}))

    def test_events_are_filtered_by_container_action_and_runtime(self):
        self.start()
        self.locked("web")
        self.locked("db", {"runtime": "kata"})
        self.unlock("db")
        self.assertEqual([event["id"] for event in self.container_events(container=["db"])], ["db", "db"])
        self.assertEqual([event["id"] for event in self.container_events(event=["lock-in"])], ["web", "db"])
        self.assertEqual([event["Action"] for event in self.container_events(label=["runtime=kata"])], ["lock-in", "unlock"])
        self.assertNotIn("root", self.container_events()[0]["Actor"]["Attributes"])

    def test_events_of_one_container_come_in_the_order_of_what_they_tell_of(self):
        self.start()

        def lock_and_unlock(number):
            connection = self.keep_connection()
            for _ in range(12):
                self.request("PUT", "/v1/containers/web", connection=connection)
                self.request("DELETE", "/v1/containers/web", connection=connection)

        together(lock_and_unlock)
        actions = [event["Action"] for event in self.container_events()]
        self.assertGreaterEqual(len(actions), 24)
        self.assertEqual(actions, ["lock-in", "unlock"] * (len(actions) // 2))

    def test_event_is_there_when_the_reply_is(self):
        self.start()
        for number in range(20):
            self.locked(f"c{number}")
            self.assertEqual(self.container_events()[-1]["id"], f"c{number}")

    def samples(self):
        lines = (line.rsplit(" ", 1) for line in self.get("/metrics").text.splitlines() if line.startswith("rtreg_lock_ins"))
        return {name: int(value) for name, value in lines}

    def test_status_and_metrics_count(self):
        self.start()
        self.assertEqual(self.get("/v1/status").json["lock-ins"], 0)
        for container, root in (("a", None), ("b", None), ("a", "/x"), ("a", None)):
            self.lock(container, root=root)
        self.unlock("b")
        self.assertEqual(self.get("/v1/status").json["lock-ins"], 2)
        self.assertEqual(self.samples(), {"rtreg_lock_ins": 2, "rtreg_lock_ins_made_total": 3, "rtreg_lock_ins_removed_total": 1})
        self.stop()
        self.start()
        self.assertEqual(self.get("/v1/status").json["lock-ins"], 2)
        self.assertEqual(self.samples(), {"rtreg_lock_ins": 2, "rtreg_lock_ins_made_total": 0, "rtreg_lock_ins_removed_total": 0})


class Trust(ContainersTest):
    @unittest.skipIf(os.getuid() != 0, "only root can become another user")
    def test_others_may_read_and_change_nothing(self):
        os.chmod(self.directory, 0o755)
        self.start("--socket-mode", "0666")
        self.locked("web")
        ask = ("import http.client,os,socket,sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
               "for method, path in (('GET', ''), ('GET', '/web'), ('PUT', '/web'), ('PUT', '/new'), ('DELETE', '/web')):\n"
               "    c = http.client.HTTPConnection('rtreg'); c.sock = socket.socket(socket.AF_UNIX)\n"
               "    c.sock.connect(sys.argv[1]); c.request(method, '/v1/containers' + path)\n"
               "    r = c.getresponse(); print(r.status, r.read().decode())\n")
        said = subprocess.run([sys.executable, "-c", ask, self.socket], capture_output=True, text=True, timeout=PATIENCE,
                              check=True).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in said], ["200", "200", "403", "403", "403"])
        for line in said[2:]:
            self.assertEqual(json.loads(line.split(" ", 1)[1])["exit-code"], 125)
        self.assertEqual(self.ids(), ["web"])
        self.assertEqual(self.read_log().count("request refused"), 3)


class Failures(ContainersTest):
    def test_state_directory_that_takes_nothing_is_500_and_logged(self):
        self.start()
        self.locked("web")
        there = self.at("state/lock-ins/_")
        os.rename(there, there + ".away")
        open(there, "w", encoding="ascii").close()
        self.refused(self.lock("new"), 500)
        self.assertIn("a lock-in failed", self.read_log())
        os.unlink(there)
        os.rename(there + ".away", there)
        self.locked("new")

    def test_damaged_one_is_no_answer_and_can_be_removed(self):
        self.start()
        self.locked("web")
        self.locked("good")
        with open(self.at("state/lock-ins/_/web"), "w", encoding="ascii") as file:
            file.write('{"id":')
        self.assertGreaterEqual(self.look("web").status, 500)
        self.assertEqual(self.ids(), ["good"])
        self.assertEqual(self.unlock("web").status, 204)
        self.locked("web", {"runtime": "kata"})


if __name__ == "__main__":
    unittest.main()
