#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people already have, against a running rtregd: each docker CLI in $RTREG_DOCKER (paths, separated by colons),
else the one on PATH; and curl."""

import functools
import json
import os
import shutil
import subprocess
import time
import unittest

from test_daemon import DaemonTest, PATIENCE

CLIENTS = [path for path in (os.environ.get("RTREG_DOCKER") or shutil.which("docker") or "").split(":") if path]
CURL = shutil.which("curl")
NO_CLIENT = "no docker CLI: neither RTREG_DOCKER nor PATH has one (tools/packages.sh test fetches Debian's)"
# One that an older CLI would ask for, and one that every CLI takes down to the daemon's.
VERSIONS = ("1.24", "1.41")


def with_each_client(test):
    """Runs a test for each client, and says so where there is none."""
    @functools.wraps(test)
    def run(self):
        if not CLIENTS:
            self.skipTest(NO_CLIENT)
        for client in CLIENTS:
            with self.subTest(client):
                test(self, client)
    return run


class DockerTest(DaemonTest):
    def environment(self, api_version=None):
        environment = {"PATH": os.environ["PATH"], "HOME": self.directory, "DOCKER_CONFIG": self.at("docker"),
                       "DOCKER_CLI_HINTS": "false", "TZ": "UTC"}
        if api_version:
            environment["DOCKER_API_VERSION"] = api_version
        return environment

    def docker(self, client, *words, api_version=None):
        return subprocess.run([client, "-H", "unix://" + self.socket, *words], capture_output=True, text=True,
                              timeout=3 * PATIENCE, check=False, env=self.environment(api_version),
                              stdin=subprocess.DEVNULL)

    def says(self, client, *words, **rest):
        done = self.docker(client, *words, **rest)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def server_lines(self, text):
        """The lines that tell of the server, without indentation."""
        return [line.strip() for line in text[text.index("Server"):].splitlines() if line.strip()]

    def assert_no_empty_values(self, text):
        lines = text[text.index("Server"):].splitlines()
        for line, following in zip(lines, lines[1:] + [""]):
            indented = len(following) - len(following.lstrip()) > len(line) - len(line.lstrip())
            self.assertFalse(line.rstrip().endswith(":") and not indented, f"{line!r} tells nothing in\n{text}")


CONFIG = {
    "runtimes": {"runsc": {"path": "/usr/local/bin/runsc", "runtimeArgs": ["--platform=systrap", "a b"]},
                 "kata": {"runtimeType": "io.containerd.kata.v2", "options": {"ConfigPath": "/etc/kata.toml"}}},
    "default-runtime": "runsc", "labels": ["rack=b17"], "insecure-registries": ["reg.local:5000", "10.1.0.0/16"],
    "registry-mirrors": ["https://mirror.local"], "live-restore": True, "debug": True, "data-root": "/srv/docker",
    "log-driver": "journald", "exec-opts": ["native.cgroupdriver=systemd"],
}


class Version(DockerTest):
    @with_each_client
    def test_version_tells_of_the_server_and_nothing_empty(self, client):
        self.start()
        text = self.says(client, "version")
        self.assert_no_empty_values(text)
        lines = self.server_lines(text)
        self.assertIn("rtreg", lines[0])
        self.assertTrue(any(line.startswith("API version:") and "1.41" in line for line in lines), text)
        self.assertEqual(self.says(client, "version", "--format", "{{.Server.Version}}").strip(),
                         self.get("/version").json["Version"])
        self.stop()

    @with_each_client
    def test_api_versions_that_the_client_insists_on(self, client):
        self.start()
        for version in VERSIONS:
            done = self.docker(client, "version", "--format", "{{.Server.APIVersion}}", api_version=version)
            if "is too old" in done.stderr:  # the client's own minimum
                continue
            self.assertEqual((done.returncode, done.stdout.strip()), (0, "1.41"), done.stderr)
        self.stop()


class Info(DockerTest):
    def setUp(self):
        super().setUp()
        self.configure(CONFIG)

    @with_each_client
    def test_info_shows_the_live_configuration(self, client):
        self.start()
        text = self.says(client, "info")
        self.assert_no_empty_values(text)
        lines = [" ".join(sorted(line.split())) if line.startswith("Runtimes: ") else line
                 for line in self.server_lines(text)]
        for expected in ("Runtimes: io.containerd.runc.v2 kata runc runsc", "Default Runtime: runsc", "rack=b17",
                         "reg.local:5000", "10.1.0.0/16", "https://mirror.local/", "Live Restore Enabled: true",
                         "Debug Mode: true", "Docker Root Dir: /srv/docker", "Logging Driver: journald",
                         "Cgroup Driver: systemd"):
            self.assertIn(expected, lines)
        self.stop()

    @with_each_client
    def test_nothing_is_warned_of_that_a_registry_does_not_do(self, client):
        self.start()
        self.assertNotIn("WARNING", self.docker(client, "info").stderr)
        self.assertNotIn("WARNING", self.says(client, "info"))
        self.stop()

    @with_each_client
    def test_runtimes_as_json_have_their_arguments(self, client):
        self.start()
        runtimes = json.loads(self.says(client, "info", "--format", "{{json .Runtimes}}"))
        self.assertEqual(set(runtimes), {"runc", "io.containerd.runc.v2", "kata", "runsc"})
        self.assertEqual((runtimes["runsc"]["path"], runtimes["runsc"]["runtimeArgs"]),
                         ("/usr/local/bin/runsc", ["--platform=systrap", "a b"]))
        self.assertEqual(runtimes["runc"]["path"], "runc")
        self.assertFalse(runtimes["runc"].get("runtimeArgs"))
        self.stop()

    @with_each_client
    def test_failed_reload_is_a_warning_until_one_succeeds(self, client):
        self.start()
        self.reload({"labels": ['no"quote']})
        done = self.docker(client, "info")
        self.assertIn('WARNING: the last reload failed: bad attribute format: no"quote', done.stdout + done.stderr)
        self.reload()
        done = self.docker(client, "info")
        self.assertNotIn("WARNING", done.stdout + done.stderr)
        self.stop()

    @with_each_client
    def test_what_engines_do_is_refused_in_words(self, client):
        self.start()
        for words in (("ps",), ("images",), ("pull", "busybox")):
            done = self.docker(client, *words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("this is rtreg, a runtime registry and not an engine", done.stderr)
        self.stop()

    def test_type_runtimes_and_features(self):
        probe = self.script("probe", 'echo \'{"ociVersionMin":"1.0.0"}\'\n')
        self.configure({"runtimes": {**CONFIG["runtimes"], "probed": {"path": probe}}})
        self.start()
        runtimes = self.get("/info").json["Runtimes"]
        self.assertEqual(runtimes["kata"], {"runtimeType": "io.containerd.kata.v2",
                                            "options": {"ConfigPath": "/etc/kata.toml"}})
        self.assertEqual(runtimes["probed"]["status"],
                         {"org.opencontainers.runtime-spec.features": '{"ociVersionMin":"1.0.0"}'})

    def test_defaults_of_the_engine_where_the_configuration_is_silent(self):
        self.configure({})
        self.start()
        info = self.get("/info").json
        self.assertEqual((info["DockerRootDir"], info["LoggingDriver"]), ("/var/lib/docker", "json-file"))
        self.assertEqual((info["Containers"], info["Images"], info["Warnings"]), (0, 0, []))


class Events(DockerTest):
    def follow(self, client, *options):
        process = subprocess.Popen([client, "-H", "unix://" + self.socket, "events", *options], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment(),
                                   stdin=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        self.addCleanup(self.end, process)
        return process

    def wait_for_followers(self, count):
        self.wait_for(lambda: self.get("/info").json["NEventsListener"] == count, f"{count} followers")

    @with_each_client
    def test_since_and_until_tell_the_past(self, client):
        self.start()
        self.reload({"labels": ["a=b"]})
        self.reload({"mtu": -1})
        now = time.time_ns()
        lines = self.says(client, "events", "--since", "2020-01-01T00:00:00Z",
                          "--until", f"{now // 10**9}.{now % 10**9:09d}").splitlines()
        self.assertEqual([line.split()[1:3] for line in lines],
                         [["daemon", "start"], ["daemon", "reload"], ["daemon", "reload-failed"]])
        self.assertIn('labels=["a=b"]', lines[1])
        self.assertIn("error=invalid default MTU: -1", lines[2])
        self.stop()

    @with_each_client
    def test_following_until_the_stop(self, client):
        self.start()
        follower = self.follow(client)
        self.wait_for_followers(1)
        self.reload({"debug": True})
        self.assertEqual(follower.stdout.readline().split()[1:3], ["daemon", "reload"])
        self.assertEqual(self.stop(), 0)
        self.assertEqual(follower.stdout.readline().split()[1:3], ["daemon", "stop"])
        follower.wait(PATIENCE)

    @with_each_client
    def test_following_with_filters(self, client):
        self.start()
        follower = self.follow(client, "--filter", "event=reload", "--filter", "type=daemon",
                               "--format", "{{json .}}")
        self.wait_for_followers(1)
        self.reload({"mtu": -1})
        self.reload({"debug": True})
        event = json.loads(follower.stdout.readline())
        self.assertEqual((event["Type"], event["Action"]), ("daemon", "reload"))
        self.assertEqual(event["Actor"]["Attributes"]["debug"], "true")
        follower.terminate()
        follower.wait(PATIENCE)
        self.stop()


@unittest.skipUnless(CURL, "no curl on PATH")
class Curl(DockerTest):
    def curl(self, *words):
        return subprocess.run([CURL, "-sS", "--unix-socket", self.socket, *words], capture_output=True, text=True,
                              timeout=PATIENCE, check=True).stdout

    def test_ping_by_get_and_head_has_the_headers_of_an_engine(self):
        self.start()
        for path in ("/_ping", "/v1.41/_ping", "/v9.99/_ping"):
            for options in ((), ("-I",)):
                with self.subTest((path, options)):
                    text = self.curl("-i", *options, "http://rtreg" + path)
                    self.assertTrue(text.startswith("HTTP/1.1 200 OK"), text)
                    for header in ("Api-Version: 1.41", "Docker-Experimental: false", "Ostype: linux"):
                        self.assertIn(header, text.splitlines())
                    self.assertRegex(text, r"(?m)^Server: rtreg/\d")
                    self.assertEqual(text.rpartition("\n")[2], "" if options else "OK")

    def test_info_and_version_with_and_without_a_version(self):
        self.start()
        for path in ("/info", "/v1.41/info", "/v1.24/info", "/version", "/v1.41/version"):
            with self.subTest(path):
                self.assertIsInstance(json.loads(self.curl("http://rtreg" + path)), dict)

    def test_following_with_curl(self):
        self.start()
        process = subprocess.Popen([CURL, "-sSN", "--unix-socket", self.socket, "http://rtreg/events?since=0"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(self.end, process)
        self.assertEqual(json.loads(process.stdout.readline())["Action"], "start")
        self.reload({"debug": True})
        self.assertEqual(json.loads(process.stdout.readline())["Action"], "reload")
        self.assertEqual(self.stop(), 0)
        self.assertEqual(json.loads(process.stdout.readline())["Action"], "stop")
        self.assertEqual(process.wait(PATIENCE), 0)  # it saw the stream's orderly end

    def test_what_engines_do_is_404_with_a_word(self):
        self.start()
        for path in ("/v1.41/containers/json", "/v1.24/images/json", "/v1.41/v1/status"):
            with self.subTest(path):
                reply = self.get(path)
                self.assertEqual(reply.status, 404)
                self.assertIn("this is rtreg, a runtime registry and not an engine", reply.json["message"])
        self.assertEqual(self.get("/containers/json").status, 404)


if __name__ == "__main__":
    unittest.main()
