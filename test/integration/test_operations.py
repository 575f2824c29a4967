#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/operations.md is followed: what it has an operator type about the configuration goes through, in its order; and
what it quotes is what the programs say."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from test_daemon import RTREGD, DaemonTest, free_port

TOOLS = os.path.join(os.path.dirname(RTREGD), "..", "tools")
TOP = pathlib.Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs/operations.md").read_text(encoding="utf-8")

# What needs a terminal, a service manager, packages or a real machine. All else is run.
NOT_RUN = re.compile(r"(systemctl|journalctl|apt-get|mkdir) |.* --(watch|follow)\b")
BY_OTHERS = {"No space left on device", "Permission denied", "revert"}


def section(name):
    return re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[1]


def commands(text):
    """The lines behind a prompt; one with a here-document with all that belongs to it."""
    found, ending = [], None
    for line in text.splitlines():
        if ending:
            found[-1] += "\n" + line[4:]
            ending = None if line.strip() == ending else ending
        elif match := re.match(r"    [#$] (.*)", line):
            found.append(match[1])
            if document := re.search(r"<<'(\w+)'", match[1]):
                ending = document[1]
    return found


class Page(DaemonTest):
    watch = ()

    def setUp(self):
        super().setUp()
        self.port = free_port()
        for name in ("root", "etc", "etc/daemon.json.d"):
            os.mkdir(self.at(name))
        self.config = self.at("etc/daemon.json")
        self.configure({})

    def type_in(self, command):
        for there, here in (("/etc/rtreg", self.at("etc")), ("/root/", self.at("root/")), ("9323", str(self.port))):
            command = command.replace(there, here)
        path = f"{TOOLS}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "PATH": path, "RTREG_SOCKET": self.socket})
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_configuration_is_written_watched_and_changed(self):
        self.start()
        typed = [command for name in ("First configuration", "Watch", "Change", "Containers and their runtimes") for command in commands(section(name))]
        self.assertGreater(len(typed), 15)
        for command in typed:
            if not NOT_RUN.match(command) and (shutil.which("curl") or not command.startswith("curl ")):
                self.type_in(command)
        self.wait_for(lambda: "site=zurich-3" in self.get("/v1/config").text, "the last file")

    def test_what_lies_in_the_state_directory_is_told(self):
        self.start()
        self.request("PUT", "/v1/containers/web", '{"runtime": ""}')
        self.reload({"labels": ["a=b"]}, "?confirm=60")
        self.configure({"labels": ["bad"]})
        self.reload()
        manual = (TOP / "docs/manual/rtregd.8.in").read_text(encoding="utf-8").replace("\\-", "-")
        known = set(re.findall(r"[\w.-]+", manual[manual.index(".SH FILES"):]))
        there = set(os.listdir(self.at("state")))
        self.assertLessEqual({"confirmed.json", "default-runtime", "generation", "lock-ins", "rejected", "runtimes"}, there)
        self.assertEqual(there - {"generation", "lock"} - known, set(), "not in rtregd(8)")
        told = set(re.findall(r"[\w.-]+", "".join(re.findall(r"(?m)^\| .*?/var/lib/rtreg/.*? \|", section("Files")))))
        self.assertEqual(there - told, set(), "not in docs/operations.md")

    def test_quoted_messages_are_those_of_the_programs(self):
        source = "".join(path.read_text(encoding="utf-8") for folder in ("lib", "daemon", "tools")
                         for path in sorted((TOP / folder).rglob("*.c")))
        source = re.sub(r'"\s*\n\s*"', "", source).replace("%s", "STRING").replace("%d", "N")
        rows = re.findall(r"^\| (?!what |---)(.*?) \|", section("Recover"), re.MULTILINE)
        self.assertGreater(len(rows), 10)
        for quoted in (quoted for row in rows for quoted in re.findall("`([^`]+)`", row)):
            if not re.match("rtregctl |systemctl |journalctl ", quoted) and quoted not in BY_OTHERS:
                self.assertIn(quoted.replace("/var/lib/rtreg", "STRING").replace("process N", "process STRING"), source)


if __name__ == "__main__":
    unittest.main()
