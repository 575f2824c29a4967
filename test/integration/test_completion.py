#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion in bash, zsh and fish: what the scripts offer is what --help tells, and the names of runtimes, whatever
they are, are text and nothing else.

    test_completion.py BUILD [unittest's arguments]        or with the build folder in RTREG_BUILD
"""

import functools
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import time
import unittest

import ctl_support
from ctl_support import Case, Daemon, main, reply, rtregctl

PATIENCE = 60  # seconds that a shell may take before it counts as hanging
SHELLS = ("bash", "zsh", "fish")
HOSTILE = [
    "plain",
    "two words",
    "it's",
    'say "x"',
    "$(touch x)",
    "`touch x`",
    "a; touch x",
    "a && touch x #",
    "$HOME",
    "back\\slash",
    "*",
    "~root",
    "k=v",
    "eq=one",
    "eq=two",
    "host:5000/a@b",
    "!!",
    "{a,b}",
    "-dash",
    "'; touch x; '",
    "ümlaut",
]
# fish does not quote a tilde at the beginning: such a name is left out
HOSTILE_FISH = [name for name in HOSTILE if not name.startswith("~")]

# What each shell is given: the script, and instead of the line editor's own functions some that print. What
# completes files is printed as <files>.
BASH = r"""
compopt() { [[ $2 != default ]] || printf '<files>\0'; [[ $2 != dirnames ]] || printf '<directories>\0'; }
source "$1" && program=$2 && shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"_$program"
[[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\0' "${COMPREPLY[@]}"
"""
ZSH = r"""
compdef() { : }
compset() { : }
_message() { : }
_files() { [[ $1 == -/ ]] && printf '<directories>\0' || printf '<files>\0' }
_describe() { local entry; for entry in "${(@P)argv[-1]}"; do printf '%s\0' "${entry%%:*}"; done }
compadd() { local -a given=("${(@P)argv[-1]}"); (( ! $#given )) || printf '%s\0' "${given[@]}" }
source "$1" && program=$2 && shift 2
words=("$@") CURRENT=$# PREFIX=$argv[-1]
"_$program"
"""
FISH = r"""
source $argv[1]
cd $argv[2]
complete -C "$argv[3]"
"""


def each_shell(test):
    """Makes a test of a shell one of all, so that what is missing is skipped alone."""

    @functools.wraps(test)
    def run(self):
        for shell in getattr(self, "START", SHELLS):
            with self.subTest(shell):
                if not shutil.which(shell):
                    self.skipTest(missing(shell))
                test(self, shell)

    return run


def missing(shell):
    return f"{shell} is not installed"


class Completion(Case):
    def setUp(self):
        super().setUp()
        self.home = self.path("home")
        os.mkdir(self.home)
        open(os.path.join(self.home, "a-file"), "w", encoding="utf-8").close()
        self.programs = self.path("programs")
        os.mkdir(self.programs)
        self.make_patient()

    def make_patient(self):
        """The rtregctl that scripts ask: as it is, but for their time limit, which a slow machine may pass."""
        patient = os.path.join(self.programs, "rtregctl")
        with open(patient, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\n[ "$1 $2" = "--timeout 2" ] && shift 2\nexec {shlex.quote(os.path.abspath(rtregctl()))} "$@"\n')
        os.chmod(patient, 0o755)

    def environment(self):
        sanitizers = {name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")}
        return {"PATH": f"{self.programs}:{os.environ['PATH']}", "HOME": self.home, "RTREG_SOCKET": self.socket,
                "LC_ALL": "C.UTF-8", "TERM": "dumb", "INPUTRC": "/dev/null", **sanitizers}

    def run_in(self, shell, code, *words):
        if not shutil.which(shell):
            self.skipTest(missing(shell))
        command = {"bash": ["bash", "--noprofile", "--norc", "-c", code, "bash"],
                   "zsh": ["zsh", "-f", "-c", code, "zsh"],
                   "fish": ["fish", "--no-config", "-c", code, "--"]}[shell]
        done = subprocess.run([*command, *words], env=self.environment(), cwd=self.home, capture_output=True,
                              timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.stderr.decode(), "")
        return done.stdout.decode()

    def script(self, shell, program="rtregctl"):
        """The path of the script: rtregctl's own words, or what the build has made for rtregd."""
        if program == "rtregctl":
            return self.path(f"script.{shell}", subprocess.check_output([rtregctl(), "completion", shell]))
        name = {"bash": program, "zsh": f"_{program}", "fish": f"{program}.fish"}[shell]
        path = os.path.abspath(os.path.join(ctl_support.BUILD, "tools", "completion", name))
        if not os.path.exists(path):
            self.skipTest("this build has made no scripts")
        return path

    def offered(self, shell, *words, program="rtregctl"):
        """What is offered for the last of `words`, which stand behind the program's name."""
        script = self.script(shell, program)
        if shell == "fish":
            line = " ".join([program, *words])
            out = self.run_in(shell, FISH, script, self.home, line).splitlines()
            return ["<files>" if entry == "a-file" else entry.split("\t")[0] for entry in out]
        out = self.run_in(shell, {"bash": BASH, "zsh": ZSH}[shell], script, program, program, *words)
        return out.split("\0")[:-1]


def commands():
    """The commands of --help."""
    text = subprocess.check_output([rtregctl(), "--help"], text=True).split("Commands:\n")[1].split("\nOptions:")[0]
    return re.findall(r"(?m)^  ([a-z-]+(?: [a-z-]+)*)(?=  |$| [^a-z ]| [a-z]+\|)", text)


def options(*command):
    """The long options that the --help of a program, or of a command, lists: those with a value have it behind."""
    text = subprocess.check_output([*command, "--help"], text=True)
    return re.findall(r"(?m)^  (?:-\w, |    )(--[a-z0-9-]+)(?: (\S+))?", text)


class Table(Completion):
    @each_shell
    def test_scripts_are_sound(self, shell):
        for program in ("rtregctl", "rtregd"):
            script = self.script(shell, program)
            self.assertEqual(self.run_in(shell, "exec " + shell + ' -n "$1"' if shell != "fish" else
                                         "exec fish -n $argv[1]", script), "")

    def test_bash_script_is_clean_for_shellcheck(self):
        if not shutil.which("shellcheck"):
            self.skipTest(missing("shellcheck"))
        for program in ("rtregctl", "rtregd"):
            with self.subTest(program):
                done = subprocess.run(["shellcheck", "-s", "bash", self.script("bash", program)], capture_output=True,
                                      text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, ""))

    @each_shell
    def test_installed_scripts_are_what_rtregctl_prints(self, shell):
        name = {"bash": "rtregctl", "zsh": "_rtregctl", "fish": "rtregctl.fish"}[shell]
        path = os.path.join(ctl_support.BUILD, "tools", "completion", name)
        if not os.path.exists(path):
            self.skipTest("this build has made no scripts")
        with open(path, "rb") as file:
            self.assertEqual(file.read(), subprocess.check_output([rtregctl(), "completion", shell]))

    @each_shell
    def test_every_command_is_offered(self, shell):
        names = commands()
        self.assertGreater(len(names), 10)
        self.assertEqual(sorted(self.offered(shell, "")), sorted({name.split()[0] for name in names}))

    @each_shell
    def test_second_words_of_commands_are_offered(self, shell):
        pairs = [name.split() for name in commands() if " " in name]
        for first in {pair[0] for pair in pairs}:
            self.assertEqual(sorted(self.offered(shell, first, "")), sorted(b for a, b in pairs if a == first))

    @each_shell
    def test_command_that_is_begun_is_offered_alone(self, shell):
        if shell != "zsh":  # there the line editor chooses
            self.assertEqual(self.offered(shell, "reso"), ["resolve"])

    @each_shell
    def test_every_option_of_every_command_is_offered(self, shell):
        for name in commands():
            with self.subTest(name):
                seen = [word for word in self.offered(shell, *name.split(), "--") if word.startswith("--")]
                self.assertEqual(sorted(seen), sorted(option for option, _ in options(rtregctl(), *name.split())))

    @each_shell
    def test_every_option_in_front_of_the_command_is_offered(self, shell):
        seen = [word for word in self.offered(shell, "--") if word.startswith("--")]
        self.assertEqual(sorted(seen), sorted(option for option, _ in options(rtregctl())))

    @each_shell
    def test_every_option_of_rtregd_is_offered(self, shell):
        program = os.path.join(ctl_support.BUILD, "daemon", "rtregd")
        seen = [word for word in self.offered(shell, "--", program="rtregd") if word.startswith("--")]
        self.assertGreater(len(seen), 80)
        self.assertEqual(sorted(seen), sorted(option for option, _ in options(program)))

    @each_shell
    def test_values_are_completed_by_their_kind(self, shell):
        cases = [
            ("rtregctl", ["validate", ""], ["<files>"]),
            ("rtregctl", ["reload", "--force", ""], ["<files>"]),
            ("rtregctl", ["validate", "x", ""], []),
            ("rtregctl", ["ls", ""], []),
            ("rtregctl", ["-s", ""], ["<files>"]),
            ("rtregctl", ["--timeout", ""], []),
            ("rtregctl", ["--timeout", "5", "completion", ""], ["bash", "containers", "fish", "names", "zsh"]),
            ("rtregctl", ["reload", "--if-generation", ""], []),
            ("rtregctl", ["reload", "--if-generation", "3", ""], ["<files>"]),
            ("rtregd", ["--default-ipc-mode", ""], ["private", "shareable"]),
            ("rtregd", ["--config-file", ""], ["<files>"]),
            ("rtregd", ["--default-runtime", ""], []),
        ]
        for program, words, wanted in cases:
            with self.subTest(words=words):
                self.assertEqual(sorted(self.offered(shell, *words, program=program)), wanted)

    def test_bash_completes_a_value_behind_an_equals_sign(self):
        # the line editor makes three words of it, or one, as COMP_WORDBREAKS says
        self.assertEqual(self.offered("bash", "--default-ipc-mode", "=", "pr", program="rtregd"), ["private"])
        self.assertEqual(len(self.offered("bash", "--default-ipc-mode", "=", program="rtregd")), 2)
        self.assertEqual(self.offered("bash", "--default-ipc-mode=pr", program="rtregd"),
                         ["--default-ipc-mode=private"])

    def test_strange_shell_is_wrong_usage(self):
        self.check(self.ctl("completion", "tcsh"), 2, "")
        self.check(self.ctl("completion"), 2, "")


def runtimes(names):
    entries = {name: {"path": "/bin/true", "shim": "s"} for name in names}
    return reply({"generation": 1, "default": "", "runtimes": entries})


def containers(ids):
    return reply({"containers": [{"id": container} for container in ids]})


class Names(Completion):
    def unquoted(self, shell, words):
        """What the shell makes of words as they were completed."""
        code = {"bash": 'eval "set -- $1"; printf "%s\n" "$@"', "fish": "eval printf \"'%s\\\\n'\" $argv[1]"}[shell]
        return self.run_in(shell, code, " ".join(words)).splitlines()

    def test_names_are_those_of_the_runtimes_one_a_line(self):
        result = self.ctl("completion", "names", answer=runtimes(["b", "a a", "c'"]))
        self.check(result, 0, "a a\nb\nc'\n", "")
        self.assertEqual(self.requests[0].target, "/v1/runtimes")

    def test_names_that_a_terminal_does_not_show_are_left_out(self):
        names = ["a\u202eb", "\x1b[2J", "a\nb", "c\x9b", "good"]
        self.check(self.ctl("completion", "names", answer=runtimes(names)), 0, "good\n", "")

    def test_bash_quotes_every_name(self):
        with Daemon(self.socket, runtimes(HOSTILE)):
            words = self.offered("bash", "resolve", "")
        self.assertEqual(sorted(self.unquoted("bash", words)), sorted(HOSTILE))
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    def test_bash_completes_a_word_that_was_begun_in_any_quotes(self):
        with Daemon(self.socket, runtimes(HOSTILE)):
            for begun, wanted in (("two\\ w", ["two\\ words"]), ("'two w", ["two words"]), ('"two w', ["two words"]),
                                  ('"$(to', []), ("'it", []), ('"it', ["it's"]), ("$(touch x)", [])):
                with self.subTest(begun):
                    self.assertEqual(self.offered("bash", "resolve", begun), wanted)
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    def test_zsh_is_given_every_name_as_it_is(self):
        with Daemon(self.socket, runtimes(HOSTILE)):
            self.assertEqual(sorted(self.offered("zsh", "resolve", "")), sorted(HOSTILE))
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    def test_fish_is_given_every_name_as_it_is(self):
        with Daemon(self.socket, runtimes(HOSTILE)):
            self.assertEqual(sorted(self.offered("fish", "resolve", "")), sorted(HOSTILE_FISH))
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    def test_fish_quotes_every_name(self):
        code = 'source $argv[1]; complete --escape -C "rtregctl resolve "'
        with Daemon(self.socket, runtimes(HOSTILE)):
            words = self.run_in("fish", code, self.script("fish")).splitlines()
        self.assertEqual(sorted(self.unquoted("fish", words)), sorted(HOSTILE_FISH))
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    @each_shell
    def test_containers_are_offered_where_one_is_wanted(self, shell):
        with Daemon(self.socket, containers(["web.1", "db"])):
            self.assertEqual(sorted(self.offered(shell, "unlock", "")), ["db", "web.1"])
            self.assertEqual(sorted(self.offered(shell, "lock", "--root", "/x", "")), ["db", "web.1"])

    @each_shell
    def test_runtimes_are_offered_for_a_container(self, shell):
        with Daemon(self.socket, runtimes(["kata"])):
            self.assertEqual(self.offered(shell, "lock", "web", "--runtime", ""), ["kata"])

    @each_shell
    def test_socket_of_the_command_line_is_asked(self, shell):
        other = self.path("other")
        with Daemon(other, runtimes(["there"])):
            self.assertEqual(self.offered(shell, "-s", other, "resolve", ""), ["there"])

    @each_shell
    def test_socket_that_the_shell_would_change_is_not_asked(self, shell):
        with Daemon(self.socket, runtimes(["here"])) as daemon:
            self.assertEqual(self.offered(shell, "-s", "'$(touch x)'", "resolve", ""), [])
            self.assertEqual(daemon.requests, [])
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    @each_shell
    def test_without_a_daemon_nothing_is_offered_and_nothing_is_said(self, shell):
        self.assertEqual(self.offered(shell, "resolve", ""), [])


class Terminal(Completion):
    """A person at the keyboard: the line that a Tab has completed is run, by a function that shows its arguments."""

    START = {
        "bash": ["bash", "--noprofile", "--norc", "-i"],
        "zsh": ["zsh", "-f", "-i"],
    }
    PREPARE = {
        "bash": "source {script}; rtregctl() {{ printf '[%s]' \"$@\"; echo; }}\n",
        "zsh": "autoload -Uz compinit; compinit -D -u; source {script}; "
               "rtregctl() {{ printf '[%s]' \"$@\"; echo }}\n",
    }

    def read_until(self, terminal, pattern):
        seen, end = "", time.monotonic() + PATIENCE
        while not re.search(pattern, seen):
            left = end - time.monotonic()
            self.assertTrue(left > 0 and select.select([terminal], [], [], left)[0], f"{pattern} is not in {seen!r}")
            seen += os.read(terminal, 65536).decode(errors="replace")
        return seen

    def run_line(self, shell, typed):
        """Types a line, in which \\t is Tab; returns the arguments that came of it."""
        if not shutil.which(shell):
            self.skipTest(missing(shell))
        script = self.script(shell)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execvpe(self.START[shell][0], self.START[shell], self.environment())
        try:
            os.write(terminal, self.PREPARE[shell].format(script=script).encode())
            os.write(terminal, b"echo rea'd'y\n")
            self.read_until(terminal, "(?m)^ready")
            os.write(terminal, typed.encode() + b"\n")
            return re.search(r"\[resolve\].*|\[validate\].*", self.read_until(
                terminal, r"\n\[(resolve|validate)\].*\r?\n")).group(0).strip()
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(terminal)

    @each_shell
    def test_tab_completes_a_hostile_name_to_itself(self, shell):
        with Daemon(self.socket, runtimes(HOSTILE)):
            for typed, name in (("tw\t", "two words"), ("it\t", "it's"), ("say\t", 'say "x"'), ("\\$\\(\t", "$(touch x)"),
                                ("\\`\t", "`touch x`"), ("'two\t", "two words"), ("k\t", "k=v"),
                                    ("eq\to\t", "eq=one"),
                                ("ho\t", "host:5000/a@b"), ("back\t", "back\\slash")):
                with self.subTest(typed):
                    self.assertEqual(self.run_line(shell, "rtregctl resolve " + typed), f"[resolve][{name}]")
        self.assertFalse(os.path.exists(os.path.join(self.home, "x")))

    @each_shell
    def test_tab_completes_files(self, shell):
        self.assertEqual(self.run_line(shell, "rtregctl val\ta-f\t"), "[validate][a-file]")


if __name__ == "__main__":
    main()
