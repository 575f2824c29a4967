#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Replies that are kept for their generation (docs/socket.md): made once, sent as if they were made each time."""

import email.utils
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import unittest

from exposition import Page
from test_daemon import PATIENCE, DaemonTest

THREADS = 2
KEPT = ("/v1/resolve", "/v1/resolve?runtime=plain", "/v1/runtimes", "/v1/runtimes/plain", "/v1/config",
        "/v1/resolve?runtime=io.containerd.kata.v2")
STRACE = shutil.which("strace")


class Kept(DaemonTest):
    def setUp(self):
        super().setUp()
        self.binary = self.script("binary", "exit 0\n")
        self.runtimes = {"plain": {"path": self.binary}, "wrapped": {"path": self.binary, "runtimeArgs": ["-x"]}}
        self.configure({"runtimes": self.runtimes})

    def kept(self):
        return int(Page(self.get("/metrics").text).value("rtreg_replies_kept_total"))

    def connections(self, count):
        return [self.keep_connection() for _ in range(count)]

    def test_a_reply_is_made_once_by_each_thread_and_generation(self):
        self.start()
        connections = self.connections(4)
        for path in KEPT:
            with self.subTest(path):
                before = self.kept()
                for connection in connections * 25:
                    self.assertEqual(self.get(path, connection=connection).status, 200)
                self.assertEqual(self.kept() - before, THREADS)

    def test_what_changes_within_a_generation_is_not_kept(self):
        self.start()
        before = self.kept()
        for path in ("/v1/status", "/v1/history", "/_ping", "/version", "/info", "/metrics", "/v1/resolve?runtime=none",
                     "/nothing", "/v1/containers"):
            self.get(path)
        self.assertEqual(self.kept(), before)

    def test_a_kept_reply_is_like_the_one_that_was_made(self):
        self.start("--threads", "1")
        for path in KEPT:
            for method in ("GET", "HEAD"):
                with self.subTest(path, method=method):
                    self.reload(query="?force=true")
                    first, second, third = (self.request(method, path) for _ in range(3))
                    for reply in (second, third):
                        self.assertEqual((reply.status, reply.text), (first.status, first.text))
                        self.assertEqual(sorted(reply.headers.keys()), sorted(first.headers.keys()))
                        for name, value in first.headers.items():
                            if name != "Date":
                                self.assertEqual(reply.headers[name], value)

    def test_the_date_of_a_kept_reply_goes_on(self):
        self.start()
        connection = self.keep_connection()

        def date():
            return email.utils.parsedate_to_datetime(self.get("/v1/resolve", connection=connection).headers["Date"])
        date()
        first = date()
        self.assertLess(abs(first.timestamp() - time.time()), PATIENCE)
        self.wait_for(lambda: date() > first, "the next second")

    def test_one_that_was_asked_for_by_head_has_its_body_for_get(self):
        self.start("--threads", "1")
        head = self.request("HEAD", "/v1/resolve")
        reply = self.get("/v1/resolve")
        self.assertEqual(head.headers["Content-Length"], str(len(reply.text)))
        self.assertEqual(reply.json["name"], "runc")
        self.assertEqual(self.request("HEAD", "/v1/resolve").text, "")

    def test_all_connections_see_a_new_generation_at_once(self):
        self.start()
        connections = self.connections(8)
        for round_ in range(20):
            for connection in connections:
                self.get("/v1/resolve", connection=connection)
            name = f"r{round_}"
            generation = self.reload({"runtimes": {name: {"path": "/bin/true"}}, "default-runtime": name}).json["generation"]
            for connection in connections:
                reply = self.get("/v1/resolve", connection=connection)
                self.assertEqual((reply.json["name"], reply.json["generation"]), (name, generation))
                self.assertEqual(reply.headers["ETag"], f'"{generation}"')
                self.assertEqual(reply.headers["Rtreg-Generation"], str(generation))

    def test_a_failed_look_up_is_not_remembered_and_a_success_for_a_second(self):
        self.start("--threads", "1")
        path = "/v1/resolve?runtime=wrapped"
        for _ in range(3):
            before = self.kept()
            self.assertEqual(self.get(path).status, 200)
            os.rename(self.binary, self.binary + ".away")
            gone = time.monotonic()
            self.wait_for(lambda: self.get(path).status == 424, "the missing binary to be noticed")
            self.assertEqual(self.get(path).json["exit-code"], 127)
            os.rename(self.binary + ".away", self.binary)
            self.assertEqual(self.get(path).status, 200)
            self.assertLessEqual(self.kept() - before, 3 + (time.monotonic() - gone))
            self.assertEqual(self.get("/v1/resolve?runtime=plain").status, 200)

    def test_the_same_target_with_another_method_or_body_is_what_it_was(self):
        self.start("--threads", "1")
        connection = self.keep_connection()
        self.get("/v1/resolve", connection=connection)
        reply = self.request("POST", "/v1/resolve", "{}")
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "GET, HEAD"))
        reply = self.request("GET", "/v1/resolve", "some body", connection=connection)
        self.assertEqual((reply.status, reply.json["name"]), (200, "runc"))
        self.assertEqual(self.get("/v1/resolve", connection=connection).status, 200)

    def test_pipelined_requests_are_answered_in_order(self):
        self.start()
        connection = self.connect()
        names = ["plain", "runc", "plain", "", "wrapped"] * 8
        connection.sendall("".join(f"GET /v1/resolve?runtime={name} HTTP/1.1\r\nHost: x\r\n\r\n"
                                   for name in names).encode())
        text = ""
        while text.count('"generation":') < len(names):
            received = connection.recv(65536).decode()
            self.assertTrue(received)
            text += received
        self.assertEqual(re.findall(r'"name":"(\w+)"', text), [name or "runc" for name in names])

    def test_http_1_0_and_close_end_the_connection_with_a_kept_reply_too(self):
        self.start("--threads", "1")
        self.get("/v1/resolve")
        for head in ("GET /v1/resolve HTTP/1.0\r\n\r\n", "GET /v1/resolve HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
            connection, text = self.connect(), ""
            connection.sendall(head.encode())
            while received := connection.recv(65536).decode():
                text += received
            self.assertTrue(text.startswith("HTTP/1.1 200 OK"), text)
            self.assertIn("connection: close", text.lower())
            self.assertTrue(text.endswith("}}"), text)

    def test_a_head_of_the_largest_size_with_all_fields_is_read(self):
        self.start()
        fields = ["Host: x"] + [f"X-{i:02}: " for i in range(99)]
        first = "GET /v1/resolve HTTP/1.1"
        length = len(first) + sum(len(field) + 2 for field in fields) + 4
        fields[-1] += "y" * (8192 - length)
        text = "\r\n".join([first, *fields]) + "\r\n\r\n"
        self.assertEqual(len(text), 8192)
        self.assertEqual(self.status_of_raw(text), 200)
        self.assertEqual(self.status_of_raw(text.replace("yy", "yyy", 1)), 431)
        self.assertEqual(self.status_of_raw(text.replace("Host: x", "Host: x\r\nX: y").replace("yyyyyy", "", 1)), 431)

    @unittest.skipUnless(STRACE, "needs strace")
    def test_a_request_is_one_read_and_one_write_and_few_more_calls(self):
        self.start("--threads", "1")
        count = 300
        connection = self.keep_connection()
        self.get("/v1/resolve", connection=connection)
        output = self.at("strace")
        tracer = subprocess.Popen([STRACE, "-f", "-o", output, "-p", str(self.process.pid)], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, tracer)
        if "attached" not in tracer.stderr.readline():
            self.skipTest("strace may not look at processes here")
        thread = next(task.name for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
                      if (task / "comm").read_text() == "rtregd-http\n")
        written = pathlib.Path(output)
        self.wait_for(lambda: self.get("/v1/resolve", connection=connection) and
                      f"{thread} sendmsg" in written.read_text().replace("  ", " "), "strace to see the thread")
        before = written.stat().st_size
        for _ in range(count):
            self.get("/v1/resolve", connection=connection)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(PATIENCE)
        tracer.stderr.close()
        calls = re.findall(rf"^{thread} +(\w+)\(", written.read_text()[before:], re.MULTILINE)
        tally = {name: calls.count(name) for name in set(calls)}
        self.assertAlmostEqual(tally["recvfrom"], count, delta=5)
        self.assertAlmostEqual(tally["sendmsg"], count, delta=5)
        # Two for a turn, and a turn for the client having read: one that waits for each reply is the dearest.
        self.assertLess(tally.pop("epoll_wait"), 4.1 * count)
        self.assertLess(sum(tally.values()), 2.1 * count, tally)


if __name__ == "__main__":
    unittest.main()
