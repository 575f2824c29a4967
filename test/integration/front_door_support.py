# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of rtreg-runtime share: a real rtregd, and runtimes that write down how they were called."""

import contextlib
import json
import os
import subprocess
import sys

from test_daemon import PATIENCE, DaemonTest

RTREG_RUNTIME = os.path.abspath(os.path.join(os.environ.get("RTREG_BUILD", "build"), "tools", "rtreg-runtime"))
BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"
OTHER_BOOT = "01234567-89ab-4cde-8f01-23456789abcd"
ANNOTATION = "io.rtreg.runtime"

# Keeps what it knows in FAKE/known/<its name>/<container>, and a line for each call in FAKE/calls. FAKE/do, a JSON
# object, tells what `run` and others do besides.
FAKE = r'''#!%s -IS
import json, os, signal, sys, time
fake, name = %r, os.path.basename(sys.argv[0])
if name.startswith("fake-"):
    name = name[5:]
words = sys.argv[1:]
descriptors = [int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd)]
with open(fake + "/calls", "a") as calls:
    calls.write(json.dumps({"name": name, "argv0": sys.argv[0], "argv": words, "pid": os.getpid(), "ppid": os.getppid(),
        "group": os.getpgrp(), "environment": dict(os.environ),
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "descriptors": sorted(descriptors)}) + "\n")
COMMANDS = "create run start state kill exec delete restore features list".split()
command = next((word for word in words if word in COMMANDS), None)
known = os.path.join(fake, "known", name, words[-1] if words else "")
do = json.load(open(fake + "/do")) if os.path.exists(fake + "/do") else {}
os.makedirs(os.path.dirname(known), exist_ok=True)
if command in ("create", "run", "restore"):
    if do.get("fails"):
        sys.exit(do["fails"])
    open(known, "w").close()
elif command == "state":
    print('{"id": "%%s"}' %% words[-1])
    if do.get("state-hangs"):
        signal.pause()
    if do.get("state-dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if do.get("state-says"):
        sys.stderr.write(do["state-says"])
        sys.exit(do.get("state", 1))
    sys.exit(0 if os.path.exists(known) else 1)
elif command == "delete" and not {"--regex", "--help"} & set(words):
    if os.path.exists(known):
        os.unlink(known)
    elif "--force" not in words and "-f" not in words:
        sys.exit(1)
elif command == "exec":
    sys.exit(do.get("exec", 0))
if command in ("run", "delete") and "--detach" not in words:
    if do.get("waits"):
        # waited for, not handled: a handler may run just before pause(), which then waits for the next one
        awaited = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGRTMIN)
        signal.pthread_sigmask(signal.SIG_SETMASK, awaited)
        open(fake + "/ready", "w").close()
        number = None
        while number != signal.SIGTERM:
            number = signal.sigwait(awaited)
            with open(fake + "/signals", "a") as signals:
                signals.write("%%d\n" %% number)
        if command == "run":
            os.unlink(known)
        sys.exit(42)
    if do.get("stops"):
        open(fake + "/ready", "w").close()
        os.kill(os.getpid(), signal.SIGTSTP)
    if command == "run" and "--keep" not in words:
        os.unlink(known)
    if do.get("dies"):
        os.kill(os.getpid(), do["dies"])
    sys.exit(do.get("exit", 0))
'''


class FrontDoorTest(DaemonTest):
    """`first` is the default and has arguments, `second` has none; both are the same script."""

    def setUp(self):
        super().setUp()
        self.fake = self.at("fake")
        os.mkdir(self.fake)
        self.runtimes = {"first": {"path": self.runtime("first"), "runtimeArgs": ["--odd=a b", "it's \"so\"\n$x"]},
                         "second": {"path": self.runtime("second")}}
        self.odd = self.runtimes["first"]["runtimeArgs"]
        self.settle()
        self.environment = {**os.environ, "RTREG_SOCKET": self.socket, "RTREG_STATE_DIR": self.at("state")}
        self.environment.pop("RTREG_RUNTIME_DEPTH", None)
        self.bundle = self.at("bundle")
        os.mkdir(self.bundle)
        self.annotate(None)

    def runtime(self, name):
        path = self.at("fake-" + name)
        with open(path, "w") as file:
            file.write(FAKE % (sys.executable, self.fake))
        os.chmod(path, 0o755)
        return path

    def settle(self, **changes):
        """The configuration: all runtimes, first by default."""
        self.configure({"default-runtime": "first", "runtimes": self.runtimes, **changes})

    def annotate(self, runtime, **more):
        annotations = {} if runtime is None else {ANNOTATION: runtime}
        self.write_config(json.dumps({"ociVersion": "1.0.2", "annotations": annotations, **more}))

    def write_config(self, text, name="config.json"):
        with open(os.path.join(self.bundle, name), "w") as file:
            file.write(text)

    def do(self, **what):
        with open(os.path.join(self.fake, "do"), "w") as file:
            json.dump(what, file)

    def calls(self, command=None):
        """How the runtimes were called, without the probes of rtregd."""
        with contextlib.suppress(FileNotFoundError), open(os.path.join(self.fake, "calls")) as file:
            calls = [json.loads(line) for line in file]
            return [call for call in calls if call["argv"][-1:] != ["features"]
                    and (command is None or command in call["argv"])]
        return []

    def called(self, command=None):
        """The name and arguments of the last call."""
        calls = self.calls(command)
        self.assertTrue(calls, "no runtime was called")
        return calls[-1]["name"], calls[-1]["argv"]

    def knows(self, name, container):
        return os.path.exists(os.path.join(self.fake, "known", name, container))

    def spawn_door(self, *words, environment=None, **rest):
        process = subprocess.Popen([RTREG_RUNTIME, *words], env={**self.environment, **(environment or {})},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, **rest)
        self.addCleanup(self.end_door, process)
        return process

    def end_door(self, process):
        self.end(process)
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def door(self, *words, environment=None, **rest):
        rest = {"capture_output": True, "stdin": subprocess.DEVNULL, **rest}
        return subprocess.run([RTREG_RUNTIME, *words], env={**self.environment, **(environment or {})}, text=True,
                              timeout=PATIENCE * 3, check=False, **rest)

    def passes(self, *words, **rest):
        done = self.door(*words, **rest)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stderr)
        return done

    def fails(self, code, text, *words, **rest):
        done = self.door(*words, **rest)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done

    def create(self, container="web", *options, command="create"):
        return self.passes(*options, command, "--bundle", self.bundle, container)

    def lock_ins(self):
        """The lock-in files there are: (directory, container)."""
        top = self.at("state/lock-ins")
        return sorted((directory, name) for directory in (os.listdir(top) if os.path.isdir(top) else ())
                      if directory != "scripts" for name in os.listdir(os.path.join(top, directory)))

    def containers(self):
        return [container for _, container in self.lock_ins()]

    def lock_in(self, container="web"):
        directory = next(directory for directory, name in self.lock_ins() if name == container)
        with open(os.path.join(self.at("state/lock-ins"), directory, container)) as file:
            return json.load(file)

    def lock(self, container, runtime="", root=None, boot=None):
        """Through the API."""
        body = {"runtime": runtime} | ({"boot-id": boot} if boot else {})
        reply = self.request("PUT", f"/v1/containers/{container}" + (f"?root={root}" if root else ""),
                             json.dumps(body))
        self.assertEqual(reply.status, 201, reply.text)
        return reply.json

    def container_events(self):
        return [(event["Action"], event["Actor"]["ID"]) for event in self.events() if event["Type"] == "container"]

    def kill_daemon(self):
        self.process.kill()
        self.process.wait()


def this_boot():
    with open(BOOT_ID_FILE) as file:
        return file.read().strip()
