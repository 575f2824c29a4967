#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands of rtregctl: what they ask the daemon, what they print, and their exit codes.

    test_ctl.py BUILD [unittest's arguments]        or with the build folder in RTREG_BUILD
"""

import json
import os
import re
import socket
import subprocess
import threading

from ctl_support import RUNTIMES, Case, Daemon, chunked, main, reply, rtregctl


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
        self.assertEqual(rows[0], ["KEY", "ORIGIN", "VALUE"])
        self.assertIn(["log-opts", "file:50-logs.json", '{"max-size":"1m"}'], rows)
        self.assertIn(["proxies.http-proxy", "fleet", "http://xxxxx:xxxxx@h"], rows)

    def test_config_origin_lists_runtimes_one_by_one(self):
        answer = {
            "generation": 1,
            "config": {"runtimes": {"crun": {"path": "/a"}, "debug": {"path": "/b"}}},
            "origin": {"runtimes": "file", "runtimes.crun": "file:50-crun.json", "debug": "flag"},
        }
        rows = [line.split() for line in self.ctl("config", "--origin", answer=reply(answer)).stdout.splitlines()[1:]]
        self.assertEqual(
            rows,
            [["runtimes.crun", "file:50-crun.json", '{"path":"/a"}'], ["runtimes.debug", "file", '{"path":"/b"}']],
        )
        self.assertIn("runtimes", self.ctl("config", answer=reply(answer)).stdout.split())

    def test_config_origin_with_one_long_value_keeps_the_other_lines_short(self):
        answer = {"generation": 1, "config": {"labels": ["x" * 300], "debug": True}}
        answer["origin"] = {"labels": "file", "debug": "flag"}
        result = self.ctl("config", "--origin", answer=reply(answer))
        self.check(result, 0)
        self.assertEqual(result.stdout.splitlines()[1], "debug    flag     true")


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
            command = [rtregctl(), "-s", self.socket, "reload", "-"]
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

    def test_validate_says_what_rtregd_says(self):
        path = self.path("f", b'{"lables": [], "debug": "yes", "mtu": -1, "runtimes": {"a": {}}}')
        rtregd = os.path.join(os.path.dirname(os.path.dirname(rtregctl())), "daemon", "rtregd")
        command = [rtregd, "--validate", "--config-file", path]
        daemon = subprocess.run(command, capture_output=True, text=True, timeout=60)
        ours = self.ctl("validate", path)
        self.check(ours, daemon.returncode, daemon.stdout)
        lines = [line.removeprefix("rtregctl: ").strip() for line in ours.stderr.splitlines()]
        self.assertEqual(lines, [line.removeprefix("rtregd: ") for line in daemon.stderr.splitlines()])
        self.assertEqual(len(lines), 4)

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
        listing = self.ctl("--help").stdout
        texts = [listing, self.ctl("runtime", "--help").stdout]
        for name in re.findall(r"(?m)^  ((?:runtime )?[a-z-]+)", listing.split("Options:\n")[0]):
            texts.append(self.ctl(*name.split(), "--help").stdout)
        self.assertGreater(len(texts), 17)
        for line in "".join(texts).splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_wrong_values_of_options_say_which_help_explains_them(self):
        for words in (
            ["reload", "--if-generation", "x"],
            ["reload", "--confirm", "0"],
            ["reload", "--confirm", "5", "--dry-run"],
            ["events", "--filter", "x"],
            ["events", "--since", "x"],
            ["set-default", "x", "--if-generation", "y"],
            ["runtime", "rm", ""],
            ["runtime", "add", "x", "--type", "t", "--option", "a"],
            ["completion", "tcsh"],
        ):
            with self.subTest(words):
                result = self.ctl(*words)
                self.check(result, 2, "")
                name = " ".join(words[:2] if words[0] == "runtime" else words[:1])
                self.assertTrue(result.stderr.endswith(f"\n  'rtregctl {name} --help' explains it\n"), result.stderr)
                self.assertEqual(result.stderr.count("explains it"), 1)

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
                [rtregctl(), "--help"], stdout=full, stderr=subprocess.PIPE
            )
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"No space left", result.stderr)


if __name__ == "__main__":
    main()
