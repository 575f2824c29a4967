#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What rtregctl has for people: events, changes that last, trials, --watch, colours, tables, suggestions.

    test_ctl_people.py BUILD [unittest's arguments]        or with the build folder in RTREG_BUILD
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest
import urllib.parse

from ctl_support import RUNTIMES, Case, Daemon, main, reply, rtregctl

PATIENCE = 60  # seconds that anything may take before it counts as hanging
REPORT = {"generation": 8, "previous": 7, "unchanged": False, "changed": [], "reset": [], "needs-restart": []}
STATUS = {"generation": 9, "pid": 1, "version": "1", "uptime": 5, "pinned": [], "runtimes": 3, "threads": 2}
STATUS |= {"reload": {"time": "2026-01-02T03:04:05Z", "result": "failed", "errors": ["bad"]}, "lock-ins": 0}
CLOCK_REALTIME_COARSE = 5  # which time() reads: up to a tick behind
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def event(action, kind="daemon", actor="host-7", **attributes):
    attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
    actor = {"ID": actor, "Attributes": attributes}
    whole = {"Type": kind, "Action": action, "Actor": actor, "scope": "local", "time": 1795357549}
    return json.dumps(whole) + "\n"


def chunk(*lines):
    data = "".join(lines).encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(*lines, end=END):
    return HEAD + b"".join(chunk(line) for line in lines) + end


def query(request):
    parts = urllib.parse.urlsplit(request.target)
    return parts.path, {name: values[0] for name, values in urllib.parse.parse_qs(parts.query).items()}


class Screen:
    """Enough of a terminal to tell what stands on it in the end."""

    CODE = re.compile(r"\x1b\[(\d*)([A-Za-z])")

    def __init__(self):
        self.lines, self.row, self.column = [""], 0, 0

    def feed(self, text):
        while text:
            code = self.CODE.match(text)
            if code:
                self.obey(code.group(2), int(code.group(1) or 0))
                text = text[code.end() :]
                continue
            self.put(text[0])
            text = text[1:]

    def obey(self, letter, count):
        if letter == "A":
            self.row = max(0, self.row - count)
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1 :]
        elif letter != "m":
            raise AssertionError(f"unexpected code {letter}")

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        else:
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1


class People(Case):
    def environment(self, extra):
        return {"PATH": os.environ["PATH"], "TZ": "UTC", "RTREG_SOCKET": self.socket, "TERM": "xterm", **(extra or {})}

    def start(self, *words, environment=None, **streams):
        process = subprocess.Popen(
            [rtregctl(), *words], env=self.environment(environment), stdin=subprocess.DEVNULL, **streams
        )
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def serve(self, answer):
        daemon = Daemon(self.socket, answer)
        daemon.__enter__()
        self.addCleanup(daemon.__exit__)
        return daemon

    def on_terminal(self, *words, columns=80, lines=24, environment=None):
        """The process, and a descriptor with what it prints on a terminal of that size."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
        process = self.start(*words, environment=environment, stdout=slave, stderr=slave)
        os.close(slave)
        return process, master

    def read_until(self, fd, condition, text=""):
        end = time.monotonic() + PATIENCE
        while not condition(text):
            self.assertLess(time.monotonic(), end, f"waited in vain, having {text!r}")
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    data = os.read(fd, 65536)
                except OSError:  # a terminal that nobody writes to any more
                    data = b""
                if not data:
                    self.assertTrue(condition(text), f"ended with {text!r}")
                    return text
                text += data.decode(errors="replace")
        return text

    def shown(self, *words, answer, **rest):
        """All that a command prints on a terminal."""
        with Daemon(self.socket, answer):
            process, master = self.on_terminal(*words, **rest)
            text = ""
            while True:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    break
                text += data.decode()
            self.assertEqual(process.wait(PATIENCE), 0)
        return text.replace("\r\n", "\n")


class Events(People):
    def test_events_asks_for_all_up_to_now_and_ends(self):
        before = time.time()
        result = self.ctl("events", answer=stream(event("start", name="host-7"), event("reload", name="host-7")))
        self.check(result, 0, err="")
        path, arguments = query(self.requests[0])
        self.assertEqual((path, list(arguments)), ("/v1/events", ["until"]))
        self.assertTrue(before <= float(arguments["until"]) <= time.time())
        self.assertEqual(
            result.stdout,
            "2026-11-22 14:25:49   daemon      start           host-7\n"
            "2026-11-22 14:25:49   daemon      reload          host-7\n",
        )

    def test_events_shows_key_attributes_first_and_nothing_that_is_empty(self):
        attributes = {"debug": "true", "labels": "[]", "features": "map[]", "name": "h", "default_ipc_mode": ""}
        line = event("reload", actor="h", runtimes="a:/a", default_runtime="a", **attributes)
        result = self.ctl("events", answer=stream(line))
        self.check(result, 0)
        self.assertTrue(result.stdout.endswith("   h   default-runtime=a, runtimes=a:/a, debug=true\n"), result.stdout)

    def test_events_cuts_long_attributes_but_not_errors(self):
        lines = [event("reload", labels="x" * 500), event("reload-failed", error="y" * 500)]
        cut, whole = self.ctl("events", answer=stream(*lines)).stdout.splitlines()
        self.assertLess(len(cut), 200)
        self.assertIn("…", cut)
        self.assertTrue(whole.endswith("y" * 500))

    def test_events_shows_no_control_characters(self):
        line = event("lock-in", kind="container", actor="a\x1b[2Jb", runtime="x\ny")
        result = self.ctl("events", answer=stream(line))
        self.assertIn("   a\\x1b[2Jb   runtime=x\\ny\n", result.stdout)

    def test_events_json_is_the_lines_unchanged(self):
        lines = ['{"a":  1}\n', event("reload"), "{}\n"]
        self.check(self.ctl("events", "--json", answer=stream(*lines)), 0, "".join(lines), "")

    def test_lines_do_not_depend_on_chunks(self):
        text = (event("start") + event("reload")).encode()
        for size in (1, 7, 1000):
            answer = HEAD
            for i in range(0, len(text), size):
                piece = text[i : i + size]
                answer += b"%x\r\n%s\r\n" % (len(piece), piece)
            with self.subTest(size):
                self.check(self.ctl("events", "--json", answer=answer + END), 0, text.decode(), "")

    def test_a_line_of_16_mib_and_an_unfinished_last_one_are_taken(self):
        long = event("reload", labels="x" * (16 << 20))
        result = self.ctl("events", "--json", answer=stream(long, event("start").rstrip("\n")))
        self.check(result, 0)
        self.assertEqual(result.stdout, long + event("start"))

    def test_times_are_made_into_what_the_daemon_takes(self):
        cases = {
            "1795357549": "1795357549",
            "1795357549.25": "1795357549.25",
            "2026-11-22T14:28:01.5+01:00": "2026-11-22T14:28:01.5+01:00",
            "2026-11-22T14:28:01": "1795357681.000000000",
            "2026-11-22 14:28": "1795357680.000000000",
            "2026-11-22": "1795305600.000000000",
        }
        for typed, sent in cases.items():
            with self.subTest(typed):
                self.check(self.ctl("events", "--since", typed, "--until", typed, answer=stream()), 0)
                self.assertEqual(query(self.requests[0])[1], {"since": sent, "until": sent})

    def test_durations_are_before_now(self):
        for typed, seconds in [("90s", 90), ("1h30m", 5400), ("250ms", 0.25), ("1.5h", 5400)]:
            with self.subTest(typed):
                before = time.time()
                self.check(self.ctl("events", "--since", typed, answer=stream()), 0)
                since = float(query(self.requests[0])[1]["since"])
                self.assertTrue(before - seconds - 0.001 <= since <= time.time() - seconds)

    def test_filters_are_sent_as_the_engine_api_has_them(self):
        words = ["--filter", "event=reload", "--filter", "type=daemon", "--filter=event=stop", "--filter", "label=a=b"]
        self.check(self.ctl("events", *words, answer=stream()), 0)
        filters = json.loads(query(self.requests[0])[1]["filters"])
        self.assertEqual(filters, {"event": ["reload", "stop"], "type": ["daemon"], "label": ["a=b"]})

    def test_wrong_usage_exits_2(self):
        times = ["", "yesterday", "5x", "2026-13-01", "2026-11-22T25:00:00", "-5s", "1e5", "."]
        for words in [["--since", t] for t in times] + [["--until", "x"], ["--filter", "a"], ["--filter", "=b"], ["x"]]:
            with self.subTest(words):
                result = self.ctl("events", *words, answer=stream())
                self.check(result, 2, "")
                self.assertEqual(self.requests, [])

    def test_refusal_exits_1(self):
        answer = reply({"message": "unknown filter: x"}, 400, "Bad Request")
        self.check(self.ctl("events", "--filter", "x=y", answer=answer), 1, "", "rtregctl: unknown filter: x\n")

    def test_without_daemon_exits_3(self):
        self.check(self.ctl("events"), 3, "")
        self.check(self.ctl("events", "--follow"), 3, "")

    def test_what_is_no_event_exits_3(self):
        self.check(self.ctl("events", answer=stream("<html>\n")), 3, "")

    def test_truncated_chunks_exit_3_behind_the_lines_before(self):
        whole = chunk(event("start"))
        for rest in (b"", b"f", b"ffff\r\n{", whole[:-5], b"zz\r\n"):
            for words in (["events"], ["events", "--follow"]):
                with self.subTest(rest=rest, words=words):
                    result = self.ctl(*words, "--json", answer=stream(event("start"), end=rest))
                    self.check(result, 3, event("start"))
                    self.assertTrue(result.stderr.startswith("rtregctl: "), result.stderr)

    def test_lost_events_are_told_and_exit_1(self):
        answer = stream(event("start"), event("lost", count="12"))
        result = self.ctl("events", "--follow", answer=answer)
        self.check(result, 1, err="rtregctl: 12 events were lost: they were not read fast enough\n")
        self.assertEqual(result.stdout.count("\n"), 1)
        result = self.ctl("events", "--follow", "--json", answer=answer)
        self.check(result, 1, event("start") + event("lost", count="12"))

    def test_follow_asks_without_until(self):
        self.ctl("events", "--follow", "--since", "5", answer=stream(event("stop")))
        self.assertEqual(self.requests[0].target, "/v1/events?since=5")
        self.ctl("events", "--follow", answer=stream(event("stop")))
        self.assertEqual(self.requests[0].target, "/v1/events")

    def test_follow_ends_with_0_behind_stop_and_3_without(self):
        result = self.ctl("events", "--follow", answer=stream(event("stop"), end=b""))
        self.check(result, 0, err="")
        self.assertIn("stop", result.stdout)
        self.check(self.ctl("events", "--follow", answer=stream(event("stop"))), 0, err="")
        result = self.ctl("events", "--follow", answer=stream(event("stop", kind="container")))
        self.check(result, 3, err=f"rtregctl: rtregd at {self.socket} has ended the stream of events\n")

    def test_follow_until_ends_with_0(self):
        self.check(self.ctl("events", "--follow", "--until", "2999-01-01", answer=stream(event("start"))), 0, err="")


class Following(People):
    def follow(self, connection, request):
        """A daemon that sends what is put into self.lines."""
        connection.sendall(HEAD)
        self.asked.set()
        while self.more.wait(PATIENCE):
            self.more.clear()
            while self.lines:
                connection.sendall(chunk(self.lines.pop(0)))
            if self.over:
                return

    def setUp(self):
        super().setUp()
        self.asked, self.more, self.lines, self.over = threading.Event(), threading.Event(), [], False
        self.serve(self.follow)
        self.addCleanup(self.let_go)

    def let_go(self):
        self.over = True
        self.more.set()

    def send(self, *lines):
        self.lines += lines
        self.more.set()

    def test_each_event_is_shown_when_it_comes(self):
        process = self.start("events", "--follow", "--json", "--timeout", "20", stdout=subprocess.PIPE)
        for i in range(3):
            self.send(event("reload", n=str(i)))
            self.assertEqual(process.stdout.readline().decode(), event("reload", n=str(i)))
        self.assertIsNone(process.poll())

    def test_the_timeout_is_for_the_answer_and_not_for_events(self):
        process = self.start("events", "--follow", "--json", "--timeout", "5", stdout=subprocess.PIPE)
        self.assertTrue(self.asked.wait(PATIENCE))
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(5.5)
        self.send(event("reload"))
        self.assertEqual(process.stdout.readline().decode(), event("reload"))

    def test_no_progress_line_is_shown_while_following(self):
        process, master = self.on_terminal("events", "--follow")
        self.assertTrue(self.asked.wait(PATIENCE))
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(1)
        self.send(event("start"))
        text = self.read_until(master, lambda text: "\n" in text)
        self.assertNotIn("waiting", text)
        self.assertTrue(text.startswith("2026-"), text)

    def test_interrupt_ends_it_as_it_ends_docker_events(self):
        process = self.start("events", "--follow", stdout=subprocess.PIPE)
        self.assertTrue(self.asked.wait(PATIENCE))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGINT)  # 130 to a shell

    def lose_reader(self, **rest):
        """The exit code where the reader goes, and no further event comes."""
        process = self.start("events", "--follow", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **rest)
        self.send(event("start"))
        process.stdout.readline()
        process.stdout.close()
        process.wait(PATIENCE)
        self.assertEqual(process.stderr.read(), b"")
        return process.returncode

    def test_reader_that_goes_ends_it_without_a_word(self):
        self.assertEqual(self.lose_reader(), -signal.SIGPIPE)

    def test_reader_that_goes_ends_it_where_sigpipe_is_ignored_too(self):
        self.assertEqual(self.lose_reader(restore_signals=False), 1)

    def test_closed_stdout_exits_1(self):
        script = f"exec {rtregctl()} events --follow >&-"
        process = subprocess.Popen(["sh", "-c", script], env=self.environment(None), stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        self.send(event("start"))
        self.assertEqual(process.wait(PATIENCE), 1)

    def test_full_disk_exits_1_and_says_so(self):
        with open("/dev/full", "wb") as full:
            process = self.start("events", "--follow", stdout=full, stderr=subprocess.PIPE)
        self.send(event("start"))
        self.assertEqual(process.wait(PATIENCE), 1)
        self.assertIn(b"No space left", process.stderr.read())


class Runtime(People):
    def sent(self, *words, code=0):
        result = self.ctl("runtime", "add", *words, answer=reply(REPORT))
        self.check(result, code, err="")
        request = self.requests[0]
        self.assertEqual(request.method, "PUT")
        return request.target, json.loads(request.body)

    def test_add_sends_path_and_arguments(self):
        words = ["--path", "/bin/x", "--arg", "--debug", "--arg=--log=a b", "my/run time", "--arg", "", "--arg", "--"]
        target, body = self.sent(*words)
        self.assertEqual(target, "/v1/runtimes/my%2Frun%20time")
        self.assertEqual(body, {"path": "/bin/x", "runtimeArgs": ["--debug", "--log=a b", "", "--"]})

    def test_add_sends_type_and_options_with_their_types(self):
        options = {
            "s=text": "text",
            "e=": "",
            "eq=a=b": "a=b",
            "t=true": True,
            "f=false": False,
            "T=True": "True",
            "n=null": "null",
            "i=42": 42,
            "z=0": 0,
            "m=-7": -7,
            "zero=007": "007",
            "frac=1.5": "1.5",
            "minus=-": "-",
            "big=9223372036854775808": "9223372036854775808",
            "o={\"a\": [1, null]}": {"a": [1, None]},
            "q=\"5\"": "5",
            "a=[]": [],
            "quote=it\"s": "it\"s",
        }
        words = [word for option in options for word in ("--option", option)]
        target, body = self.sent("kata", "--type", "io.containerd.kata.v2", *words)
        self.assertEqual(target, "/v1/runtimes/kata")
        expected = {option.split("=")[0]: value for option, value in options.items()}
        self.assertEqual(body, {"runtimeType": "io.containerd.kata.v2", "options": expected})

    def test_add_sends_no_more_than_was_given(self):
        self.assertEqual(self.sent("x", "--path", "/bin/x")[1], {"path": "/bin/x"})
        self.assertEqual(self.sent("x", "--type", "io.x.v1")[1], {"runtimeType": "io.x.v1"})

    def test_add_passes_the_generation_and_shows_the_report(self):
        answer = reply(REPORT | {"changed": [{"key": "runtimes.x", "from": None, "to": {"path": "/x"}}]})
        result = self.ctl("runtime", "add", "x", "--path", "/x", "--if-generation", "7", answer=answer)
        self.check(
            result, 0, 'generation 8 (was 7)\nchanged:\n  runtimes.x   (none) -> {"path":"/x"}\n', ""
        )
        self.assertEqual(self.requests[0].fields["if-match"], '"7"')

    def test_rm_sends_delete_and_set_default_its_name(self):
        self.check(self.ctl("runtime", "rm", "a b", "--if-generation", "3", answer=reply(REPORT)), 0)
        request = self.requests[0]
        self.assertEqual((request.method, request.target, request.body), ("DELETE", "/v1/runtimes/a%20b", b""))
        self.assertEqual(request.fields["if-match"], '"3"')
        self.check(self.ctl("set-default", 'k"', "--if-generation", "3", answer=reply(REPORT)), 0)
        request = self.requests[0]
        self.assertEqual((request.method, request.target), ("PUT", "/v1/default-runtime"))
        self.assertEqual(json.loads(request.body), {"runtime": 'k"'})
        self.assertEqual(request.fields["if-match"], '"3"')
        self.check(self.ctl("set-default", "", answer=reply(REPORT)), 0)
        self.assertEqual(json.loads(self.requests[0].body), {"runtime": ""})

    def test_json_is_the_reply_unchanged(self):
        body = json.dumps(REPORT, indent=1) + "\n"
        for words in (["runtime", "rm", "x"], ["set-default", "x"], ["runtime", "add", "x", "--type", "t"]):
            self.check(self.ctl("--json", *words, answer=reply(body)), 0, body, "")

    def test_wrong_usage_exits_2(self):
        cases = [
            ["runtime"],
            ["runtime", "--json"],
            ["runtime", "frobnicate"],
            ["runtime", "add"],
            ["runtime", "add", "x"],
            ["runtime", "add", "x", "y", "--path", "p"],
            ["runtime", "add", "x", "--path"],
            ["runtime", "add", "x", "--path", "p", "--type", "t"],
            ["runtime", "add", "x", "--path", "p", "--option", "a=b"],
            ["runtime", "add", "x", "--type", "t", "--arg", "a"],
            ["runtime", "add", "x", "--type", "t", "--option", "a"],
            ["runtime", "add", "x", "--type", "t", "--option", "=a"],
            ["runtime", "add", "x", "--type", "t", "--option", "a=b", "--option", "a=c"],
            ["runtime", "add", "x", "--type", "t", "--option", "a={"],
            ["runtime", "add", "x", "--type", "t", "--option", 'a="b'],
            ["runtime", "add", "", "--path", "p"],
            ["runtime", "add", b"\xff", "--path", "p"],
            ["runtime", "add", "x", "--path", b"\xff"],
            ["runtime", "add", "x", "--path", "p", "--arg", b"a\xff"],
            ["runtime", "add", "x", "--path", "p", "--if-generation", "x"],
            ["runtime", "rm"],
            ["runtime", "rm", ""],
            ["runtime", "rm", "x", "--if-generation", "-1"],
            ["set-default"],
            ["set-default", "x", "--if-generation", ""],
            ["help", "runtime", "x"],
            ["confirm", "x"],
            ["metrics", "x"],
        ]
        for words in cases:
            with self.subTest(words):
                result = self.ctl(*words, answer=reply(REPORT))
                self.check(result, 2, "")
                self.assertEqual(self.requests, [])

    def test_refusal_exits_1_and_no_daemon_3(self):
        answer = reply({"message": "the configuration is at generation 8, not 7"}, 412, "Precondition Failed")
        for words in (["runtime", "rm", "x"], ["set-default", "x"], ["runtime", "add", "x", "--path", "p"]):
            with self.subTest(words):
                self.check(self.ctl(*words, answer=answer), 1, "")
                self.check(self.ctl(*words), 3, "")

    def test_help_of_the_group_lists_its_commands(self):
        for words in (["runtime", "--help"], ["help", "runtime"]):
            result = self.ctl(*words)
            self.check(result, 0, err="")
            self.assertIn("runtime add NAME", result.stdout)
            self.assertIn("runtime rm NAME", result.stdout)
        self.assertEqual(self.ctl("help", "runtime", "add").stdout, self.ctl("runtime", "add", "--help").stdout)

    def test_mistyped_words_of_two_are_suggested(self):
        for words in (["runtime", "ad"], ["rutime", "add"], ["runtime", "rmm", "x"]):
            result = self.ctl(*words)
            self.check(result, 2, "")
            self.assertIn('did you mean "runtime ', result.stderr)

    def test_other_second_words_are_not_taken_for_mistyped(self):
        for word in ("list", "xx", ""):
            self.check(
                self.ctl("runtime", word),
                2,
                "",
                f'rtregctl: unknown command "runtime {word}"\n  \'rtregctl runtime --help\' lists the commands\n',
            )


class Suggestions(People):
    def refuse(self, message, status, runtimes=RUNTIMES):
        def answer(connection, request):
            if request.target == "/v1/runtimes":
                connection.sendall(reply(runtimes) if runtimes else b"")
            else:
                connection.sendall(reply({"message": message}, status, "No"))

        return answer

    def test_mistyped_runtime_is_suggested_and_exits_4(self):
        unknown = self.refuse("unknown or invalid runtime name: kaat", 400)
        missing = self.refuse("no runtime kaat was added", 404)
        default = self.refuse("specified default runtime 'kaat' does not exist", 400)
        for words, answer in [
            (["resolve", "kaat"], unknown),
            (["runtime", "rm", "kaat"], missing),
            (["set-default", "kaat"], default),
            (["set-default", "kaat"], unknown),
        ]:
            with self.subTest(words):
                result = self.ctl(*words, answer=answer)
                self.check(result, 4, "")
                self.assertIn('  did you mean "kata"?\n', result.stderr)

    def test_no_suggestion_for_what_is_there_or_far_from_all(self):
        for name in ("kata", "xyzzy-and-more"):
            result = self.ctl("runtime", "rm", name, answer=self.refuse("not added", 404))
            self.check(result, 4, "", "rtregctl: not added\n")

    def test_no_suggestion_where_the_daemon_does_not_tell(self):
        result = self.ctl("runtime", "rm", "kaat", answer=self.refuse("not added", 404, None))
        self.check(result, 4, "", "rtregctl: not added\n")

    def test_removing_the_default_exits_1(self):
        answer = self.refuse("specified default runtime 'kata' does not exist", 400)
        self.check(self.ctl("runtime", "rm", "kata", answer=answer), 1, "")


class Trial(People):
    def test_reload_confirm_sends_seconds_and_says_how_to_confirm(self):
        deadline = {"deadline": "2126-11-22T14:28:01.5Z", "seconds": 60}
        result = self.ctl("reload", "--confirm", "60", "--force", answer=reply(REPORT | {"confirm": deadline}))
        self.check(result, 0, err="")
        self.assertEqual(self.requests[0].target, "/v1/reload?force=true&confirm=60")
        self.assertRegex(result.stdout, r"(?m)^on trial until 2126-11-22 14:28:01 \(in \d+ days.*\), then")
        self.assertTrue(result.stdout.endswith("\nconfirm with: rtregctl confirm\n"), result.stdout)

    def test_reload_confirm_without_a_deadline_in_the_reply_counts_from_now(self):
        before = int(time.clock_gettime(CLOCK_REALTIME_COARSE))
        result = self.ctl("reload", "--confirm", "60", answer=reply(REPORT))
        until = re.search(r"on trial until (\S+ \S+),", result.stdout).group(1)
        shown = time.mktime(time.strptime(until + " UTC", "%Y-%m-%d %H:%M:%S %Z")) - time.timezone
        self.assertTrue(before + 60 <= shown <= time.time() + 60, (before, shown))

    def test_unchanged_reload_is_not_on_trial(self):
        result = self.ctl("reload", "--confirm", "60", answer=reply(REPORT | {"unchanged": True}))
        note = "note: nothing has changed, and nothing waits for a confirmation\n"
        self.check(result, 0, "unchanged: generation 8\n" + note)

    def test_wrong_usage_exits_2(self):
        for words in (["--confirm", "0"], ["--confirm", "x"], ["--confirm", "-1"], ["--confirm", "86401"]):
            self.check(self.ctl("reload", *words, answer=reply(REPORT)), 2, "")
        self.check(self.ctl("reload", "--confirm", "5", "--dry-run", answer=reply(REPORT)), 2, "")

    def test_confirm_posts_and_says_so(self):
        answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.check(self.ctl("confirm", answer=answer), 0, "confirmed\n", "")
        self.assertEqual((self.requests[0].method, self.requests[0].target), ("POST", "/v1/confirm"))
        self.check(self.ctl("confirm", "--json", answer=answer), 0, "", "")

    def test_confirm_of_nothing_exits_1_and_without_daemon_3(self):
        answer = reply({"message": "nothing waits for a confirmation"}, 409, "Conflict")
        self.check(self.ctl("confirm", answer=answer), 1, "", "rtregctl: nothing waits for a confirmation\n")
        self.check(self.ctl("confirm"), 3, "")


class Metrics(People):
    def test_metrics_prints_the_text_unchanged(self):
        text = "# HELP rtreg_generation x\nrtreg_generation 7\n"
        for words in (["metrics"], ["metrics", "--json"]):
            self.check(self.ctl(*words, answer=reply(text)), 0, text, "")
        self.assertEqual(self.requests[0].target, "/metrics")

    def test_refusal_exits_1_and_no_daemon_3(self):
        self.check(self.ctl("metrics", answer=reply({"message": "no"}, 503, "Busy")), 1, "", "rtregctl: no\n")
        self.check(self.ctl("metrics"), 3, "")


class Status(People):
    def lines(self, **members):
        result = self.ctl("status", answer=reply(STATUS | members))
        self.check(result, 0, err="")
        return {line.split("   ")[0]: line.split("   ")[-1].strip() for line in result.stdout.splitlines()}

    def test_rejected_configuration_is_shown_with_its_place(self):
        rejected = {"time": "2026-01-02T03:04:05Z", "source": "watch", "errors": ["one", "two"], "directory": "/r"}
        lines = self.lines(rejected=rejected)
        self.assertRegex(lines["rejected"], r"^2026-01-02 03:04:05 \(.*\), source watch$")
        self.assertEqual((lines["errors"], lines["kept in"]), ("one", "/r"))
        self.assertNotIn("rejected", self.lines(rejected=None))

    def test_the_same_errors_are_shown_once(self):
        rejected = {"time": "2026-01-02T03:04:05Z", "source": "api", "errors": ["bad"], "directory": "/r"}
        result = self.ctl("status", answer=reply(STATUS | {"rejected": rejected}))
        self.assertEqual(result.stdout.count("bad"), 1)

    def test_trial_and_watch_are_shown(self):
        lines = self.lines(confirm={"deadline": "2126-01-02T03:04:05Z", "generation": 7}, watch={"enabled": True})
        self.assertRegex(lines["on trial"], r"^until 2126-01-02 03:04:05 \(in .*\), then back to generation 7; confirm")
        self.assertEqual(lines["watch"], "on")
        lines = self.lines(confirm=None, watch={"enabled": False, "error": None})
        self.assertNotIn("on trial", lines)
        self.assertEqual(lines["watch"], "off")
        self.assertEqual(self.lines(watch={"enabled": True, "error": "no inotify"})["watch"], "no inotify")

    def lines_at(self, uptime):
        """From a call that did not take so long that the clock seems to have been set."""
        while True:
            begin = time.monotonic()
            started = time.strftime("%Y-%m-%dT%H:%M:%S.999999999Z", time.gmtime(time.time() - uptime - 1))
            lines = self.lines(started=started, uptime=uptime)
            if time.monotonic() - begin < 2:
                return lines

    def test_started_and_uptime_tell_the_same_seconds(self):
        for uptime in (0, 59, 60, 61, 3600):
            lines = self.lines_at(uptime)
            self.assertIn(f" ({lines['uptime']} ago)", lines["started"])


class Colours(People):
    RESULTS = ("ok", "failed", "unchanged")

    def history(self, **rest):
        entries = [
            {"time": "2026-01-02T03:04:05Z", "generation": 4, "source": "api", "result": result, "changed": ["debug"]}
            for result in self.RESULTS
        ]
        return self.shown("history", answer=reply({"entries": entries}), **rest)

    def test_results_are_coloured_on_a_terminal(self):
        text = self.history()
        for word, code in zip(self.RESULTS, ("32", "31", "2")):
            self.assertIn(f"\x1b[{code}m{word}\x1b[0m", text)

    def test_no_colours_with_no_color_or_a_dumb_terminal_or_a_pipe(self):
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.history(environment=environment))
            self.assertNotIn("\x1b", self.shown("ls", answer=reply(RUNTIMES), environment=environment))
        result = self.ctl("ls", answer=reply(RUNTIMES), environment={"TERM": "xterm"})
        self.assertNotIn("\x1b", result.stdout)

    def test_columns_align_with_colours(self):
        plain = re.sub(r"\x1b\[\d*m", "", self.history())
        starts = {line.index("debug") for line in plain.splitlines()[1:]}
        self.assertEqual(len(starts), 1, plain)
        self.assertEqual(starts, {plain.splitlines()[0].index("CHANGED")})

    def test_default_runtime_is_marked_and_wide_names_align(self):
        names = ["kata", "日本語", "e\u0301te\u0301", "plain-name"]
        runtimes = {name: {"path": "/b", "shim": "SHIM"} for name in names}
        for default in names:
            text = self.shown("ls", answer=reply({"generation": 1, "default": default, "runtimes": runtimes}))
            self.assertIn(f"\x1b[1m{default}\x1b[0m", text)
            plain = re.sub(r"\x1b\[\d*m", "", text)
            width = {"日本語": 3, "e\u0301te\u0301": -2}
            columns = set()
            for line in plain.splitlines()[1:]:
                name = next(name for name in names if line.startswith(name))
                columns.add(line.index("SHIM") + width.get(name, 0))
            self.assertEqual(len(columns), 1, plain)

    def test_tables_are_whole_on_narrow_and_wide_terminals(self):
        for columns in (40, 200):
            text = self.shown("ls", answer=reply(RUNTIMES), columns=columns)
            self.assertIn("--debug 'a b' 'it'\\''s' '' $'x\\ny'\n", text)

    def test_events_fit_the_terminal(self):
        line = event("reload", labels="x" * 500)
        for columns, limit in ((40, 80), (100, 100), (200, 200)):
            text = re.sub(r"\x1b\[\d*m", "", self.shown("events", answer=stream(line), columns=columns))
            self.assertLessEqual(len(text.splitlines()[0]), limit)
            self.assertIn("labels=x", text)
            self.assertIn("\x1b[32mreload", self.shown("events", answer=stream(line), columns=columns))


class Watch(People):
    def setUp(self):
        super().setUp()
        self.generation = 1

    def count(self, connection, request):
        """Each answer is another generation."""
        if request.target == "/v1/status":
            connection.sendall(reply(STATUS | {"generation": self.generation}))
        else:
            runtimes = {f"runtime-{self.generation}": {"path": "/" + "x" * 300, "shim": "s"}}
            connection.sendall(reply({"generation": 1, "default": "", "runtimes": runtimes}))
        self.generation += 1

    def test_blocks_follow_each_other_on_a_pipe_until_an_interrupt(self):
        self.serve(self.count)
        for words, pattern in ((["status"], r"(?m)^generation +\d+$"), (["ls"], r"(?m)^runtime-\d+")):
            with self.subTest(words):
                process = self.start(*words, "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                text = self.read_until(
                    process.stdout.fileno(), lambda text, pattern=pattern: len(re.findall(pattern, text)) > 2
                )
                self.assertIn("\n\n", text)
                self.assertNotIn("\x1b", text)
                process.send_signal(signal.SIGINT)
                self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, b""))

    def test_json_blocks_are_replies(self):
        self.serve(self.count)
        process = self.start("status", "--watch", "--json", stdout=subprocess.PIPE)
        text = self.read_until(process.stdout.fileno(), lambda text: text.count("\n") > 3)
        generations = [json.loads(line)["generation"] for line in text.splitlines() if line]
        self.assertEqual(generations[:2], [1, 2])

    def test_a_terminal_is_redrawn_in_place(self):
        self.serve(self.count)
        for columns in (40, 200):
            with self.subTest(columns):
                self.generation = 1
                process, master = self.on_terminal("ls", "--watch", columns=columns)
                text = self.read_until(master, lambda text: "runtime-3" in text and text.endswith("\x1b[J"))
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(PATIENCE), 0)
                screen = Screen()
                screen.feed(text)
                self.assertEqual(len(screen.lines), 3, screen.lines)
                self.assertTrue(screen.lines[0].startswith("NAME"))
                self.assertRegex(screen.lines[1], r"^runtime-([3-9]|\d\d)")  # or a later one, where this is slow to read
                self.assertLessEqual(max(map(len, screen.lines)), columns)

    def test_a_block_higher_than_the_terminal_is_cut(self):
        runtimes = {f"r{i:02}": {"path": "/x", "shim": "s"} for i in range(30)}
        self.serve(reply({"generation": 1, "default": "", "runtimes": runtimes}))
        process, master = self.on_terminal("ls", "--watch", lines=10)
        text = self.read_until(master, lambda text: text.count("\x1b[J") > 1 and text.endswith("\x1b[J"))
        screen = Screen()
        screen.feed(text)
        self.assertEqual(screen.lines[-2:], ["…", ""])
        self.assertEqual(len(screen.lines), 10)

    def test_colours_survive_being_cut(self):
        self.serve(reply(STATUS))
        process, master = self.on_terminal("status", "--watch", columns=30)
        text = self.read_until(master, lambda text: text.count("\x1b[J") > 1 and text.endswith("\x1b[J"))
        self.assertEqual(len(re.findall(r"\x1b\[[1-9]\d*m", text)), text.count("\x1b[0m"))
        self.assertIn("\x1b[31mfailed", text)

    def test_a_restart_of_the_daemon_is_waited_for(self):
        for terminal in (False, True):
            with self.subTest(terminal=terminal):
                self.generation = 1
                with Daemon(self.socket, self.count):
                    if terminal:
                        process, fd = self.on_terminal("status", "--watch")
                        told = fd
                    else:
                        process = self.start("status", "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                        fd, told = process.stdout.fileno(), process.stderr.fileno()
                    self.read_until(fd, lambda text: "generation" in text)
                self.read_until(told, lambda text: "waiting for rtregd" in text)
                self.assertIsNone(process.poll())
                self.generation = 77
                with Daemon(self.socket, self.count):
                    self.read_until(fd, lambda text: re.search(r"generation +77", text))
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(PATIENCE), 0)

    def test_no_daemon_to_begin_with_exits_3(self):
        self.check(self.ctl("status", "--watch"), 3, "")
        self.check(self.ctl("ls", "--watch"), 3, "")

    def test_refusal_to_begin_with_exits_1(self):
        self.check(self.ctl("ls", "--watch", answer=reply({"message": "no"}, 503, "Busy")), 1, "", "rtregctl: no\n")

    def test_reader_that_goes_ends_it_without_a_word(self):
        self.serve(self.count)
        for restore, code in ((True, -signal.SIGPIPE), (False, 1)):
            with self.subTest(sigpipe_ignored=not restore):
                streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "restore_signals": restore}
                process = self.start("status", "--watch", **streams)
                process.stdout.readline()
                process.stdout.close()
                self.assertEqual(process.wait(PATIENCE), code)
                self.assertEqual(process.stderr.read(), b"")


if __name__ == "__main__":
    main()
