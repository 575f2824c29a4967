#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The short tour of README.md, typed as it stands there: every command does what it is there for."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from test_daemon import PATIENCE, RTREGD

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(RTREGD).parents[1]
BLOCK = re.compile(r"```json\n(.*?)```\n|((?:^    [^\n]+\n)+)", re.DOTALL | re.MULTILINE)
# What a person does without being told: to look again until it is there.
LATER = {
    "rtregd ": "wait_for 'info started' cat log",
    "cp next.json daemon.json": "wait_for watch rtregctl history",
}
BEGIN = """
wait_for() {
	local word=$1 left=300
	shift
	until "$@" 2>&1 | grep -q "$word"; do
		left=$((left - 1))
		[ $left -gt 0 ] || { echo "no $word: $*"; exit 1; }
		sleep 0.1
	done
}
trap 'kill %1 && wait %1' EXIT
set -e -m
"""


def tour():
    """The lines to type, and the file to write where it is shown."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = (("## A short tour", "## Use it from your engine"), ("**An engine in any language**", "**An engine in C**"))
    text = "".join(text[text.index(begin) : text.index(end)] for begin, end in parts)
    for config, lines in BLOCK.findall(text):
        if config:
            yield f"cat >daemon.json <<'END'\n{config}END"
        for line in lines.splitlines():
            yield line.strip()


def has(line):
    """docker and curl may be missing here, and docker's client is not what this is about."""
    return shutil.which(line.split()[0]) if line.startswith(("docker ", "curl ")) else True


class Readme(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="rtreg-readme-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "build").symlink_to(BUILD)
        self.script = BEGIN
        for line in filter(has, tour()):
            later = next((then for begin, then in LATER.items() if line.startswith(begin)), ":")
            self.script += f"echo '#' {line.split()[0]} {line.split()[1]}\n{line}\n{later}\n"
        self.script = self.script.replace("/tmp/try", str(self.folder / "try"))

    def test_tour_works_as_typed(self):
        environment = {name: value for name, value in os.environ.items() if name not in ("RTREG_SOCKET", "CDPATH")}
        done = subprocess.run(
            ["bash", "-c", self.script], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=10 * PATIENCE, check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn('"message"', done.stdout, "a request was refused")
        said = {}
        for command, output in re.findall(r"(?m)^# (\S+ \S+)\n((?:(?!# \w+ \S+\n).*\n)*)", done.stdout):
            said[command] = said.get(command, "") + output
        for command, word in (
            ("rtregctl ls", "runsc"),
            ("rtregctl resolve", "io.containerd.kata.v2"),
            ("rtregctl diff", "zurich-3"),
            ("rtregctl history", "labels"),
            ("rtregctl runtime", "runtimes.crun"),
            ("rtregctl set-default", "crun"),
            ("rtregctl reload", "on trial until"),
            ("rtregctl status", "on trial"),
            ("rtregctl confirm", "confirmed"),
            ("rtregctl lock", "kata"),
            ("rtregctl locks", "web"),
            ("rtregctl unlock", "is unlocked"),
            ("rtregctl events", "reload"),
            ("rtregctl metrics", "rtreg_generation"),
            *([("curl --unix-socket", '"runtime":"')] if shutil.which("curl") else []),
        ):
            with self.subTest(command):
                self.assertIn(word, said[command])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["build", "try"])


if __name__ == "__main__":
    unittest.main()
