#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/examples/engine.c: containers are started and stopped while the file is changed and reloaded, and each is dealt
with by one and the same runtime. With containers of runc where that can be had, and with a script in its place."""

import contextlib
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BUILD = os.path.abspath(os.environ.get("RTREG_BUILD", "build"))
TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "test/engines"))
from preflight import runc_fails

ENGINE = os.path.join(BUILD, "docs", "examples", "engine")
PATIENCE = 120  # seconds that anything may take before it counts as hanging

# A runtime of which each command is written down with the argument that it was configured with. What follows does it.
WRITES_DOWN = """#!/bin/sh
[ "$1" != features ] || exit 1
tag=$1
shift
case $3 in
create) eval "id=\\${$#}" ;;
delete) eval "id=\\${$#}" ;;
*) id=$4 ;;
esac
echo "$id $3 $tag" >>%(log)s
"""
# Processes in place of containers: one each, its number kept below the root.
PRETENDS = """
[ ! -e %(broken)s ] || exit 1
case $3 in
create)
	sleep 1000 </dev/null >/dev/null 2>&1 &
	echo $! >"$2/$id"
	cp "$2/$id" "$7"
	;;
start) ;;
kill) kill -s "$5" "$(cat "$2/$id")" ;;
delete)
	if [ "$4" = --force ]; then
		kill -s KILL "$(cat "$2/$id")"
	fi
	rm -f "$2/$id"
	;;
*) exit 2 ;;
esac
"""
STAYS_UNTIL_TERM = "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


class WithScript(unittest.TestCase):
    containers = 60
    runtime = PRETENDS
    stop_timeout = 30

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="rtreg-engine-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.process = None
        self.runs = 0
        self.addCleanup(self.end_all)
        self.log = self.at("log")
        with open(self.log, "w"), open(self.at("runtime"), "w") as script:
            script.write((WRITES_DOWN + self.runtime) % {"log": self.log, "broken": self.at("broken")})
        os.chmod(self.at("runtime"), 0o755)
        os.mkdir(self.at("bundle"))
        self.configure(0)

    def at(self, name):
        return os.path.join(self.directory, name)

    def end_all(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for name in os.listdir(self.at("root")) if os.path.isdir(self.at("root")) else ():
            subprocess.run([self.at("runtime"), "--by-test", "--root", self.at("root"), "delete", "--force", name],
                           check=False, capture_output=True)

    def write(self, text):
        with open(self.at("daemon.json.new"), "w") as file:
            file.write(text)
        os.rename(self.at("daemon.json.new"), self.at("daemon.json"))

    def configure(self, number):
        """The runtime's name, and with it the default, changes as well as its argument."""
        name = f"runtime-{number % 3}"
        self.write(json.dumps({"default-runtime": name, "default-stop-timeout": self.stop_timeout,
                               "runtimes": {name: {"path": self.at("runtime"), "runtimeArgs": [f"--tag={number}"]}}}))

    def start(self, *options):
        self.runs += 1
        with open(self.at(f"out{self.runs}"), "w") as out:
            self.process = subprocess.Popen(
                [ENGINE, "--config-file", self.at("daemon.json"), "--state-dir", self.at("state"), "--bundle",
                 self.at("bundle"), "--runtime-root", self.at("root"), "--containers", str(self.containers), *options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def out(self):
        with open(self.at(f"out{self.runs}")) as file:
            return file.read()

    def finish(self, code=0):
        """Waits for the engine's end; returns what it reports."""
        self.assertEqual(self.process.wait(PATIENCE), code, self.out())
        return {what: int(count) for count, what in re.findall(r"(\d+) ([\w-]+)", self.out())}

    def commands(self):
        """What each container saw: (command, argument), in order."""
        seen = {}
        with open(self.log) as file:
            for line in file.read().splitlines():
                container, command, tag = line.split()
                seen.setdefault(container, []).append((command, tag))
        return seen

    def commands_at_work(self):
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                # One that is about to be executed has the engine's own arguments yet: --runtime-root.
                if f"root\0{self.at('root')}\0".encode() in file.read():
                    found.append(path)
        return found

    def has_run(self, count):
        return len(self.commands()) >= count or self.process.poll() is not None

    def assert_whole(self, containers=None):
        """Each was created, started, stopped and deleted, all by what it was created with; and nothing is left."""
        seen = self.commands()
        self.assertEqual(len(seen), containers or self.containers)
        for container, steps in seen.items():
            # The second kill is for one that was asked to end before it could understand that.
            self.assertRegex(" ".join(step for step, _ in steps), "^create start kill( kill)? delete$", container)
            self.assertEqual(len({tag for _, tag in steps}), 1, (container, steps))
        self.assert_nothing_left()

    def assert_nothing_left(self):
        self.assertEqual(os.listdir(self.at("root")), [])
        left = [os.path.join(folder, name) for folder, _, names in os.walk(self.at("state/lock-ins")) for name in names
                if not folder.endswith("/scripts")]
        self.assertEqual(left, [])

    def test_every_container_keeps_its_runtime_while_the_file_changes(self):
        self.start("--threads", "4", "--reloads-per-second", "100")
        number = 0
        while self.process.poll() is None:
            number += 1
            self.configure(number)
            time.sleep(0.005)
        report = self.finish()
        self.assertEqual((report["begun"], report["started"], report["stopped"]), (self.containers,) * 3)
        self.assertEqual((report["failures"], report["refused"], report["lock-ins"], report["pins"]), (0, 0, 0, 0))
        self.assertGreater(report["done"], 10)
        self.assert_whole()
        self.assertGreater(len({steps[0][1] for steps in self.commands().values()}), 3)

    def test_engine_that_was_killed_finds_what_it_left(self):
        self.containers = 100000  # it does not end before
        self.start("--threads", "4")
        wait_for(lambda: self.has_run(10), "containers")
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not self.commands_at_work(), "the commands that were at work")
        left = os.listdir(self.at("root"))
        self.write("{}")  # knows nothing of the runtime any more
        self.containers = 1
        self.start("--runtime", "no-such-thing")
        self.finish(1)
        self.assertRegex(self.out(), r"engine: \d+ containers were left over")
        self.assertRegex(self.out(), "unknown or invalid runtime name: no-such-thing")
        self.assertGreater(len(left), 0)
        for container, steps in self.commands().items():
            self.assertEqual(steps[-1][0], "delete", container)
            self.assertEqual(len({tag for _, tag in steps}), 1, (container, steps))
        self.assert_nothing_left()


class AsAProcess(WithScript):
    """What has nothing to do with what containers are made of."""

    test_every_container_keeps_its_runtime_while_the_file_changes = None
    test_engine_that_was_killed_finds_what_it_left = None

    def test_hangup_reloads_and_term_stops_in_good_order(self):
        self.containers = 100000
        self.start("--reloads-per-second", "0")
        wait_for(lambda: self.has_run(5), "containers")
        self.configure(7)
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any(steps[0][1] == "--tag=7" for steps in self.commands().values()), "the new argument")
        self.process.send_signal(signal.SIGTERM)
        report = self.finish()
        self.assertEqual(report["done"], 1)
        self.assertLess(report["begun"], self.containers)
        self.assert_whole(report["begun"])

    def test_file_with_a_mistake_changes_nothing(self):
        self.containers = 100000
        self.start("--reloads-per-second", "100")
        wait_for(lambda: self.has_run(5), "containers")
        self.write('{"labels": ["no-value"]}')
        wait_for(lambda: "bad attribute format" in self.out(), "the refusal")
        count = len(self.commands())
        wait_for(lambda: self.has_run(count + 10), "more containers")
        self.process.send_signal(signal.SIGTERM)
        report = self.finish()
        self.assertGreater(report["refused"], 0)
        self.assert_whole(report["begun"])

    def test_containers_that_cannot_be_started_leave_nothing(self):
        self.containers = 5
        with open(self.at("broken"), "w"):
            pass
        self.start()
        report = self.finish(1)
        self.assertEqual((report["begun"], report["started"], report["failures"], report["lock-ins"]), (5, 0, 5, 0))
        self.assert_nothing_left()

    def test_ends_in_time(self):
        self.containers = 100000
        self.start("--seconds", "1")
        report = self.finish()
        self.assertLess(report["begun"], self.containers)
        self.assert_whole(report["begun"])

    def test_wrong_options_are_usage(self):
        for words in (["--threads", "0"], ["--nothing"], ["word"]):
            with self.subTest(words):
                self.start(*words)
                self.assertEqual(self.process.wait(PATIENCE), 2)
                self.assertIn("usage: engine", self.out())


def why_not():
    busybox = shutil.which("busybox")
    if os.geteuid() != 0:
        return "containers need root"
    if not shutil.which("runc", path=os.environ["PATH"] + ":/usr/sbin"):
        return "no runc here"
    if not busybox or b"INTERP" in subprocess.run(["readelf", "-l", busybox], capture_output=True, check=False).stdout:
        return "no static busybox here"
    return runc_fails()


@unittest.skipIf(why_not(), why_not())
class WithRunc(WithScript):
    containers = 40
    stop_timeout = 1
    runtime = 'PATH=$PATH:/usr/sbin\nexec runc "$@"\n'

    def setUp(self):
        super().setUp()
        os.makedirs(self.at("bundle/rootfs/bin"))
        shutil.copy(shutil.which("busybox"), self.at("bundle/rootfs/bin/busybox"))
        for name in ("sh", "sleep"):
            os.symlink("busybox", self.at(f"bundle/rootfs/bin/{name}"))
        subprocess.run(["runc", "spec"], cwd=self.at("bundle"), check=True,
                       env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        with open(self.at("bundle/config.json")) as file:
            spec = json.load(file)
        spec["process"].update(terminal=False, args=["/bin/sh", "-c", STAYS_UNTIL_TERM])
        with open(self.at("bundle/config.json"), "w") as file:
            json.dump(spec, file)

    def test_commands_of_the_examples_readme_work(self):
        text = (TOP / "docs/examples/README.md").read_text(encoding="utf-8")
        typed = re.search(r"To see engine.c at work.*?\n\n((?:    [^\n]*\n)+)", text)[1]
        self.assertIn("runc spec", typed)
        typed = typed.replace("/tmp/engine", self.at("typed")).replace("build/docs/examples/engine", ENGINE)
        done = subprocess.run(["sh", "-ec", typed.replace("/bin/busybox", shutil.which("busybox"))], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                              env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"})
        self.assertEqual(done.returncode, 0, done.stdout)
        shown = re.search(r"It ends with what it did:\n\n((?:    [^\n]*\n)+)", text)[1]
        count = re.compile(r"\d+ (?=times another|done)")
        self.assertEqual(count.sub("N ", done.stdout), count.sub("N ", shown.replace("    ", "")))


if __name__ == "__main__":
    unittest.main()
