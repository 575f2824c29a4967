#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages against what the programs say of themselves: every option, command and key is there once, with its
help, and the formatters have nothing to complain about. RTREG_BUILD is the build folder.

    manual.py PRINT_KEYS [unittest's arguments]
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

BUILD = os.environ.get("RTREG_BUILD", "build")
PAGES = ("rtregctl.1", "rtreg-bench.1", "rtreg.json.5", "rtregd.8", "rtreg-runtime.8")
RULES = {
    "restart": "needs a restart",
    "keep": "replaced; kept if absent",
    "keep-nonempty": "replaced if not empty; kept if absent",
    "reset": "replaced; reset if absent",
}
# As the manual names them: what the machine decides is not in the table.
TOLD_DEFAULTS = {"default-cgroupns-mode": "private on cgroup v2, else host", "exec-root": "/run/rtreg"}
PRINT_KEYS = None


def path(page):
    return os.path.join(BUILD, "docs", "manual", page)


def program(folder, name, *words):
    return subprocess.check_output([os.path.join(BUILD, folder, name), *words], text=True)


def rendered(page):
    """The page as people read it, one line a paragraph, without hyphenation."""
    text = subprocess.check_output(["groff", "-man", "-Tutf8", "-P-c", "-rHY=0", "-rLL=4000n", path(page)], text=True)
    # overstriking (bold, underlined) is a character, a backspace, and the character
    text = re.sub(".\b", "", re.sub(r"\x1b\[[0-9;]*m", "", text))
    return "\n".join(" ".join(line.split()) for line in text.replace("’", "'").splitlines())


def section(text, name):
    """What stands between one head and the next."""
    found = re.search(rf"(?ms)^{name}$(.*?)(?=^[A-Z][A-Z ]+$|\Z)", text)
    return found.group(1) if found else ""


def sentence(help_text):
    """A help text as the pages have it."""
    return help_text[:1].upper() + help_text[1:] + "."


def options(help_text):
    """The options of a --help: name, letter or None, argument or '', help without the default."""
    found = re.findall(r"(?m)^  (?:-(\w), |    )--([a-z0-9-]+)(?: (\S+))?(?:\n)? {2,}(\S.*(?:\n {30,}.*)*)", help_text)
    for letter, name, argument, told in found:
        yield name, letter, argument, re.sub(r" \(default[^()]*\)$", "", " ".join(told.split()))


def commands():
    """The commands of rtregctl --help: name and the arguments behind it."""
    text = program("tools", "rtregctl", "--help").split("Commands:\n")[1].split("\nOptions:")[0]
    found = re.findall(r"(?m)^  ([a-z-]+(?: [a-z-]+)*)(?=  |$| [^a-z ]| [a-z]+\|)(\S*.*)$", text)
    return [name for name, _ in found]


@unittest.skipUnless(shutil.which("groff"), "groff is not installed")
class Pages(unittest.TestCase):
    def test_formatters_have_no_complaint(self):
        checks = [["groff", "-man", "-ww", "-z"]]
        if shutil.which("man"):
            checks.append(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"])
        if shutil.which("mandoc"):
            checks.append(["mandoc", "-Tlint", "-Wwarning"])
        for page in PAGES:
            for check in checks:
                with self.subTest(page=page, check=check[0]):
                    done = subprocess.run([*check, path(page)], capture_output=True, text=True, check=False)
                    said = done.stdout if check[0] == "mandoc" else ""
                    self.assertEqual((done.returncode, said, done.stderr), (0, "", ""))

    def test_each_page_has_its_sections(self):
        common = ["NAME", "SYNOPSIS", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"]
        own = {
            "rtregctl.1": ["OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT"],
            "rtreg-bench.1": ["OPTIONS", "SUBCOMMANDS", "EXIT STATUS", "ENVIRONMENT"],
            "rtreg.json.5": ["KEYS", "ACCEPTED WITHOUT EFFECT"],
            "rtregd.8": ["OPTIONS", "SIGNALS", "EXIT STATUS", "ENVIRONMENT"],
            "rtreg-runtime.8": ["COMMANDS", "OPTIONS", "SIGNALS", "EXIT STATUS", "ENVIRONMENT"],
        }
        for page in PAGES:
            text = rendered(page)
            for name in common + own[page]:
                with self.subTest(page=page, section=name):
                    self.assertTrue(section(text, name).strip())

    def test_the_programs_name_each_others_pages(self):
        programs = ["rtregctl.1", "rtregd.8", "rtreg-runtime.8"]
        for page in programs:
            with self.subTest(page):
                named = re.findall(r"(rtreg[a-z-]*)\((\d)\)", section(rendered(page), "SEE ALSO"))
                self.assertLessEqual({tuple(other.split(".")) for other in programs if other != page}, set(named))

    def test_no_hole_is_left(self):
        for page in PAGES:
            with open(path(page), encoding="utf-8") as file:
                self.assertNotRegex(file.read(), r"@[A-Z_]+@")

    def assert_option(self, text, name, letter, argument, told):
        """An option's tag, with its help behind it or in the next line, once."""
        tag = (f"-{letter}, " if letter else "") + f"--{name}" + (f" {argument}" if argument else "")
        begin = re.escape(sentence(told)[:-1])
        self.assertEqual(len(re.findall(rf"(?m)^{re.escape(tag)}\s+{begin}(?:\.| \(default)", text)), 1, tag)

    def test_rtregd_tells_each_option_of_its_help(self):
        text = section(rendered("rtregd.8"), "OPTIONS")
        seen = list(options(program("daemon", "rtregd", "--help")))
        self.assertGreater(len(seen), 80)
        for option in seen:
            with self.subTest(option[0]):
                self.assert_option(text, *option)
        self.assertEqual(sorted(re.findall(r"(?m)^(?:-\w, )?--([a-z0-9-]+)", text)), sorted(o[0] for o in seen))

    def test_rtregctl_tells_each_common_option_of_its_help(self):
        text = section(rendered("rtregctl.1"), "OPTIONS")
        for option in options(program("tools", "rtregctl", "--help")):
            with self.subTest(option[0]):
                self.assert_option(text, *option)

    def test_rtregctl_tells_each_command_with_its_options(self):
        text = section(rendered("rtregctl.1"), "COMMANDS")
        common = {option[0] for option in options(program("tools", "rtregctl", "--help"))}
        names = commands()
        self.assertGreater(len(names), 10)
        for name in names:
            own = program("tools", "rtregctl", *name.split(), "--help")
            usage, _, told = own.split("\n")[:3]
            arguments = usage.replace("[OPTIONS] ", "").split(f"rtregctl {name}", 1)[1].replace("[OPTIONS]", "")
            tag = f"{name}{arguments}".strip()
            with self.subTest(name):
                found = re.findall(rf"(?m)^{re.escape(tag)}\s+{re.escape(sentence(told))}\n((?:\n*--.*\n|\n*[A-Z].*\n)*)",
                                   text)
                self.assertEqual(len(found), 1, tag)
                for option in options(own):
                    if option[0] not in common:
                        self.assert_option(found[0], *option)

    def test_rtreg_runtime_tells_each_option_and_command_of_its_help(self):
        page, told = rendered("rtreg-runtime.8"), program("tools", "rtreg-runtime", "--help")
        seen = list(options(told))
        self.assertGreater(len(seen), 3)
        for option in seen:
            with self.subTest(option[0]):
                self.assert_option(section(page, "OPTIONS"), *option)
        for name, what in re.findall(r"(?m)^  ([a-z]+) {2,}(\S.*)$", told):
            with self.subTest(name):
                self.assertRegex(section(page, "COMMANDS"), rf"(?m)^{name}\s+{re.escape(sentence(what))}$")

    def test_rtreg_bench_tells_each_option_subcommand_and_goal_of_its_help(self):
        page, told = rendered("rtreg-bench.1"), program("tools", "rtreg-bench", "--help")
        for option in options(told):
            with self.subTest(option[0]):
                self.assert_option(section(page, "OPTIONS"), *option)
        names = re.findall(r"(?m)^  ([a-z]+) {2,}(\S.*)$", told)
        self.assertGreater(len(names), 2)
        for name, what in names:
            with self.subTest(name):
                text = section(page, "SUBCOMMANDS")
                self.assertRegex(text, rf"(?m)^{name}\s+{re.escape(sentence(what))}")
                goals = program("tools", "rtreg-bench", name, "--help").partition("Goals:\n")[2].partition("\n\n")[0]
                for goal in re.findall(r"(?m)^  ([a-z0-9-]+) ", goals):
                    self.assertRegex(text, rf"(?m)^{goal}\b")

    def keys(self):
        lines = [line.split("\t") for line in subprocess.check_output([PRINT_KEYS], text=True).splitlines()]
        return [line[1:] for line in lines if line[0] == "key"], [line[1] for line in lines if line[0] == "compat"]

    def test_rtreg_json_tells_each_key_as_the_table_has_it(self):
        text = section(rendered("rtreg.json.5"), "KEYS")
        keys, _ = self.keys()
        for name, kind, rule, default, flag in keys:
            with self.subTest(name):
                entry = re.findall(rf"(?m)^{re.escape(name)}(?:\n| ).*\n?Type: (.*)\nReload: (.*)$", text)
                self.assertEqual(len(entry), 1)
                told, reload = entry[0]
                kind = re.sub(r"^(array|object) of (?=`)", r"\1 of objects with ", kind).replace("`", "")
                default = TOLD_DEFAULTS.get(name, default.strip('"'))
                self.assertTrue(told.startswith(f"{kind}." + (f" Default: {default}." if default else "")), told)
                self.assertEqual("Default" in told, bool(default))
                self.assertRegex(told, rf" Option: --{flag}\b" if flag else r" No option\.$")
                self.assertTrue(reload.startswith(RULES[rule] + "."), reload)
        self.assertEqual(text.count("Type: "), len(keys))

    def test_rtreg_json_tells_what_is_accepted_without_effect(self):
        text = section(rendered("rtreg.json.5"), "ACCEPTED WITHOUT EFFECT")
        _, compatible = self.keys()
        told = re.findall(r"(?m)^([a-z-]+)\s+(?:Instead:|What other)", text)
        self.assertEqual(sorted(told), sorted(compatible))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PRINT_KEYS = sys.argv.pop(1)
    unittest.main()
