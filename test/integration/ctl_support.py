# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of rtregctl share: a daemon that is played, and how rtregctl is run against it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

BUILD = os.environ.get("RTREG_BUILD", "build")


def rtregctl():
    """The program's path."""
    return os.path.join(BUILD, "tools", "rtregctl")


def main():
    """Runs the tests of the calling script; its first argument may be the build folder."""
    global BUILD
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        BUILD = sys.argv.pop(1)
    # What runs in the background of a shell may have it ignored, and so would the programs that are tested.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main()


RUNTIMES = {
    "generation": 7,
    "default": "kata",
    "runtimes": {
        "runc": {"path": "runc", "shim": "io.containerd.runc.v2", "binary": "runc", "stock": True},
        "kata": {"runtimeType": "io.containerd.kata.v2", "shim": "io.containerd.kata.v2", "path": "", "stock": False},
        "crun": {
            "path": "/usr/bin/crun",
            "runtimeArgs": ["--debug", "a b", "it's", "", "x\ny"],
            "shim": "io.containerd.runc.v2",
            "binary": "/var/lib/rtreg/runtimes/crun.1234",
            "wrapper": "/var/lib/rtreg/runtimes/crun.1234",
        },
    },
}


def reply(body, status=200, reason="OK"):
    """A whole HTTP reply; `body` is JSON text, bytes, or something to be made JSON."""
    if not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(body, size):
    """The same body in chunks of `size` bytes, with an extension and a trailer."""
    out = b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n"
    for i in range(0, len(body), size):
        piece = body[i : i + size]
        out += b"%x;a=b\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\nX-Trailer: 1\r\n\r\n"


class Request:
    def __init__(self, head, body):
        lines = head.decode().split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        self.body = body


class Daemon:
    """Answers each connection with `answer`: bytes, or a function that is given the connection and the request."""

    def __init__(self, path, answer):
        self.path, self.answer, self.requests = path, answer, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        os.unlink(self.path)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self.serve_one(connection)
                except (BrokenPipeError, ConnectionResetError):
                    pass

    def serve_one(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        request = Request(head, b"")
        while len(body) < int(request.fields.get("content-length", 0)):
            body += connection.recv(65536)
        request.body = body
        self.requests.append(request)
        if callable(self.answer):
            self.answer(connection, request)
        else:
            connection.sendall(self.answer)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rtreg-ctl-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.socket = os.path.join(self.folder, "s")

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    def ctl(self, *words, answer=None, stdin=b"", environment=None):
        """Runs rtregctl; `answer` plays the daemon. Sets self.requests."""
        env = {"PATH": os.environ["PATH"], "TZ": "UTC", "RTREG_SOCKET": self.socket, **(environment or {})}
        command = [rtregctl(), *words]
        self.requests = []
        if answer is None:
            return self.finish(subprocess.run(command, input=stdin, env=env, capture_output=True, timeout=60))
        with Daemon(self.socket, answer) as daemon:
            self.requests = daemon.requests
            return self.finish(subprocess.run(command, input=stdin, env=env, capture_output=True, timeout=60))

    @staticmethod
    def finish(result):
        result.stdout = result.stdout.decode()
        result.stderr = result.stderr.decode()
        return result

    def check(self, result, code, out=None, err=None):
        self.assertEqual(result.returncode, code, result)
        if out is not None:
            self.assertEqual(result.stdout, out)
        if err is not None:
            self.assertEqual(result.stderr, err)
