#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregd and those who mean it ill, or have bad luck: what they get, and what it costs the others."""

import json
import os
import signal
import unittest

from test_daemon import DaemonTest, PATIENCE, Reply


class Heads(DaemonTest):
    def test_field_names_that_are_none_are_400_and_nothing_is_read_on(self):
        self.start()
        for field in ("Content-Length : 2", "Transfer-Encoding\t: chunked", "A B: c", "A\x01: c"):
            with self.subTest(field):
                connection = self.connect()
                connection.sendall(f"POST /v1/reload?force=true HTTP/1.1\r\nHost: x\r\n{field}\r\n\r\n"
                                   "POST /v1/reload?force=true HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                with connection.makefile("rb") as stream:
                    replies = stream.read()
                self.assertTrue(replies.startswith(b"HTTP/1.1 400 "), replies)
                self.assertEqual(replies.count(b"HTTP/1.1 "), 1)
        self.assertEqual(self.generation(), 1)


class Crowds(DaemonTest):
    def test_requests_that_come_together_are_all_answered(self):
        # The HTTP library takes 128 events at a time; a crowd of exactly that many used to wait for one more.
        self.start("--threads", "1")
        for size in (127, 128, 256):
            with self.subTest(size):
                crowd = [self.connect() for _ in range(size)]
                self.assertEqual(self.get("/_ping").status, 200)  # all of them have been taken over
                self.process.send_signal(signal.SIGSTOP)
                for connection in crowd:
                    connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
                self.process.send_signal(signal.SIGCONT)
                for connection in crowd:
                    self.assertTrue(connection.recv(64).startswith(b"HTTP/1.1 200 "))
                    connection.close()


class Sizes(DaemonTest):
    def test_events_are_bounded_in_bytes_too(self):
        self.start()
        for number in range(5):
            labels = [f"label-{number}-{i}=" + 90 * "x" for i in range(50000)]
            self.assertEqual(self.reload({"labels": labels}).status, 200)
        lines = self.get("/v1/events").text.splitlines()
        self.assertLessEqual(sum(len(line) + 1 for line in lines), 16 << 20)
        self.assertGreaterEqual(len(lines), 2)
        self.assertIn("label-4-0=", lines[-1][:20000])


class Stopping(DaemonTest):
    def test_reloads_that_a_stop_cuts_short_are_answered(self):
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.start("--shutdown-timeout", "1")
        waiting = [self.keep_connection() for _ in range(16)]
        # The first one's reply is more than a socket holds.
        large = {"labels": [f"label{i}=value" for i in range(100000)], "runtimes": {"slow": {"path": probe}}}
        for connection in waiting:
            connection.request("POST", "/v1/reload", json.dumps({} if os.path.exists(begun) else large))
            self.wait_for(lambda: os.path.exists(begun), "the first reload to be under way")
        for _ in range(4):  # so that both threads have seen what came before
            self.get("/_ping")
        self.process.send_signal(signal.SIGTERM)
        self.wait_for(lambda: "shutdown-timeout has passed" in self.read_log(), "the stop to lose patience")
        open(go, "w").close()
        replies = [Reply(connection.getresponse()) for connection in waiting]
        self.assertEqual([reply.status for reply in replies], [200] + [503] * 15)
        self.assertIn("shutting down", replies[1].json["message"])
        self.assertEqual(self.process.wait(PATIENCE), 0)


if __name__ == "__main__":
    unittest.main()
