#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""GET /metrics on the socket and on the diagnostic port, and docs/metrics.md. Where there is a promtool (RTREG_PROMTOOL, or
in the PATH), it looks too."""

import datetime
import fcntl
import http.client
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import unittest

from exposition import Malformed, Page
from test_daemon import PATIENCE, DaemonTest, Reply, free_port

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
PROMTOOL = os.environ.get("RTREG_PROMTOOL") or shutil.which("promtool")
CONTENT_TYPE = "text/plain; version=0.0.4"
BUILT_IN_STEPS = ("read", "merge", "check", "probe", "seal", "repair", "scripts", "publish", "commit")
OWN_STEPS = ("sharing", "log", "diagnostic-port", "record")

GOOD = """# HELP a_total Text with \\\\ and \\n.
# TYPE a_total counter
a_total{b="\\\\ \\n \\"",c=""} 1
# HELP h Text.
# TYPE h histogram
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_sum 1.5
h_count 2
# HELP s Text.
# TYPE s summary
s_sum 1e-05
s_count 1
# HELP g Text.
# TYPE g gauge
g -1
"""
# What is put in place of what, so that the page is bad.
SPOILS = (
    ("g -1\n", "g -1"), ("g -1\n", "g -1\n\n"), ("g -1", "g"), ("g -1", "g  -1"), ("g -1", "g x"), ("g -1", "f 1"),
    ("g -1", "g{} 1"), ("g -1", "g 1\ng 1"), ("g -1", 'g{a="1",a="1"} 1'), ("g -1", 'g{a="1} 1'), ("g -1", 'g{a=1} 1'),
    ("g -1", 'g{a="\\t"} 1'), ("g -1", 'g{1a="t"} 1'), ("g -1", 'g{a="1",} 1'), ("g -1", 'g{le="1"} 1'),
    ("g -1", "g_total 1"), ("# HELP g Text.\n", ""), ("# TYPE g gauge\n", ""), ("# TYPE g gauge", "# TYPE g gage"),
    ("# HELP g Text.", "# HELP h Text."), ("# HELP g Text.", "# note"), ("HELP g Text.", "HELP g \\t"),
    ("# HELP s Text.\n# TYPE s summary", "# HELP h Text.\n# TYPE h summary"), ("a_total", "a"), ("a_total counter", "a_total gauge"),
    ('c=""} 1', 'c=""} -1'), ("s_count 1\n", ""), ("s_sum 1e-05\n", ""), ("h_sum 1.5\n", ""), ("h_count 2", "h_count 3"),
    ("h_count 2\n", ""), ('h_bucket{le="+Inf"} 2\n', ""), ('h_bucket{le="0.5"} 1', 'h_bucket{le="0.5"} 3'),
    ('h_bucket{le="+Inf"} 2\n', 'h_bucket{le="+Inf"} 2\nh_bucket{le="0.7"} 2\n'), ('h_bucket{le="0.5"}', "h_bucket"),
)


class Parser(unittest.TestCase):
    def test_good_page_is_read(self):
        page = Page(GOOD)
        self.assertEqual(page.value("a_total", b='\\ \n "', c=""), 1)
        self.assertEqual(page.families["a_total"].help, "Text with \\ and \n.")
        self.assertEqual(page.value("h", "_bucket", le="+Inf"), 2)

    def test_bad_pages_are_refused(self):
        for before, after in SPOILS:
            with self.subTest(after):
                self.assertIn(before, GOOD)
                self.assertRaises(Malformed, Page, GOOD.replace(before, after))


class MetricsTest(DaemonTest):
    def scrape(self, connection=None):
        reply = self.get("/metrics", connection=connection)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, CONTENT_TYPE))
        return Page(reply.text)

    def ask_port(self, port, path="/metrics", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request(method, path)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def scrape_port(self, port):
        reply = self.ask_port(port)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, CONTENT_TYPE))
        return Page(reply.text)

    def grew(self, before, after, name, suffix="", **labels):
        return after.value(name, suffix, **labels) - before.value(name, suffix, **labels)

    def requests_between(self, before, after):
        """(route, code) to how many, of those that became more."""
        family = after.families["rtreg_requests_total"]
        grown = {}
        for _, labels in family.samples:
            labels = dict(labels)
            more = self.grew(before, after, family.name, **labels)
            if more:
                grown[labels["route"], int(labels["code"])] = more
        return grown

    def in_background(self, work):
        """Repeats work(turn) on a thread until the test ends; what it raises fails the test."""
        stop, failures = threading.Event(), []

        def loop():
            turn = 0
            try:
                while not stop.is_set():
                    work(turn)
                    turn += 1
            except Exception as e:  # pylint: disable=broad-except
                failures.append(e)

        thread = threading.Thread(target=loop)
        thread.start()

        def end():
            stop.set()
            thread.join()
            self.assertEqual(failures, [])

        self.addCleanup(end)


class Content(MetricsTest):
    def test_requests_are_counted_by_pattern_and_code(self):
        self.configure({"runtimes": {"gone": {"path": self.at("gone"), "runtimeArgs": ["-x"]}}})
        self.start()
        before = self.scrape()
        asked = (("GET", "/v1/status", 200), ("HEAD", "/v1/status", 200), ("GET", "/v1/runtimes/runc", 200),
                 ("GET", "/v1/runtimes/%72unc?x=y", 200), ("GET", "/v1/runtimes/nosuch", 400), ("GET", "/v1/runtimes/gone", 424),
                 ("GET", "/v1.41/info", 200), ("GET", "/info", 200), ("DELETE", "/v1/status", 405), ("GET", "/nosuch", 404),
                 ("GET", "/v1.41/metrics", 404), ("POST", "/metrics", 405))
        for method, path, status in asked:
            self.assertEqual(self.request(method, path).status, status)
        after = self.scrape()
        self.assertEqual(self.requests_between(before, after), {
            ("/v1/status", 200): 2, ("/v1/runtimes/{name}", 200): 2, ("/v1/runtimes/{name}", 400): 1,
            ("/v1/runtimes/{name}", 424): 1, ("/info", 200): 2, ("/v1/status", 405): 1, ("other", 404): 2,
            ("/metrics", 405): 1, ("/metrics", 200): 1})
        self.assertEqual(self.grew(before, after, "rtreg_request_duration_seconds", "_count", route="/v1/status"), 3)

    def test_refusals_before_a_handler_are_counted(self):
        self.start()
        before = self.scrape()
        self.assertEqual(self.status_of_raw("GET /v1/status HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 100 + "\r\n"), 431)
        self.assertEqual(self.status_of_raw("POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"), 413)
        self.assertEqual(self.status_of_raw("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501)
        chunks = "10000\r\n" + "x" * 0x10000 + "\r\n"
        head = "POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n"
        self.assertEqual(self.status_of_raw(head), 400)
        head = "GET /v1/config HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(self.status_of_raw(head + chunks * 17), 413)
        self.assertEqual(self.requests_between(before, self.scrape()), {
            ("other", 431): 1, ("/v1/reload", 413): 1, ("other", 501): 1, ("other", 400): 1, ("/v1/config", 413): 1,
            ("/metrics", 200): 1})

    def test_connections_over_the_limit_are_counted_with_reason_and_503(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        self.start()
        connection = self.keep_connection()
        self.wait_for(lambda: self.scrape(connection).value("rtreg_connections") == 1, "those of the start to go")
        before = self.scrape(connection)
        for _ in range(1023):
            self.connect().sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")  # so that it has a minute, not five seconds
        statuses = [self.status_of_raw("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n") for _ in range(5)]
        self.assertEqual(statuses, 5 * [503])
        after = self.scrape(connection)
        self.assertEqual(self.grew(before, after, "rtreg_connections_refused_total", reason="limit"), 5)
        self.assertEqual(self.requests_between(before, after).get(("other", 503)), 5)

    def test_connections_are_counted(self):
        self.start()
        connection = self.keep_connection()
        self.wait_for(lambda: self.scrape(connection).value("rtreg_connections") == 1, "those of the start to go")
        before = self.scrape(connection)
        for _ in range(3):
            other = self.keep_connection()
            self.get("/_ping", connection=other)
        after = self.scrape(connection)
        self.assertEqual(self.grew(before, after, "rtreg_connections_accepted_total"), 3)
        self.assertEqual(self.grew(before, after, "rtreg_connections"), 3)
        other.close()
        self.wait_for(lambda: self.grew(after, self.scrape(connection), "rtreg_connections") == -1, "the close")

    def unread(self, raw):
        """How much of what was sent has not been read."""
        return struct.unpack("i", fcntl.ioctl(raw, termios.TIOCOUTQ, bytes(4)))[0]

    def test_requests_that_end_before_their_head_does_are_counted(self):
        self.start()
        connection = self.keep_connection()
        self.assertEqual(self.scrape(connection).value("rtreg_requests_unread_total"), 0)
        raw = self.connect()
        raw.sendall(b"GET /v1/status HTTP/1.1\r\nHo")
        self.wait_for(lambda: self.unread(raw) == 0, "the daemon to read")
        raw.close()
        self.wait_for(lambda: self.scrape(connection).value("rtreg_requests_unread_total") == 1, "the count")
        raw = self.connect()
        raw.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100000)
        raw.recv(64)
        self.wait_for(lambda: self.scrape(connection).value("rtreg_requests_unread_total") == 2, "the count")

    def test_reloads_are_counted_by_result_and_source(self):
        self.start()
        before = self.scrape()
        self.assertEqual([before.value("rtreg_reloads_total", result=result) for result in ("ok", "unchanged", "failed")],
                         [0, 0, 0])
        for _ in range(3):
            self.reload({"mtu": -1})
        self.reload({"debug": True})
        self.reload({"debug": True})
        self.reload({"debug": False}, "?dry-run=true")
        self.reload({"debug": False}, headers={"If-Match": '"99"'})
        self.configure({"labels": ["a=b"]})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.generation() == 3, "the reload")
        after = self.scrape()
        for result, count in (("ok", 2), ("unchanged", 1), ("failed", 3)):
            self.assertEqual(after.value("rtreg_reloads_total", result=result), count, result)
        for source, result, count in (("api", "ok", 1), ("api", "unchanged", 1), ("api", "failed", 3), ("signal", "ok", 1),
                                      ("signal", "failed", 0), ("watch", "ok", 0)):
            self.assertEqual(after.value("rtreg_reloads_by_source_total", source=source, result=result), count)
        self.assertEqual(after.value("rtreg_reload_duration_seconds", "_count"), 8)

    def check_against_status(self):
        page, status = self.scrape(), self.get("/v1/status").json
        self.assertEqual(page.value("rtreg_generation"), status["generation"])
        self.assertEqual(page.value("rtreg_runtimes"), status["runtimes"])
        self.assertEqual(page.value("rtreg_last_reload_successful"), status["reload"]["result"] != "failed")
        ended = datetime.datetime.fromisoformat(status["reload"]["time"][:26] + "+00:00").timestamp()
        self.assertAlmostEqual(page.value("rtreg_last_reload_timestamp_seconds"), ended, places=5)
        self.assertEqual(page.value("rtreg_pinned_generations"), len(status["pinned"]))
        self.assertEqual(page.value("rtreg_build_info", version=status["version"]), 1)
        self.assertLessEqual(page.value("rtreg_uptime_seconds"), status["uptime"] + 1)

    def test_values_are_those_of_status(self):
        self.start()
        self.check_against_status()
        for value, status in (({"runtimes": {"a": {"path": "/bin/true"}}}, 200), ({"mtu": -1}, 400), ({"debug": True}, 200)):
            self.assertEqual(self.reload(value).status, status)
            self.check_against_status()

    def test_grace_periods_and_freed_snapshots_are_counted(self):
        self.start()
        for number in range(1, 6):
            self.reload(query="?force=true")
            self.wait_for(lambda: self.scrape().value("rtreg_snapshots_freed_total") == number, "the reclaimer")
        page = self.scrape()
        self.assertEqual(page.value("rtreg_grace_period_seconds", "_count"), 5)
        self.assertGreater(page.value("rtreg_grace_period_seconds", "_sum"), 0)
        self.assertEqual(page.value("rtreg_snapshots_waiting"), 0)

    def test_steps_are_timed(self):
        self.start()
        before = self.scrape()
        self.reload({"debug": True})
        self.reload({"mtu": -1})
        self.reload({"debug": False}, "?dry-run=true")
        after = self.scrape()
        for kind, names in (("built-in", BUILT_IN_STEPS), ("engine", OWN_STEPS)):
            for name in names:
                grown = self.grew(before, after, "rtreg_reload_step_seconds", "_count", kind=kind, step=name)
                expected = {"read": 3, "merge": 3, "check": 3, "seal": 2}.get(name, 1)
                self.assertEqual(grown, expected, name)
        self.assertEqual(len(after.families["rtreg_reload_step_seconds"].samples),
                         2 * len(BUILT_IN_STEPS + OWN_STEPS))
        self.assertGreater(self.grew(before, after, "rtreg_reload_step_seconds", "_sum", kind="built-in", step="read"), 0)

    def test_probes_and_scripts_are_counted(self):
        self.start()
        before = self.scrape()
        good = self.script("good", "echo '{}'\n")
        runtimes = {"good": {"path": good, "runtimeArgs": ["-x"]}, "bad": {"path": self.script("bad", "exit 1\n")},
                    "gone": {"path": self.at("gone"), "runtimeArgs": ["-x"]}}
        self.reload({"runtimes": runtimes})
        after = self.scrape()
        self.assertEqual(self.grew(before, after, "rtreg_probes_total", result="answered"), 1)
        self.assertEqual(self.grew(before, after, "rtreg_probes_total", result="failed"), 2)
        self.assertEqual(self.grew(before, after, "rtreg_wrapper_scripts_total", action="written"), 2)
        os.chmod(self.get("/v1/resolve?runtime=good").json["options"]["BinaryName"], 0o600)
        self.reload({"runtimes": runtimes})
        last = self.scrape()
        self.assertEqual(self.grew(after, last, "rtreg_wrapper_scripts_total", action="repaired"), 1)
        self.assertEqual(self.grew(after, last, "rtreg_wrapper_scripts_total", action="written"), 0)
        self.assertEqual(self.grew(after, last, "rtreg_probes_total", result="failed"), 0)
        self.assertEqual(self.grew(after, last, "rtreg_probes_total", result="remembered"), 4)

    def test_events_are_counted(self):
        self.start()
        self.reload({"debug": True})
        self.reload({"debug": True})
        self.reload({"mtu": -1})
        self.assertEqual(self.scrape().value("rtreg_events_total"), len(self.events()))

    def test_process_values_are_the_kernels(self):
        self.start()
        connection = self.keep_connection()
        place = f"/proc/{self.process.pid}"
        self.wait_for(lambda: self.scrape(connection).value("process_open_fds") == len(os.listdir(place + "/fd")),
                      "the same number of descriptors")
        page = self.scrape(connection)
        with open(place + "/limits") as limits:
            line = next(line for line in limits if line.startswith("Max open files"))
        self.assertEqual(page.value("process_max_fds"), int(line.split()[3]))
        self.assertGreater(page.value("process_resident_memory_bytes"), 1 << 20)
        self.assertGreaterEqual(page.value("process_virtual_memory_bytes"), page.value("process_resident_memory_bytes"))
        self.assertGreater(page.value("process_cpu_seconds_total"), 0)
        self.assertLess(abs(page.value("process_start_time_seconds") - time.time()), 2 * PATIENCE)

    def test_head_has_the_length_and_no_body(self):
        self.start()
        reply = self.request("HEAD", "/metrics")
        self.assertEqual((reply.status, reply.text, reply.headers["Content-Type"]), (200, "", CONTENT_TYPE))
        self.assertGreater(int(reply.headers["Content-Length"]), 1000)

    @unittest.skipUnless(PROMTOOL, "no promtool here")
    def test_promtool_finds_nothing_wrong(self):
        self.start()
        self.reload({"mtu": -1})
        self.get("/nosuch")
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=self.get("/metrics").text, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Document(MetricsTest):
    def setUp(self):
        super().setUp()
        self.text = DOCUMENT.read_text(encoding="utf-8")

    def test_page_and_daemon_have_the_same_metrics(self):
        self.start()
        self.get("/nosuch")
        self.scrape()
        said = [(family.name, family.type, family.label_names(), family.help) for family in self.scrape().families.values()]
        told = [(name, kind, set(re.findall(r"`(\w+)`", labels)), meaning)
                for name, kind, labels, meaning in ROW.findall(self.text)]
        self.assertEqual(told, said)

    def rules(self):
        return re.search(r"^```yaml\n(.*?)^```", self.text, re.DOTALL | re.MULTILINE).group(1)

    def test_alerts_are_about_metrics_that_are_there(self):
        self.start()
        known = set(self.scrape().families)
        lines = [line for line in self.rules().splitlines() if line.strip().startswith("expr:")]
        self.assertEqual(len(lines), 3)
        for line in lines:
            names = set(re.findall(r"\b(?:rtreg|process)_\w+", line))
            self.assertTrue(names and names <= known, line)

    @unittest.skipUnless(PROMTOOL, "no promtool here")
    def test_promtool_accepts_the_alerts(self):
        path = self.at("rules.yml")
        with open(path, "w") as file:
            file.write(self.rules())
        done = subprocess.run([PROMTOOL, "check", "rules", path], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Load(MetricsTest):
    """Scrapes while others ask and reload."""

    def reload_alternately(self, turn):
        self.reload(*(({"mtu": -1},) if turn % 2 else (None, "?force=true")))

    def test_counters_never_go_down(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        self.in_background(self.reload_alternately)
        for path in ("/v1/status", "/nosuch", "/v1/runtimes/nosuch"):
            self.in_background(lambda turn, path=path: self.get(path))
        before = {}
        for turn in range(100):
            now = (self.scrape_port(port) if turn % 2 else self.scrape()).rising()
            fallen = [key for key, value in before.items() if now.get(key, -1) < value]
            self.assertEqual(fallen, [])
            before = now

    def test_generation_and_result_are_of_one_moment(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        self.in_background(self.reload_alternately)
        kept = self.keep_connection()
        for turn in range(600):
            page = self.scrape(kept) if turn % 8 == 0 else self.scrape_port(port)
            done = {result: page.value("rtreg_reloads_total", result=result) for result in ("ok", "failed")}
            self.assertEqual(page.value("rtreg_generation"), 1 + done["ok"])
            self.assertEqual(page.value("rtreg_last_reload_successful"), done["ok"] > done["failed"] or not done["failed"])

    def test_port_that_moves_under_scrapes_holds_no_reload_up(self):
        ports = [free_port(), free_port()]
        self.configure({"network-diagnostic-port": ports[0]})
        self.start()

        def scrape_any(turn):
            try:
                self.ask_port(ports[turn % 2])
            except (OSError, http.client.HTTPException):
                pass  # it is at the other port

        for _ in range(3):
            self.in_background(scrape_any)
        for turn in range(30):
            self.assertEqual(self.reload({"network-diagnostic-port": ports[(turn + 1) % 2]}).status, 200)


    def test_stop_under_scrapes_is_orderly(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        seen = threading.Semaphore(0)

        def scrape_until_it_ends(turn):
            try:
                self.ask_port(port)
                seen.release()
            except (OSError, http.client.HTTPException):
                time.sleep(0.001)

        for _ in range(3):
            self.in_background(scrape_until_it_ends)
        for _ in range(10):
            self.assertTrue(seen.acquire(timeout=PATIENCE))
        self.assertEqual(self.stop(), 0, self.read_log())


class Diagnostic(MetricsTest):
    def test_same_metrics_as_on_the_socket(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        there, here = self.scrape_port(port), self.scrape()
        self.assertEqual(list(there.families), list(here.families))
        self.assertEqual(there.value("rtreg_generation"), 1)

    def test_starts_moves_stays_and_stops_with_a_reload(self):
        first, second = free_port(), free_port()
        self.start()
        self.assertRaises(ConnectionRefusedError, self.ask_port, first)
        for port in (first, second, second):
            self.assertEqual(self.reload({"network-diagnostic-port": port}, "?force=true").status, 200)
            self.assertEqual(self.scrape_port(port).value("rtreg_generation"), self.generation())
        self.assertRaises(ConnectionRefusedError, self.ask_port, first)
        self.assertEqual(self.reload({"network-diagnostic-port": 0}).status, 200)
        self.assertRaises(ConnectionRefusedError, self.ask_port, second)

    def test_port_in_use_refuses_the_reload_and_the_old_one_stays(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.assertEqual(self.reload({"network-diagnostic-port": taken.getsockname()[1]}).status, 500)
        page = self.scrape_port(port)
        self.assertEqual((page.value("rtreg_generation"), page.value("rtreg_last_reload_successful")), (1, 0))
        self.assertEqual(page.value("rtreg_reloads_total", result="failed"), 1)

    def test_nothing_changes_anything(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        for path in ("/metrics", "/healthz", "/readyz"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                with self.subTest(method + " " + path):
                    reply = self.ask_port(port, path, method)
                    self.assertEqual((reply.status, reply.headers["Allow"]), (405, "GET, HEAD"))
        for method in ("GET", "POST", "PUT", "DELETE"):
            for path in ("/v1/reload", "/v1/status", "/v1/runtimes/runc", "/", "/metrics/", "/v1.41/metrics", "/_ping"):
                with self.subTest(method + " " + path):
                    self.assertEqual(self.ask_port(port, path, method).status, 404)
        self.assertEqual(self.generation(), 1)

    def test_other_addresses_are_not_served(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        with socket.socket() as raw:
            self.assertRaises(ConnectionRefusedError, raw.connect, ("127.0.0.2", port))

    def call(self, port, said):
        raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(raw.close)
        raw.sendall(said)
        return raw

    def test_callers_that_say_little_keep_nobody_out_and_hold_no_reload_up(self):
        first, second = free_port(), free_port()
        self.configure({"network-diagnostic-port": first})
        self.start()
        callers = []

        def drip(turn):
            """So often that none of them is ever idle for long."""
            time.sleep(0.01)
            try:
                callers[turn % len(callers)].send(b"x")
            except OSError:
                pass  # it was cut

        callers.append(self.call(first, b"GET /metr"))
        self.in_background(drip)
        for _ in range(60):
            callers.append(self.call(first, b"GET /metr"))
        self.assertEqual(self.ask_port(first, "/healthz").status, 200)
        self.scrape_port(first)
        self.assertEqual(self.reload({"network-diagnostic-port": second}).status, 200)
        self.scrape_port(second)

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_without_descriptors_callers_wait_and_it_does_not_spin(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        soft, hard = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (48, hard))
        for _ in range(48):
            self.connect()
        self.wait_for(lambda: "cannot accept" in self.read_log(), "the daemon to be out of descriptors")
        caller = self.call(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic(), self.processor_seconds()
        time.sleep(1)
        self.assertLess((self.processor_seconds() - began[1]) / (time.monotonic() - began[0]), 0.3)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.assertTrue(caller.recv(64).startswith(b"HTTP/1.1 200 "))

    def test_caller_that_says_nothing_holds_no_reload_up(self):
        first, second = free_port(), free_port()
        self.configure({"network-diagnostic-port": first})
        self.start()
        caller = self.call(first, b"")
        self.scrape_port(first)  # answered after the caller, who came first, was accepted
        self.assertEqual(self.reload({"network-diagnostic-port": second}).status, 200)
        self.assertEqual(caller.recv(1), b"")

    def test_caller_that_reads_nothing_holds_nothing_up(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        self.call(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        self.scrape_port(port)
        self.assertEqual(self.reload({"debug": True}).status, 200)

    def test_stop_with_callers_is_orderly(self):
        port = free_port()
        self.configure({"network-diagnostic-port": port})
        self.start()
        self.call(port, b"GET /met")
        self.assertEqual(self.stop(), 0)


if __name__ == "__main__":
    unittest.main()
