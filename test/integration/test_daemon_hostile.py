#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregd and those who mean it ill, or have bad luck: what they get, and what it costs the others."""

import unittest

from test_daemon import DaemonTest


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


if __name__ == "__main__":
    unittest.main()
