#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The long deadlines of a connection. They are waited for together, since they cannot be had sooner."""

import select
import time
import unittest

from test_daemon import DaemonTest

BODY, IDLE = 30, 60  # seconds
LATE = 20  # how much later may pass for on time


class Deadlines(DaemonTest):
    def test_bodies_idle_connections_and_request_lines_that_drip(self):
        self.start()
        before = time.monotonic()
        body, idle, drip = self.connect(), self.connect(), self.connect()
        body.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n")
        for connection in (idle, drip):
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 "))
        began, closed = time.monotonic(), {}
        while len(closed) < 3 and time.monotonic() < began + IDLE + LATE:
            for connection in (body, drip):
                try:
                    connection.send(b" " if connection is body else b"G")
                except OSError:
                    pass
            for connection in select.select([c for c in (body, idle, drip) if c not in closed], [], [], 0.5)[0]:
                try:
                    received = connection.recv(4096)
                except OSError:
                    received = b""
                if not received:
                    closed[connection] = time.monotonic()
        for connection, seconds in ((body, BODY), (idle, IDLE), (drip, IDLE)):
            self.assertIn(connection, closed)
            self.assertGreater(closed[connection] - before, seconds - 1)
            self.assertLess(closed[connection] - began, seconds + LATE)
        self.assertEqual(self.get("/_ping").status, 200)


if __name__ == "__main__":
    unittest.main()
