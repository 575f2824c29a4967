# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runtimes for which arguments matter: scripts around a real one. Leaving out --debug would break nothing."""

import os
import shlex

# What it can do may be asked in any way; engines and rtregd do.
HEAD = """#!/bin/sh
for word; do
	case "$word" in features|--version) exec {base} "$word" ;; esac
done
"""

# The containers it knows are those made with the same first argument, a directory that holds their names.
KEEPING = HEAD + """
case "$1" in --names=*) names=${{1#--names=}} ;; *) echo "keeping: --names is missing" >&2; exit 64 ;; esac
shift
mkdir -p "$names"
for word; do
	last=$word
	[ "$word" != create ] || create=yes
	case "$word" in [A-Za-z0-9]*) [ ! -e "$names/$word" ] || known=yes ;; esac
done
[ -z "$create" ] || {{ : >"$names/$last"; known=yes; }}
[ -n "$known" ] || {{ echo "keeping: no such container below $names" >&2; exit 1; }}
exec {base} "$@"
"""

# Deletes, and ends who asked for it before he can do more, if there is the file.
DEADLY = HEAD + """
case " $* " in
*" delete "*) [ ! -e {trigger} ] || {{ {base} "$@"; code=$?; rm {trigger}; kill -9 $PPID; exit $code; }} ;;
esac
exec {base} "$@"
"""

ODD = ["--x=a b", "it's", 'a "quote"', "two\nlines", "$HOME `id` \\ *", "", "tab\there", "--", "é"]


class Runtimes:
    """Scripts below a directory, and the entries for daemon.json that name them."""

    def __init__(self, directory, base):
        self.directory = directory
        self.base = base
        os.makedirs(directory, exist_ok=True)

    def script(self, name, text):
        """Written once: it may be executed at any time."""
        path = os.path.join(self.directory, name)
        if not os.path.exists(path):
            with open(path, "w") as file:
                file.write(text)
            os.chmod(path, 0o755)
        return path

    def made(self, names):
        """How many containers a runtime has made, by the name of the directory where it keeps their names."""
        path = os.path.join(self.directory, names)
        return len(os.listdir(path)) if os.path.isdir(path) else 0

    def plain(self):
        return {"path": self.base}

    def keeping(self, names):
        """Finds a container again only with the argument it was made with; None: without arguments, finds none."""
        path = self.script("keeping", KEEPING.format(base=self.base))
        return {"path": path} if names is None else {
            "path": path, "runtimeArgs": [f"--names={os.path.join(self.directory, names)}"]}

    def exact(self):
        """Fails unless its arguments are these, byte for byte."""
        tests = " && ".join(f'[ "${{{number}}}" = {shlex.quote(word)} ]' for number, word in enumerate(ODD, 1))
        path = self.script("exact.sh", HEAD.format(base=self.base) + f"""
{tests} || {{ echo "exact: arguments arrive otherwise" >&2; exit 64; }}
shift {len(ODD)}
case " $* " in *" create "*) mkdir -p {self.directory}/exact && : >{self.directory}/exact/$$ ;; esac
exec {self.base} "$@"
""")
        return {"path": path, "runtimeArgs": ODD}

    def deadly(self, trigger):
        return {"path": self.script("deadly", DEADLY.format(base=self.base, trigger=shlex.quote(trigger)))}
