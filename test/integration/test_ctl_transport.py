#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregctl and the socket: replies in all their forms, and the ways in which a daemon can go wrong.

    test_ctl_transport.py BUILD [unittest's arguments]        or with the build folder in RTREG_BUILD
"""

import fcntl
import json
import os
import pty
import select
import socket
import struct
import subprocess
import termios
import threading
import time
import unittest

from ctl_support import RUNTIMES, Case, Daemon, chunked, main, reply, rtregctl


class NoDaemon(Case):
    def test_missing_socket_exits_3_and_advises(self):
        self.check(
            self.ctl("ls"),
            3,
            "",
            f"rtregctl: cannot connect to {self.socket}: No such file or directory\n"
            "  is rtregd running? start it, or name its socket with -s\n",
        )

    def test_dead_socket_exits_3(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.socket)
        result = self.ctl("ls")
        self.check(result, 3, "")
        self.assertIn(f"cannot connect to {self.socket}: Connection refused", result.stderr)

    def test_a_file_in_place_of_the_socket_exits_3_and_is_told(self):
        for path in (self.path("f", b"{}"), self.folder):
            with self.subTest(path):
                result = self.ctl("-s", path, "ls")
                self.check(result, 3, "")
                self.assertIn("that is no socket", result.stderr)

    @unittest.skipIf(os.geteuid() == 0 and not os.path.exists("/usr/bin/setpriv"), "root needs setpriv to be refused")
    def test_forbidden_socket_exits_3(self):
        with Daemon(self.socket, reply(RUNTIMES)):
            os.chmod(self.socket, 0)
            command = [rtregctl(), "-s", self.socket, "ls"]
            if os.geteuid() == 0:
                command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] + command
            result = subprocess.run(command, capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 3, result)
        self.assertIn(b"Permission denied", result.stderr)

    def test_path_too_long_exits_3(self):
        self.check(self.ctl("-s", "/" + "x" * 200, "ls"), 3, "")

    def test_slow_daemon_exits_3_after_the_timeout(self):
        def answer(connection, request):
            connection.sendall(reply(RUNTIMES)[:60])
            # as long as the client is there
            connection.recv(1)

        result = self.ctl("ls", "--timeout", "0.3", answer=answer)
        self.check(result, 3, "")
        self.assertEqual(
            result.stderr.splitlines()[0], f"rtregctl: no answer from rtregd at {self.socket} within 0.3 s"
        )

    def test_slow_reload_says_that_it_may_still_happen(self):
        result = self.ctl("reload", "--timeout", "1.5", answer=lambda connection, request: connection.recv(1))
        self.check(result, 3, "")
        self.assertIn("it may still be done", result.stderr)

    def test_dripping_daemon_exits_3_after_the_timeout(self):
        stop = threading.Event()

        def answer(connection, request):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not stop.wait(0.05):
                connection.sendall(b"X: y\r\n")

        self.check(self.ctl("ls", "--timeout", "0.5", answer=answer), 3, "")
        stop.set()

    def test_daemon_that_does_not_accept_exits_3_after_the_timeout(self):
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
            listener.bind(self.socket)
            listener.listen(0)
            first.connect(self.socket)
            result = self.ctl("ls", "--timeout", "0.3")
        self.check(result, 3, "")
        self.assertIn("no answer from rtregd", result.stderr)

    def test_broken_replies_exit_3(self):
        whole = reply(RUNTIMES)
        good = json.dumps(RUNTIMES).encode()

        def with_head(fields, body=good):
            return b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + body

        length = b"Content-Length: %d" % len(good)
        cases = {
            "nothing": b"",
            "half a head": whole[:30],
            "half a body": whole[:-10],
            "half a chunk": chunked(b"x" * 100, 100)[:100],
            "no last chunk": chunked(b"{}", 2)[:-20],
            "garbage": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "binary": bytes(range(256)) * 1000,
            "one long line": b"HTTP/1.1 200 " + b"x" * 300000,
            "no status": b"HTTP/1.1 abc\r\n\r\n",
            "endless fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000,
            "field without colon": with_head(b"nonsense\r\n" + length),
            "negative length": with_head(b"Content-Length: -%d" % len(good)),
            "length with a unit": with_head(length + b" bytes"),
            "two lengths": with_head(b"Content-Length: 2\r\n" + length),
            "huge length": with_head(b"Content-Length: %d" % (2**64 + len(good))),
            "huge chunk": with_head(b"Transfer-Encoding: chunked", b"fffffffff\r\n" + good),
            "bad chunk size": with_head(b"Transfer-Encoding: chunked", b"zz\r\n" + good + b"\r\n0\r\n\r\n"),
            "chunk too long": with_head(b"Transfer-Encoding: chunked", b"1\r\n" + good + b"\r\n0\r\n\r\n"),
            "unknown coding": with_head(b"Transfer-Encoding: gzip"),
            "no JSON": reply("<html>hello</html>"),
            "empty body": reply(""),
            "JSON and more": reply("{} {}"),
            "too deep": reply("[" * 1000 + "]" * 1000),
            "another object": reply("{}"),
            "another type": reply("[1, 2]"),
            "wrong member": reply('{"runtimes": 5}'),
        }
        for name, answer in cases.items():
            with self.subTest(name):
                result = self.ctl("ls", answer=answer)
                self.check(result, 3, "")
                self.assertTrue(result.stderr.startswith("rtregctl: "), result.stderr)

    def test_refusal_without_json_still_exits_1(self):
        self.check(self.ctl("ls", answer=reply("<html>", 500, "Oops")), 1, "")
        self.check(self.ctl("ls", answer=reply("", 503, "Busy")), 1, "")

    def test_not_found_exits_4(self):
        self.check(self.ctl("ls", answer=reply({"message": "no such thing"}, 404, "Not Found")), 4, "")


class Transfer(Case):
    def check_reply(self, answer):
        self.check(self.ctl("resolve", "--json", answer=answer), 0, '{"a": 1}\n', "")

    def test_chunks_of_any_size_are_joined(self):
        for size in (1, 2, 7, 100):
            self.check_reply(chunked(b'{"a": 1}', size))

    def test_reply_to_the_end_of_the_connection_is_taken(self):
        self.check_reply(b'HTTP/1.0 200 OK\r\n\r\n{"a": 1}')

    def test_informational_replies_are_passed_over(self):
        self.check_reply(b"HTTP/1.1 100 Continue\r\n\r\n" + reply('{"a": 1}'))

    def test_reply_byte_by_byte_is_taken(self):
        def answer(connection, request):
            for byte in reply('{"a": 1}'):
                connection.send(bytes([byte]))
                while struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0] > 0:
                    time.sleep(0.0001)  # until the client has taken it

        self.check_reply(answer)

    def test_lines_may_end_without_carriage_return(self):
        self.check_reply(b'HTTP/1.1 200\ncontent-length:8 \n\n{"a": 1}')

    def test_huge_reply_is_taken_whole(self):
        body = json.dumps({"a": "x" * (40 << 20)})
        result = self.ctl("resolve", "--json", answer=reply(body))
        self.check(result, 0)
        self.assertEqual(len(result.stdout), len(body) + 1)


class Terminal(Case):
    def run_on_terminal(self, awaited=""):
        """What rtregctl prints on a terminal as its stderr, where the daemon answers once `awaited` stands there."""
        master, slave = pty.openpty()
        shown = bytearray()

        def answer(connection, request):
            while awaited not in shown.decode(errors="ignore") and select.select([master], [], [], 60)[0]:
                shown.extend(os.read(master, 65536))
            connection.sendall(reply(RUNTIMES))

        with Daemon(self.socket, answer):
            command = [rtregctl(), "-s", self.socket, "ls"]
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=slave, timeout=60)
        os.close(slave)
        self.assertEqual(result.returncode, 0)
        try:
            while more := os.read(master, 65536):
                shown.extend(more)
        except OSError:
            pass
        os.close(master)
        return shown.decode()

    def test_slow_call_shows_progress_and_erases_it(self):
        shown = self.run_on_terminal(" s")
        self.assertRegex(shown, r"waiting for rtregd… [1-9]\d* s")
        self.assertTrue(shown.endswith("\r\x1b[K"))

    def test_quick_call_shows_none(self):
        # One that seems slow on a slow machine is not slow each time.
        self.assertTrue(any(self.run_on_terminal() == "" for _ in range(8)))


if __name__ == "__main__":
    main()
