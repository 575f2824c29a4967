#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""<rtreg/client.h> against a real rtregd: reloads, restarts and kills between the calls, and many clients at once."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import unittest

from test_daemon import RTREGD, DaemonTest

PROGRAMS = os.path.join(os.path.dirname(os.path.dirname(RTREGD)), "test", "integration")
DRIVER = os.path.join(PROGRAMS, "client-driver")
EXAMPLE = os.path.join(PROGRAMS, "client-example")
PATIENCE = 60
# errno.h's, as what they mean is fixed and the numbers are what a C program sees
EINVAL, ENOENT, EACCES, EPERM, EEXIST, ESRCH, ENOTCONN, ETIMEDOUT = 22, 2, 13, 1, 17, 3, 107, 110


class Driver:
    """A client in a process of its own; ask() returns the words of its answer."""

    def __init__(self, path, **rest):
        self.process = subprocess.Popen([DRIVER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **rest)

    def ask(self, *words):
        self.process.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the driver ended with {self.process.wait(PATIENCE)}"
        return answer.rstrip("\n").split("\t")

    def descriptors(self):
        """Its sockets."""
        found = 0
        for name in os.listdir(f"/proc/{self.process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                found += os.readlink(f"/proc/{self.process.pid}/fd/{name}").startswith("socket:")
        return found

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code


class ClientTest(DaemonTest):
    def driver(self, **rest):
        driver = Driver(self.socket, **rest)
        self.addCleanup(driver.close)
        driver.ask("timeout", PATIENCE * 1000)
        return driver

    def check(self, answer, *words):
        self.assertEqual(answer[: len(words)], [str(word) for word in words])

    def check_failed(self, answer, code, message, exit_code=125):
        self.assertEqual(answer[0], str(-code), answer)
        self.assertIn(message, answer[1])
        self.assertEqual(answer[2], str(exit_code))

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)


class Resolving(ClientTest):
    def test_answers_are_those_of_the_live_configuration(self):
        path = self.script("engine", "exit 0\n")
        self.configure({"runtimes": {"plain": {"path": path}, "wrapped": {"path": path, "runtimeArgs": ["--x=a b"]},
                                     "typed": {"runtimeType": "io.containerd.kata.v2", "options": {"A": [1, "x"]}}},
                        "default-runtime": "wrapped"})
        self.start()
        client = self.driver()
        for name in ("plain", "wrapped", "typed", "", "runc", "io.containerd.wasm.v1"):
            with self.subTest(name):
                reply = self.get("/v1/resolve?runtime=" + name).json
                answer = client.ask("resolve", name)
                self.check(answer, 0, reply["name"], reply["shim"], reply["options"].get("BinaryName", "-"))
                options = {} if answer[4] == "-" else json.loads(answer[4])
                self.assertEqual((options, answer[5]), (reply["options"], str(reply["generation"])))

    def test_names_arrive_as_they_are(self):
        names = ["my/custom 100%.v1", "a&b=c#d?e+f", "ü\"'\\", ".."]
        self.configure({"runtimes": {name: {"path": "/bin/true"} for name in names}})
        self.start()
        client = self.driver()
        for name in names:
            with self.subTest(name):
                self.check(client.ask("resolve", name), 0, name)

    def test_refusals_have_the_codes_of_the_functions_in_process(self):
        self.configure({"runtimes": {"gone": {"path": self.at("gone"), "runtimeArgs": ["-x"]}}})
        self.start()
        client = self.driver()
        self.check_failed(client.ask("resolve", "nothing"), EINVAL, "unknown or invalid runtime name: nothing")
        self.check_failed(client.ask("resolve", "x" * 3000), EINVAL, "")
        self.check_failed(client.ask("resolve", "gone"), ENOENT, "error while looking up the specified", 127)
        with open(self.at("gone"), "w"):
            pass
        os.chmod(self.at("gone"), 0o644)
        self.check_failed(client.ask("resolve", "gone"), EACCES, "error while looking up the specified", 126)
        self.check(client.ask("resolve", ""), 0, "runc")

    def test_calls_go_on_while_the_configuration_changes(self):
        self.start()
        client = self.driver()
        for i in range(20):
            name = f"r{i}"
            self.assertEqual(self.reload({"runtimes": {name: {"path": "/bin/true"}}, "default-runtime": name}).status, 200)
            self.check(client.ask("resolve", ""), 0, name)
        self.assertEqual(client.ask("resolve", "")[5], str(self.generation()))
        self.assertEqual(client.descriptors(), 1)

    def test_thousands_of_calls_leave_no_descriptor(self):
        self.start()
        client = self.driver()
        self.check(client.ask("again", "runc", 3000), 0, 3000)
        self.assertEqual(client.descriptors(), 1)
        self.wait_for(lambda: len(os.listdir(f"/proc/{self.process.pid}/fd")) < 100, "the daemon to have closed all")

    def test_a_client_without_a_daemon_ends_with_what_to_do(self):
        result = subprocess.run([DRIVER, self.socket], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn(self.socket, result.stderr)
        self.assertIn("start rtregd", result.stderr)


class Restarting(ClientTest):
    def test_restart_between_two_calls_is_not_seen(self):
        self.start()
        client = self.driver()
        for _ in range(3):
            self.check(client.ask("resolve", ""), 0, "runc")
            self.assertEqual(self.stop(), 0)
            self.start()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.assertEqual(client.descriptors(), 1)

    def test_kill_between_two_calls_is_not_seen(self):
        self.start()
        client = self.driver()
        for _ in range(3):
            self.check(client.ask("resolve", ""), 0, "runc")
            self.kill()
            self.start()
        self.check(client.ask("resolve", ""), 0, "runc")

    def test_daemon_that_is_away_is_told_and_found_again(self):
        self.start()
        client = self.driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.kill()
        for _ in range(50):
            self.check_failed(client.ask("resolve", ""), ENOTCONN, self.socket)
        self.assertEqual(client.descriptors(), 0)
        self.start()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.assertEqual(client.descriptors(), 1)

    def test_stopped_daemon_ends_the_call_with_the_time_limit(self):
        self.start()
        client = self.driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        client.ask("timeout", 300)
        self.halt()
        self.check_failed(client.ask("resolve", ""), ETIMEDOUT, "within 0.3 s")
        self.process.send_signal(signal.SIGCONT)
        client.ask("timeout", 0)
        self.check(client.ask("resolve", ""), 0, "runc")

    def test_kills_in_the_middle_of_calls_leave_every_call_with_an_answer(self):
        self.start()
        client = self.driver()
        answers, done = [], threading.Event()

        def ask():
            while not done.is_set():
                answers.append(client.ask("resolve", ""))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            for _ in range(5):
                seen = len(answers)
                self.wait_for(lambda: len(answers) > seen + 20, "calls")
                self.kill()
                self.start()
        finally:
            done.set()
            thread.join()
        self.check(client.ask("resolve", ""), 0, "runc")
        for answer in answers:
            # 104: killed within a call, and not back when it was asked again
            self.assertIn(answer[0], ("0", f"-{ENOTCONN}", "-104"), answer)

    @unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody else")
    def test_a_socket_that_is_not_for_this_user_is_told(self):
        self.start()
        os.chmod(self.directory, 0o755)
        result = subprocess.run([DRIVER, self.socket], capture_output=True, text=True, timeout=PATIENCE, check=False,
                                user=65534, group=65534, extra_groups=[])
        self.assertEqual(result.returncode, 1)
        self.assertIn("the socket is for root and for the group", result.stderr)


class TwoRuntimes(ClientTest):
    def setUp(self):
        super().setUp()
        self.first = self.script("first", 'echo first "$@"\n')
        self.second = self.script("second", 'echo second "$@"\n')
        self.configure({"runtimes": {"first": {"path": self.first, "runtimeArgs": ["-1"]},
                                     "second": {"path": self.second}}, "default-runtime": "first"})


class LockIns(TwoRuntimes):
    def test_container_keeps_its_runtime_over_reload_and_restart(self):
        self.start()
        client = self.driver()
        answer = client.ask("lock", "", "web", "")
        self.check(answer, 0, "created", "first")
        self.assertEqual(self.get("/v1/containers/web").json, json.loads(answer[4]))
        self.configure({"runtimes": {"second": {"path": self.second}}, "default-runtime": "second"})
        self.assertEqual(self.reload().status, 200)
        self.check(client.ask("lock", "", "web", ""), 0, "found", "first", answer[3], answer[4])
        self.kill()
        self.start()
        self.check(client.ask("locked", "", "web"), 0, "found", "first", answer[3], answer[4])
        self.assertEqual(subprocess.check_output([answer[3], "go"], text=True), "first -1 go\n")
        self.check(client.ask("unlock", "", "web"), 0)
        self.check_failed(client.ask("unlock", "", "web"), ESRCH, "web")
        self.check(client.ask("lock", "", "web", ""), 0, "created", "second")

    def test_containers_of_one_name_below_two_roots_are_two(self):
        self.start()
        client = self.driver()
        self.check(client.ask("lock", "/run/a b", "web", "first"), 0, "created", "first")
        self.check(client.ask("lock", "", "web", "second"), 0, "created", "second")
        self.check(client.ask("locked", "/run//x/../a b/", "web"), 0, "found", "first")
        self.check(client.ask("unlock", "/run/a b", "web"), 0)
        self.check_failed(client.ask("locked", "/run/a b", "web"), ESRCH, "web")
        self.check(client.ask("locked", "", "web"), 0, "found", "second")

    def test_refusals_have_the_codes_of_the_functions_in_process(self):
        self.start()
        client = self.driver()
        self.check(client.ask("lock", "", "web", "first"), 0, "created")
        self.check_failed(client.ask("lock", "", "web", "second"), EEXIST, "first")
        self.check_failed(client.ask("lock", "", "other", "nothing"), EINVAL, "nothing")
        self.check_failed(client.ask("lock", "", "../x", ""), EINVAL, "../x")
        self.check_failed(client.ask("lock", "relative", "x", ""), EINVAL, "relative")
        os.unlink(self.first)
        self.check_failed(client.ask("lock", "", "other", "first"), ENOENT, self.first, 127)
        self.script("first", "")
        os.chmod(self.first, 0o644)
        self.check_failed(client.ask("lock", "", "other", "first"), EACCES, self.first, 126)

    @unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody else")
    def test_who_may_only_read_may_not_lock_in(self):
        self.start("--socket-mode", "0666")
        os.chmod(self.directory, 0o755)
        client = self.driver(user=65534, group=65534, extra_groups=[])
        self.check(client.ask("resolve", "second"), 0, "second")
        self.check_failed(client.ask("lock", "", "web", ""), EPERM, "")

    def test_a_hundred_clients_at_once_all_get_their_own(self):
        self.start()
        result = subprocess.run([DRIVER, self.socket, "100", "5"], capture_output=True, text=True, timeout=300,
                                check=False)
        self.assertEqual((result.stdout, result.returncode), ("100\t0\n", 0), result.stderr)
        self.assertEqual(self.get("/v1/containers").json["containers"], [])


class Example(TwoRuntimes):
    """docs/examples/client.c, from the first container to the last."""

    def example(self, *words):
        result = subprocess.run([EXAMPLE, *words], capture_output=True, text=True, timeout=PATIENCE, check=False,
                                env={**os.environ, "RTREG_SOCKET": self.socket})
        return result.returncode, result.stdout, result.stderr

    def test_example_runs_containers_over_a_reload(self):
        self.start()
        self.assertEqual(self.example("show", "second"),
                         (0, f"second: shim io.containerd.runc.v2, binary {self.second}\n", ""))
        self.assertEqual(self.example("start", "web", "", "create"), (0, "first -1 create\n", ""))
        self.assertEqual(self.reload({"runtimes": {"second": {"path": self.second}},
                                      "default-runtime": "second"}).status, 200)
        self.assertEqual(self.example("run", "web", "exec", "a b"), (0, "first -1 exec a b\n", ""))
        self.assertEqual(self.example("stop", "web", "delete"), (0, "first -1 delete\n", ""))
        code, _, text = self.example("run", "web", "state")
        self.assertEqual(code, 125)
        self.assertIn("web", text)

    def test_example_leaves_nothing_of_a_container_that_did_not_start(self):
        self.script("second", "exit 7\n")
        self.start()
        self.assertEqual(self.example("start", "web", "second", "create")[0], 7)
        self.assertEqual(self.get("/v1/containers").json["containers"], [])

    def test_example_ends_as_an_engine_does(self):
        self.assertEqual(self.example("show")[0], 125)
        self.start()
        os.unlink(self.first)
        self.assertEqual(self.example("start", "web", "first")[0], 127)
        self.assertEqual(self.example("start", "web", "nothing")[0], 125)

if __name__ == "__main__":
    unittest.main()
