#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregd and those who mean it ill, or have bad luck: what they get, and what it costs the others."""

import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from test_daemon import DaemonTest, PATIENCE, Reply

HEAD = 5  # seconds that a request's head may take


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
        ping = b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n"
        for size in (127, 128, 256):
            with self.subTest(size):
                crowd = [self.connect() for _ in range(size)]
                for connection in crowd:  # who has been answered may be silent for longer than who has not
                    connection.sendall(ping)
                    self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 "))
                self.halt()
                for connection in crowd:
                    connection.sendall(ping)
                self.process.send_signal(signal.SIGCONT)
                for connection in crowd:
                    self.assertTrue(connection.recv(64).startswith(b"HTTP/1.1 200 "))
                    connection.close()


    def test_heads_that_came_in_time_are_answered_however_late_they_are_read(self):
        self.start("--threads", "1")
        crowd = [self.connect() for _ in range(100)]
        self.assertEqual(self.get("/_ping").status, 200)  # all of them have been taken over
        self.halt()
        for connection in crowd:
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(HEAD + 0.5)
        self.process.send_signal(signal.SIGCONT)
        self.assertEqual([connection.recv(12) for connection in crowd], 100 * [b"HTTP/1.1 200"])


class Frugal(DaemonTest):
    """Of a user who has so many pipes that his next ones hold little, as root's may on a machine with containers."""

    CROWD, PIPES, SMALL = 1000, 1100, 8192
    BOUND = ("setpriv", "--bounding-set", "-sys_resource,-sys_admin", "--inh-caps", "-all")

    def command(self, *options, **places):
        return [*self.BOUND, *super().command(*options, **places)]

    def pipe_size(self):
        program = f"import fcntl, os; print(fcntl.fcntl(os.pipe()[0], {fcntl.F_GETPIPE_SZ}))"
        return int(subprocess.check_output([*self.BOUND, sys.executable, "-c", program]))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root to do without its privileges")
    def test_connections_that_come_together_are_all_taken(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        if before[1] < 3 * self.PIPES:
            self.skipTest("needs more descriptors")
        with open("/proc/sys/net/core/somaxconn") as file:
            if int(file.read()) < self.CROWD:
                self.skipTest("a socket has no room for so many")
        resource.setrlimit(resource.RLIMIT_NOFILE, (3 * self.PIPES + 100, before[1]))
        for end in [end for _ in range(self.PIPES) for end in os.pipe()]:
            self.addCleanup(os.close, end)
        if self.pipe_size() > self.SMALL:
            self.skipTest("pipes are not limited here")
        self.start("--threads", "1")
        self.halt()
        crowd = [self.connect() for _ in range(self.CROWD)]
        for connection in crowd:
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.process.send_signal(signal.SIGCONT)
        for connection in crowd:
            self.assertEqual(connection.recv(12), b"HTTP/1.1 200")


class Sizes(DaemonTest):
    def test_events_are_bounded_in_bytes_too(self):
        self.start()
        for number in range(5):
            labels = [f"label-{number}-{i}=" + 2000 * "x" for i in range(2500)]
            self.assertEqual(self.reload({"labels": labels}).status, 200)
        lines = [json.dumps(event, separators=(",", ":")) for event in self.events()]
        self.assertLessEqual(sum(len(line) + 1 for line in lines), 16 << 20)
        self.assertGreaterEqual(len(lines), 2)
        self.assertIn("label-4-0=", lines[-1][:20000])


class Nuisances(DaemonTest):
    """Clients that are slow, go away, or never read: others are served meanwhile, and nothing of them stays."""

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def others_are_served(self):
        for number in range(20):
            self.assertEqual(self.get("/v1/resolve").status, 200)
            self.assertEqual(self.reload({"labels": [f"n={number}"]}, "?force=true").status, 200)

    def test_drips_of_heads_and_bodies(self):
        self.start()
        drips = [(self.connect(), text) for text in 40 * (
            b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n" + 30 * b" ")]
        for connection, text in drips[1::2]:
            connection.sendall(text[:-30])
        done = threading.Event()

        def drip():
            for place in range(30):
                for number, (connection, text) in enumerate(drips):
                    byte = text[place:place + 1] if number % 2 == 0 else b" "
                    try:
                        connection.send(byte)
                    except OSError:
                        pass
                if done.wait(0.02):
                    break

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            self.others_are_served()
        finally:
            done.set()
            dripping.join()

    def test_half_a_request_and_gone(self):
        self.start()
        before = self.descriptors()
        for text in (b"", b"GET", b"GET /v1/status HTTP/1.1\r\nHost: x", b"POST /v1/reload HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 9\r\n\r\n{}", b"POST /v1/reload HTTP/1.1\r\nHost: x\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", b"POST /v1/reload?force=true HTTP/1.1\r\n"
                     b"Host: x\r\nContent-Length: 2\r\n\r\n{}"):
            for _ in range(30):
                connection = self.connect()
                connection.sendall(text)
                connection.close()
        self.others_are_served()
        self.wait_for(lambda: self.descriptors() <= before + 1, "the connections to be given back")

    def test_replies_that_nobody_reads(self):
        self.start()
        self.assertEqual(self.reload({"labels": [f"label{i}=" + 2000 * "x" for i in range(300)]}).status, 200)
        before = self.descriptors()
        silent = []
        for _ in range(100):  # one by one, each within its deadline
            silent.append(connection := self.connect())
            connection.sendall(b"GET /v1/config HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(connection.recv(1, socket.MSG_PEEK), b"H")
        self.others_are_served()
        for connection in silent:
            connection.close()
        self.wait_for(lambda: self.descriptors() <= before + 1, "the connections to be given back")

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def test_bodies_that_nobody_wants_are_not_kept(self):
        self.start()
        before, size = self.resident_bytes(), 1 << 20
        crowd = []
        for _ in range(50):  # one by one, each within its deadline
            crowd.append(connection := self.connect())
            connection.sendall(f"GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
            connection.sendall((size - 1) * b"x")
        self.assertLess(self.resident_bytes() - before, len(crowd) * size // 2)
        for connection in crowd:
            connection.sendall(b"x")
            self.assertEqual(connection.recv(12), b"HTTP/1.1 200")

    def test_a_client_that_ends_its_sending_side_gets_its_reply(self):
        self.start()
        for text in (b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"POST /v1/reload?force=true HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"):
            for _ in range(10):
                connection = self.connect()
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 "), text)


class Readers(DaemonTest):
    def test_reading_goes_on_through_reloads(self):
        self.start()
        paths = ("/v1/runtimes", "/v1/runtimes/a", "/v1/resolve", "/v1/config", "/v1/status", "/info", "/metrics")
        done, failures = threading.Event(), []

        def read():
            connection = self.keep_connection()
            try:
                while not done.is_set():
                    for path in paths:
                        self.assertEqual(self.get(path, connection=connection).status, 200)
            except Exception as e:  # pylint: disable=broad-except
                failures.append(e)

        self.reload({"runtimes": {"a": {"path": "/bin/true"}}})
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(60):
            self.assertEqual(self.reload({"runtimes": {"a": {"path": "/bin/true"}, f"b{number}": {"path": "/bin/true"}}}).status, 200)
        done.set()
        for reader in readers:
            reader.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.stop(), 0)


class Limits(DaemonTest):
    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_without_descriptors_it_waits_and_does_not_spin(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        self.start()
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (48, 48))
        crowd = [self.connect() for _ in range(100)]
        self.wait_for(lambda: "cannot accept" in self.read_log(), "the daemon to be out of descriptors")
        began = time.monotonic(), self.processor_seconds()
        time.sleep(1)
        spent = (self.processor_seconds() - began[1]) / (time.monotonic() - began[0])
        self.assertLess(spent, 0.3)
        self.assertEqual(self.read_log().count("cannot accept"), 1)
        for connection in crowd:
            connection.close()
        self.assertEqual(self.get("/_ping").status, 200)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_one_user_gets_half_of_the_connections(self):
        os.chmod(self.directory, 0o755)
        self.start("--socket-mode", "0666")
        script = ("import os, resource, socket, sys\n"
                  "resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))\n"
                  "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
                  "crowd = []\n"
                  "for number in range(520):\n"
                  " crowd.append(socket.socket(socket.AF_UNIX)); crowd[-1].connect(sys.argv[1])\n"
                  "print(crowd[-1].recv(4096).split()[1].decode(), flush=True)\n"
                  "crowd[0].sendall(b'GET /_ping HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')\n"
                  "print(crowd[0].recv(4096).split()[1].decode(), flush=True)\n"
                  "sys.stdin.read()\n")
        with subprocess.Popen([sys.executable, "-c", script, self.socket], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as stranger:
            self.assertEqual(stranger.stdout.readline().strip(), "503")
            self.assertEqual(stranger.stdout.readline().strip(), "200")
            self.assertEqual(self.get("/_ping").status, 200)
            stranger.stdin.close()


class Stopping(DaemonTest):
    def test_reloads_that_a_stop_cuts_short_are_answered(self):
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.start("--shutdown-timeout", "1")
        waiting = [self.keep_connection() for _ in range(16)]
        # The first one's reply is more than a socket holds.
        large = {"labels": [f"label{i}=" + 2000 * "x" for i in range(150)], "runtimes": {"slow": {"path": probe}}}
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
