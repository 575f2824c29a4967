#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What rtregd and systemd tell each other (docs/systemd.md): a service manager is played here, by a socket that reads
what it is told, and by descriptors that are handed over. Then the units, by systemd's own tools."""

import ctypes.util
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

from test_daemon import PATIENCE, RTREGD, DaemonTest, Reply, UnixConnection, free_port

BUILD = os.path.abspath(os.environ.get("RTREG_BUILD", "build"))
UNITS = os.path.join(BUILD, "daemon", "systemd")
WITH_SYSTEMD = os.environ.get("RTREG_WITH_SYSTEMD", "1") == "1"
SANITIZED = os.environ.get("RTREG_SANITIZED", "0") == "1"
SAYING = 1  # seconds that a stop gives who is connected and has not asked yet
NOT_BUILT = "this build is without libsystemd"

# Executes the rest of the command line with a descriptor as number 3 and up, as a service manager does.
HAND_OVER = """
import os, sys
fds, command = [int(n) for n in sys.argv[1].split(",")], sys.argv[2:]
spare = [os.dup(fd) if fd < 3 + len(fds) else fd for fd in fds]
for number, fd in enumerate(spare, 3):
    os.dup2(fd, number)
os.environ.setdefault("LISTEN_PID", str(os.getpid()))
os.environ["LISTEN_FDS"] = str(len(fds))
os.execvp(command[0], command)
"""


class ManagedTest(DaemonTest):
    """A daemon below a service manager: NOTIFY_SOCKET, and `handed` as LISTEN_FDS."""

    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(self.at("notify"))
        self.manager.settimeout(PATIENCE)
        self.addCleanup(self.manager.close)
        self.environment = {"NOTIFY_SOCKET": self.at("notify")}
        self.handed = []

    def spawn(self, *options, stderr=None, **places):
        command = self.command(*options, **places)
        fds = [handed.fileno() for handed in self.handed]
        if fds:
            command = [sys.executable, "-c", HAND_OVER, ",".join(map(str, fds)), *command]
        with open(self.log, "a") as log:
            process = subprocess.Popen(command, stderr=stderr or log, stdin=subprocess.DEVNULL, pass_fds=fds,
                                       env={**os.environ, **self.environment})
        self.addCleanup(self.end, process)
        return process

    def told(self):
        """The next datagram."""
        return self.manager.recv(65536).decode()

    def told_so_far(self):
        """What has come and was not read yet, without what the watchdog gets."""
        found = []
        while select.select([self.manager], [], [], 0)[0]:
            found.append(self.told())
        return [text for text in found if text != "WATCHDOG=1"]

    def start_told(self, *options):
        self.process = self.spawn(*options)
        self.assertRegex(self.told(), "^READY=1\n")

    def listen(self, name="handed.sock", kind=socket.SOCK_STREAM, listen=True):
        made = socket.socket(socket.AF_UNIX, kind)
        self.addCleanup(made.close)
        made.bind(self.at(name))
        if listen:
            made.listen(1000)
        return made


@unittest.skipUnless(WITH_SYSTEMD, NOT_BUILT)
class Notifications(ManagedTest):
    def test_start_is_told_when_requests_are_answered(self):
        self.process = self.spawn()
        self.assertEqual(self.told(), f"READY=1\nMAINPID={self.process.pid}\nSTATUS=generation 1")
        self.assertEqual(self.get("/_ping").status, 200)

    def test_abstract_address(self):
        name = f"@rtreg-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as self.manager:
            self.manager.settimeout(PATIENCE)
            self.manager.bind("\0" + name[1:])
            self.environment["NOTIFY_SOCKET"] = name
            self.start_told()

    def test_address_of_another_kind_is_a_warning(self):
        self.environment["NOTIFY_SOCKET"] = "vsock:2:1"
        self.start()
        self.assertIn("cannot tell the service manager anything", self.read_log())

    def test_failed_start_tells_nothing(self):
        self.configure("{")
        self.assertEqual(self.spawn().wait(PATIENCE), 1)
        self.assertEqual(self.told_so_far(), [])

    def assert_reloading(self, text, since_us):
        match = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", text)
        self.assertTrue(match, text)
        self.assertTrue(since_us <= int(match[1]) <= time.monotonic_ns() // 1000, text)

    def test_reload_by_request_is_told_before_its_reply(self):
        self.start_told()
        since_us = time.monotonic_ns() // 1000
        self.assertEqual(self.reload({"debug": True}).status, 200)
        before, after = self.told_so_far()
        self.assert_reloading(before, since_us)
        self.assertEqual(after, "READY=1\nSTATUS=generation 2")

    def test_reload_by_signal(self):
        self.start_told()
        self.configure({"labels": ["a=b"]})
        since_us = time.monotonic_ns() // 1000
        self.process.send_signal(signal.SIGHUP)
        self.assert_reloading(self.told(), since_us)
        self.assertEqual(self.told(), "READY=1\nSTATUS=generation 2")

    def test_failed_reload_is_told_until_one_succeeds(self):
        self.start_told()
        message = self.reload({"mtu": -1}).json["message"]
        _, after = self.told_so_far()
        self.assertEqual(after, f"READY=1\nSTATUS=generation 1, the last reload failed: {message}")
        self.reload({})
        self.assertEqual(self.told_so_far()[1], "READY=1\nSTATUS=generation 1")

    def test_failure_with_line_breaks_and_length_is_one_assignment(self):
        self.start_told()
        self.assertEqual(self.reload({"labels": ["\nMAINPID\n" + "\u00e4" * 9000]}).status, 400)
        _, after = self.told_so_far()
        self.assertLess(len(after.encode()), 4096)
        self.assertEqual([line.split("=")[0] for line in after.split("\n")], ["READY", "STATUS"])

    def test_dry_run_is_no_reload(self):
        self.start_told()
        self.assertEqual(self.reload({"debug": True}, "?dry-run=true").status, 200)
        self.assertEqual(self.told_so_far(), [])

    def test_unmet_condition_leaves_the_status(self):
        self.start_told()
        self.assertEqual(self.reload({}, headers={"If-Match": "7"}).status, 412)
        self.assertIn(self.told_so_far()[1:], ([], ["READY=1"]))

    def test_stop(self):
        self.start_told()
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.told_so_far(), ["STOPPING=1\nSTATUS=stopping, requests in flight are finished\n"
                                              "EXTEND_TIMEOUT_USEC=30000000"])

    def test_reload_that_a_stop_waits_for_does_not_make_it_ready_again(self):
        self.start_told()
        slow = self.script("slow", f"touch {self.at('begun')}; exec sleep 100\n")
        self.configure({"runtimes": {"slow": {"path": slow}}})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: os.path.exists(self.at("begun")), "the probe")
        self.assertEqual(self.stop(), 0)
        self.assertEqual([text.split("=")[0] for text in self.told_so_far()], ["RELOADING", "STOPPING"])

    def test_long_stop_asks_for_more_time(self):
        self.configure({"shutdown-timeout": -1})
        self.start_told()
        waiting = self.connect()
        waiting.sendall(b"POST /v1/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
        self.assertRegex(waiting.recv(65536), b"^HTTP/1.1 100 ")  # the head has been read
        self.process.send_signal(signal.SIGTERM)
        self.assertRegex(self.told(), "^STOPPING=1\n")
        self.assertEqual(self.told(), "EXTEND_TIMEOUT_USEC=30000000")
        self.assertEqual(self.stop(), 0)

    def test_children_know_nothing_of_the_service_manager(self):
        self.environment |= {"WATCHDOG_USEC": "10000000", "LISTEN_FDNAMES": "rtreg"}
        self.handed = [self.listen()]
        probe = self.script("probe", f"env >{self.at('seen')}; ls /proc/self/fd >{self.at('fds')}; echo '{{}}'\n")
        self.configure({"runtimes": {"a": {"path": probe}}})
        self.start_told()
        with open(self.at("seen")) as file:
            names = {line.split("=")[0] for line in file}
        self.assertIn("PATH", names)
        self.assertEqual([name for name in names if re.match("NOTIFY|WATCHDOG|LISTEN", name)], [])

    def test_manager_that_never_reads_holds_nothing_up(self):
        self.environment["WATCHDOG_USEC"] = "100000"
        self.start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            self.wait_for(lambda: not all(self.can_send(other) for _ in range(100)), "the queue to be full")
        end = time.monotonic() + PATIENCE
        for _ in range(20):
            self.assertEqual(self.get("/_ping").status, 200)
        self.assertLess(time.monotonic(), end, "the main loop waits for the service manager")
        self.assertEqual(self.stop(), 0)

    def can_send(self, other):
        other.setblocking(False)
        try:
            other.sendto(b"X=1", self.at("notify"))
            return True
        except BlockingIOError:
            return False


@unittest.skipUnless(WITH_SYSTEMD, NOT_BUILT)
class Watchdog(ManagedTest):
    def setUp(self):
        super().setUp()
        self.environment["WATCHDOG_USEC"] = "1000000"

    def test_fed_from_the_start_and_again_and_again(self):
        self.start_told()
        for _ in range(4):
            self.assertEqual(self.told(), "WATCHDOG=1")

    def test_of_another_process_is_not_fed(self):
        self.environment["WATCHDOG_PID"] = "1"
        self.start_told()
        self.reload({"debug": True})
        self.manager.settimeout(1.5)
        self.assertRegex(self.told() + self.told(), "^RELOADING=1\n.*READY=1")
        self.assertRaises(TimeoutError, self.told)

    def fed_until(self, pattern):
        """How often it was fed until then."""
        fed = 0
        while not re.match(pattern, text := self.told()):
            self.assertEqual(text, "WATCHDOG=1")
            fed += 1
        return fed

    def test_reload_that_waits_for_a_probe_is_not_stuck(self):
        self.start_told()
        slow = self.script("slow", "exec sleep 100\n")
        self.configure({"runtimes": {"slow": {"path": slow}}})
        self.process.send_signal(signal.SIGHUP)
        self.fed_until("RELOADING=1\n")
        # 5 s at half a second, on a machine that may be slow
        self.assertGreaterEqual(self.fed_until("READY=1\nSTATUS=generation 2"), 3)

    def test_not_fed_while_a_reload_is_stuck(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.process = self.spawn(stderr=writer)
        os.close(writer)
        self.fed_until("READY=1\n")
        # A log that nobody reads stops the thread that does the reload.
        filler = os.open(f"/proc/self/fd/{reader}", os.O_WRONLY | os.O_NONBLOCK)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(filler, b"\n")
        os.close(filler)
        self.configure({"labels": ["a=b"]})
        self.process.send_signal(signal.SIGHUP)
        self.fed_until("RELOADING=1\n")
        self.manager.settimeout(4)
        with self.assertRaises(TimeoutError):
            end = time.monotonic() + 60
            while time.monotonic() < end:
                self.assertEqual(self.told(), "WATCHDOG=1")
        self.manager.settimeout(PATIENCE)
        os.set_blocking(reader, False)
        with self.assertRaises(BlockingIOError):
            while os.read(reader, 1 << 20):
                pass
        self.fed_until("READY=1\nSTATUS=generation 2")
        self.assertEqual(self.told(), "WATCHDOG=1")


@unittest.skipUnless(WITH_SYSTEMD, NOT_BUILT)
class HandedOver(ManagedTest):
    def setUp(self):
        super().setUp()
        self.handed = [self.listen()]
        self.own, self.socket = self.socket, self.at("handed.sock")

    def start(self, *options, **places):
        super().start("--socket", self.own, *options, **places)

    def test_is_used_in_place_of_an_own_one_which_the_log_tells(self):
        self.start()
        self.assertFalse(os.path.exists(self.own))
        self.assertRegex(self.read_log(), f"handed over socket={self.socket} instead-of={self.own}")
        self.assertRegex(self.read_log(), f"started .*socket={self.socket}")

    def test_is_never_unlinked_and_keeps_its_mode(self):
        os.chmod(self.socket, 0o604)
        before = os.stat(self.socket)
        self.start("--socket-mode", "0666")
        self.assertEqual(self.stop(), 0)
        after = os.stat(self.socket)
        self.assertEqual((after.st_ino, after.st_mode, after.st_gid), (before.st_ino, before.st_mode, before.st_gid))

    def test_is_made_non_blocking_and_closed_on_exec(self):
        self.start()
        with open(f"/proc/{self.process.pid}/fdinfo/3") as file:
            flags = int(re.search(r"flags:\s*([0-7]+)", file.read())[1], 8)
        self.assertTrue(flags & os.O_NONBLOCK and flags & os.O_CLOEXEC, oct(flags))

    def test_for_another_process_is_not_taken(self):
        self.environment["LISTEN_PID"] = "1"
        self.socket = self.own
        self.start()
        self.assertTrue(os.path.exists(self.own))

    def assert_refused(self, *handed, why):
        self.handed = handed
        self.assertEqual(self.spawn().wait(PATIENCE), 1)
        self.assertIn(why, self.read_log())

    def test_two_are_refused(self):
        self.assert_refused(*self.handed, self.listen("b"), why="2 sockets were handed over (LISTEN_FDS)")

    def test_of_another_kind_is_refused(self):
        with socket.socket() as internet, open("/dev/null") as file:
            internet.listen()
            for handed in (self.listen("b", socket.SOCK_DGRAM, False), self.listen("c", listen=False),
                           self.listen("d", socket.SOCK_SEQPACKET), internet, file):
                with self.subTest(handed):
                    self.assert_refused(handed, why="is no listening unix stream socket")
                    os.truncate(self.log, 0)

    def test_request_that_waits_while_nobody_serves_is_answered(self):
        waiting = self.connect()
        waiting.sendall(b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n")
        self.start()
        self.assertRegex(waiting.recv(65536), b"^HTTP/1.1 200 ")

    def wait_until_none_is_accepted(self):
        """Who has answered may still be about to accept another one; who then reads a signal is not."""
        connection = self.keep_connection()
        self.get("/_ping", connection=connection)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: len(self.get("/v1/history", connection=connection).json["entries"]) > 1, "a reload")

    def test_connection_that_the_old_one_did_not_accept_is_the_next_ones(self):
        self.start()
        self.wait_until_none_is_accepted()
        self.halt()
        late = self.connect()
        self.process.send_signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGCONT)
        self.assertEqual(self.process.wait(PATIENCE), 0)
        self.start()
        late.sendall(b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertRegex(late.recv(65536), b"^HTTP/1.1 200 ")

    def ask_on_and_on(self, ended, outcomes):
        while not ended.is_set():
            connection, began, asked = UnixConnection(self.socket), time.monotonic(), None
            try:
                connection.request("GET", "/v1/status")
                asked = time.monotonic()
                reply = Reply(connection.getresponse())
                outcomes.append((reply.status, reply.json["pid"]))
            except OSError as error:
                # Who is connected and says nothing may be cut.
                if (asked or time.monotonic()) - began < SAYING / 2:
                    outcomes.append((repr(error), None))
            finally:
                connection.close()

    def test_every_request_during_restarts_is_answered(self):
        ended, outcomes, pids = threading.Event(), [], []
        self.start()
        askers = [threading.Thread(target=self.ask_on_and_on, args=(ended, outcomes)) for _ in range(4)]
        for asker in askers:
            asker.start()
        try:
            for _ in range(4):
                pid = self.process.pid
                pids.append(pid)
                self.wait_for(lambda pid=pid: (200, pid) in outcomes, "answers of this one")
                self.assertEqual(self.stop(), 0)
                self.process = self.spawn()
            pids.append(self.process.pid)
            self.wait_for(lambda: (200, self.process.pid) in outcomes, "answers of the last one")
        finally:
            ended.set()
            for asker in askers:
                asker.join(PATIENCE)
        self.assertEqual([outcome for outcome in outcomes if outcome[0] != 200], [])
        self.assertEqual({pid for _, pid in outcomes}, set(pids))


@unittest.skipUnless(WITH_SYSTEMD, NOT_BUILT)
class SocketActivate(DaemonTest):
    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "no systemd-socket-activate here")
    def test_first_request_starts_the_daemon_and_is_answered(self):
        self.socket = self.at("activated.sock")
        passed = [f"--setenv={name}" for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH")
                  if name in os.environ]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(
                ["systemd-socket-activate", "-l", self.socket, *passed, *self.command(socket_path=self.at("none"))],
                stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(self.end, self.process)
        self.wait_for(lambda: os.path.exists(self.socket) and "Listening on" in self.read_log(), "the listener")
        self.assertNotIn("started", self.read_log())
        status = self.get("/v1/status").json
        self.assertEqual(status["pid"], self.process.pid)
        self.assertEqual(self.stop(), 0)
        self.assertTrue(os.path.exists(self.socket))


@unittest.skipIf(WITH_SYSTEMD, "this build is with libsystemd")
class Without(ManagedTest):
    def test_says_what_it_does_not_do_and_serves(self):
        self.environment["WATCHDOG_USEC"] = "1000000"
        self.handed = [self.listen()]
        self.start()
        for variable in ("NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC"):
            self.assertRegex(self.read_log(), f"built without libsystemd: .*variable={variable}\n")
        self.assertEqual(self.reload({"debug": True}).status, 200)
        self.assertEqual(self.stop(), 0)
        self.assertEqual(self.told_so_far(), [])


@unittest.skipUnless(WITH_SYSTEMD, NOT_BUILT)
@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
class Units(DaemonTest):
    def run_tool(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def unit(self, name):
        with open(os.path.join(UNITS, name)) as file:
            return file.read()

    def test_verify_finds_nothing(self):
        service = re.sub(r"=\S+/rtregd ", f"={RTREGD} ", self.unit("rtregd.service"))
        service = re.sub(r"=\S+/rtregctl ", f"={BUILD}/tools/rtregctl ", service)
        for name, text in (("rtregd.service", service), ("rtregd.socket", self.unit("rtregd.socket"))):
            with open(self.at(name), "w") as file:
                file.write(text)
        done = self.run_tool("systemd-analyze", "verify", self.at("rtregd.service"), self.at("rtregd.socket"))
        about_ours = [line for line in (done.stdout + done.stderr).splitlines() if "rtreg" in line]
        self.assertEqual((done.returncode, about_ours), (0, []))

    def test_sandbox_is_no_weaker_than_it_was(self):
        done = self.run_tool("systemd-analyze", "security", "--offline=true", "--threshold=13", "--no-pager",
                             os.path.join(UNITS, "rtregd.service"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_sandbox_has_the_boot_id_that_engines_see(self):
        self.assertIn("\nBindReadOnlyPaths=/proc\n", self.unit("rtregd.service"))

    def test_reload_is_synchronous_by_one_way_or_the_other(self):
        service = self.unit("rtregd.service")
        if "\nType=notify-reload\n" in service:
            self.assertNotIn("ExecReload", service)
        else:
            self.assertRegex(service, r"\nType=notify\nExecReload=/\S+/rtregctl -s /run/rtreg/rtreg.sock reload\n")

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_user_and_directories_are_made(self):
        data, root = os.path.join(os.path.dirname(__file__), "../../daemon/systemd"), self.at("root")
        os.makedirs(root + "/etc")
        done = self.run_tool("systemd-sysusers", "--root", root, os.path.abspath(data + "/sysusers.conf"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(root + "/etc/passwd") as file:
            user = next(line for line in file if line.startswith("rtreg:")).split(":")
        done = self.run_tool("systemd-tmpfiles", "--root", root, "--create", os.path.abspath(data + "/tmpfiles.conf"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for path, mode, gid in (("/run/rtreg", 0o755, 0), ("/etc/rtreg", 0o755, 0),
                                ("/etc/rtreg/daemon.json.d", 0o1775, int(user[3]))):
            made = os.stat(root + path)
            self.assertEqual((path, made.st_mode & 0o7777, made.st_uid, made.st_gid), (path, mode, 0, gid))


# Applies what prctl and a system call filter can of the unit's sandbox, and executes the rest of the command line.
CONFINE = """
import ctypes, errno, os, re, subprocess, sys

unit = open(sys.argv[1]).read()
seccomp, libc = ctypes.CDLL("libseccomp.so.2"), ctypes.CDLL(None, use_errno=True)
ALLOW, ERRNO, EQUAL, MASKED_EQUAL = 0x7fff0000, 0x00050000, 4, 7
NAMESPACES = 0x7e020080

class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]

def members(name):
    if not name.startswith("@"):
        return {name}
    lines = subprocess.check_output(["systemd-analyze", "syscall-filter", name], text=True).splitlines()[1:]
    return set().union(*(members(line.strip()) for line in lines if line.strip() and "#" not in line))

allowed = set()
for line in re.findall("^SystemCallFilter=(.*)$", unit, re.M):
    named = set().union(*map(members, line.lstrip("~").split()))
    allowed = allowed - named if line.startswith("~") else allowed | named
families = re.search("^RestrictAddressFamilies=(.*)$", unit, re.M)[1].split()
assert "RestrictNamespaces=yes" in unit and "MemoryDenyWriteExecute=yes" in unit
allowed -= {"setns", "unshare", "clone3", "clone", "socket"}

seccomp.seccomp_init.restype = ctypes.c_void_p
filter = ctypes.c_void_p(seccomp.seccomp_init(ERRNO | errno.EPERM))

def rule(action, name, *comparisons):
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        array = (Comparison * len(comparisons))(*comparisons)
        assert seccomp.seccomp_rule_add_array(filter, action, number, len(comparisons), array) == 0, name

for name in allowed:
    rule(ALLOW, name)
rule(ERRNO | errno.ENOSYS, "clone3")
rule(ALLOW, "clone", Comparison(0, MASKED_EQUAL, NAMESPACES, 0))
import socket
for family in families:
    rule(ALLOW, "socket", Comparison(0, EQUAL, getattr(socket, family), 0))
libc.prctl(65, 1, 0, 0, 0)  # no memory that is both written to and executed, from Linux 6.3 on
assert seccomp.seccomp_load(filter) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""

PROBE = """
can() { if "$@" 2>/dev/null; then printf true; else printf false; fi; }
printf '{"fragment": %s, ' "$(can sh -c 'echo {} >DIR/daemon.json.d/x && mv DIR/daemon.json.d/x DIR/daemon.json.d/50-own.json')"
printf '"main": %s, ' "$(can sh -c 'echo {} >>DIR/daemon.json')"
printf '"other": %s, ' "$(can rm DIR/daemon.json.d/10-other.json)"
printf '"namespaces": %s, ' "$(can unshare -U true)"
printf '"privileges": "%s"}' "$(grep -c -E '^(NoNewPrivs:.1|Seccomp:.2|Cap...:.0+)$' /proc/self/status)"
"""


@unittest.skipUnless(WITH_SYSTEMD, NOT_BUILT)
@unittest.skipIf(SANITIZED, "sanitizers want more than the sandbox allows")
@unittest.skipUnless(os.geteuid() == 0, "needs root")
@unittest.skipUnless(shutil.which("systemd-analyze") and shutil.which("setpriv") and shutil.which("unshare") and
                     ctypes.util.find_library("seccomp"), "needs systemd-analyze, setpriv, unshare and libseccomp")
class Sandbox(ManagedTest):
    """The service's user without capabilities, its system calls, and a file system that is read-only but for what
    the unit lists; what only a running systemd can do is left out."""
    USER = 64017

    def setUp(self):
        super().setUp()
        if subprocess.run(["unshare", "-m", "mount", "-o", "remount,bind,ro", "/"], capture_output=True,
                          check=False).returncode:
            self.skipTest("needs a mount namespace, and a root directory that is a mount")
        os.chmod(self.directory, 0o755)
        for program in (RTREGD, os.path.join(BUILD, "tools", "rtregctl")):
            shutil.copy(program, self.directory)
        os.mkdir(self.at("state"))
        os.chown(self.at("state"), self.USER, self.USER)
        os.mkdir(self.at("daemon.json.d"))
        os.chown(self.at("daemon.json.d"), 0, self.USER)
        os.chmod(self.at("daemon.json.d"), 0o1775)
        with open(self.at("daemon.json.d/10-other.json"), "w") as file:
            file.write("{}")
        self.handed = [self.listen()]
        self.socket = self.at("handed.sock")
        os.chown(self.socket, 0, self.USER)
        os.chmod(self.socket, 0o660)
        os.chmod(self.at("notify"), 0o666)

    def confined(self, command):
        writable = [self.at("state"), self.at("daemon.json.d")]
        binds = " && ".join(f"mount --bind {path} {path}" for path in writable)
        return ["unshare", "-m", "sh", "-c", f'umask 077 && {binds} && mount -o remount,bind,ro / && exec "$@"', "sh",
                "setpriv", f"--reuid={self.USER}", f"--regid={self.USER}", "--clear-groups", "--bounding-set=-all",
                "--inh-caps=-all", "--no-new-privs",
                "/usr/bin/python3", "-c", CONFINE, os.path.join(UNITS, "rtregd.service"), *command]

    def command(self, *options, **places):
        return self.confined([self.at("rtregd"), *super().command(*options, **places)[1:], "--group", str(self.USER)])

    def probe_result(self, name):
        return self.get("/v1/runtimes/" + name).json["features"]

    def test_start_reload_wrapper_and_stop(self):
        self.start()
        runtime = self.script("runtime", 'echo "ran $1"\n')
        self.configure({"runtimes": {"wrapped": {"path": runtime, "runtimeArgs": ["--x"]}}})
        reload = subprocess.run(self.confined([self.at("rtregctl"), "-s", self.socket, "reload"]), timeout=PATIENCE,
                                capture_output=True, text=True, check=False)
        self.assertEqual(reload.returncode, 0, reload.stderr)
        wrapper = self.get("/v1/resolve?runtime=wrapped").json["options"]["BinaryName"]
        self.assertEqual(os.stat(wrapper).st_uid, self.USER)
        # An engine is root.
        self.assertEqual(subprocess.check_output([wrapper], text=True), "ran --x\n")
        self.assertEqual(self.stop(), 0)
        self.assertTrue(os.path.exists(self.socket))

    def test_probes_run_and_may_write_the_fragment_directory_alone(self):
        probe = self.script("probe", PROBE.replace("DIR", self.directory))
        self.configure({"runtimes": {"probe": {"path": probe}}})
        self.start()
        self.assertEqual(self.probe_result("probe"), {"fragment": True, "main": False, "other": False,
                                                      "namespaces": False, "privileges": "7"})

    def replace_then_open(self, value):
        """Whether the daemon noticed the file while it could not read it, with time to spare."""
        new, seen = self.at("new"), len(self.read_log())
        with open(new, "w") as file:
            json.dump(value, file)
        os.chmod(new, 0o600)
        begun = time.monotonic()
        os.rename(new, self.config)
        self.wait_for(lambda: "may have changed" in self.read_log()[seen:], "the file to be noticed")
        os.chmod(self.config, 0o644)
        return time.monotonic() - begun < 0.25  # before that no change has settled

    def test_file_that_gets_its_mode_last_is_read_without_a_warning(self):
        self.watch = ()
        self.start("--log-level", "debug")
        for attempt in range(10):
            before, label = len(self.read_log()), f"attempt={attempt}"
            in_time = self.replace_then_open({"labels": [label]})
            self.wait_for(lambda label=label: label in self.get("/v1/config").text, "the reload")
            if in_time:
                self.assertNotIn("may go unnoticed", self.read_log()[before:])
                return
        self.skipTest("this machine is too slow")

    def test_file_that_cannot_be_read_is_told(self):
        self.watch = ()
        self.start()
        os.chmod(self.config, 0o600)
        self.wait_for(lambda: "may go unnoticed" in self.read_log(), "the warning")
        self.assertIn(self.config, self.get("/v1/status").json["watch"]["error"])

    @unittest.skipUnless(shutil.which("runc"), "no runc here")
    def test_features_of_runc_are_the_same_as_outside(self):
        outside = subprocess.run(["runc", "features"], capture_output=True, text=True, check=False)
        self.start()
        self.assertEqual(self.probe_result("runc"), json.loads(outside.stdout))

    def test_diagnostic_port(self):
        self.configure({"network-diagnostic-port": (port := free_port())})
        self.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as reply:
            self.assertEqual(reply.status, 200)

    def test_own_fragment_is_written(self):
        self.start()
        reply = self.request("PUT", "/v1/runtimes/added", json.dumps({"path": "/bin/true"}))
        if reply.status in (404, 405):
            self.skipTest("this rtregd has no such request")
        self.assertEqual(reply.status, 200, reply.text)
        self.assertEqual(self.request("DELETE", "/v1/runtimes/added").status, 200)


if __name__ == "__main__":
    unittest.main()
