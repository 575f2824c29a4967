#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configuration that clients map (docs/shared.md): against a real rtregd, and against one that lies."""

import contextlib
import fcntl
import mmap
import os
import resource
import select
import signal
import socket
import struct
import threading
import time
import unittest

from test_client import EINVAL, ENOENT, ENOTCONN, ETIMEDOUT, ClientTest

# As `lib/shared/format.h` has them.
UPGRADE = {"Connection": "Upgrade", "Upgrade": "rtreg-snapshot/1"}
REQUEST = b"GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: rtreg-snapshot/1\r\n\r\n"
CONTROL, SNAPSHOT = 1, 2
ADD_SEALS, SEAL, SHRINK, GROW, WRITE, FUTURE_WRITE = 1033, 1, 2, 4, 8, 16
CONTROL_SEALS, SNAPSHOT_SEALS = SEAL | SHRINK | GROW | FUTURE_WRITE, SEAL | SHRINK | GROW | WRITE


def question(what):
    return struct.pack("=II", what, 0)


def ask(connection, what):
    """Code, size, and the descriptor or None."""
    connection.sendall(question(what))
    answer, found, _, _ = socket.recv_fds(connection, 16, 4)
    kind, code, size = struct.unpack("=IiQ", answer)
    assert kind == what and len(found) == (code == 0), (kind, code, found)
    return code, size, found[0] if found else None


class SharedTest(ClientTest):
    def mapped_driver(self, **rest):
        driver = self.driver(**rest)
        driver.ask("map")
        return driver

    def check_mapped(self, driver, mapped=True):
        self.assertEqual(driver.ask("mapped"), ["0", str(int(mapped))])

    def upgraded(self):
        connection = self.connect()
        connection.sendall(REQUEST)
        reply = connection.recv(4096).decode()
        self.assertTrue(reply.startswith("HTTP/1.1 101 "), reply)
        self.assertTrue(reply.endswith("\r\n\r\n"), reply)
        return connection

    def memfds(self, pid=None):
        """The snapshots that rtregd holds descriptors of."""
        folder, found = f"/proc/{pid or self.process.pid}/fd", 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                found += os.readlink(f"{folder}/{name}").startswith("/memfd:rtreg-snapshot")
        return found


class Answers(SharedTest):
    def test_answers_are_those_of_the_socket(self):
        path = self.script("engine", "exit 0\n")
        self.configure({"runtimes": {"plain": {"path": path}, "wrapped": {"path": path, "runtimeArgs": ["--x=a b"]},
                                     "typed": {"runtimeType": "io.containerd.kata.v2", "options": {"A": [1, "x"]}},
                                     "empty": {"runtimeType": "io.containerd.kata.v2", "options": {}},
                                     "runc2": {"runtimeType": "io.containerd.runc.v2", "options": {"BinaryName": "/b"}},
                                     "ü\"'\\": {"path": path}}, "default-runtime": "wrapped"})
        self.start()
        asks, maps = self.driver(), self.mapped_driver()
        for name in ("plain", "wrapped", "typed", "empty", "runc2", "", "runc", "io.containerd.runc.v2", "ü\"'\\",
                     "io.containerd.wasm.v1", "x." + "y" * 300, "nothing", ".x", "a/b.c"):
            with self.subTest(name):
                self.assertEqual(maps.ask("resolve", name), asks.ask("resolve", name))
        self.check_mapped(maps)
        self.check_mapped(asks, False)
        self.assertEqual((asks.descriptors(), maps.descriptors()), (1, 2))

    def test_a_reload_is_seen_when_its_reply_is_there(self):
        self.start()
        clients = [self.mapped_driver() for _ in range(3)]
        for i in range(30):
            name = f"r{i}"
            reply = self.reload({"runtimes": {name: {"path": "/bin/true"}}, "default-runtime": name})
            self.assertEqual(reply.status, 200)
            for client in clients:
                answer = client.ask("resolve", "")
                self.check(answer, 0, name)
                self.assertEqual(answer[5], str(reply.json["generation"]))
                self.check_mapped(client)
        self.assertEqual(self.memfds(), 1)

    def test_what_publishes_nothing_leaves_the_mapping(self):
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.assertEqual(self.reload({"runtimes": {"x": {"path": ""}}}).status, 400)
        self.assertEqual(self.reload({"labels": ["a=b"]}, "?dry-run=true").status, 200)
        self.assertEqual(self.reload().json["unchanged"], True)
        self.check_mapped(client)
        self.assertEqual(client.ask("resolve", "")[5], "1")

    def test_the_binary_is_looked_up_when_that_is_asked_for(self):
        self.configure({"runtimes": {"gone": {"path": self.at("gone"), "runtimeArgs": ["-x"]}}})
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", "gone"), 0, "gone")
        self.check_failed(client.ask("check", "gone"), ENOENT, "error while looking up the specified", 127)
        self.check_failed(client.ask("check", "nothing"), EINVAL, "unknown or invalid runtime name: nothing")
        self.script("gone", "")
        self.check(client.ask("check", "gone"), 0)
        self.check_mapped(client)

    def test_a_child_goes_on_and_the_parent_too(self):
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("fork", "resolve", ""), 0, "runc")
        self.check(client.ask("resolve", ""), 0, "runc")
        self.check(client.ask("fork", "resolve", ""), 0, "runc")
        for name in ("one", "two"):
            self.assertEqual(self.reload({"runtimes": {name: {"path": "/bin/true"}}, "default-runtime": name}).status, 200)
            self.check(client.ask("fork", "resolve", ""), 0, name)
            self.check(client.ask("resolve", ""), 0, name)
            self.check_mapped(client)
        self.assertEqual(client.descriptors(), 2)

    def test_without_descriptors_the_socket_answers(self):
        self.start()
        for free in (0, 1):
            with self.subTest(free):
                client = self.mapped_driver()
                used = max(int(name) for name in os.listdir(f"/proc/{client.process.pid}/fd")) + 1
                client.ask("descriptors", used + free)
                self.check(client.ask("resolve", ""), 0, "runc")
                self.check_mapped(client, False)
                client.ask("descriptors", 100)

                def is_mapped(client=client):
                    self.check(client.ask("resolve", ""), 0, "runc")
                    return client.ask("mapped") == ["0", "1"]

                self.wait_for(is_mapped, "another try")

    def test_answers_never_go_back_while_the_configuration_changes(self):
        self.start()
        made, seen, done = {1: "runc"}, [], threading.Event()

        def look(client, answers):
            while not done.is_set():
                answers.append(client.ask("resolve", ""))

        def come_and_go():
            while not done.is_set():
                connection = self.upgraded()
                code, _, fd = ask(connection, SNAPSHOT)
                if code == 0:
                    os.close(fd)
                connection.close()

        threads = [threading.Thread(target=come_and_go)]
        for _ in range(3):
            seen.append([])
            threads.append(threading.Thread(target=look, args=(self.mapped_driver(), seen[-1])))
        for thread in threads:
            thread.start()
        try:
            for i in range(100):
                name = f"r{i}"
                reply = self.reload({"runtimes": {name: {"path": "/bin/true"}}, "default-runtime": name})
                made[reply.json["generation"]] = name
            last = max(made)
            self.wait_for(lambda: all(answers and answers[-1][5] == str(last) for answers in seen), "the last generation")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        for answers in seen:
            generations = [int(answer[5]) for answer in answers]
            self.assertEqual(generations, sorted(generations))
            self.assertEqual({(int(a[5]), a[1]) for a in answers} - set(made.items()), set())

    def test_going_back_without_a_confirmation_is_seen(self):
        self.start()
        client = self.mapped_driver()

        def seen_on_trial(seconds):
            """What is answered in that time; None if it may have been over by then."""
            reply = self.reload({"runtimes": {"new": {"path": "/bin/true"}}, "default-runtime": "new"}, f"?confirm={seconds}")
            self.assertEqual(reply.status, 200)
            answer = client.ask("resolve", "")
            return answer if self.generation() == reply.json["generation"] else None

        self.check(next(filter(None, map(seen_on_trial, (1, 4, 16)))), 0, "new")
        self.wait_for(lambda: client.ask("resolve", "")[1] == "runc", "the configuration before")
        self.check_mapped(client)

    def test_a_daemon_without_descriptors_reloads_and_answers(self):
        self.start()
        client, control = self.mapped_driver(), self.keep_connection()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.get("/v1/status", connection=control)
        limits = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        used = {int(name) for name in os.listdir(f"/proc/{self.process.pid}/fd")}
        free = next(number for number in range(1024) if number not in used)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (free, limits[1]))
        reply = self.request("POST", "/v1/reload", '{"runtimes":{"new":{"path":"/bin/true"}}}', connection=control)
        self.assertEqual(reply.status, 200, reply.text)
        # by the socket, or mapped anew: with its first connection it has given descriptors back
        self.check(client.ask("resolve", "new"), 0, "new")
        self.assertIn("cannot share the configuration", self.read_log())
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, limits)

        def is_mapped():
            self.check(client.ask("resolve", "new"), 0, "new")
            return client.ask("mapped") == ["0", "1"]

        self.wait_for(is_mapped, "another try")

    def test_many_reloads_leave_nothing_behind(self):
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        before = len(os.listdir(f"/proc/{client.process.pid}/map_files"))
        for i in range(100):
            self.assertEqual(self.reload({"labels": [f"i={i}"]}).status, 200)
            self.check(client.ask("resolve", ""), 0, "runc")
        self.assertLessEqual(len(os.listdir(f"/proc/{client.process.pid}/map_files")), before)
        self.assertEqual(self.memfds(client.process.pid), 0)


class Ends(SharedTest):
    def test_a_stop_is_noticed_and_the_next_start_mapped(self):
        self.start()
        client = self.mapped_driver()
        for _ in range(3):
            self.check(client.ask("resolve", ""), 0, "runc")
            self.check_mapped(client)
            self.assertEqual(self.stop(), 0)
            self.check_mapped(client, False)
            self.check_failed(client.ask("resolve", ""), ENOTCONN, self.socket)
            self.start()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.check_mapped(client)

    def test_a_kill_is_noticed_and_the_next_start_mapped(self):
        self.start()
        client = self.mapped_driver()
        for _ in range(3):
            self.check(client.ask("resolve", ""), 0, "runc")
            self.kill()
            self.check_mapped(client, False)
            self.check_failed(client.ask("resolve", ""), ENOTCONN, self.socket)
            self.start()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.check_mapped(client)

    def test_restart_between_two_calls_gives_what_is_live_then(self):
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        for name, end in (("one", self.stop), ("two", self.kill)):
            end()
            self.configure({"runtimes": {name: {"path": "/bin/true"}}, "default-runtime": name})
            self.start()
            self.check(client.ask("resolve", ""), 0, name)
            self.check_mapped(client)

    def test_another_state_directory_may_begin_at_a_lower_generation(self):
        self.start()
        client = self.mapped_driver()
        for i in range(3):
            self.reload({"labels": [f"i={i}"]})
        self.assertEqual(client.ask("resolve", "")[5], "4")
        self.stop()
        self.start(state="other")
        self.assertEqual(client.ask("resolve", "")[5], "1")
        self.check_mapped(client)

    def test_stale_answers_are_for_those_who_ask_for_them(self):
        self.configure({"runtimes": {"mine": {"path": "/bin/true"}}, "default-runtime": "mine"})
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "mine")
        self.kill()
        self.check_failed(client.ask("resolve", ""), ENOTCONN, self.socket)
        client.ask("stale", 1)
        self.check(client.ask("resolve", ""), 0, "mine")
        self.check(client.ask("resolve", "runc"), 0, "runc")
        self.check_failed(client.ask("resolve", "nothing"), EINVAL, "nothing")
        self.check_mapped(client, False)
        client.ask("stale", 0)
        self.check_failed(client.ask("resolve", ""), ENOTCONN, self.socket)

    def test_a_suspended_daemon_is_alive(self):
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.halt()
        try:
            client.ask("timeout", 1)
            self.check(client.ask("resolve", ""), 0, "runc")
            self.check_mapped(client)
        finally:
            self.process.send_signal(signal.SIGCONT)

    def test_a_suspended_daemon_that_has_something_newer_is_waited_for_as_long_as_was_asked(self):
        self.start()
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.reload(query="?force=true")
        self.halt()
        client.ask("timeout", 500)
        try:
            begin = time.monotonic()
            self.check_failed(client.ask("resolve", ""), ETIMEDOUT, "within 0.5 s")
            self.assertGreater(time.monotonic() - begin, 0.4)
        finally:
            self.process.send_signal(signal.SIGCONT)

    def test_probes_that_are_started_and_end_do_not_look_like_its_death(self):
        self.start()
        client = self.mapped_driver()
        for i in range(5):
            path = self.script(f"engine{i}", "echo '{}'\n")
            self.assertEqual(self.reload({"runtimes": {"e": {"path": path}}, "default-runtime": "e"}).status, 200)
            self.check(client.ask("resolve", ""), 0, "e")
            self.check_mapped(client)

    def test_mapped_connections_do_not_hold_a_stop_up(self):
        self.configure({"shutdown-timeout": 60})
        self.start()
        connections = [self.upgraded() for _ in range(50)]
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.assertEqual(self.stop(), 0)
        for connection in connections:
            self.assertEqual(connection.recv(1), b"")
        self.assertNotIn("shutdown-timeout has passed", self.read_log())


class Upgrading(SharedTest):
    def test_without_the_upgrade_it_says_how(self):
        self.start()
        for headers in ({}, {"Upgrade": UPGRADE["Upgrade"]}, {"Connection": "Upgrade"},
                        {"Connection": "Upgrade", "Upgrade": "websocket"}, {"Connection": "x", "Upgrade": "rtreg-snapshot/1"},
                        {"Connection": "Upgrade", "Upgrade": "rtreg-snapshot/12"}):
            with self.subTest(headers):
                reply = self.get("/v1/snapshot", headers=headers)
                self.assertEqual(reply.status, 426)
                self.assertEqual(reply.headers["Upgrade"], "rtreg-snapshot/1")
                self.assertIn("Upgrade: rtreg-snapshot/1", reply.json["message"])
        old = REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0").decode()
        self.assertEqual(self.status_of_raw(old), 426)
        self.assertEqual(self.request("POST", "/v1/snapshot", headers=UPGRADE).status, 405)
        self.assertEqual(self.memfds(), 0)

    def test_lists_of_tokens_are_understood(self):
        self.start()
        connection = self.connect()
        connection.sendall(REQUEST.replace(b"Connection: Upgrade", b"Connection: keep-alive, upgrade")
                           .replace(b"Upgrade: rtreg", b"Upgrade: websocket, rtreg"))
        self.assertIn(b" 101 ", connection.recv(4096))
        self.assertEqual(ask(connection, CONTROL)[:2], (0, 4096))

    def test_snapshots_are_there_while_somebody_maps(self):
        self.start()
        self.assertEqual(self.memfds(), 0)
        self.reload({"labels": ["a=b"]})
        self.assertEqual(self.memfds(), 0)
        first, second = self.upgraded(), self.upgraded()
        self.assertEqual(self.memfds(), 1)
        for connection in (first, second):  # which it counts when it has taken it over: behind the 101
            self.assertEqual(ask(connection, CONTROL)[0], 0)
        metrics = self.get("/metrics").text
        self.assertIn("\nrtreg_mapping_connections 2\n", metrics)
        self.assertIn("\nrtreg_event_followers 0\n", metrics)
        self.reload({"labels": ["a=c"]})
        self.assertEqual(self.memfds(), 1)
        first.close()
        self.assertEqual(ask(second, SNAPSHOT)[0], 0)
        second.close()
        self.wait_for(lambda: self.memfds() == 0, "the snapshot to be let go")
        self.reload({"labels": ["a=d"]})
        self.assertEqual(self.memfds(), 0)

    def test_a_question_that_is_none_ends_the_connection(self):
        self.start()
        other = self.upgraded()
        for bad in (struct.pack("=II", 3, 0), struct.pack("=II", 1, 1), b"\0" * 8, b"GET / HTTP/1.1\r\n\r\n"):
            with self.subTest(bad):
                connection = self.upgraded()
                connection.sendall(bad)
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(connection.recv(1), b"")
        early = self.connect()
        early.sendall(REQUEST + question(CONTROL))
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := early.recv(4096):
                data += piece
        self.assertEqual(data.partition(b"\r\n\r\n")[2], b"")
        self.assertEqual(ask(other, CONTROL)[0], 0)

    def test_a_question_may_come_in_pieces(self):
        self.start()
        connection = self.upgraded()
        for byte in question(SNAPSHOT):
            connection.sendall(bytes([byte]))
        answer, found, _, _ = socket.recv_fds(connection, 16, 4)
        self.assertEqual((len(answer), len(found)), (16, 1))
        os.close(found[0])

    def test_one_that_never_reads_is_cut_and_costs_nobody_anything(self):
        self.start()
        client = self.mapped_driver()
        floods = [self.upgraded() for _ in range(20)]
        for connection in floods:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(100):
                    connection.sendall(question(SNAPSHOT))
        silent = [self.upgraded() for _ in range(20)]
        for connection in silent:
            connection.sendall(question(SNAPSHOT))
        for i in range(10):
            self.assertEqual(self.reload({"labels": [f"i={i}"]}).status, 200)
            self.check(client.ask("resolve", ""), 0, "runc")
            self.check_mapped(client)
        # cut by now, or when it next looks
        self.wait_for(lambda: all(self.has_ended(connection) for connection in floods), "those that flood to be cut")
        self.assertFalse(any(self.has_ended(connection) for connection in silent))

    def has_ended(self, connection):
        try:
            return connection.send(b"") == 0 and self.poll_hup(connection)
        except OSError:
            return True

    @staticmethod
    def poll_hup(connection):
        poller = select.poll()
        poller.register(connection, 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poller.poll(0))


class Crowds(SharedTest):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))

    def test_mapped_connections_count_among_all(self):
        self.start()
        connections = [self.upgraded() for _ in range(1024)]
        self.assertEqual(self.get("/_ping").status, 503)
        for connection in connections[:4]:
            connection.close()
        self.wait_for(lambda: self.get("/_ping").status == 200, "room")
        self.assertEqual(self.reload({"labels": ["a=b"]}).status, 200)
        for connection in connections[4:]:
            code, size, fd = ask(connection, SNAPSHOT)
            self.assertEqual((code, size), (0, os.fstat(fd).st_size))
            os.close(fd)
        self.assertEqual(self.stop(), 0)

    @unittest.skipIf(os.geteuid() != 0, "needs root, to become somebody else")
    def test_mapped_connections_count_for_their_user(self):
        self.start("--socket-mode", "0666")
        os.chmod(self.directory, 0o755)
        connections = []
        os.seteuid(65534)
        try:
            connections += [self.upgraded() for _ in range(512)]
            self.assertEqual(self.get("/_ping").status, 503)
        finally:
            os.seteuid(0)
        self.assertEqual(self.get("/_ping").status, 200)


class Liar:
    """An rtregd that hands out what it is told to, and says `socket` to every resolve."""

    def __init__(self, path):
        self.answers, self.generation, self.upgrades, self.connections = {}, 5, True, []
        self.page = os.memfd_create("page", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.ftruncate(self.page, 4096)
        self.memory = mmap.mmap(self.page, 4096)
        self.listener = socket.socket(socket.AF_UNIX)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def write_page(self, epoch, generation, owner=1, magic=b"rtregctl"):
        self.memory[0:32] = struct.pack("=8sIIQQ", magic, 1, 64, epoch, generation)
        self.memory[64:68] = struct.pack("=I", owner)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            while head := connection.recv(4096):
                if b"/v1/snapshot" not in head:
                    body = '{"generation":%d,"name":"socket","shim":"a.b","options":{}}' % self.generation
                    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                elif not self.upgrades:
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
                else:
                    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")
                    self.answer(connection)
                    return

    def answer(self, connection):
        while asked := connection.recv(8):
            answer = self.answers[struct.unpack("=II", asked)[0]]
            if not answer(connection):
                return

    def close(self):
        for opened in [self.listener, *self.connections]:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def gives(what, fd, code=0, size=0, count=1):
    return lambda connection: socket.send_fds(connection, [struct.pack("=IiQ", what, code, size)], [fd] * count)


def says(text):
    return lambda connection: connection.send(text)


class Lies(SharedTest):
    """Each lie leaves the client on the socket, whole, with nothing left open."""

    def setUp(self):
        super().setUp()
        self.start()
        connection = self.upgraded()
        _, size, fd = ask(connection, SNAPSHOT)
        self.good = os.pread(fd, size, 0)
        os.close(fd)
        connection.close()
        self.assertEqual(self.stop(), 0)
        self.epoch, self.snapshot_generation = struct.unpack_from("=QQ", self.good, 40)
        self.liar = Liar(self.socket)
        self.addCleanup(self.liar.close)
        self.liar.generation = self.snapshot_generation
        self.liar.write_page(self.epoch, self.snapshot_generation)
        fcntl.fcntl(self.liar.page, ADD_SEALS, CONTROL_SEALS)
        self.liar.answers = {CONTROL: gives(CONTROL, self.liar.page), SNAPSHOT: gives(SNAPSHOT, self.memfd(self.good))}

    def memfd(self, data, seals=SNAPSHOT_SEALS, name="snapshot"):
        fd = os.memfd_create(name, os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        self.addCleanup(os.close, fd)
        os.write(fd, data)
        if seals:
            fcntl.fcntl(fd, ADD_SEALS, seals)
        return fd

    def changed(self, offset, form, value):
        data = bytearray(self.good)
        struct.pack_into(form, data, offset, value)
        return self.memfd(bytes(data))

    def descriptors_of(self, client):
        return len(os.listdir(f"/proc/{client.process.pid}/fd"))

    def check_refused(self, timeout_ms=None):
        client = self.mapped_driver()
        if timeout_ms:
            client.ask("timeout", timeout_ms)
        before = self.descriptors_of(client)
        self.check(client.ask("resolve", ""), 0, "socket")
        self.check_mapped(client, False)
        self.assertEqual(self.descriptors_of(client), before)
        self.assertEqual(self.memory_of(client), 0)
        client.ask("resolve", "")

    def memory_of(self, client):
        with open(f"/proc/{client.process.pid}/maps") as file:
            return sum("/memfd:snapshot" in line for line in file)

    def test_the_truth_is_taken(self):
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        self.check_mapped(client)

    def test_an_older_daemon_answers_over_the_socket(self):
        self.liar.upgrades = False
        self.check_refused()

    def test_snapshots_that_are_not_what_they_must_be(self):
        pipe = os.pipe()
        self.addCleanup(os.close, pipe[0])
        self.addCleanup(os.close, pipe[1])
        lies = {
            "no seals": gives(SNAPSHOT, self.memfd(self.good, 0)),
            "not sealed against writing": gives(SNAPSHOT, self.memfd(self.good, SNAPSHOT_SEALS & ~WRITE)),
            "not sealed against shrinking": gives(SNAPSHOT, self.memfd(self.good, SNAPSHOT_SEALS & ~SHRINK)),
            "not sealed against seals": gives(SNAPSHOT, self.memfd(self.good, SNAPSHOT_SEALS & ~SEAL)),
            "sealed as a page": gives(SNAPSHOT, self.memfd(self.good, CONTROL_SEALS)),
            "too short": gives(SNAPSHOT, self.memfd(self.good[:-1])),
            "a header alone": gives(SNAPSHOT, self.memfd(self.good[:72])),
            "nothing": gives(SNAPSHOT, self.memfd(b"")),
            "too long": gives(SNAPSHOT, self.memfd(self.good + b"\0")),
            "another epoch": gives(SNAPSHOT, self.changed(40, "=Q", self.epoch ^ 1)),
            "another hash": gives(SNAPSHOT, self.changed(64, "=Q", 1)),
            "a default outside": gives(SNAPSHOT, self.changed(20, "=I", 1 << 30)),
            "a pipe": gives(SNAPSHOT, pipe[0]),
            "the page": gives(SNAPSHOT, self.liar.page),
            "no descriptor": says(struct.pack("=IiQ", SNAPSHOT, 0, 100)),
            "a code that is none": says(struct.pack("=IiQ", SNAPSHOT, 7, 100)),
            "none": says(struct.pack("=IiQ", SNAPSHOT, -ENOENT, 0)),
            "another answer": gives(CONTROL, self.memfd(self.good)),
            "half an answer": says(b"\2\0\0\0"),
            "the end": lambda connection: False,
        }
        for name, lie in lies.items():
            with self.subTest(name):
                self.liar.answers[SNAPSHOT] = lie
                self.check_refused()

    def test_two_descriptors_are_one_too_many_and_leave_none(self):
        self.liar.answers[SNAPSHOT] = gives(SNAPSHOT, self.memfd(self.good), count=2)
        client = self.mapped_driver()
        client.ask("resolve", "")
        self.assertLessEqual(self.descriptors_of(client), 5)

    def test_silence_ends_with_the_time_limit(self):
        self.liar.answers[SNAPSHOT] = lambda connection: connection.recv(1)
        self.check_refused(timeout_ms=8000)

    def test_pages_that_are_not_what_they_must_be(self):
        def page(magic=b"rtregctl", version=1, owner_offset=64, epoch=self.epoch, seals=CONTROL_SEALS, size=4096):
            data = struct.pack("=8sIIQQ", magic, version, owner_offset, epoch, 1).ljust(64, b"\0") + b"\1\0\0\0"
            return gives(CONTROL, self.memfd(data.ljust(size, b"\0")[:size], seals, "page"))

        lies = {"magic": page(magic=b"rtregsnp"), "version": page(version=2), "owner outside": page(owner_offset=4096),
                "owner askew": page(owner_offset=66), "owner in the head": page(owner_offset=8), "no epoch": page(epoch=0),
                "no seals": page(seals=0), "sealed as a snapshot": page(seals=SNAPSHOT_SEALS), "short": page(size=20),
                "empty": page(size=0), "another epoch": page(epoch=self.epoch ^ 2)}
        for name, lie in lies.items():
            with self.subTest(name):
                self.liar.answers[CONTROL] = lie
                self.check_refused()

    def test_it_never_goes_back_within_an_epoch(self):
        newer = self.changed(48, "=Q", self.snapshot_generation + 5)
        self.liar.answers[SNAPSHOT] = gives(SNAPSHOT, newer)
        client = self.mapped_driver()
        self.assertEqual(client.ask("resolve", "")[5], str(self.snapshot_generation + 5))
        self.liar.write_page(self.epoch, self.snapshot_generation + 6)
        self.liar.answers[SNAPSHOT] = gives(SNAPSHOT, self.memfd(self.good))
        self.liar.generation = self.snapshot_generation + 6
        self.assertEqual(client.ask("resolve", "")[1], "socket")
        self.check_mapped(client, False)
        # what the socket has said counts too
        self.liar.write_page(self.epoch, self.snapshot_generation + 5)
        self.check_mapped(client, False)

    def test_stale_answers_are_not_older_than_what_the_socket_said(self):
        client = self.mapped_driver()
        client.ask("stale", 1)
        self.check(client.ask("resolve", ""), 0, "runc")
        self.liar.generation += 1
        self.liar.write_page(self.epoch, self.liar.generation)
        self.assertEqual(client.ask("resolve", "")[1], "socket")
        self.liar.close()
        os.unlink(self.socket)
        self.liar.write_page(self.epoch, self.liar.generation, owner=0)
        self.check_failed(client.ask("resolve", ""), ENOTCONN, self.socket)

    def test_an_owner_that_is_gone_is_believed(self):
        client = self.mapped_driver()
        self.check(client.ask("resolve", ""), 0, "runc")
        for owner in (0, 1 << 30, 1 << 30 | 1):
            self.liar.write_page(self.epoch, self.snapshot_generation, owner)
            self.check_mapped(client, False)
        self.liar.write_page(self.epoch, self.snapshot_generation, owner=1 << 31 | 7)
        self.check_mapped(client)


if __name__ == "__main__":
    unittest.main()
