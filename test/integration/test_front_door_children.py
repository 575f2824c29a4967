#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtreg-runtime delete and run: what outlives the runtime, and what passes through it."""

import fcntl
import os
import signal
import subprocess
import termios
import unittest

from front_door_support import RTREG_RUNTIME, FrontDoorTest, this_boot
from test_daemon import PATIENCE


class Delete(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()
        self.create()

    def test_success_unlocks_and_tells_those_who_follow(self):
        self.passes("delete", "web")
        self.assertEqual(self.called(), ("first", [*self.odd, "delete", "web"]))
        self.assertEqual(self.lock_ins(), [])
        self.assertEqual(self.container_events(), [("lock-in", "web"), ("unlock", "web")])

    def test_force_unlocks_also_what_the_runtime_does_not_know(self):
        os.unlink(os.path.join(self.fake, "known/first/web"))
        self.passes("delete", "--force", "web")
        self.assertEqual(self.lock_ins(), [])

    def test_failure_leaves_it_locked_in(self):
        self.do(exit=5)
        self.assertEqual(self.door("delete", "web").returncode, 5)
        self.assertEqual(self.containers(), ["web"])

    def test_death_by_a_signal_leaves_it_locked_in_and_passes_through(self):
        self.do(dies=signal.SIGSEGV)
        self.assertEqual(self.door("delete", "web").returncode, -signal.SIGSEGV)
        self.assertEqual(self.containers(), ["web"])

    def test_unlocks_while_the_daemon_is_away(self):
        self.kill_daemon()
        self.passes("delete", "web")
        self.assertEqual(self.lock_ins(), [])

    def test_unlocks_while_the_daemon_hangs(self):
        self.halt()
        self.addCleanup(self.process.send_signal, signal.SIGCONT)
        self.passes("delete", "web")
        self.assertEqual(self.lock_ins(), [])

    def test_unlocks_one_made_through_the_api(self):
        self.lock("web2", "second")
        self.passes("--root", self.at("r"), "delete", "--force", "web2")
        self.assertEqual((self.called()[0], self.containers()), ("second", ["web"]))

    def test_second_delete_goes_to_the_default_runtime(self):
        self.passes("delete", "web")
        self.assertEqual(self.door("delete", "web").returncode, 1)
        self.assertEqual(self.called()[0], "first")
        self.passes("delete", "--force", "web")

    def test_lock_in_made_meanwhile_stays(self):
        self.do(waits=True)
        process = self.spawn_door("delete", "web")
        self.wait_for(lambda: os.path.exists(os.path.join(self.fake, "ready")), "the runtime")
        self.assertEqual(self.request("DELETE", "/v1/containers/web").status, 204)
        self.lock("web", "second")
        self.do(exit=0)
        os.kill(self.calls("delete")[-1]["pid"], signal.SIGKILL)
        process.wait()
        self.assertEqual(self.lock_in()["runtime"], "second")

    def test_killed_before_it_unlocked_the_id_can_be_used_again(self):
        self.halt()
        process = self.spawn_door("delete", "web")
        self.wait_for(lambda: not self.knows("first", "web"), "the runtime to delete")
        process.kill()
        process.wait()
        self.process.send_signal(signal.SIGCONT)
        self.wait_for(self.answers, "the daemon")
        self.lock_again()
        self.annotate("second")
        self.create()
        self.assertEqual((self.called()[0], self.lock_in()["runtime"]), ("second", "second"))

    def lock_again(self):
        """What it had asked for may have been done after all."""
        if not self.lock_ins():
            self.lock("web", "first", boot=this_boot())


class Run(FrontDoorTest):
    def setUp(self):
        super().setUp()
        self.start()

    def run_words(self, *options, container="web"):
        return ["run", "--bundle", self.bundle, *options, container]

    def started(self, **rest):
        """A container in the foreground that waits for signals."""
        self.do(waits=True)
        process = self.spawn_door(*self.run_words(), **rest)
        self.wait_for(lambda: os.path.exists(os.path.join(self.fake, "ready")), "the container")
        return process

    def signals(self):
        try:
            with open(os.path.join(self.fake, "signals")) as file:
                return [int(line) for line in file]
        except FileNotFoundError:
            return []

    def test_exit_code_passes_through_and_a_container_that_has_gone_is_unlocked(self):
        self.do(exit=7)
        self.assertEqual(self.door(*self.run_words()).returncode, 7)
        self.assertEqual(self.lock_ins(), [])
        self.assertEqual(self.container_events(), [("lock-in", "web"), ("unlock", "web")])

    def test_signal_that_ends_the_runtime_ends_us_the_same_way(self):
        for number in (signal.SIGTERM, signal.SIGABRT, signal.SIGKILL):
            self.do(dies=number)
            self.assertEqual(self.door(*self.run_words()).returncode, -number)
            self.assertEqual(self.lock_ins(), [])

    def test_container_that_is_kept_stays_locked_in(self):
        self.do(exit=7)
        self.assertEqual(self.door(*self.run_words("--keep")).returncode, 7)
        self.assertEqual(self.containers(), ["web"])

    def test_detached_takes_the_place_of_the_process(self):
        for options in (("--detach",), ("-d",), ("--detach=true",)):
            process = self.spawn_door(*self.run_words(*options, container="web" + str(len(options[0]))))
            process.wait()
            self.assertEqual(self.calls("run")[-1]["pid"], process.pid)
        self.assertEqual(len(self.containers()), 3)

    def test_foreground_by_name_is_a_child_in_the_same_process_group(self):
        process = self.spawn_door(*self.run_words("--detach=false"), process_group=0)
        process.wait()
        call = self.calls("run")[-1]
        self.assertEqual((call["ppid"], call["group"]), (process.pid, process.pid))

    def test_child_has_our_signal_mask_and_descriptors(self):
        self.passes(*self.run_words())
        self.assertEqual((self.calls("run")[-1]["blocked"], self.calls("run")[-1]["descriptors"]), ([], [0, 1, 2]))
        self.door(*self.run_words(), preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]))
        self.assertEqual(self.calls("run")[-1]["blocked"], [signal.SIGUSR2])

    def test_question_whether_it_has_gone_is_asked_with_no_signal_blocked(self):
        self.do(exit=7)
        self.door(*self.run_words())
        self.assertEqual((self.calls("state")[-1]["blocked"], self.calls("state")[-1]["descriptors"]), ([], [0, 1, 2]))

    def test_container_whose_runtime_cannot_tell_stays_locked_in(self):
        self.do(**{"exit": 7, "state-says": "permission denied"})
        done = self.door(*self.run_words())
        self.assertEqual((done.returncode, self.containers()), (7, ["web"]))
        self.assertRegex(done.stderr, "^rtreg-runtime: warning: .*permission denied")

    def test_sockets_that_are_handed_to_us_are_the_childs(self):
        script = f'LISTEN_FDS=1 LISTEN_PID=${{1:-$$}} exec {RTREG_RUNTIME} run --bundle {self.bundle} web'
        for other in ("", "1"):
            subprocess.run(["sh", "-c", script, "sh", other] if other else ["sh", "-c", script],
                           env=self.environment, check=True, timeout=PATIENCE)
            call = self.calls("run")[-1]
            self.assertEqual(call["environment"]["LISTEN_PID"], other or str(call["pid"]))

    def test_terminal_that_has_gone_is_told_to_the_child_of_its_leader(self):
        def lead():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.do(waits=True)
        ours, theirs = os.openpty()
        process = subprocess.Popen([RTREG_RUNTIME, *self.run_words()], env=self.environment, stdin=theirs,
                                   stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=lead)
        self.addCleanup(self.end, process)
        os.close(theirs)
        self.wait_for(lambda: os.path.exists(os.path.join(self.fake, "ready")), "the container")
        os.close(ours)
        self.wait_for(lambda: self.signals() == [signal.SIGHUP], "SIGHUP")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 42)

    def test_signals_that_others_send_are_passed_on(self):
        process = self.started()
        sent = [signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGRTMIN]
        for count, number in enumerate(sent, 1):
            process.send_signal(number)
            self.wait_for(lambda c=count: len(self.signals()) == c, f"signal {number}")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 42)
        self.assertEqual(self.signals(), [*sent, signal.SIGTERM])
        self.assertEqual(self.lock_ins(), [])

    def test_signal_that_came_before_there_was_a_child_is_passed_on(self):
        def pend():  # what is pending outlives exec
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
            os.kill(os.getpid(), signal.SIGTERM)

        self.do(waits=True)
        self.assertEqual(self.door(*self.run_words(), preexec_fn=pend).returncode, 42)
        self.assertEqual(self.signals(), [signal.SIGTERM])

    def test_child_dies_with_us(self):
        process = self.started()
        child = self.calls("run")[-1]["pid"]
        process.kill()
        process.wait()
        self.wait_for(lambda: not os.path.exists(f"/proc/{child}"), "the child to die")
        self.assertEqual(self.containers(), ["web"])

    def test_stop_by_the_terminal_stops_us_until_we_go_on(self):
        self.do(stops=True)
        process = self.spawn_door(*self.run_words(), process_group=0)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(), 0)

    def test_stop_of_the_child_alone_does_not_stop_us(self):
        process = self.started()
        child = self.calls("run")[-1]["pid"]
        os.kill(child, signal.SIGSTOP)
        os.kill(child, signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 42)

    def test_who_ignores_his_children_gets_the_exit_code_too(self):
        self.do(exit=7)
        done = self.door(*self.run_words(), preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(done.returncode, 7)

    def test_runtime_that_cannot_be_executed_leaves_nothing(self):
        with open(self.at("fake-second"), "w") as file:
            file.write("#!/does/not/exist\n")
        self.annotate("second")
        self.fails(127, self.at("fake-second"), *self.run_words())
        self.assertEqual(self.lock_ins(), [])

    def test_input_and_output_are_the_runtimes(self):
        with open(self.at("fake-second"), "w") as file:
            file.write("#!/bin/sh\ncase $* in *state*) exit 1 ;; esac\nread -r line\necho \"out $line\"\necho err >&2\n")
        self.annotate("second")
        done = self.door(*self.run_words(), stdin=None, input="in\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "out in\n", "err\n"))


if __name__ == "__main__":
    unittest.main()
