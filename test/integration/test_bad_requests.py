#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Malformed and oversized requests, byte for byte as they are sent: each row gets its status, once, changes nothing, and
leaves the daemon serving others."""

import json
import os
import re
import socket
import unittest

from test_daemon import DaemonTest

KIB, MIB = 1024, 1024 * 1024
SILENCE = 0  # in place of a status: the connection is closed without a reply
RELOAD = "POST /v1/reload"


def request(line, *fields, body="", version="HTTP/1.1"):
    """A request with a Host and, unless told otherwise, the length of its body."""
    fields = list(fields)
    body = body.encode() if isinstance(body, str) else body
    if body and not any(re.match("(?i)content-length|transfer-encoding", field) for field in fields):
        fields.append(f"Content-Length: {len(body)}")
    head = f"{line} {version}\r\n" + "".join(field + "\r\n" for field in ["Host: rtreg", *fields]) + "\r\n"
    return head.encode("latin-1") + body


def chunked(body):
    return request(RELOAD, "Transfer-Encoding: chunked", body=body)


def reload(body):
    return request(RELOAD, body=body)


# (what, bytes, the statuses that are right)
REQUEST_LINES = [
    ("nothing but line ends", b"\r\n\r\n\r\n", (SILENCE, 400)),
    ("a NUL", b"\0\r\n\r\n", (SILENCE, 400)),
    ("no target", b"GET\r\n\r\n", (SILENCE, 400)),
    ("a target alone", b"/v1/status\r\nHost: x\r\n\r\n", (SILENCE, 400, 505)),
    ("no version", b"GET /v1/status\r\nHost: x\r\n\r\n", (SILENCE, 400, 505)),
    ("a version of the future", request("GET /v1/status", version="HTTP/9.9"), (SILENCE, 400, 505)),
    ("another protocol", request("GET /v1/status", version="SPDY/3"), (SILENCE, 400, 505)),
    ("a version that is none", request("GET /v1/status", version="HTTP/x"), (SILENCE, 400, 505)),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (SILENCE, 400, 404, 405, 505)),
    ("a handshake of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", (SILENCE, 400)),
    ("the answer of a server", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", (SILENCE, 400, 404, 405, 505)),
    ("a method in lower case", request("get /v1/status"), (405,)),
    ("an unknown method", request("BREW /v1/status"), (405,)),
    ("a long method", request("X" * 5000 + " /v1/status"), (405, 400, 431)),
    ("TRACE", request("TRACE /v1/status"), (405,)),
    ("CONNECT", request("CONNECT rtreg:80"), (400, 404, 405)),
    ("OPTIONS of everything", request("OPTIONS *"), (404, 405)),
    ("a target without a slash", request("GET v1/status"), (404,)),
    ("an empty path", request("GET ?x"), (404,)),
    ("a path over the limit", request("GET /" + "a" * 8200), (414, 431)),
    ("a path far over the limit", request("GET /" + "a" * 200000), (SILENCE, 414, 431)),
    ("a query over the limit", request("GET /v1/resolve?runtime=" + "a" * 8200), (414, 431)),
]

PATHS = [(path, request("GET " + path), (404,)) for path in (
    "/", "//", "/v1", "/v1/", "/v2/runtimes", "/V1/status", "/v1/STATUS", "/v1/status/", "//v1/status", "/v1//status",
    "/v1/./status", "/v1/x/../status", "/v1/status;x", "/v1/runtimes/", "/v1/runtimes/runc/", "/v1/runtimes/a/b",
    "/v1/%73tatus", "/v1%2Fstatus", "/v1.41/v1/status", "/v1.41/v1.41/info", "/v1.x/info", "/v1./info", "/v.1/info",
    "/v1.41info", "/v1/runtimes%00", "/v1/config\xff", "/metrics/x", "/_ping/x", "/etc/passwd", "/../../etc/passwd",
)]

NAMES = [(path, request("GET " + path), (400,)) for path in (
    "/v1/runtimes/%", "/v1/runtimes/%4", "/v1/runtimes/%zz", "/v1/runtimes/a%", "/v1/runtimes/%00", "/v1/runtimes/runc%00",
    "/v1/runtimes/%2e%2e%2fesc", "/v1/runtimes/a%2Fb", "/v1/runtimes/nosuch", "/v1/runtimes/..", "/v1/runtimes/%ff%fe",
    "/v1/resolve?runtime=%", "/v1/resolve?runtime=%zz", "/v1/resolve?runtime=runc%00", "/v1/resolve?runtime=no%0asuch",
    "/v1/resolve?runtime=../esc", "/v1/resolve?runtime=%2e", "/v1/resolve?runtime=" + "a" * 300,
)]

CONTAINERS = [(f"{method} {path}", request(f"{method} {path}"), (400,)) for method in ("GET", "PUT", "DELETE") for path in (
    "/v1/containers/%", "/v1/containers/%00", "/v1/containers/web%00", "/v1/containers/..", "/v1/containers/%2e%2e",
    "/v1/containers/a%2Fb", "/v1/containers/.a", "/v1/containers/%ff", "/v1/containers/" + "a" * 129, "/v1/containers/a%0ab",
    "/v1/containers/a?root=x", "/v1/containers/a?root=%00", "/v1/containers/a?root=/%", "/v1/containers/a?root=/%ff",
    "/v1/containers/a?root=/" + "a/" * 2100, "/v1/containers/a?%=/x",
)] + [(f"GET {query}", request("GET /v1/containers?" + query), (400,)) for query in ("root=x", "root=%00", "root=/%zz")] + [
    (f"PUT with {body[:40]}", request("PUT /v1/containers/web", body=body), (400,)) for body in (
        "{", "[]", "null", '"x"', "1", "{} {}", '{"runtime":1}', '{"runtime":null}', '{"runtime":["runc"]}', '{"runtime":"runc",}',
        '{"runtime":"nosuch"}', '{"runtime":"../esc"}', '{"runtime":"a\\u0000"}', b'{"runtime":"\xff"}', '{"Runtime":"runc"}', '{"x":1}',
        '{"boot-id":"x"}', '{"boot-id":7}', '{"boot-id":"' + "/" * 36 + '"}', "[" * 100000, b"\xef\xbb\xbf{}", b"\0",
    )
] + [
    ("a lock-in of more than 1 MiB", request("PUT /v1/containers/web", f"Content-Length: {MIB + 1}", body="{}"), (413,)),
    ("a container below a container", request("PUT /v1/containers/a/b", body="{}"), (404,)),
    ("a container without a name", request("PUT /v1/containers/", body="{}"), (404,)),
]

METHODS = [(f"{method} {path}", request(f"{method} {path}"), (405,)) for path, wrong in (
    ("/v1/runtimes", "POST DELETE PATCH PUT"), ("/v1/runtimes/runc", "POST PATCH"), ("/v1/resolve", "POST PUT DELETE"),
    ("/v1/config", "POST PUT DELETE PATCH"), ("/v1/reload", "GET PUT DELETE HEAD"), ("/v1/status", "POST PUT DELETE"),
    ("/v1/history", "POST DELETE"), ("/v1/events", "POST DELETE"), ("/_ping", "POST DELETE"), ("/version", "POST"),
    ("/v1.41/info", "POST DELETE"), ("/events", "PUT"), ("/v1/containers", "POST PUT DELETE"), ("/v1/containers/web", "POST PATCH"),
) for method in wrong.split()]

ARGUMENTS = [(query, request(f"{RELOAD}?{query}", "Content-Length: 0"), (400,)) for query in (
    "dry-run=maybe", "dry-run=", "dry-run", "dry-run=1", "dry-run=TRUE", "dry-run=%", "dry-run=true%00", "force=yes",
    "force=", "force=0", "dry-run=true&force=maybe",
)] + [(query, request(f"GET /v1/events?until=1&{query}"), (400,)) for query in (
    "since=yesterday", "since=nan", "since=inf", "since=1e400", "since=-", "since=0x10", "since=2026-13-01T00:00:00Z",
    "since=2026-01-01", "since=%", "since=1,5", "since=1.2.3",
)] + [(f"If-Match: {value}", request(RELOAD, f"If-Match: {value}", "Content-Length: 0"), status) for value, status in (
    ("x", (400,)), ("-1", (400,)), ("1.5", (400,)), ("\"\"", (400,)), ("\"1", (400,)), ("W/\"1\"", (400,)),
    ("\"1\", \"2\"", (400,)), ("0x1", (400,)), ("1 ", (200, 400)), ("0", (412,)), ("2", (412,)), ("9" * 40, (412,)),
)]

LENGTHS = [(field, request(RELOAD, *field.split("\n"), body="{}"), (400,)) for field in (
    "Content-Length: 2\nContent-Length: 3", "Content-Length: 2\nTransfer-Encoding: chunked", "Content-Length: +2",
    "Content-Length: -2", "Content-Length: 2, 2", "Content-Length: 2x", "Content-Length: 0x2", "Content-Length: 2.0",
    "Content-Length: two", "Content-Length: 1e1", "Content-Length : 2",
    "Transfer-Encoding: chunked\nContent-Length: 2", "Content-Length: 0\nContent-Length: 2",
)] + [
    ("an empty length", request(RELOAD, "Content-Length:", body="{}"), (400,)),
    ("a length past 64 bits", request(RELOAD, "Content-Length: 99999999999999999999999", body="{}"), (400, 413)),
    ("another encoding", request(RELOAD, "Transfer-Encoding: gzip", body="{}"), (501,)),
    ("two encodings", request(RELOAD, "Transfer-Encoding: gzip, chunked", body="{}"), (501,)),
    ("an encoding twice", request(RELOAD, "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", body="{}"), (400, 501)),
    ("no encoding", request(RELOAD, "Transfer-Encoding: identity", body="{}"), (400, 501)),
    ("a chunk without a size", chunked("\r\n{}\r\n0\r\n\r\n"), (SILENCE, 400)),
    ("a chunk's size that is none", chunked("zz\r\n{}\r\n0\r\n\r\n"), (SILENCE, 400)),
    ("a negative chunk", chunked("-2\r\n{}\r\n0\r\n\r\n"), (SILENCE, 400)),
    ("a chunk past 64 bits", chunked("f" * 17 + "\r\n{}\r\n0\r\n\r\n"), (SILENCE, 400, 413)),
    ("a chunk longer than said", chunked("1\r\n{}\r\n0\r\n\r\n"), (SILENCE, 400)),
]

FIELDS = [
    ("a field without a colon", request("GET /v1/status", "Nonsense"), (SILENCE, 400)),
    ("a name with a space", request("GET /v1/status", "A B: x"), (400,)),
    ("a name with a control byte", request("GET /v1/status", "A\x01: x"), (400,)),
    ("a name with a byte past ASCII", request("GET /v1/status", "A\xe9: x"), (400,)),
    ("101 fields", request("GET /v1/status", *["A: b"] * 100), (431,)),
    ("5,000 fields", request("GET /v1/status", *["A: b"] * 5000), (SILENCE, 431)),
    ("a field over the limit", request("GET /v1/status", "A: " + "b" * 8192), (431,)),
    ("a field far over the limit", request("GET /v1/status", "A: " + "b" * MIB), (SILENCE, 431)),
    ("a name over the limit", request("GET /v1/status", "a" * 8192 + ": b"), (431,)),
]

SIZES = [
    ("a reload that says 16 MiB and one", request(RELOAD, f"Content-Length: {16 * MIB + 1}", body="{}"), (413,)),
    ("a question with 1 MiB and one", request("GET /v1/status", f"Content-Length: {MIB + 1}", body="{}"), (413,)),
    ("a question that says more than there is memory", request("GET /v1/status", f"Content-Length: {1 << 62}"), (413,)),
    ("chunks of more than 1 MiB", request("GET /v1/status", "Transfer-Encoding: chunked",
                                          body=b"10000\r\n" + bytes(65536) + b"\r\n" +
                                          b"".join([b"10000\r\n" + bytes(65536) + b"\r\n"] * 16) + b"0\r\n\r\n"), (413,)),
]

BODIES = [(what, reload(body), (400,)) for what, body in (
    ("half an object", "{"), ("text", "hello"), ("an array", "[]"), ("a string", '"x"'), ("a number", "1"),
    ("true", "true"), ("two objects", "{} {}"), ("a comma too many", '{"debug":true,}'), ("a comment", "{/**/}"),
    ("single quotes", "{'debug':true}"), ("NaN", '{"mtu":NaN}'), ("a byte that is no UTF-8", b'{"labels":["a=\xff"]}'),
    ("UTF-16 cut short", b"\xff\xfe{"), ("a NUL", b"{}\0"), ("a NUL in a string", '{"labels":["a=\\u0000"]}'),
    ("a raw line end in a string", '{"labels":["a=\n"]}'), ("an unknown key", '{"nosuch":1}'),
    ("a wrong type", '{"debug":"yes"}'), ("nesting past 32", '{"log-opts":' + "[" * 40 + "]" * 40 + "}"),
    ("nesting far past 32", "[" * 100000), ("a reserved runtime", '{"runtimes":{"runc":{"path":"/x"}}}'),
    ("a runtime of nothing", '{"runtimes":{"x":{}}}'), ("a default that is not there", '{"default-runtime":"x"}'),
    ("an argument past what can be executed", json.dumps({"runtimes": {"x": {"path": "/x", "runtimeArgs": ["a" * 131072]}}})),
    ("100,001 runtimes", json.dumps({"runtimes": {f"r{i}": {"path": "/x"} for i in range(100001)}})),
)]

TABLES = {"request lines": REQUEST_LINES, "paths": PATHS, "names": NAMES, "containers": CONTAINERS, "methods": METHODS, "arguments": ARGUMENTS,
          "lengths": LENGTHS, "fields": FIELDS, "sizes": SIZES, "bodies": BODIES}


class BadRequests(DaemonTest):
    def exchange(self, sent):
        """Sends it, ends the sending side, and reads until the daemon closes."""
        connection = self.connect()
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may close before it has read all
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        connection.close()
        return received

    def check_row(self, sent, statuses):
        received = self.exchange(sent)
        replies = re.findall(rb"^HTTP/1\.[01] (\d{3}) ", received, re.MULTILINE)
        status = int(replies[0]) if replies else SILENCE
        self.assertIn(status, statuses, received[:500])
        self.assertEqual(set(replies[1:]) - {replies[0] if replies else b""}, set(), received[:500])
        head, _, body = received.partition(b"\r\n\r\n")
        if b"application/json" in head and b"HEAD" != sent[:4]:
            length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
            self.assertTrue(json.loads(body[:length]).get("message") or status == 200, received[:500])

    def test_every_row_gets_its_status_and_the_others_are_served(self):
        self.start()
        others = self.keep_connection()
        for table, rows in TABLES.items():
            for what, sent, statuses in rows:
                with self.subTest(f"{table}: {what}"):
                    self.check_row(sent, statuses)
                self.assertEqual(self.get("/v1/resolve", connection=others).status, 200, what)
        self.assertEqual(self.generation(), 1)
        self.assertEqual(self.get("/v1/containers").json, {"containers": []})

    def test_there_are_enough_rows_and_none_stands_twice(self):
        sent = [row[1] for rows in TABLES.values() for row in rows]
        self.assertGreaterEqual(len(sent), 100)
        self.assertEqual(len(set(sent)), len(sent))


if __name__ == "__main__":
    unittest.main()
