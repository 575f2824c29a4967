# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each engine's tests stand on: programs run to their end, services, processes that must not stay."""

import os
import signal
import subprocess
import tempfile
import time

PATIENCE = 30  # seconds that anything may take before it counts as hanging


class Broken(AssertionError):
    """The engine does not do what a case is about."""


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def ok(self):
        return self.code == 0

    def says(self):
        """The first line, which is where programs put the cause."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[0] if lines else ""

    def must(self, what):
        """This result, which is a success."""
        if not self.ok:
            raise Broken(f"{what}: exit {self.code}: {self.says()}")
        return self


def run(*words, env=None, timeout=PATIENCE):
    """Runs a program. Its output goes to files: containers inherit them, and a pipe would end with the last one."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env={**os.environ, **(env or {})})
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = f"none within {timeout} s"
        out.seek(0)
        err.seek(0)
        return Result(code, out.read(), err.read())


def wait_for(condition, what, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise Broken("waited in vain for " + what)
        time.sleep(0.01)


class Service:
    """A daemon in the foreground, its log in a file."""

    def __init__(self, log):
        self.log = log
        self.process = None

    def start(self, *words, env=None):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})})

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    def wait_until(self, ready, what):
        def done():
            if not self.runs:
                raise Broken(f"{what} ended: {self.read_log().splitlines()[-1:]}")
            return ready()
        wait_for(done, what)

    def end(self, number=signal.SIGTERM):
        if self.process is None:
            return None
        if self.runs:
            self.process.send_signal(number)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def read_log(self):
        with open(self.log, errors="replace") as file:
            return file.read()


def processes():
    """What runs in our namespace beside its first process and us: pid and name. Zombies have nothing to run."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                comm, rest = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue  # gone meanwhile
        if int(name) not in (1, os.getpid()) and rest.split()[0] not in "ZX":
            found[int(name)] = comm
    return found


def end_processes(but):
    """Ends all that runs in our namespace except for some."""
    def left():
        return [pid for pid in processes() if pid not in but]

    def ended():
        for pid in left():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left()
    wait_for(ended, "processes to end")


def mounts_below(directory):
    with open("/proc/self/mounts") as file:
        points = [line.split()[1] for line in file]
    return [point for point in points if point.startswith(directory + "/")]


def unmount_below(directory, but=()):
    for point in reversed([point for point in mounts_below(directory) if point not in but]):
        subprocess.run(["umount", "--lazy", point], check=True)
