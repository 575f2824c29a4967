#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is promised of the service, sentence by sentence, from outside: requests, outcomes, clients, trust."""

import datetime
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest
import urllib.parse

from test_daemon import PATIENCE, RTREGD, DaemonTest

RTREGCTL = os.path.join(os.path.dirname(RTREGD), "..", "tools", "rtregctl")
NOBODY = 65534


class InterfaceTest(DaemonTest):
    def fragment(self, name, value):
        os.makedirs(self.config + ".d", exist_ok=True)
        path = os.path.join(self.config + ".d", name)
        with open(path + ".new", "w") as file:
            file.write(value if isinstance(value, str) else json.dumps(value))
        os.rename(path + ".new", path)
        return path

    def drop(self, name):
        os.unlink(os.path.join(self.config + ".d", name))

    def fragments(self):
        """All that is in the directory, bytes by name."""
        found = {}
        if os.path.isdir(self.config + ".d"):
            for name in os.listdir(self.config + ".d"):
                with open(os.path.join(self.config + ".d", name), "rb") as file:
                    found[name] = file.read()
        return found

    def value(self, key):
        return self.get("/v1/config").json["config"].get(key)

    def origin(self, key):
        return self.get("/v1/config").json["origin"].get(key)

    def ctl(self, *words, **rest):
        return subprocess.run([RTREGCTL, "-s", self.socket, *words], capture_output=True, text=True,
                              timeout=PATIENCE * 3, check=False, **rest)

    def put(self, name, value, headers=None):
        body = value if isinstance(value, (str, bytes)) else json.dumps(value)
        return self.request("PUT", "/v1/runtimes/" + urllib.parse.quote(name, safe=""), body, headers)

    def delete(self, name, headers=None):
        return self.request("DELETE", "/v1/runtimes/" + urllib.parse.quote(name, safe=""), None, headers)

    def set_default(self, name, headers=None):
        return self.request("PUT", "/v1/default-runtime", json.dumps({"runtime": name}), headers)

    def confirm(self):
        return self.request("POST", "/v1/confirm")

    def history(self):
        return self.get("/v1/history").json["entries"]

    def names(self):
        return set(self.get("/v1/runtimes").json["runtimes"])

    def restart_killed(self, *options):
        self.process.kill()
        self.process.wait()
        self.start(*options)

    def refused(self, reply, *texts, status=400):
        self.assertEqual(reply.status, status, reply.text)
        for text in texts:
            self.assertIn(text, reply.text)


class Arguments(InterfaceTest):
    def test_times_that_are_taken(self):
        self.start()
        for value in ("0", "0.5", "1.123456789", "1.1234567891", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z",
                      "2024-01-01T00:00:00%2B02:00", "2024-01-01T00:00:00.123456789-07:30", "2024-02-29T23:59:59Z"):
            with self.subTest(value):
                reply = self.get(f"/v1/events?since={value}&until={time.time():.9f}")
                self.assertEqual(reply.status, 200, reply.text)
                self.assertIn('"start"', reply.text)

    def test_fractions_and_offsets_count(self):
        self.start()
        self.reload({"debug": True})
        at = [event for event in self.events() if event["Action"] == "reload"][0]["timeNano"]
        second, nano = divmod(at, 10**9)
        late = f"{second}.{nano + 1:09d}" if nano < 999999999 else f"{second + 1}"
        self.assertEqual([event["Action"] for event in self.events(f"since={late}")], [])
        self.assertIn("reload", [event["Action"] for event in self.events(f"since={second}.{nano:09d}")])
        zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        stamp = datetime.datetime.fromtimestamp(second, zone).isoformat()
        self.assertIn("reload", [event["Action"] for event in self.events("since=" + urllib.parse.quote(stamp))])
        stamp = datetime.datetime.fromtimestamp(second + 1, zone).isoformat()
        self.assertEqual(self.events("since=" + urllib.parse.quote(stamp)), [])


class Outcomes(InterfaceTest):
    def test_sources_and_results_newest_first_and_no_dry_runs(self):
        self.start()
        self.reload({"debug": True})
        self.reload({"mtu": -1})
        self.reload({"mtu": -1}, "?dry-run=true")
        self.reload({"labels": []}, "?dry-run=true")
        self.reload({"debug": True})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: len(self.history()) == 5, "the signal's entry")
        found = [(entry["source"], entry["result"]) for entry in self.history()]
        self.assertEqual(found, [("signal", "unchanged"), ("api", "unchanged"), ("api", "failed"), ("api", "ok"),
                                 ("start", "ok")])
        for entry in self.history():
            self.assertLessEqual({"time", "generation", "source", "result", "errors", "changed"}, set(entry))
            datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", entry["time"]).replace("Z", "+00:00"))
        self.assertEqual(self.history()[3]["changed"], ["debug"])

    def test_the_last_64(self):
        self.start()
        for _ in range(70):
            self.reload(query="?force=true")
        self.assertEqual([entry["generation"] for entry in self.history()], list(range(71, 7, -1)))
        self.assertEqual(len(json.loads(self.ctl("--json", "history").stdout)["entries"]), 64)

    def test_status_has_its_members(self):
        self.start("--threads", "3")
        status = self.get("/v1/status").json
        self.assertLessEqual({"generation", "pid", "version", "started", "uptime", "reload", "pinned", "lock-ins",
                              "threads", "runtimes"}, set(status))
        self.assertEqual((status["pid"], status["threads"], status["runtimes"]), (self.process.pid, 3, 2))
        self.assertLessEqual({"time", "result", "errors"}, set(status["reload"]))

    def test_failed_signal_is_in_status_history_event_log_and_metrics(self):
        self.start()
        self.configure({"mtu": -7})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.history()[0]["result"] == "failed", "the failure")
        text = "invalid default MTU: -7"
        self.assertIn(text, json.dumps(self.get("/v1/status").json["reload"]["errors"]))
        self.assertIn(text, json.dumps(self.history()[0]["errors"]))
        failed = [event for event in self.events() if event["Action"] == "reload-failed"]
        self.assertIn(text, failed[0]["Actor"]["Attributes"]["error"])
        self.assertIn(text, self.read_log())
        metrics = self.get("/metrics").text
        self.assertRegex(metrics, r'(?m)^rtreg_reloads_total\{result="failed"[^}]*\} 1$')
        self.assertRegex(metrics, r"(?m)^rtreg_last_reload_successful 0$")
        self.assertRegex(self.ctl("status").stdout, "(?s)failed.*" + text)
        self.assertIn(text, json.dumps(self.get("/info").json["Warnings"]))

    def rejected(self):
        return self.get("/v1/status").json["rejected"]

    def test_rejected_body_is_kept_beside_the_running_one_until_a_success(self):
        self.start()
        self.assertIsNone(self.rejected())
        self.reload('{"mtu": -1, "labels": ["x"]}')
        self.reload({"debug": True}, "?dry-run=true")
        self.reload({"debug": True}, headers={"If-Match": "99"})
        kept = self.rejected()
        self.assertEqual((kept["source"], len(kept["errors"])), ("api", 2))
        with open(os.path.join(kept["directory"], "body.json")) as file:
            self.assertEqual(file.read(), '{"mtu": -1, "labels": ["x"]}')
        self.assertEqual(self.value("mtu"), 1500)
        self.assertTrue(self.reload().json["unchanged"])
        self.assertIsNone(self.rejected())
        self.assertFalse(os.path.exists(kept["directory"]))

    def test_rejected_files_are_all_kept_and_the_last_ones_only(self):
        self.start()
        self.configure({"mtu": -1})
        self.reload()
        self.configure({"mtu": -2})
        self.fragment("1.json", {"debug": True})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: len(self.history()) == 3, "the signal's entry")
        kept = self.rejected()
        self.assertEqual((kept["source"], kept["errors"]), ("signal", ["invalid default MTU: -2"]))
        with open(os.path.join(kept["directory"], "daemon.json")) as file:
            self.assertEqual(json.load(file), {"mtu": -2})
        self.assertTrue(os.path.exists(os.path.join(kept["directory"], "daemon.json.d", "1.json")))

    def kept(self):
        """What lies in STATE/rejected; None without one."""
        try:
            return sorted(os.listdir(self.at("state/rejected")))
        except FileNotFoundError:
            return None

    def test_refused_change_is_no_rejected_configuration(self):
        self.start()
        self.put("r", {})
        self.put("runc", {"path": "/bin/true"})
        self.assertEqual((self.rejected(), self.kept()), (None, None))
        self.reload({"mtu": -1})
        before = self.rejected()
        self.put("r", {})
        self.assertEqual((self.rejected(), self.kept()), (before, ["body.json", "errors"]))
        self.put("r", {"path": "/bin/true"})
        self.assertEqual((self.rejected(), self.kept()), (None, None))

    def test_files_of_an_earlier_failure_do_not_stand_for_ones_that_cannot_be_read(self):
        self.start()
        self.reload({"mtu": -1})
        os.unlink(self.config)
        self.assertEqual(self.reload().status, 400)
        self.assertIn("no such file", self.rejected()["errors"][0])
        self.assertEqual((self.rejected()["directory"], self.kept()), (None, None))

    def test_what_was_refused_on_trial_is_kept_over_the_way_back(self):
        self.start()
        self.reload({"debug": True}, "?confirm=2")
        self.reload({"mtu": -1})
        before = self.rejected()
        self.wait_for(lambda: "revert" in [entry["source"] for entry in self.history()], "the way back")
        self.assertEqual((self.rejected(), self.kept()), (before, ["body.json", "errors"]))

    def test_history_does_not_survive_a_restart(self):
        self.start()
        self.reload({"mtu": -1})
        self.assertEqual(self.stop(), 0)
        self.start()
        self.assertEqual([entry["source"] for entry in self.history()], ["start"])
        self.assertEqual([event["Action"] for event in self.events()], ["start"])
        self.assertIsNone(self.rejected())

    def test_event_carries_the_contracts_attributes_as_strings(self):
        self.start("--debug")
        self.configure({"labels": ["a=b"], "features": {"b": False, "a": True}, "default-shm-size": "1m",
                        "runtimes": {"t": {"runtimeType": "io.x.y"}, "p": {"path": "/bin/true"}}})
        reply = self.reload().json
        event = [event for event in self.events() if event["Action"] == "reload"][-1]
        found = event["Actor"]["Attributes"]
        self.assertEqual(found, reply["attributes"])
        self.assertEqual(set(found), {
            "runtimes", "default-runtime", "default-shm-size", "default-ipc-mode", "default-cgroupns-mode", "debug",
            "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
            "shutdown-timeout", "default-stop-timeout", "labels", "insecure-registries", "registry-mirrors",
            "allow-nondistributable-artifacts", "features", "name"})
        self.assertEqual((found["runtimes"], found["labels"], found["features"], found["default-shm-size"], found["debug"],
                          found["registry-mirrors"], found["name"]),
                         ("p:/bin/true t:", '["a=b"]', "map[a:true b:false]", "1048576", "true", "[]", socket.gethostname()))
        self.assertEqual((event["Type"], event["scope"], event["time"]), ("daemon", "local", event["timeNano"] // 10**9))
        self.assertTrue(event["Actor"]["ID"])


class Events(InterfaceTest):
    def test_events_in_all_paths(self):
        self.start()
        for prefix in ("", "/v1.41", "/v0.0", "/v99.123"):
            with self.subTest(prefix):
                self.assertEqual(self.events(prefix=prefix)[0]["Action"], "start")


ABOUT_CONFIGURATION = ("/v1/runtimes", "/v1/runtimes/runc", "/v1/resolve", "/v1/config", "/v1/status", "/info")
READING = (*ABOUT_CONFIGURATION, "/v1/history", "/_ping", "/version", "/metrics", "/v1.41/_ping", "/v1.41/version",
           "/v1.41/info")


class Requests(InterfaceTest):
    def test_head_of_everything_that_is_read(self):
        self.start()
        connection = self.keep_connection()
        for path in (*READING, "/v1/events?until=1"):
            with self.subTest(path):
                reply = self.request("HEAD", path, connection=connection)
                self.assertEqual((reply.status, reply.text), (200, ""))

    def test_other_methods_are_405_with_allow(self):
        self.start()
        allowed = {path: {"GET", "HEAD"} for path in (*READING, "/v1/events", "/events", "/v1.41/events")}
        allowed |= {"/v1/runtimes/runc": {"GET", "HEAD", "PUT", "DELETE"}, "/v1/reload": {"POST"},
                    "/v1/confirm": {"POST"}, "/v1/default-runtime": {"PUT"}}
        for path, methods in allowed.items():
            for method in {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} - methods:
                with self.subTest(f"{method} {path}"):
                    reply = self.request(method, path)
                    self.assertEqual(reply.status, 405)
                    self.assertEqual(set(reply.headers["Allow"].split(", ")), methods)

    def test_every_reply_about_configuration_carries_its_generation(self):
        self.configure({"runtimes": {"gone": {"path": self.at("gone"), "runtimeArgs": ["x"]}}})
        self.start()
        replies = [("GET", path, None) for path in ABOUT_CONFIGURATION]
        replies += [("GET", "/v1/runtimes/nothing", None), ("GET", "/v1/resolve?runtime=nothing", None),
                    ("GET", "/v1/resolve?runtime=gone", None), ("POST", "/v1/reload", "{"),
                    ("POST", "/v1/reload?dry-run=true", "{}"), ("POST", "/v1/reload", None),
                    ("PUT", "/v1/runtimes/gone", '{"path":"/x"}'), ("DELETE", "/v1/runtimes/nothing", None),
                    ("PUT", "/v1/default-runtime", '{"runtime":"nothing"}')]
        for method, path, body in replies:
            with self.subTest(f"{method} {path}"):
                reply = self.request(method, path, body)
                self.assertEqual((reply.headers["Rtreg-Generation"], reply.headers["ETag"]), ("1", '"1"'), reply.text)

    def test_names_are_decoded_once(self):
        self.configure({"runtimes": {name: {"path": "/bin/true"} for name in ("%2F", "a/b", "..", "a+b")}})
        self.start()
        for path, status in (("%252F", 200), ("a%2Fb", 200), ("a%2fb", 200), ("..", 200), ("%2e%2e", 200), ("a+b", 200),
                             ("a%20b", 400), ("a/b", 404), ("../status", 404), ("%00", 400), ("a%00", 400)):
            with self.subTest(path):
                self.assertEqual(self.get("/v1/runtimes/" + path).status, status)

    def test_versions_of_the_docker_paths(self):
        self.start()
        for version in ("v0.0", "v1.12", "v1.41", "v1.99", "v2.0", "v123.456"):
            for path in ("_ping", "version", "info"):
                with self.subTest(f"/{version}/{path}"):
                    self.assertEqual(self.get(f"/{version}/{path}").status, 200)
        for version in ("v1", "v1.", "v.1", "v1.4.1", "v1.x", "1.41", "v-1.1", "v1.41/v1.41"):
            with self.subTest(version):
                self.assertEqual(self.get(f"/{version}/info").status, 404)
        self.assertEqual(self.get("/v1.41/metrics").status, 404)

    def test_body_with_a_reading_request_or_a_confirm_does_no_harm(self):
        self.start()
        connection = self.keep_connection()
        for method, path, status in (("GET", "/v1/status", 200), ("POST", "/v1/confirm", 409),
                                     ("DELETE", "/v1/runtimes/x", 404)):
            self.assertEqual(self.request(method, path, "{}", connection=connection).status, status)
            self.assertEqual(self.get("/_ping", connection=connection).status, 200)

    def test_body_limits_by_route(self):
        self.start()
        for method, path in (("PUT", "/v1/runtimes/x"), ("PUT", "/v1/default-runtime"), ("POST", "/v1/confirm"),
                             ("DELETE", "/v1/runtimes/x"), ("GET", "/info")):
            with self.subTest(path):
                self.assertEqual(self.request(method, path, b" " * ((1 << 20) + 1)).status, 413)
        self.assertEqual(self.reload(" " * (1 << 20) + "{}").status, 200)

    def test_hundred_fields_are_taken(self):
        self.start()
        fields = "Host: x\r\n" + "".join(f"A{number}: b\r\n" for number in range(99))
        self.assertEqual(self.status_of_raw(f"GET /_ping HTTP/1.1\r\n{fields}\r\n"), 200)
        self.assertEqual(self.status_of_raw(f"GET /_ping HTTP/1.1\r\n{fields}B: c\r\n\r\n"), 431)

    def test_white_space_and_null_bodies_are_configurations(self):
        self.configure({"max-download-attempts": 9})
        self.start()
        for body in ("null", "{}", " \n"):
            with self.subTest(body):
                self.reload()
                self.assertEqual(self.reload(body).status, 200)
                self.assertEqual(self.value("max-download-attempts"), 5)


class Clients(InterfaceTest):
    def test_json_is_the_apis_unchanged(self):
        self.start()
        for words, path in ((("ls",), "/v1/runtimes"), (("resolve",), "/v1/resolve"), (("config",), "/v1/config"),
                            (("config", "--origin"), "/v1/config"), (("history",), "/v1/history")):
            with self.subTest(words):
                self.assertEqual(self.ctl("--json", *words).stdout.rstrip("\n"), self.get(path).text.rstrip("\n"))
                self.assertEqual(self.ctl(*words, "--json").stdout.rstrip("\n"), self.get(path).text.rstrip("\n"))

    def test_json_of_every_command_is_json(self):
        self.start()
        with open(self.at("f"), "w") as file:
            file.write('{"debug": true}')
        for words in (("status",), ("diff", self.at("f")), ("reload",), ("reload", self.at("f")), ("version",),
                      ("runtime", "add", "r", "--path", "/bin/true"), ("set-default", "r"), ("set-default", "runc"),
                      ("runtime", "rm", "r")):
            with self.subTest(words):
                done = self.ctl("--json", *words)
                self.assertEqual(done.returncode, 0, done.stderr)
                json.loads(done.stdout)

    def test_no_daemon_exits_3(self):
        for words in (("ls",), ("resolve",), ("config",), ("status",), ("reload",), ("confirm",), ("history",), ("events",),
                      ("metrics",), ("runtime", "add", "r", "--path", "/x"), ("runtime", "rm", "r"), ("set-default", "r")):
            with self.subTest(words):
                self.assertEqual(self.ctl(*words).returncode, 3)
        self.assertEqual(self.ctl("completion", "bash").returncode, 0)

    def test_docker_shapes(self):
        self.configure({"labels": ["a=b"], "live-restore": True, "registry-mirrors": ["https://m"], "default-runtime": "r",
                        "runtimes": {"r": {"path": "/bin/true", "runtimeArgs": ["-x"]}, "t": {"runtimeType": "io.x.y"}}})
        self.start("--debug")
        info = self.get("/info").json
        self.assertEqual((info["DefaultRuntime"], info["Labels"], info["LiveRestoreEnabled"], info["Debug"]),
                         ("r", ["a=b"], True, True))
        self.assertLessEqual({"r", "t", "runc", "io.containerd.runc.v2"}, set(info["Runtimes"]))
        self.assertEqual((info["Runtimes"]["r"]["path"], info["Runtimes"]["r"]["runtimeArgs"]), ("/bin/true", ["-x"]))
        self.assertEqual(info["Runtimes"]["t"]["runtimeType"], "io.x.y")
        self.assertIn("127.0.0.0/8", info["RegistryConfig"]["InsecureRegistryCIDRs"])
        self.assertEqual(info["OSType"], "linux")
        version = self.get("/version").json
        self.assertLessEqual({"Version", "ApiVersion", "MinAPIVersion", "Os", "Arch", "GitCommit", "GoVersion",
                              "KernelVersion"}, set(version))
        ping = self.get("/_ping")
        self.assertEqual((ping.text, ping.headers["Api-Version"], ping.headers["Content-Type"].split(";")[0]),
                         ("OK", "1.41", "text/plain"))


class Trust(InterfaceTest):
    def setUp(self):
        super().setUp()
        if os.geteuid():
            self.skipTest("needs to be root")
        os.chmod(self.directory, 0o755)

    def as_user(self, *words):
        return subprocess.run(words, capture_output=True, text=True, check=False, user=NOBODY, group=NOBODY,
                              extra_groups=(), timeout=PATIENCE, cwd="/")

    def curl(self, method, path):
        return self.as_user("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "-d", "{}",
                            "--unix-socket", self.socket, "http://x" + path).stdout

    CHANGING = (("POST", "/v1/reload"), ("POST", "/v1/reload?confirm=5"), ("POST", "/v1/confirm"), ("PUT", "/v1/runtimes/x"),
                ("DELETE", "/v1/runtimes/x"), ("PUT", "/v1/default-runtime"))

    def test_others_read_and_change_nothing(self):
        self.start("--socket-mode", "0666")
        for path in READING:
            with self.subTest(path):
                self.assertEqual(self.curl("GET", path), "200")
        for method, path in self.CHANGING:
            with self.subTest(path):
                self.assertEqual(self.curl(method, path), "403")
        self.assertRegex(self.read_log(), r"refused.* pid=\d+ uid=65534 command=curl")
        self.assertEqual((self.generation(), len(self.history())), (1, 1))

    def test_fragments_that_its_user_may_not_read_are_errors_naming_them(self):
        os.chmod(self.directory, 0o777)
        path = self.fragment("1.json", {"debug": True})
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command(), stderr=log, user=NOBODY, group=NOBODY, extra_groups=())
        self.addCleanup(self.end, self.process)
        self.wait_for(self.answers, "the daemon to answer")
        os.chmod(path, 0)
        self.refused(self.reload(), path)
        os.chmod(path, 0o644)
        os.chmod(os.path.dirname(path), 0)
        self.refused(self.reload(), os.path.dirname(path))
        self.assertEqual((self.generation(), self.value("debug")), (1, True))

    def test_rtregctl_tells_refused_from_unreachable(self):
        self.start("--socket-mode", "0666")
        words = (os.path.realpath(RTREGCTL), "-s", self.socket)
        if self.as_user(words[0], "--version").returncode:
            self.skipTest("the program is not for everybody here")
        self.assertEqual(self.as_user(*words, "set-default", "runc").returncode, 1)
        self.assertEqual(self.as_user(*words, "status").returncode, 0)
        os.chmod(self.socket, 0o600)
        self.assertEqual(self.as_user(*words, "status").returncode, 3)


if __name__ == "__main__":
    unittest.main()
