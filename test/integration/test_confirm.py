#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A configuration on trial: confirmed in time, gone back from, and what a crash or a restart leaves of it."""

import contextlib
import json
import datetime
import http.client
import os
import signal
import socket
import unittest

from test_daemon import PATIENCE, free_port
from test_watch import WatchTest

LONG = 3600  # never passes within a test


class ConfirmTest(WatchTest):
    def setUp(self):
        super().setUp()
        self.configure(self.label("before"))

    def confirm(self):
        return self.request("POST", "/v1/confirm")

    def on_trial(self, seconds=LONG, value=None):
        """The reply to a reload that puts the configuration file, with another label, on trial."""
        self.configure(value or self.label("trial"))
        reply = self.reload(query=f"?confirm={seconds}")
        self.assertEqual(reply.status, 200, reply.text)
        return reply.json

    def entries(self):
        """The history, oldest first."""
        entries = self.get("/v1/history").json["entries"]
        return [(entry["source"], entry["result"]) for entry in reversed(entries)]

    def pending(self):
        return self.get("/v1/status").json["confirm"]

    def events_of(self, action):
        return [event for event in self.events() if event["Action"] == action]

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)


class InTime(ConfirmTest):
    def test_takes_effect_at_once_and_tells_the_deadline(self):
        self.start("--no-watch")
        before = datetime.datetime.now(datetime.timezone.utc)
        reply = self.on_trial(LONG)
        self.assertEqual((reply["generation"], self.labels()), (2, ["a=trial"]))
        self.assertEqual(reply["confirm"]["seconds"], LONG)
        deadline = datetime.datetime.fromisoformat(reply["confirm"]["deadline"][:26] + "+00:00")
        self.assertGreaterEqual(deadline, before + datetime.timedelta(seconds=LONG - 1))
        self.assertLess(deadline, before + datetime.timedelta(seconds=LONG + PATIENCE))
        self.assertEqual(self.pending(), {"deadline": reply["confirm"]["deadline"], "generation": 1})

    def test_confirmed_stays_and_nothing_waits_any_more(self):
        self.start("--no-watch")
        self.on_trial()
        reply = self.confirm()
        self.assertEqual((reply.status, reply.text, reply.headers["Rtreg-Generation"]), (204, "", "2"))
        self.assertIsNone(self.pending())
        self.assertEqual(self.confirm().status, 409)
        self.kill()
        self.start("--no-watch")
        self.assertEqual((self.labels(), self.entries()), (["a=trial"], [("start", "ok")]))

    def test_nothing_to_confirm_is_409(self):
        self.start("--no-watch")
        reply = self.confirm()
        self.assertEqual(reply.status, 409)
        self.assertIn("message", reply.json)

    def test_unchanged_or_failed_reload_puts_nothing_on_trial(self):
        self.start("--no-watch")
        reply = self.reload(query="?confirm=5")
        self.assertEqual((reply.status, reply.json["unchanged"]), (200, True))
        self.assertNotIn("confirm", reply.json)
        self.assertEqual(self.reload("{", "?confirm=5").status, 400)
        self.assertIsNone(self.pending())
        self.assertEqual(self.confirm().status, 409)

    def test_arguments_that_are_no_seconds_are_400(self):
        self.start("--no-watch")
        for value in ("0", "-1", "86401", "1.5", "", "x", "1s", "99999999999999999999", "%00", "+5"):
            with self.subTest(value):
                self.assertEqual(self.reload(self.label("x"), "?confirm=" + value).status, 400)
        self.assertEqual(self.reload(self.label("x"), "?confirm").status, 400)
        self.assertEqual(self.reload(self.label("x"), "?confirm=5&dry-run=true").status, 400)
        self.assertEqual(self.generation(), 1)
        self.assertEqual(self.reload(self.label("x"), "?confirm=86400&dry-run=false").status, 200)

    def test_reload_meanwhile_keeps_the_deadline_and_warns(self):
        self.start("--no-watch")
        deadline = self.on_trial()["confirm"]["deadline"]
        reply = self.reload({"labels": ['a="warnings":[']}).json
        self.assertEqual(reply["generation"], 3)
        self.assertRegex(reply["warnings"][0], "^the configuration is on trial: .* generation 1 at ")
        self.assertNotIn("confirm", reply)
        self.assertEqual(self.pending(), {"deadline": deadline, "generation": 1})

    def test_warning_stands_with_those_of_the_reload(self):
        self.start("--no-watch")
        self.on_trial()
        value = {"label": ["x"], "runtimes": {"r": {"runtimeType": "a.b.v1", "options": {"warnings": ["w"]}}}}
        warnings = self.reload(value).json["warnings"]
        self.assertEqual(len(warnings), 2)
        self.assertIn("on trial", warnings[0])
        self.assertIn("label", warnings[1])

    def test_further_trial_sets_a_new_deadline_for_the_same_confirmed_one(self):
        self.start("--no-watch")
        first = self.on_trial(LONG)["confirm"]
        second = self.reload(self.label("more"), f"?confirm={2 * LONG}").json["confirm"]
        self.assertGreater(second["deadline"], first["deadline"])
        self.assertEqual(self.pending(), {"deadline": second["deadline"], "generation": 1})
        unchanged = self.reload(self.label("more"), f"?confirm={3 * LONG}").json
        self.assertTrue(unchanged["unchanged"])
        self.assertGreater(unchanged["confirm"]["deadline"], second["deadline"])


class TimePassed(ConfirmTest):
    def test_goes_back_by_itself_and_says_so(self):
        self.start("--no-watch")
        reply = self.on_trial(1)
        self.wait_for(lambda: self.generation() == 3, "the configuration to go back")
        self.assertEqual(self.labels(), ["a=before"])
        self.assertEqual(self.entries(), [("start", "ok"), ("api", "ok"), ("revert", "ok")])
        self.assertIsNone(self.pending())
        self.assertEqual(self.confirm().status, 409)
        [event] = self.events_of("revert")
        attributes = event["Actor"]["Attributes"]
        self.assertEqual(attributes["generation"], "3")
        self.assertEqual(set(attributes), set(reply["attributes"]) | {"generation"})
        self.assertEqual(json.loads(attributes["labels"]), ["a=before"])
        self.assertIn("no confirmation came", self.read_log())

    def test_file_that_was_refused_is_not_read_again_by_the_watch(self):
        reply = self.start_and_ask_before(lambda: self.configure(self.label("trial")), "POST", "/v1/reload?confirm=1")
        self.assertIn("confirm", reply.json)
        self.wait_for(lambda: self.generation() == 4, "the configuration to go back")
        self.configure(self.label("third"))
        self.wait_for(lambda: self.labels() == ["a=third"], "the watch to notice the next change")
        self.assertEqual(self.entries()[-2:], [("revert", "ok"), ("watch", "ok")])
        self.assertEqual(self.generation(), 5)

    def test_goes_back_past_reloads_that_came_meanwhile(self):
        self.start("--no-watch")
        self.on_trial()
        self.reload(self.label("meanwhile"))
        self.reload(self.label("meanwhile"), "?confirm=1")
        self.wait_for(lambda: self.labels() == ["a=before"], "the configuration to go back")
        self.assertEqual(self.entries()[-1], ("revert", "ok"))

    def test_confirmation_that_waits_behind_a_long_reload_came_in_time(self):
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.start("--no-watch", "--threads", "1")
        self.on_trial(3)
        slow, confirming, other = (self.keep_connection() for _ in range(3))
        slow.request("POST", "/v1/reload", json.dumps({"runtimes": {"slow": {"path": probe}}}))
        self.wait_for(lambda: os.path.exists(begun), "the reload to be under way")
        confirming.request("POST", "/v1/confirm")
        for _ in range(3):  # turns of the only thread: it has taken that up by then
            self.assertEqual(self.get("/_ping", connection=other).status, 200)
        pending = self.pending()
        deadline = pending["deadline"] if pending else ""
        if datetime.datetime.now(datetime.timezone.utc).isoformat() > deadline:
            self.skipTest("this machine is too slow to be in time")
        self.wait_for(lambda: datetime.datetime.now(datetime.timezone.utc).isoformat() > deadline,
                      "the deadline to pass")
        open(go, "w").close()
        self.assertEqual(confirming.getresponse().status, 204)
        self.assertNotIn(("revert", "ok"), self.entries())

    @contextlib.contextmanager
    def going_back_fails(self, port):
        """A trial whose end has come, while the port that the confirmed configuration needs is somebody else's."""
        self.on_trial()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port))
            taken.listen()
            self.assertTrue(self.reload(query="?confirm=1").json["unchanged"])  # not before the port was taken
            self.wait_for(lambda: ("revert", "failed") in self.entries(), "going back to fail")
            yield

    def test_failing_to_go_back_is_told_and_tried_again(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port, **self.label("before")})
        self.start("--no-watch")
        with self.going_back_fails(port):
            self.assertEqual((self.labels(), self.pending()["generation"]), (["a=trial"], 1))
            self.assertIsNone(self.get("/v1/status").json["rejected"])
        self.wait_for(lambda: self.labels() == ["a=before"], "going back to be tried again")
        self.assertEqual(self.entries()[-2:], [("revert", "failed"), ("revert", "ok")])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", "/healthz")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_record_that_cannot_be_written_behind_going_back_is_logged(self):
        self.start("--no-watch")
        self.on_trial()
        os.mkdir(self.at("state/.confirmed.json.new"))
        self.assertTrue(self.reload(query="?confirm=1").json["unchanged"])  # not before it was in the way
        self.wait_for(lambda: ("revert", "ok") in self.entries(), "going back")
        self.wait_for(lambda: "cannot write confirmed.json" in self.read_log(), "the log to say so")
        os.rmdir(self.at("state/.confirmed.json.new"))
        self.kill()
        self.start("--no-watch")
        self.assertEqual(self.labels(), ["a=before"])

    def test_confirmation_after_going_back_has_failed_is_taken(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start("--no-watch")
        with self.going_back_fails(port):
            self.assertEqual(self.confirm().status, 204)
        self.assertIsNone(self.pending())


class Restart(ConfirmTest):
    def assert_starts_with_the_confirmed_one(self):
        self.start("--no-watch")
        self.assertEqual(self.labels(), ["a=before"])
        self.assertEqual(self.entries(), [("revert", "ok")])
        self.assertIsNone(self.pending())
        self.assertIn("started with the confirmed configuration", self.read_log())
        [event] = self.events_of("revert")
        self.assertEqual(event["Actor"]["Attributes"]["generation"], str(self.generation()))
        self.assertEqual(len(self.events_of("start")), 1)

    def test_after_a_crash_is_with_the_confirmed_configuration(self):
        self.start("--no-watch")
        self.on_trial()
        self.kill()
        self.assert_starts_with_the_confirmed_one()

    def test_after_an_orderly_stop_is_with_the_confirmed_configuration(self):
        self.start("--no-watch")
        self.on_trial()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.assert_starts_with_the_confirmed_one()

    def test_does_not_bring_back_what_was_refused(self):
        self.start("--no-watch")
        self.on_trial(1)
        self.wait_for(lambda: self.generation() == 3, "the configuration to go back")
        self.kill()
        self.assert_starts_with_the_confirmed_one()

    def test_takes_the_file_once_it_is_another(self):
        self.start("--no-watch")
        self.on_trial()
        self.kill()
        self.assert_starts_with_the_confirmed_one()
        self.configure(self.label("third"))
        self.kill()
        self.start("--no-watch")
        self.assertEqual((self.labels(), self.entries()), (["a=third"], [("start", "ok")]))


if __name__ == "__main__":
    unittest.main()
