#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams of events from outside: what they tell, when they end, and what it costs others if nobody reads them."""

import contextlib
import json
import os
import resource
import socket
import time
import unittest
from urllib.parse import quote

from test_daemon import DaemonTest, PATIENCE, UnixConnection

CROWD = 1000
LARGE = ["label-%d=" % i + 2200 * "x" for i in range(1000)]  # more than a socket and the library take at once


class Follower:
    """A stream that stays open, read line by line."""

    def __init__(self, test, query="", prefix="/v1"):
        self.connection = UnixConnection(test.socket)
        test.addCleanup(self.close)
        self.connection.request("GET", f"{prefix}/events{query}")
        self.response = None

    def head(self):
        """Waits for the reply's head. Whoever asked before that has asked before what comes after it."""
        self.response = self.response or self.connection.getresponse()
        return self.response

    def next(self):
        line = self.head().readline()
        return json.loads(line) if line else None

    def rest(self):
        events = []
        while event := self.next():
            events.append(event)
        return events

    def close(self):
        # The response has the socket, where the reply says that the connection ends with it.
        if self.response:
            self.response.close()
        self.connection.close()


def actions(events):
    return [event["Action"] for event in events]


def label(event):
    return event["Actor"]["Attributes"].get("labels")


def filters(value):
    return "filters=" + quote(value if isinstance(value, str) else json.dumps(value))


class EventsTest(DaemonTest):
    def follow(self, query="", prefix="/v1"):
        follower = Follower(self, query, prefix)
        self.assertEqual(follower.head().status, 200)
        return follower

    def force(self, times=1):
        connection = self.keep_connection()
        for _ in range(times):
            reply = self.request("POST", "/v1/reload?force=true", connection=connection)
            self.assertEqual(reply.status, 200, reply.text)


class Streams(EventsTest):
    def test_head_comes_before_any_event_and_events_as_they_happen(self):
        self.start()
        for prefix in ("", "/v1", "/v1.41"):
            with self.subTest(prefix):
                follower = self.follow(prefix=prefix)
                self.force()
                self.assertEqual(follower.next()["Action"], "reload")
                self.reload({"mtu": -1})
                event = follower.next()
                self.assertEqual(event["Action"], "reload-failed")
                self.assertEqual(event["Actor"]["Attributes"]["error"], "invalid default MTU: -1")
                follower.close()

    def test_without_since_the_past_is_not_told(self):
        self.start()
        self.force(3)
        follower = self.follow()
        self.reload({"labels": ["after=1"]})
        self.assertEqual(label(follower.next()), '["after=1"]')

    def test_since_replays_then_goes_on(self):
        self.start()
        self.force(2)
        second = self.events()[1]["timeNano"]
        follower = self.follow(f"?since={second // 10**9}.{second % 10**9:09d}")
        self.assertEqual([follower.next()["timeNano"], follower.next()["Action"]], [second, "reload"])
        self.reload({"mtu": -1})
        self.assertEqual(follower.next()["Action"], "reload-failed")

    def test_until_in_the_past_ends_at_once_and_the_connection_goes_on(self):
        self.start()
        connection = self.keep_connection()
        for _ in range(2):
            reply = self.request("GET", "/v1/events?until=1", connection=connection)
            self.assertEqual((reply.status, reply.text), (200, ""))
        self.assertNotEqual(reply.headers["Connection"], "close")

    def test_until_long_before_1970_is_the_past_too(self):
        self.start()
        for until in ("1690-01-01T00:00:00Z", "1677-09-21T00:12:45Z"):
            reply = self.get(f"/v1/events?since=0&until={until}")
            self.assertEqual((reply.status, reply.text), (200, ""))
        self.assertEqual(self.stop(), 0)

    def test_until_to_come_tells_the_past_stays_open_and_ends(self):
        self.start()
        for attempt in (1, 2, 3, 4):
            end = round(time.time() + 2**attempt, 3)  # no later than what is asked for
            follower = self.follow(f"?until={end:.3f}")
            self.force()
            if time.time() < end - 1:
                break  # else this machine is too slow for so short a time
        told = follower.rest()
        late = time.time() - end
        self.assertEqual(actions(told), ["start"] + attempt * ["reload"])
        self.assertGreaterEqual(late, 0)
        self.assertLess(late, 6)  # not when the streams are next swept

    def test_replay_is_whole_though_the_ring_turns_over_meanwhile(self):
        self.start()
        for number in range(5):
            self.reload({"labels": LARGE + [f"n={number}"]})  # more than a socket takes: the replay waits
        follower = self.follow("?since=0")
        for number in range(5, 10):
            self.reload({"labels": LARGE + [f"n={number}"]})
        self.assertNotIn("start", actions(self.events()))
        events = [follower.next() for _ in range(11)]
        self.assertEqual(actions(events), ["start"] + 10 * ["reload"])
        self.assertTrue(label(events[-1]).endswith('"n=9"]'))

    def test_half_closed_client_is_still_told(self):
        self.start()
        connection = self.connect()
        connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200"))
        connection.shutdown(socket.SHUT_WR)
        self.force()
        self.assertIn(b'"Action":"reload"', connection.recv(65536))

    def test_head_request_has_no_stream(self):
        self.start()
        self.assertEqual(self.request("HEAD", "/v1/events").status, 200)

    def test_old_clients_get_it_without_chunks(self):
        self.start()
        connection = self.connect()
        connection.sendall(b"GET /v1/events?since=0&until=1 HTTP/1.0\r\n\r\n")
        with connection.makefile("rb") as stream:
            head, _, body = stream.read().partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertEqual(body, b"")


class Filters(EventsTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.reload({"labels": ["a=b"]})
        self.reload({"mtu": -1})
        self.host = self.events()[0]["Actor"]["ID"]

    def told(self, value):
        return actions(self.events("since=0&" + filters(value)))

    def test_values_are_alternatives_and_names_conditions(self):
        every = ["start", "reload", "reload-failed"]
        for value, expected in (
                ({}, every), ("", every), ("null", every), ({"event": []}, every),
                ({"event": ["reload"]}, ["reload"]),
                ({"event": ["reload", "die"]}, ["reload"]),
                ({"event": {"reload": True, "start": True}}, ["start", "reload"]),
                ({"event": {"reload": False}}, []),
                ({"type": ["daemon"]}, every), ({"type": {"daemon": True}}, every), ({"type": ["container"]}, []),
                ({"type": ["container", "daemon"], "event": ["start"]}, ["start"]),
                ({"type": ["container"], "event": ["start"]}, []),
                ({"scope": ["local"]}, every), ({"scope": ["swarm"]}, []),
                ({"event": ["reloa"]}, [])):
            with self.subTest(value):
                self.assertEqual(self.told(value), expected)

    def test_daemon_is_the_beginning_of_its_name(self):
        self.assertEqual(len(self.told({"daemon": [self.host]})), 3)
        self.assertEqual(len(self.told({"daemon": ["none", self.host[:1]]})), 3)
        self.assertEqual(self.told({"daemon": [self.host + "x"]}), [])

    def test_label_looks_at_attributes_and_all_must_match(self):
        for labels, expected in ((["debug"], ["reload"]), (["debug=false"], ["reload"]), (["debug=true"], []),
                                 (["error"], ["reload-failed"]), (["debug=false", "error"], []),
                                 (['labels=["a=b"]'], ["reload"]), (['labels=["a=b'], []), (["debu"], []),
                                 (["name=" + self.host], ["start", "reload", "reload-failed"]),
                                 (["=false"], []), (["false"], [])):
            with self.subTest(labels):
                self.assertEqual(self.told({"label": labels}), expected)

    def test_names_that_nothing_here_has_match_nothing(self):
        for name in ("container", "image", "network", "volume", "plugin", "node", "service", "secret", "config"):
            with self.subTest(name):
                self.assertEqual(self.told({name: [self.host]}), [])

    def test_what_is_no_filter_is_400_and_named(self):
        for value, named in (({"foo": ["x"]}, "foo"), ({"type": ["daemon"], "": []}, ""), ("{", "{"), ("[]", "[]"),
                             ("x", "x"), ('{"type":"daemon"}', '{"type":"daemon"}'),
                             ('{"type":[1]}', '{"type":[1]}'), ('{"type":{"daemon":1}}', '{"type":{"daemon":1}}')):
            with self.subTest(value):
                reply = self.get("/v1/events?" + filters(value))
                self.assertEqual((reply.status, reply.json["message"]), (400, f"invalid filter '{named}'"))
        self.assertEqual(self.get("/v1/events?filters=%zz").status, 400)

    def test_bad_times_are_400(self):
        for name in ("since", "until"):
            for bad in ("yesterday", "1.", "-5", "2001-02-30T00:00:00Z", "1e9", "10m", "%zz"):
                with self.subTest((name, bad)):
                    self.assertEqual(self.get(f"/events?{name}={bad}").status, 400)

    def test_a_stream_is_filtered_too(self):
        follower = self.follow("?" + filters({"event": ["reload-failed"]}))
        self.force(300)  # none of these counts as waiting for it
        self.reload({"mtu": -2})
        event = follower.next()
        self.assertEqual(event["Actor"]["Attributes"]["error"], "invalid default MTU: -2")


class Slow(EventsTest):
    def test_who_is_256_behind_gets_them_all(self):
        self.start()
        follower = self.follow()
        self.reload({"labels": LARGE})
        self.reload({"labels": []})
        self.force(255)
        self.assertEqual(actions(follower.next() for _ in range(257)), 257 * ["reload"])
        self.reload({"labels": ["last=1"]})
        self.assertEqual(label(follower.next()), '["last=1"]')

    def test_who_is_more_behind_is_told_how_many_he_lost_and_closed(self):
        self.start()
        follower = self.follow()
        self.reload({"labels": LARGE})
        self.reload({"labels": []})
        self.force(299)
        events = follower.rest()
        self.assertEqual(actions(events), ["reload", "lost"])
        self.assertEqual((events[1]["Type"], events[1]["Actor"]), ("daemon", {"Attributes": {"count": "300"}}))
        self.assertEqual(events[1]["timeNano"] // 10**9, events[1]["time"])
        self.assertIn("\nrtreg_events_lost_total 300\n", self.get("/metrics").text)

    def test_what_a_filter_keeps_back_is_not_lost(self):
        self.start()
        follower = self.follow("?" + filters({"label": ["labels"], "event": ["reload"]}))
        self.reload({"labels": LARGE})
        for _ in range(300):
            self.reload({"mtu": -1})
        self.reload({"labels": ["last=1"]})
        self.assertGreater(len(label(follower.next())), 1000000)
        self.assertEqual(label(follower.next()), '["last=1"]')

    def test_events_too_large_to_be_kept_are_lost_to_who_does_not_read(self):
        self.start()
        follower = self.follow()
        for number in range(12):
            self.reload({"labels": LARGE + [f"n={number}"]})
        self.assertEqual(actions(follower.rest())[-1], "lost")

    def test_those_who_do_not_read_past_their_until_cost_no_time(self):
        self.start()
        self.reload({"labels": LARGE})
        followers = [self.follow(f"?since=0&until={time.time() + seconds:.3f}") for seconds in (-0.001, 0.5)]
        time.sleep(0.6)  # until both have passed
        began = time.monotonic(), self.processor_seconds()
        time.sleep(1)
        self.assertLess((self.processor_seconds() - began[1]) / (time.monotonic() - began[0]), 0.3)
        for follower in followers:
            self.assertEqual(actions(follower.rest()), ["start", "reload"])

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_those_who_do_not_read_cost_no_memory(self):
        self.start()
        for number in range(6):
            self.reload({"labels": LARGE + [f"n={number}"]})
        followers = [self.follow("?since=0") for _ in range(5 if self.sanitized() else 50)]
        for number in range(6, 20):
            self.reload({"labels": LARGE + [f"n={number}"]})
        if not self.sanitized():
            # 50 copies of the ring would be 800 MB.
            self.assertLess(self.resident_kib(), 300 << 10)
        for follower in followers:
            self.assertEqual(actions(follower.rest())[-1], "lost")

    def sanitized(self):
        with open(f"/proc/{self.process.pid}/maps", encoding="utf-8") as maps:
            text = maps.read()
        return "libasan" in text or "libtsan" in text

    def resident_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Crowd(EventsTest):
    def raise_limit(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 3 * CROWD
        if hard != resource.RLIM_INFINITY and hard < wanted:
            self.skipTest(f"needs {wanted} descriptors, may have {hard}")
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    def test_a_thousand_are_told_each_reload_and_the_stop(self):
        self.raise_limit()
        self.start()
        crowd = [self.follow() for _ in range(CROWD)]
        for number in range(5):
            self.reload({"labels": [f"n={number}"]})
            self.assertEqual({label(follower.next()) for follower in crowd}, {f'["n={number}"]'})
        self.assertEqual(self.stop(), 0)
        for follower in crowd:
            self.assertEqual(actions(follower.rest()), ["stop"])

    def test_those_who_have_gone_make_room_at_the_next_event(self):
        self.raise_limit()
        self.start()
        for kept in (self.follow("?" + filters({"event": ["none"]})) for _ in range(CROWD)):
            kept.close()
        self.force()
        self.wait_for(lambda: self.descriptors() < 100, "the followers' descriptors to be closed")

    def test_those_who_have_gone_do_not_keep_others_out_for_ever(self):
        self.raise_limit()
        self.start()
        for kept in (self.follow() for _ in range(CROWD)):
            kept.close()
        self.wait_for(lambda: self.descriptors() < 100, "the followers to be noticed without an event")

    def test_those_who_come_and_go_keep_nobody_out(self):
        self.raise_limit()
        self.start()
        for _ in range(CROWD + 100):
            follower = self.follow()
            for _ in range(2):  # so that both threads have come to wait for events
                self.assertEqual(self.get("/_ping").status, 200)
            follower.close()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Stopping(EventsTest):
    def test_followers_get_stop_and_the_end(self):
        self.start()
        followers = [self.follow(), self.follow("?since=0"), self.follow("?since=0&until=9999999999")]
        self.assertEqual(self.stop(), 0)
        self.assertEqual([actions(follower.rest()) for follower in followers],
                         [["stop"], ["start", "stop"], ["start", "stop"]])

    def test_stop_is_the_last_event_after_the_reload_under_way(self):
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.start()
        follower, connection = self.follow(), self.keep_connection()
        connection.request("POST", "/v1/reload", json.dumps({"runtimes": {"slow": {"path": probe}}}))
        self.wait_for(lambda: os.path.exists(begun), "the reload to be under way")
        self.process.terminate()
        self.wait_for(lambda: not os.path.exists(self.socket), "the socket to go")
        open(go, "w", encoding="utf-8").close()
        self.assertEqual(actions(follower.rest()), ["reload", "stop"])
        self.assertEqual(self.process.wait(PATIENCE), 0)

    def test_who_does_not_read_does_not_hold_the_stop_up(self):
        self.start("--shutdown-timeout", "-1")  # for requests, for ever
        followers = [self.follow() for _ in range(20)]
        self.reload({"labels": LARGE})
        self.assertEqual(self.stop(), 0)
        for follower in followers:
            with contextlib.suppress(OSError, ValueError):
                follower.rest()


if __name__ == "__main__":
    unittest.main()
