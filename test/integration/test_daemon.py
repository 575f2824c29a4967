#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtregd from outside: each test starts a real one in a directory of its own and talks to its socket."""

import contextlib
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

RTREGD = os.path.abspath(os.path.join(os.environ.get("RTREG_BUILD", "build"), "daemon", "rtregd"))
PATIENCE = 60  # seconds that anything may take before it counts as hanging


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("rtreg", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


CLAIMED = []  # sockets that keep the ports of this process from other tests, until its end


def free_port():
    """A port for this process alone: other tests that ask see the claim, and the kernel gives out none so low."""
    while True:
        port, claim = random.randrange(10240, 32768), socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0rtreg-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        CLAIMED.append(claim)
        return port


class DaemonTest(unittest.TestCase):
    watch = ("--no-watch",)  # most tests say themselves when a file is to be read

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="rtregd-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.config = self.at("daemon.json")
        self.socket = self.at("run/rtreg.sock")
        self.log = self.at("log")
        self.process = None
        self.configure({})

    def at(self, name):
        return os.path.join(self.directory, name)

    def configure(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        with open(self.config + ".new", "w") as file:
            file.write(text)
        os.rename(self.config + ".new", self.config)

    def script(self, name, text):
        path = self.at(name)
        with open(path, "w") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    def command(self, *options, state="state", socket_path=None):
        return [RTREGD, "--config-file", self.config, "--state-dir", self.at(state), "--socket",
                socket_path or self.socket, "--exec-root", self.at("exec"), "--threads", "2", *self.watch, *options]

    def spawn(self, *options, cwd=None, **places):
        with open(self.log, "a") as log:
            process = subprocess.Popen(self.command(*options, **places), stderr=log, stdin=subprocess.DEVNULL,
                                       cwd=cwd)
        self.addCleanup(self.end, process)
        return process

    def start(self, *options, **places):
        self.process = self.spawn(*options, **places)
        self.wait_for(self.answers, "the daemon to answer")

    def answers(self):
        self.assertIsNone(self.process.poll(), self.read_log())
        try:
            return self.get("/v1/status").status == 200  # which waits until the start is written down
        except OSError:
            return False

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def run_once(self, *options, **places):
        return subprocess.run(self.command(*options, **places), capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def read_log(self):
        with open(self.log) as file:
            return file.read()

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain for " + what)
            time.sleep(0.01)

    def request(self, method, path, body=None, headers=None, connection=None):
        used = connection or UnixConnection(self.socket)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered before
                used.request(method, path, body, headers or {})
            return Reply(used.getresponse())
        finally:
            if not connection:
                used.close()

    def halt(self):
        """Until each of its threads has stopped: one that just wakes up would still accept."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = f"/proc/{self.process.pid}/task"

        def has_stopped(task):
            try:
                with open(f"{tasks}/{task}/stat") as file:
                    return file.read().rpartition(")")[2].split()[0] == "T"
            except (FileNotFoundError, ProcessLookupError):
                return True  # it has ended

        self.wait_for(lambda: all(has_stopped(task) for task in os.listdir(tasks)), "all threads to stop")

    def keep_connection(self):
        connection = UnixConnection(self.socket)
        self.addCleanup(connection.close)
        return connection

    def get(self, path, **rest):
        return self.request("GET", path, **rest)

    def events(self, query="since=0", prefix="/v1"):
        """The events that there are."""
        now = time.time_ns()
        text = self.get(f"{prefix}/events?{query}&until={now // 10**9}.{now % 10**9:09d}").text
        return [json.loads(line) for line in text.splitlines()]

    def reload(self, value=None, query="", headers=None):
        body = None if value is None else value if isinstance(value, str) else json.dumps(value)
        return self.request("POST", "/v1/reload" + query, body, headers)

    def generation(self):
        return self.get("/v1/status").json["generation"]

    def connect(self):
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(self.socket)  # with a timeout it would fail, and not wait, where the queue is full
        raw.settimeout(PATIENCE)
        self.addCleanup(raw.close)
        return raw

    def raw(self, text):
        """Sends text as it is and returns the first piece of what comes."""
        connection = self.connect()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has answered before
            connection.sendall(text.encode())
        return connection.recv(65536).decode()

    def status_of_raw(self, text):
        return int(self.raw(text).split()[1])


class Reading(DaemonTest):
    def test_every_reading_request_answers_json_of_one_generation(self):
        self.start()
        for path in ("/v1/runtimes", "/v1/runtimes/runc", "/v1/resolve", "/v1/config", "/v1/status"):
            with self.subTest(path):
                reply = self.get(path)
                self.assertEqual(reply.status, 200, reply.text)
                self.assertEqual(reply.headers["Content-Type"], "application/json")
                self.assertEqual(reply.json["generation"], 1)
                self.assertEqual(reply.headers["Rtreg-Generation"], "1")
                self.assertEqual(reply.headers["ETag"], '"1"')

    def test_resolve_default_and_implicit_and_unknown(self):
        self.start()
        reply = self.get("/v1/resolve?runtime=").json
        self.assertEqual((reply["name"], reply["shim"]), ("runc", "io.containerd.runc.v2"))
        self.assertEqual(reply["options"]["BinaryName"], "runc")
        reply = self.get("/v1/resolve?runtime=io.containerd.kata.v2").json
        self.assertEqual(reply, {"generation": 1, "name": "io.containerd.kata.v2",
                                 "shim": "io.containerd.kata.v2", "options": {}})
        reply = self.get("/v1/resolve?runtime=nothing")
        self.assertEqual(reply.status, 400)
        self.assertIn("unknown or invalid runtime name: nothing", reply.json["message"])

    def test_names_in_paths_are_decoded_once(self):
        name = "my/custom 100%.v1"
        self.configure({"runtimes": {name: {"path": "/bin/true"}}})
        self.start()
        self.assertEqual(self.get("/v1/runtimes/my%2Fcustom%20100%25.v1").json["name"], name)
        self.assertEqual(self.get("/v1/resolve?runtime=my%2Fcustom+100%25.v1").json["name"], name)
        for path in ("/v1/runtimes/a%00b", "/v1/runtimes/a%zz", "/v1/runtimes/a%2", "/v1/resolve?runtime=%00"):
            with self.subTest(path):
                self.assertEqual(self.get(path).status, 400)

    def test_runtime_carries_features_and_resolve_does_not(self):
        probe = self.script("probe", 'echo \'{"ociVersionMin":"1.0.0"}\'\n')
        self.configure({"runtimes": {"probed": {"path": probe}}})
        self.start()
        self.assertEqual(self.get("/v1/runtimes/probed").json["features"], {"ociVersionMin": "1.0.0"})
        self.assertNotIn("features", self.get("/v1/resolve?runtime=probed").json)

    def test_missing_binary_behind_a_wrapper_is_424_and_then_found(self):
        path = self.at("later")
        self.configure({"runtimes": {"later": {"path": path, "runtimeArgs": ["--x"]}}})
        self.start()
        reply = self.get("/v1/resolve?runtime=later")
        self.assertEqual((reply.status, reply.json["exit-code"]), (424, 127))
        self.assertIn("error while looking up the specified runtime path", reply.json["message"])
        self.script("later", "exit 0\n")
        self.assertEqual(self.get("/v1/resolve?runtime=later").status, 200)

    def test_unknown_paths_are_404_and_wrong_methods_405_with_allow(self):
        self.start()
        for path in ("/", "/v1", "/v1/runtimes/", "/v1/runtimes/a/b", "/v1/nothing", "/v1.41/v1/status", "/v1./info"):
            with self.subTest(path):
                reply = self.get(path)
                self.assertEqual(reply.status, 404)
                self.assertIn("message", reply.json)
        for method, path, allow in (("POST", "/v1/status", "GET, HEAD"), ("GET", "/v1/reload", "POST"),
                                    ("DELETE", "/v1.41/info", "GET, HEAD")):
            with self.subTest(path):
                reply = self.request(method, path)
                self.assertEqual((reply.status, reply.headers["Allow"]), (405, allow))

    def test_wrapper_has_an_absolute_path_also_below_a_relative_state_dir(self):
        path = self.script("wrapped", "echo ran $1\n")
        self.configure({"runtimes": {"wrapped": {"path": path, "runtimeArgs": ["--x"]}}})
        self.process = self.spawn("--state-dir", "sub/state", cwd=self.directory)
        self.wait_for(self.answers, "the daemon to answer")
        wrapper = self.get("/v1/resolve?runtime=wrapped").json["options"]["BinaryName"]
        self.assertEqual(os.path.dirname(wrapper), self.at("sub/state/runtimes"))
        self.assertEqual(subprocess.check_output([wrapper], cwd="/", text=True), "ran --x\n")

    def test_head_answers_as_get_without_a_body(self):
        self.start()
        connection = self.keep_connection()
        for path in ("/v1/status", "/_ping"):
            reply = self.request("HEAD", path, connection=connection)
            self.assertEqual((reply.status, reply.text), (200, ""))
            self.assertGreater(int(reply.headers["Content-Length"]), 0)

    def test_docker_routes_with_and_without_version(self):
        self.configure({"labels": ["rack=7"], "insecure-registries": ["reg.local:5000"],
                        "registry-mirrors": ["https://mirror.local"]})
        self.start()
        for prefix in ("", "/v1.41", "/v1.24"):
            reply = self.get(prefix + "/_ping")
            self.assertEqual((reply.text, reply.headers["Api-Version"]), ("OK", "1.41"))
            self.assertEqual(self.get(prefix + "/version").json["ApiVersion"], "1.41")
        info = self.get("/v1.41/info").json
        self.assertEqual(info["DefaultRuntime"], "runc")
        self.assertEqual(info["Labels"], ["rack=7"])
        self.assertIn("runc", info["Runtimes"])
        self.assertEqual(info["RegistryConfig"]["Mirrors"], ["https://mirror.local/"])
        self.assertIn("127.0.0.0/8", info["RegistryConfig"]["InsecureRegistryCIDRs"])
        self.assertFalse(info["RegistryConfig"]["IndexConfigs"]["reg.local:5000"]["Secure"])
        self.assertEqual(info["Swarm"]["LocalNodeState"], "inactive")

    def test_official_registry_stays_so_though_it_is_listed_as_insecure(self):
        self.configure({"insecure-registries": ["docker.io", "reg.local"], "registry-mirrors": ["https://mirror.local"]})
        self.start()
        registries = json.loads(self.get("/info").text, object_pairs_hook=list)
        indexes = dict(dict(registries)["RegistryConfig"])["IndexConfigs"]
        self.assertEqual([name for name, _ in indexes], ["docker.io", "reg.local"])
        self.assertEqual(dict(indexes[0][1]), {"Name": "docker.io", "Mirrors": ["https://mirror.local/"],
                                               "Secure": True, "Official": True})


class Logging(DaemonTest):
    def test_debug_log_has_nothing_of_tcp(self):
        self.start("--debug")
        before = self.read_log()
        for _ in range(5):
            self.assertEqual(self.get("/v1/status").status, 200)
        self.assertNotIn("TCP", self.read_log().removeprefix(before))


class Reloading(DaemonTest):
    def test_reload_from_body_then_from_the_file(self):
        self.start()
        reply = self.reload({"labels": ["a=b"]})
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual((reply.json["previous"], reply.json["generation"]), (1, 2))
        self.assertEqual(reply.headers["ETag"], '"2"')
        self.assertEqual([change["key"] for change in reply.json["changed"]], ["labels"])
        self.configure({"labels": []})
        self.assertEqual(self.reload().json["generation"], 3)
        self.assertEqual(self.get("/v1/config").json["config"]["labels"], [])

    def test_unchanged_dry_run_and_force(self):
        self.start()
        reply = self.reload().json
        self.assertEqual((reply["unchanged"], reply["generation"]), (True, 1))
        reply = self.reload({"debug": True}, "?dry-run=true").json
        self.assertEqual(([change["key"] for change in reply["changed"]], self.generation()), (["debug"], 1))
        self.assertEqual(self.reload(query="?force=true").json["generation"], 2)
        results = [entry["result"] for entry in self.get("/v1/history").json["entries"]]
        self.assertEqual(results, ["ok", "unchanged", "ok"])

    def test_bad_configuration_is_400_with_all_errors_and_changes_nothing(self):
        self.start()
        reply = self.reload({"mtu": -1, "labels": ["none"]})
        self.assertEqual(reply.status, 400)
        self.assertEqual(len(reply.json["errors"]), 2)
        self.assertEqual(reply.json["message"], reply.json["errors"][0])
        self.assertEqual(reply.headers["Rtreg-Generation"], "1")
        entry = self.get("/v1/history").json["entries"][0]
        self.assertEqual((entry["result"], entry["source"], entry["generation"]), ("failed", "api", 1))
        self.assertEqual(entry["errors"], reply.json["errors"])
        self.assertEqual(self.get("/v1/status").json["reload"]["result"], "failed")

    def test_missing_file_is_400(self):
        self.start()
        os.unlink(self.config)
        self.assertEqual(self.reload().status, 400)

    def test_if_match(self):
        self.start()
        for value, status in (('"1"', 200), ("1", 200), ("*", 200), ('"7"', 412), ("0", 412),
                              ("99999999999999999999999", 412), ("x", 400), ('"', 400), ("", 400),
                              ('W/"1"', 400), ("-1", 400)):
            with self.subTest(value):
                reply = self.reload({"debug": True}, "?dry-run=true", {"If-Match": value})
                self.assertEqual(reply.status, status, reply.text)
        self.assertEqual(self.reload({"debug": True}, headers={"If-Match": '"7"'}).status, 412)
        self.assertEqual([entry["source"] for entry in self.get("/v1/history").json["entries"]], ["start"])

    def test_switches_other_than_true_or_false_are_400(self):
        self.start()
        for query in ("?dry-run=1", "?dry-run", "?force=yes", "?force=TRUE", "?dry-run=true%00"):
            with self.subTest(query):
                self.assertEqual(self.reload(query=query).status, 400)

    def test_sighup_reloads_and_a_failed_one_is_told(self):
        self.start()
        self.configure({"debug": True})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.generation() == 2, "the reload")
        self.configure("{,")
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.get("/v1/status").json["reload"]["result"] == "failed", "the failure")
        entries = self.get("/v1/history").json["entries"]
        self.assertEqual([entry["source"] for entry in entries], ["signal", "signal", "start"])
        self.assertIn("invalid JSON", entries[0]["errors"][0])
        self.assertIn("invalid JSON", self.read_log())

    def test_sighup_during_the_start_is_done_after_it(self):
        go = self.at("go")
        probe = self.script("probe", f"touch {self.at('begun')}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.configure({"runtimes": {"slow": {"path": probe}}})
        self.process = self.spawn()
        self.wait_for(lambda: os.path.exists(self.at("begun")), "the start's probe")
        self.configure({"runtimes": {"slow": {"path": probe}}, "debug": True})
        self.process.send_signal(signal.SIGHUP)
        open(go, "w").close()
        self.wait_for(self.answers, "the daemon to answer")
        self.wait_for(lambda: self.generation() == 2, "the reload")

    def test_events_have_the_shape_of_docker_and_are_bounded_by_time(self):
        self.start()
        self.reload({"debug": True})
        self.reload({"mtu": -1})
        events = self.events()
        self.assertEqual([event["Action"] for event in events], ["start", "reload", "reload-failed"])
        reload = events[1]
        self.assertEqual((reload["Type"], reload["scope"]), ("daemon", "local"))
        self.assertEqual(reload["Actor"]["Attributes"]["debug"], "true")
        self.assertEqual(reload["timeNano"] // 10**9, reload["time"])
        at = f"{reload['timeNano'] // 10**9}.{reload['timeNano'] % 10**9:09d}"
        self.assertEqual(len(self.events(f"since={at}", prefix="")), 2)
        self.assertEqual(len(self.get(f"/events?until={at}").text.splitlines()), 2)
        self.assertEqual(self.get("/events?since=2001-02-03T04:05:06Z&until=2001-02-03T05:05:06%2B01:00").text, "")
        for bad in ("yesterday", "1.", "-5", "2001-02-30T00:00:00Z", "2001-02-03", "1e9", "%zz"):
            with self.subTest(bad):
                self.assertEqual(self.get("/v1/events?since=" + bad).status, 400)

    def test_who_sees_a_generation_finds_its_event_and_its_entry(self):
        self.start()
        stream = self.keep_connection()
        stream.request("GET", "/v1/events")
        events = stream.getresponse()
        self.addCleanup(events.close)
        for number in range(40):
            self.configure({"labels": [f"n={number}"]})
            self.process.send_signal(signal.SIGHUP)
            self.wait_for(lambda: self.get("/v1/config").json["generation"] == number + 2, "the next generation")
            event = json.loads(events.readline())
            self.assertEqual(event["Actor"]["Attributes"].get("labels"), f'["n={number}"]')
            self.assertEqual(self.get("/v1/history").json["entries"][0]["generation"], number + 2)

    def test_log_format_and_debug_act_on_the_daemon(self):
        self.configure({"log-format": "json"})
        self.start()
        before = len(self.read_log().splitlines())
        self.get("/nothing")
        self.assertEqual(self.reload({"log-format": "json", "debug": True}).status, 200)
        levels = [json.loads(line)["level"] for line in self.read_log().splitlines()[:before]]
        self.assertNotIn("debug", levels)
        self.get("/nothing")
        self.wait_for(lambda: "debug" in [json.loads(line)["level"] for line in self.read_log().splitlines()],
                      "an entry of level debug")

    def ask_as_stranger(self, groups):
        """The statuses of a GET and a POST from uid 65534 with those supplementary groups."""
        script = (f"import socket,sys,os\nos.setgroups({groups}); os.setgid(65534); os.setuid(65534)\n"
                  "def ask(m,p):\n s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
                  " s.sendall(f'{m} {p} HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n\\r\\n'.encode())\n"
                  " return s.recv(4096).split()[1].decode()\n"
                  "print(ask('GET','/v1/status'), ask('POST','/v1/reload'))")
        done = subprocess.run(["python3", "-c", script, self.socket], capture_output=True, text=True,
                              timeout=PATIENCE, check=True)
        return done.stdout.split()

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_strangers_may_read_and_members_of_the_group_change(self):
        os.chmod(self.directory, 0o755)
        self.start("--socket-mode", "0666", "--group", "54321")
        self.assertEqual(os.stat(self.socket).st_gid, 54321)
        self.assertEqual(self.ask_as_stranger([54321]), ["200", "200"])
        self.assertEqual(self.ask_as_stranger([]), ["200", "403"])
        self.assertRegex(self.read_log(), r"request refused.* pid=\d+ uid=65534 command=python3")


class DiagnosticPort(DaemonTest):
    def ask(self, port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def test_served_at_start_moved_and_stopped(self):
        first, second = free_port(), free_port()
        self.configure({"network-diagnostic-port": first})
        self.start()
        self.assertEqual([self.ask(first, path) for path in ("/healthz", "/readyz", "/x")], [200, 200, 404])
        self.assertEqual(self.reload({"network-diagnostic-port": second}).status, 200)
        self.assertEqual(self.ask(second, "/healthz"), 200)
        self.assertRaises(ConnectionRefusedError, self.ask, first, "/healthz")
        self.assertEqual(self.reload({"debug": True}).status, 200)
        self.assertRaises(ConnectionRefusedError, self.ask, second, "/healthz")

    def test_port_in_use_fails_the_reload_and_changes_nothing(self):
        self.start()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            reply = self.reload({"network-diagnostic-port": port, "debug": True})
        self.assertEqual(reply.status, 500, reply.text)
        self.assertIn(str(port), reply.json["message"])
        self.assertEqual((self.generation(), self.get("/v1/config").json["config"]["debug"]), (1, False))

    def test_port_in_use_fails_the_start(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.configure({"network-diagnostic-port": port})
            done = self.run_once()
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(port), done.stderr)


class Protocol(DaemonTest):
    def test_bodies_too_large_are_413_and_the_reply_arrives(self):
        self.start()
        large = b" " * (16 * 1024 * 1024 + 1)
        for path, size, headers in (("/v1/reload", len(large), {}),
                                    ("/v1/reload", len(large), {"Transfer-Encoding": "chunked"})):
            with self.subTest(headers=headers):
                body = large[:size] if not headers else iter([large[i:i + 65536] for i in range(0, size, 65536)])
                connection = self.keep_connection()
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it reads on for a second only
                    connection.request("POST", path, body, headers, encode_chunked=bool(headers))
                self.assertEqual(Reply(connection.getresponse()).status, 413)
        self.assertEqual(self.request("GET", "/v1/status", b" " * (1024 * 1024 + 1)).status, 413)
        self.assertEqual(self.reload("{}" + " " * (16 * 1024 * 1024 - 2)).status, 200)

    def test_lengths_that_conflict_or_are_malformed_are_400(self):
        self.start()
        for fields in ("Content-Length: 2\r\nContent-Length: 3", "Content-Length: 2\r\nTransfer-Encoding: chunked",
                       "Content-Length: +2", "Content-Length: 2, 2"):
            with self.subTest(fields):
                self.assertEqual(self.status_of_raw(f"POST /v1/reload HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n{{}}"), 400)
        self.assertEqual(self.status_of_raw("POST /v1/reload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"), 501)

    def test_heads_too_large_are_431(self):
        self.start()
        self.assertEqual(self.status_of_raw("GET /v1/status HTTP/1.1\r\nHost: x\r\nA: " + "a" * 8192 + "\r\n\r\n"), 431)
        self.assertEqual(self.status_of_raw("GET /v1/status HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 100 + "\r\n"), 431)

    def test_absolute_target_and_reused_connection(self):
        self.start()
        self.assertEqual(self.status_of_raw("GET http://rtreg/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), 200)
        connection = self.keep_connection()
        for path, status in (("/v1/status", 200), ("/nothing", 404), ("/v1/status", 200)):
            self.assertEqual(self.get(path, connection=connection).status, status)

    def test_slow_head_is_cut_after_five_seconds_however_it_drips(self):
        self.start()
        began = time.monotonic()
        connection = self.connect()
        connection.settimeout(0.5)
        closed = False
        while not closed and time.monotonic() - began < PATIENCE:
            try:
                connection.send(b"G" if time.monotonic() - began < 0.1 else b"E")
                closed = connection.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                closed = True
        self.assertTrue(closed)
        self.assertGreater(time.monotonic() - began, 4.5)

    def test_connections_past_the_limit_get_503(self):
        self.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        connection = self.keep_connection()
        self.assertEqual(self.get("/_ping", connection=connection).status, 200)
        for _ in range(1023):
            self.connect().sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")  # so that it has a minute, not five seconds
        # Those of the start may have been there still, and have taken the places of some.
        self.wait_for(lambda: self.status_of_raw("GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n") == 503,
                      "a connection too many")
        self.assertEqual(self.get("/_ping", connection=connection).status, 200)


class Stopping(DaemonTest):
    def test_negative_shutdown_timeout_waits_until_asked_again(self):
        begun = self.at("begun")
        probe = self.script("probe", f"touch {begun}\nexec sleep 2\n")
        self.start("--shutdown-timeout", "-1")
        self.configure({"runtimes": {"slow": {"path": probe}}})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: os.path.exists(begun), "the reload to be under way")
        body = self.connect()  # a request whose body never ends
        body.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        self.assertRegex(body.recv(4096), b"^HTTP/1.1 100 ")
        body.sendall(b"{}")
        self.process.send_signal(signal.SIGTERM)
        self.assertRaises(subprocess.TimeoutExpired, self.process.wait, 2.5)
        self.process.send_signal(signal.SIGTERM)  # asked again: now
        self.assertEqual(self.process.wait(PATIENCE), 0)

    def test_request_in_flight_is_answered_before_the_exit(self):
        begun, go = self.at("begun"), self.at("go")
        probe = self.script("probe", f"touch {begun}\nwhile [ ! -e {go} ]; do sleep 0.02; done\necho '{{}}'\n")
        self.start()
        connection = self.keep_connection()
        connection.request("POST", "/v1/reload", json.dumps({"runtimes": {"slow": {"path": probe}}}))
        self.wait_for(lambda: os.path.exists(begun), "the reload to be under way")
        self.process.send_signal(signal.SIGTERM)
        self.wait_for(lambda: not os.path.exists(self.socket), "the socket to go")
        self.assertIsNone(self.process.poll())
        open(go, "w").close()
        reply = Reply(connection.getresponse())
        self.assertEqual((reply.status, reply.headers["Connection"]), (200, "close"))
        self.assertEqual(self.process.wait(PATIENCE), 0)

    def test_request_that_has_arrived_unread_is_answered(self):
        self.start()
        for _ in range(5):
            connection = self.connect()
            connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(4096)
            connection.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(self.stop(), 0)
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 "))
            self.start()

    def seconds_to_stop(self):
        began = time.monotonic()
        self.assertEqual(self.stop(), 0)
        return time.monotonic() - began

    def seconds_to_stop_beside(self, idle):
        self.start()
        for _ in range(idle):
            self.get("/v1/status", connection=self.keep_connection())
        return self.seconds_to_stop()

    def test_idle_connections_do_not_hold_the_stop_up(self):
        # One that is held up takes a second more than the quickest; one that is not may only seem so.
        alone, beside = [], []
        while not alone or (min(beside) >= min(alone) + 0.9 and len(beside) < 8):
            alone.append(self.seconds_to_stop_beside(0))
            beside.append(self.seconds_to_stop_beside(1))
        self.assertLess(min(beside), min(alone) + 0.9)

    def test_connection_without_a_head_gets_a_second(self):
        self.start()
        connection = self.connect()
        connection.sendall(b"GET /v1/sta")
        self.get("/_ping")
        self.assertLess(self.seconds_to_stop(), 10)  # of the 15 that a request in flight has

    def test_generations_go_on_after_an_orderly_stop(self):
        self.start()
        self.reload({"debug": True})
        self.assertEqual(self.stop(), 0)
        self.start()
        self.assertEqual(self.generation(), 3)

    def test_second_daemon_on_the_state_dir_is_refused(self):
        self.start()
        done = self.run_once(socket_path=self.at("other.sock"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.at("state"), done.stderr)
        self.assertFalse(os.path.exists(self.at("other.sock")))
        self.assertEqual(self.get("/_ping").status, 200)


class Socket(DaemonTest):
    def test_mode_and_removal(self):
        self.start("--socket-mode", "0600")
        self.assertEqual(os.stat(self.socket).st_mode & 0o777, 0o600)
        self.assertEqual(self.stop(), 0)
        self.assertFalse(os.path.exists(self.socket))

    def test_left_by_a_dead_daemon_is_taken_over(self):
        self.start()
        self.process.kill()
        self.process.wait()
        self.assertTrue(os.path.exists(self.socket))
        self.start()
        self.assertEqual(self.get("/_ping").status, 200)

    def test_of_a_living_daemon_is_refused(self):
        self.start()
        done = self.run_once(state="other")
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use by a running daemon", done.stderr)
        self.assertEqual(self.get("/_ping").status, 200)

    def test_path_that_is_no_socket_is_left_alone(self):
        path = self.at("file")
        open(path, "w").close()
        done = self.run_once(socket_path=path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a socket", done.stderr)
        self.assertTrue(os.path.isfile(path))

    def test_path_too_long_is_told(self):
        done = self.run_once(socket_path=self.at("x" * 120))
        self.assertEqual(done.returncode, 1)
        self.assertIn("socket path is too long", done.stderr)

    def test_path_that_another_took_is_not_removed_on_stop(self):
        self.start()
        os.unlink(self.socket)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.socket)
            self.assertEqual(self.stop(), 0)
            self.assertTrue(os.path.exists(self.socket))


class CommandLine(DaemonTest):
    def test_validate_good_bad_and_beside_a_running_daemon(self):
        done = self.run_once("--validate")
        self.assertEqual((done.returncode, done.stderr.splitlines()[-1]), (0, "configuration OK"))
        self.assertFalse(os.path.exists(self.at("state")))
        self.start()
        self.assertEqual(self.run_once("--validate").returncode, 0)
        self.configure({"mtu": -1, "labels": ["none"]})
        done = self.run_once("--validate")
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 2))

    def test_bad_configuration_fails_the_start_with_every_error_on_a_line(self):
        self.configure({"mtu": -1, "labels": ["none"]})
        done = self.run_once()
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 2))
        self.assertFalse(os.path.exists(self.socket))

    def test_usage_errors_exit_2(self):
        for option in (["--nonsense"], ["-x"], ["word"], ["--threads", "0"], ["--threads", "1025"], ["--label"],
                       ["--socket-mode", "9"], ["--group", "no such group"], ["--validate=maybe"]):
            with self.subTest(option):
                done = self.run_once(*option)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("See 'rtregd --help'.", done.stderr)

    def test_help_lists_own_options_and_keys(self):
        done = self.run_once("--help")
        self.assertEqual(done.returncode, 0)
        for flag in ("--config-file FILE", "--threads N", "--label", "--default-runtime", "--live-restore"):
            self.assertIn(flag, done.stdout)
        self.assertRegex(self.run_once("--version").stdout, r"^rtregd \d+\.\d+\.\d+\n$")

    def test_help_fits_a_terminal_and_is_sorted(self):
        text = self.run_once("--help").stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        options = re.findall(r"(?m)^ {2}(?:-\w,|   ) --(\S+)", text.split("\nKeys ")[1])
        self.assertEqual(options, sorted(options))
        self.assertIn("-D, --debug", text)
        self.assertRegex(text, r"--mtu BYTES +MTU of the containers' network \(default\s+1500\)")

    def test_mistyped_flag_is_answered_with_a_suggestion(self):
        for flag, meant in (("--lable=a=b", "label"), ("--labels=a=b", "label"), ("--runtimes=a=/b", "add-runtime"),
                            ("--hots", "host"), ("--state-dri", "state-dir")):
            with self.subTest(flag):
                done = self.run_once(flag)
                self.assertEqual(done.returncode, 2)
                self.assertIn(f"; did you mean --{meant}?\n", done.stderr)
        self.assertNotIn("mean", self.run_once("--zzzzzzzz").stderr)

    def test_flags_are_keys_of_origin_flag(self):
        self.start("--label", "a=b", "--label=c=d", "-D", "--live-restore=false")
        reply = self.get("/v1/config").json
        self.assertEqual(reply["config"]["labels"], ["a=b", "c=d"])
        self.assertEqual((reply["config"]["debug"], reply["origin"]["debug"]), (True, "flag"))


if __name__ == "__main__":
    unittest.main()
