#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregctl against a daemon that is played: canned replies, and the ways in which one can go wrong.

    test_ctl.py BUILD [unittest's arguments]        or with the build folder in RTREG_BUILD
"""

import fcntl
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

BUILD = os.environ.get("RTREG_BUILD", "build")


def reply(body, status=200, reason="OK"):
    """A whole HTTP reply; `body` is JSON text, bytes, or something to be made JSON."""
    if not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(body, size):
    """The same body in chunks of `size` bytes, with an extension and a trailer."""
    out = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
    for i in range(0, len(body), size):
        piece = body[i : i + size]
        out += b"%x;a=b\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\nX-Trailer: 1\r\n\r\n"


class Request:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        self.body = body


class Daemon:
    """Answers each connection with `answer`: bytes, or a function that is given the connection and the request."""

    def __init__(self, path, answer):
        self.path, self.answer, self.requests = path, answer, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        os.unlink(self.path)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self.serve_one(connection)
                except (BrokenPipeError, ConnectionResetError):
                    pass

    def serve_one(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        request = Request(head, b"")
        while len(body) < int(request.fields.get("content-length", 0)):
            body += connection.recv(65536)
        request.body = body
        self.requests.append(request)
        if callable(self.answer):
            self.answer(connection, request)
        else:
            connection.sendall(self.answer)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rtreg-ctl-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.socket = os.path.join(self.folder, "s")

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    def ctl(self, *words, answer=None, stdin=b"", environment=None):
        """Runs rtregctl; `answer` plays the daemon. Sets self.requests."""
        env = {"PATH": os.environ["PATH"], "TZ": "UTC", "RTREG_SOCKET": self.socket, **(environment or {})}
        command = [os.path.join(BUILD, "tools", "rtregctl"), *words]
        self.requests = []
        if answer is None:
            return self.finish(subprocess.run(command, input=stdin, env=env, capture_output=True, timeout=60))
        with Daemon(self.socket, answer) as daemon:
            self.requests = daemon.requests
            return self.finish(subprocess.run(command, input=stdin, env=env, capture_output=True, timeout=60))

    @staticmethod
    def finish(result):
        result.stdout = result.stdout.decode()
        result.stderr = result.stderr.decode()
        return result

    def check(self, result, code, out=None, err=None):
        self.assertEqual(result.returncode, code, result)
        if out is not None:
            self.assertEqual(result.stdout, out)
        if err is not None:
            self.assertEqual(result.stderr, err)


RUNTIMES = {
    "generation": 7,
    "default": "kata",
    "runtimes": {
        "runc": {"path": "runc", "shim": "io.containerd.runc.v2", "binary": "runc", "stock": True},
        "kata": {"runtimeType": "io.containerd.kata.v2", "shim": "io.containerd.kata.v2", "path": "", "stock": False},
        "crun": {
            "path": "/usr/bin/crun",
            "runtimeArgs": ["--debug", "a b", "it's", "", "x\ny"],
            "shim": "io.containerd.runc.v2",
            "binary": "/var/lib/rtreg/runtimes/crun.1234",
            "wrapper": "/var/lib/rtreg/runtimes/crun.1234",
        },
    },
}


class Ls(Case):
    def test_ls_lists_runtimes_sorted_and_aligned(self):
        result = self.ctl("ls", answer=reply(RUNTIMES))
        self.check(
            result,
            0,
            "NAME   DEFAULT   SHIM                    BINARY          ARGUMENTS\n"
            "crun             io.containerd.runc.v2   /usr/bin/crun   --debug 'a b' 'it'\\''s' '' $'x\\ny'\n"
            "kata   *         io.containerd.kata.v2   -\n"
            "runc             io.containerd.runc.v2   runc\n",
            "",
        )
        self.assertEqual((self.requests[0].method, self.requests[0].target), ("GET", "/v1/runtimes"))

    def test_ls_with_hostile_names_prints_no_control_characters(self):
        names = ["\x1b[2Jx", "a\u202eb", "c\x9bd", "e\rf", "日本"]
        runtimes = {name: {"path": "/\x1b]0;x\x07", "shim": "s"} for name in names}
        result = self.ctl("ls", answer=reply({"generation": 1, "default": "", "runtimes": runtimes}))
        self.check(result, 0)
        self.assertTrue(all(c == "\n" or c.isprintable() for c in result.stdout), result.stdout)
        for shown in ("\\x1b[2Jx", "a\\u202eb", "c\\u009bd", "e\\rf", "/\\x1b]0;x\\x07"):
            self.assertIn(shown, result.stdout)
        # two columns a character: as wide as \x1b[2Jx with its 8
        lines = result.stdout.splitlines()
        wide = next(line for line in lines if line.startswith("日本"))
        narrow = next(line for line in lines if line.startswith("a\\u202eb"))
        self.assertEqual(wide.index(" s ") + 2, narrow.index(" s "))

    def test_ls_with_one_long_path_keeps_the_other_lines_short(self):
        runtimes = {"a": {"path": "/x", "shim": "s", "runtimeArgs": ["y"]}, "b": {"path": "/" * 100000, "shim": "s"}}
        result = self.ctl("ls", answer=reply({"generation": 1, "default": "a", "runtimes": runtimes}))
        self.check(result, 0)
        self.assertLess(len(result.stdout.splitlines()[1]), 200)

    def test_ls_json_is_the_reply_unchanged(self):
        body = json.dumps(RUNTIMES, indent=3) + "\n"
        self.check(self.ctl("ls", "--json", answer=reply(body)), 0, body, "")

    def test_ls_with_100000_runtimes_lists_them_all(self):
        runtimes = {f"runtime-{i:06}": {"path": "/bin/true", "shim": "s"} for i in range(100000)}
        body = json.dumps({"generation": 1, "default": "runc", "runtimes": runtimes}).encode()
        result = self.ctl("ls", answer=chunked(body, 70001))
        self.check(result, 0)
        self.assertEqual(result.stdout.count("\n"), 100001)


class Resolve(Case):
    REPLY = {
        "generation": 7,
        "name": "crun",
        "shim": "io.containerd.runc.v2",
        "options": {"BinaryName": "/usr/bin/crun", "SystemdCgroup": False},
    }

    def test_resolve_prints_keys_and_values(self):
        result = self.ctl("resolve", "a/b c%\u00e9", answer=reply(self.REPLY))
        self.check(
            result,
            0,
            "name            crun\n"
            "shim            io.containerd.runc.v2\n"
            "BinaryName      /usr/bin/crun\n"
            "SystemdCgroup   false\n"
            "generation      7\n",
            "",
        )
        self.assertEqual(self.requests[0].target, "/v1/resolve?runtime=a%2Fb%20c%25%C3%A9")

    def test_resolve_without_name_asks_for_the_default(self):
        self.check(self.ctl("resolve", answer=reply(self.REPLY)), 0)
        self.assertEqual(self.requests[0].target, "/v1/resolve?runtime=")

    def test_resolve_of_unknown_runtime_exits_4(self):
        answer = reply({"message": "unknown or invalid runtime name: x\x1b[0m"}, 400, "Bad Request")
        self.check(
            self.ctl("resolve", "x", answer=answer), 4, "", "rtregctl: unknown or invalid runtime name: x\\x1b[0m\n"
        )

    def test_resolve_of_missing_binary_exits_1(self):
        answer = reply({"message": "error while looking up the specified runtime path: x"}, 424, "Failed Dependency")
        self.check(self.ctl("resolve", "x", answer=answer), 1, "")

    def test_unknown_runtime_with_another_status_exits_1(self):
        answer = reply({"message": "unknown or invalid runtime name: x"}, 409, "Conflict")
        self.check(self.ctl("resolve", "x", answer=answer), 1, "")


class Config(Case):
    REPLY = {
        "generation": 2,
        "config": {
            "mtu": 1500,
            "debug": False,
            "bip": "",
            "labels": [],
            "log-level": "",
            "default-stop-timeout": 0,
            "log-opts": {"max-size": "1m"},
            "live-restore": False,
            "proxies": {"http-proxy": "http://xxxxx:xxxxx@h", "https-proxy": ""},
        },
        "origin": {
            "mtu": "default",
            "debug": "file",
            "bip": "default",
            "labels": "default",
            "log-level": "flag",
            "default-stop-timeout": "default",
            "log-opts": "file:50-logs.json",
            "live-restore": "default",
            "proxies.http-proxy": "fleet",
            "proxies.https-proxy": "default",
        },
    }

    def test_config_leaves_out_empty_defaults(self):
        result = self.ctl("config", answer=reply(self.REPLY))
        self.check(
            result,
            0,
            "KEY                    VALUE\n"
            "debug                  false\n"
            "default-stop-timeout   0\n"
            'log-level              ""\n'
            'log-opts               {"max-size":"1m"}\n'
            "mtu                    1500\n"
            "proxies.http-proxy     http://xxxxx:xxxxx@h\n",
        )

    def test_config_origin_adds_a_column(self):
        result = self.ctl("config", "--origin", answer=reply(self.REPLY))
        self.check(result, 0)
        rows = [line.split() for line in result.stdout.splitlines()]
        self.assertEqual(rows[0], ["KEY", "VALUE", "ORIGIN"])
        self.assertIn(["log-opts", '{"max-size":"1m"}', "file:50-logs.json"], rows)
        self.assertIn(["proxies.http-proxy", "http://xxxxx:xxxxx@h", "fleet"], rows)


class Status(Case):
    def test_status_prints_all_lines(self):
        answer = reply(
            {
                "generation": 9,
                "pid": 123,
                "version": "0.1.0",
                "started": "2020-02-29T13:00:00.123456789+01:00",
                "uptime": 93784,
                "reload": {"time": "2020-03-01T00:00:00Z", "result": "failed", "errors": ["one", {"message": "two"}]},
                "pinned": [{"generation": 3, "count": 1}, {"generation": 5, "count": 2}],
                "lock-ins": 4,
                "threads": 2,
                "runtimes": 6,
            }
        )
        result = self.ctl("status", answer=answer)
        self.check(result, 0)
        lines = [line.split("   ", 1) for line in result.stdout.splitlines()]
        self.assertEqual(
            [name for name, _ in lines],
            ["generation", "pid", "version", "started", "uptime", "last reload", "errors", "", "pinned generations"]
            + ["lock-ins", "runtimes", "threads"],
        )
        values = [value.strip() for _, value in lines]
        self.assertRegex(values[3], r"^2020-02-29 12:00:00 \(\d+ days.* ago\)$")
        self.assertEqual(values[4], "1 day 2 hours")
        self.assertRegex(values[5], r"^failed, 2020-03-01 00:00:00 \(")
        self.assertEqual(values[6:9], ["one", "two", "3 (1 pin), 5 (2 pins)"])

    def test_history_lists_entries(self):
        entries = [
            {"time": "2026-01-02T03:04:05Z", "generation": 4, "source": "api", "result": "failed"}
            | {"errors": ["invalid default MTU: -1", "more", "yet more"], "changed": []},
            {"time": "2026-01-02T03:04:04Z", "generation": 4, "source": "start", "result": "ok"}
            | {"errors": [], "changed": ["debug", "runtimes", "runtimes.kata"]},
        ]
        self.check(
            self.ctl("history", answer=reply({"entries": entries})),
            0,
            "TIME                  GENERATION   SOURCE   RESULT   CHANGED/ERRORS\n"
            "2026-01-02 03:04:05   4            api      failed   invalid default MTU: -1 (and 2 more)\n"
            "2026-01-02 03:04:04   4            start    ok       debug, runtimes.kata\n",
        )

    def test_version_prints_client_and_server(self):
        result = self.ctl("version", answer=reply({"version": "9.8.7"}))
        self.check(result, 0)
        self.assertRegex(result.stdout, r"^client   \d+\.\d+\.\d+\nserver   9\.8\.7\n$")

    def test_version_without_daemon_prints_client_and_exits_3(self):
        result = self.ctl("version")
        self.check(result, 3)
        self.assertRegex(result.stdout, r"^client   \d+\.\d+\.\d+\n$")
        self.assertIn("cannot connect", result.stderr)


def report(**members):
    empty = {key: [] for key in ("changed", "reset", "needs-restart", "ignored", "commit-errors", "warnings")}
    return empty | {"generation": 8, "previous": 7, "unchanged": False, "attributes": {}} | members


class Reload(Case):
    def test_reload_prints_sections(self):
        answer = reply(
            report(
                **{
                    "changed": [
                        {"key": "debug", "from": False, "to": True},
                        {"key": "max-concurrent-uploads", "from": 9, "to": 5},
                        {"key": "runtimes", "from": ["a"], "to": ["b"]},
                        {"key": "runtimes.a", "from": {"path": "/a"}, "to": None},
                    ],
                    "reset": [{"key": "max-concurrent-uploads", "from": 9, "to": 5}],
                    "needs-restart": [{"key": "bip", "from": "", "to": "10.0.0.1/8"}],
                    "ignored": [{"key": "host", "why": "no effect"}],
                    "warnings": ["host: no effect", {"message": "careful"}],
                    "commit-errors": ["port\nbusy"],
                }
            )
        )
        self.check(
            self.ctl("reload", answer=answer),
            0,
            "generation 8 (was 7)\n"
            "changed:\n"
            "  debug        false -> true\n"
            '  runtimes.a   {"path":"/a"} -> (none)\n'
            "reset to default:\n"
            "  max-concurrent-uploads   9 -> 5\n"
            "needs a restart:\n"
            '  bip   "" -> 10.0.0.1/8\n'
            "ignored:\n"
            "  host   no effect\n"
            "warnings:\n"
            "  careful\n"
            "commit errors:\n"
            "  port\\nbusy\n",
            "",
        )
        request = self.requests[0]
        self.assertEqual((request.method, request.target, request.body), ("POST", "/v1/reload", b""))
        self.assertNotIn("if-match", request.fields)

    def test_reload_with_only_the_summary_of_runtimes_prints_it(self):
        answer = reply(report(changed=[{"key": "runtimes", "from": ["a"], "to": ["b"]}]))
        self.assertIn('runtimes   ["a"] -> ["b"]', self.ctl("reload", answer=answer).stdout)

    def test_reload_unchanged_says_so(self):
        answer = reply(report(generation=7, unchanged=True))
        self.check(self.ctl("reload", answer=answer), 0, "unchanged: generation 7\n")

    def test_reload_with_file_sends_its_bytes_and_says_how_long_it_lasts(self):
        content = b'\xef\xbb\xbf{ "debug": true }\n' + b" " * 300000
        result = self.ctl("reload", "--force", self.path("f", content), "--if-generation=7", answer=reply(report()))
        self.check(
            result,
            0,
            "generation 8 (was 7)\n"
            "note: this configuration lasts until the next reload from files, or a restart\n",
        )
        request = self.requests[0]
        self.assertEqual(request.target, "/v1/reload?force=true")
        self.assertEqual(request.fields["if-match"], '"7"')
        self.assertEqual(request.body, content)

    def test_reload_with_empty_file_sends_an_empty_object(self):
        self.check(self.ctl("reload", self.path("f", b""), answer=reply(report())), 0)
        self.assertEqual(self.requests[0].body, b"{}")

    def test_reload_from_stdin_sends_it(self):
        self.check(self.ctl("reload", "-", answer=reply(report()), stdin=b'{"mtu":1}'), 0)
        self.assertEqual(self.requests[0].body, b'{"mtu":1}')

    def test_reload_with_missing_file_exits_1(self):
        result = self.ctl("reload", self.path("none"), answer=reply(report()))
        self.check(result, 1, "", f"rtregctl: cannot open {self.path('none')}: No such file or directory\n")
        self.assertEqual(self.requests, [])

    def test_reload_with_folder_exits_1(self):
        result = self.ctl("reload", self.folder)
        self.check(result, 1, "", f"rtregctl: cannot read {self.folder}: Is a directory\n")

    def test_reload_with_file_of_16_mib_sends_it(self):
        self.check(self.ctl("reload", self.path("f", b" " * (16 << 20)), answer=reply(report())), 0)
        self.assertEqual(len(self.requests[0].body), 16 << 20)

    def test_reload_with_larger_file_exits_1(self):
        result = self.ctl("reload", self.path("f", b" " * ((16 << 20) + 1)), answer=reply(report()))
        self.check(result, 1, "", f"rtregctl: {self.path('f')} is larger than 16 MiB\n")

    def test_reload_refused_prints_all_errors_and_exits_1(self):
        errors = ["invalid default MTU: -1", {"message": "bad\x07", "where": "labels"}, "third", 5]
        answer = reply({"message": "invalid default MTU: -1", "errors": errors}, 400, "Bad Request")
        self.check(
            self.ctl("reload", answer=answer),
            1,
            "",
            "rtregctl: invalid default MTU: -1\n  bad\\x07 (labels)\n  third\n",
        )

    def test_reload_of_another_generation_exits_1(self):
        answer = reply({"message": "generation is 8, not 7"}, 412, "Precondition Failed")
        self.check(self.ctl("reload", "--if-generation", "7", answer=answer), 1)

    def test_reload_refused_before_the_body_is_read_shows_the_reply(self):
        over = threading.Event()

        def serve_one(connection):
            connection.recv(4096)
            connection.sendall(reply({"message": "too large"}, 413, "Content Too Large"))
            connection.shutdown(socket.SHUT_RDWR)
            over.wait(60)

        with Daemon(self.socket, None) as daemon:
            daemon.serve_one = serve_one
            command = [os.path.join(BUILD, "tools", "rtregctl"), "-s", self.socket, "reload", "-"]
            result = subprocess.run(command, input=b" " * (4 << 20), capture_output=True, timeout=60)
            over.set()
        self.assertEqual((result.returncode, result.stderr), (1, b"rtregctl: too large\n"))

    def test_reload_long_values_are_cut_where_they_differ(self):
        names = [f"label-number-{i}=x" for i in range(30)]
        change = {"key": "labels", "from": names, "to": names[:-1] + ["other=y"]}
        result = self.ctl("reload", answer=reply(report(changed=[change])))
        line = next(line for line in result.stdout.splitlines() if line.startswith("  labels"))
        self.assertLess(len(line), 130)
        before, after = line.split(" -> ")
        self.assertIn("label-number-29=x", before)
        self.assertIn("other=y", after)
        self.assertIn("…", before)

    def test_reload_json_is_the_reply_unchanged(self):
        body = json.dumps(report(), indent=1)
        result = self.ctl("--json", "reload", self.path("f", b"{}"), answer=reply(body))
        self.check(result, 0, body + "\n", "")


class Diff(Case):
    def test_diff_is_a_dry_run_with_the_file(self):
        answer = reply(report(generation=7, changed=[{"key": "debug", "from": False, "to": True}]))
        self.check(
            self.ctl("diff", self.path("f", b'{"debug":true}'), answer=answer),
            0,
            "dry run: nothing was changed (generation 7)\nchanged:\n  debug   false -> true\n",
        )
        self.assertEqual(self.requests[0].target, "/v1/reload?dry-run=true")
        self.assertEqual(self.requests[0].body, b'{"debug":true}')

    def test_diff_without_differences_says_so(self):
        result = self.ctl("diff", self.path("f", b"{}"), answer=reply(report(generation=7, unchanged=True)))
        self.check(result, 0, "dry run: nothing was changed (generation 7)\nno differences\n")

    def test_diff_of_missing_file_exits_1(self):
        self.check(self.ctl("diff", self.path("none"), answer=reply(report())), 1, "")

    def test_reload_dry_run_with_force_passes_both(self):
        self.check(self.ctl("reload", "--dry-run", "--force", answer=reply(report())), 0)
        self.assertEqual(self.requests[0].target, "/v1/reload?dry-run=true&force=true")


class Validate(Case):
    def test_validate_of_good_file_says_ok(self):
        result = self.ctl("validate", self.path("f", b'{"debug": true}'))
        self.check(result, 0, "", "configuration OK\n")

    def test_validate_of_bad_file_exits_1(self):
        result = self.ctl("validate", self.path("f", b'{"mtu": -1}'))
        self.check(result, 1, "")
        self.assertIn("rtregctl: invalid default MTU: -1\n", result.stderr)

    def test_validate_of_stdin_reads_it(self):
        self.check(self.ctl("validate", "-", stdin=b'{"mtu": -1}'), 1, "")
        self.check(self.ctl("validate", "-", stdin=b""), 0, "", "configuration OK\n")

    def test_validate_of_missing_file_exits_1(self):
        self.check(self.ctl("validate", self.path("none")), 1, "")


class Usage(Case):
    def test_no_command_prints_help_on_stderr_and_exits_2(self):
        result = self.ctl()
        self.check(result, 2, "")
        self.assertIn("Usage: rtregctl", result.stderr)

    def test_help_lists_every_command_and_each_has_help(self):
        listing = self.ctl("--help")
        self.check(listing, 0, err="")
        self.assertEqual(self.ctl("help").stdout, listing.stdout)
        names = "ls resolve config status reload diff validate history version help".split()
        for name in names:
            with self.subTest(name):
                self.assertRegex(listing.stdout, rf"(?m)^  {name} ")
                own = self.ctl(name, "--help")
                self.check(own, 0, err="")
                self.assertTrue(own.stdout.startswith(f"Usage: rtregctl {name}"))
                self.assertEqual(self.ctl("help", name).stdout, own.stdout)

    def test_help_lines_fit_a_terminal(self):
        for words in (["--help"], ["reload", "--help"]):
            self.assertLessEqual(max(map(len, self.ctl(*words).stdout.splitlines())), 90)

    def test_mistyped_command_exits_2_and_suggests(self):
        for word, meant in [("lss", "ls"), ("statsu", "status"), ("relaod", "reload"), ("val", "validate")]:
            with self.subTest(word):
                result = self.ctl(word)
                self.check(result, 2, "")
                self.assertIn(f'did you mean "{meant}"?', result.stderr)

    def test_strange_command_exits_2_without_suggestion(self):
        result = self.ctl("xyzzy")
        self.check(result, 2, "")
        self.assertNotIn("did you mean", result.stderr)

    def test_wrong_usage_exits_2(self):
        cases = [
            ["--nope", "ls"],
            ["ls", "--nope"],
            ["ls", "extra"],
            ["diff"],
            ["validate"],
            ["diff", "a", "b"],
            ["resolve", "a", "b"],
            ["reload", "--if-generation", "x"],
            ["reload", "--if-generation", ""],
            ["reload", "--if-generation"],
            ["--timeout", "0", "ls"],
            ["--timeout", "5x", "ls"],
            ["--timeout", "nan", "ls"],
            ["-s", "", "ls"],
            ["-s"],
            ["help", "nope"],
        ]
        for words in cases:
            with self.subTest(words):
                result = self.ctl(*words)
                self.check(result, 2, "")
                self.assertTrue(result.stderr.startswith("rtregctl: "), result.stderr)

    def test_options_may_follow_the_words(self):
        words = ["resolve", "x", "--json", "-s", self.socket]
        result = self.ctl(*words, answer=reply("{}"), environment={"RTREG_SOCKET": "/no"})
        self.check(result, 0, "{}\n")

    def test_two_dashes_end_the_options(self):
        self.check(self.ctl("resolve", "--json", "--", "--help", answer=reply("{}")), 0, "{}\n")
        self.assertEqual(self.requests[0].target, "/v1/resolve?runtime=--help")

    def test_version_option_prints_the_version(self):
        self.assertRegex(self.ctl("--version").stdout, r"^rtregctl \d+\.\d+\.\d+\n$")

    def test_full_disk_exits_1(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [os.path.join(BUILD, "tools", "rtregctl"), "--help"], stdout=full, stderr=subprocess.PIPE
            )
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left", result.stderr)


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

    @unittest.skipIf(os.geteuid() == 0 and not os.path.exists("/usr/bin/setpriv"), "root needs setpriv to be refused")
    def test_forbidden_socket_exits_3(self):
        with Daemon(self.socket, reply(RUNTIMES)):
            os.chmod(self.socket, 0)
            command = [os.path.join(BUILD, "tools", "rtregctl"), "-s", self.socket, "ls"]
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
        result = self.ctl("reload", "--timeout", "0.2", answer=lambda connection, request: connection.recv(1))
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
    def run_on_terminal(self, delay):
        """What rtregctl prints on a terminal as its stderr, where the daemon answers after `delay` seconds."""
        go = threading.Event()
        master, slave = pty.openpty()

        def answer(connection, request):
            go.wait(delay)
            connection.sendall(reply(RUNTIMES))

        with Daemon(self.socket, answer):
            command = [os.path.join(BUILD, "tools", "rtregctl"), "-s", self.socket, "ls"]
            result = subprocess.run(command, stdout=subprocess.PIPE, stderr=slave, timeout=60)
        os.close(slave)
        self.assertEqual(result.returncode, 0)
        data = b""
        try:
            while more := os.read(master, 65536):
                data += more
        except OSError:
            pass
        os.close(master)
        return data.decode()

    def test_slow_call_shows_progress_and_erases_it(self):
        shown = self.run_on_terminal(1.3)
        self.assertIn("waiting for rtregd… 1 s", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"))

    def test_quick_call_shows_none(self):
        self.assertEqual(self.run_on_terminal(0), "")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BUILD = sys.argv.pop(1)
    unittest.main()
