#!/usr/bin/env python3
"""Shows that includes.py refuses what it should: one small tree for each rule."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).with_name("includes.py")
PICTURE = "```\n lib/bytes      a\n lib/values     b\n lib/runtimes   c\n lib/store      d\n lib/client     e\n```\n"

REFUSED = (
    ("a later station", "lib/bytes/a.c", '#include "values/value.h"'),
    ("base includes a station", "lib/base/a.c", '#include "bytes/scan.h"'),
    ("a name without its folder", "lib/values/a.c", '#include "value.h"'),
    ("no such station", "lib/values/a.c", '#include "daemon/server.h"'),
    ("a public header includes a private one", "lib/include/rtreg/rtreg.h", '#include "base/text.h"'),
    ("a public header includes liburcu", "lib/include/rtreg/inline.h", "#include <urcu.h>"),
    ("inline.h by itself", "daemon/a.c", "#include <rtreg/inline.h>"),
    ("json-c elsewhere", "lib/values/value.c", "#include <json-c/json.h>"),
    ("json-c in the daemon", "daemon/a.c", "#include <json.h>"),
    ("libsodium elsewhere", "lib/values/a.c", "#include <sodium.h>"),
    ("libsodium, one header of it", "lib/values/a.c", "#include <sodium/crypto_hash_sha256.h>"),
    ("libmicrohttpd in a tool", "tools/a.c", "#include <microhttpd.h>"),
    ("libmicrohttpd in quotes", "tools/a.c", '#include "microhttpd.h"'),
    ("liburcu elsewhere", "lib/store/store.c", "#include <urcu.h>"),
    ("liburcu's lists elsewhere", "lib/values/a.c", "#include <urcu/list.h>"),
    ("another flavour in the daemon", "daemon/a.c", "#include <urcu.h>"),
    ("liburcu in a tool", "tools/a.c", "#include <urcu-bp.h>"),
    ("check outside the tests", "lib/values/a.c", "#include <check.h>"),
    ("the library's inside in the daemon", "daemon/a.c", '#include "store/store.h"'),
    ("what lies beside the parser in the daemon", "daemon/a.c", '#include "values/settings.h"'),
    ("the library's inside in a tool", "tools/a.c", '#include "values/value.h"'),
    ("the daemon's inside in a tool", "tools/a.c", '#include "daemon/server.h"'),
    ("the daemon's options in rtregctl", "tools/commands.c", '#include "daemon/options.h"'),
    ("a library that nobody named", "lib/values/a.c", "#include <curl/curl.h>"),
    ("white space in the directive", "lib/bytes/a.c", '  #  include "values/value.h"'),
    ("the registry in the front door", "tools/runtime/a.c", '#include "registry/registry.h"'),
    ("the lock-ins in rtregctl", "tools/a.c", '#include "lockins/lockins.h"'),
    ("an earlier station in the client", "lib/client/a.c", '#include "bytes/scan.h"'),
    ("a folder that the document does not know", "lib/extra/a.c", "int x;"),
)
ALLOWED = (
    ("an earlier station", "lib/values/a.c", '#include "bytes/scan.h"'),
    ("the parser in the daemon", "daemon/a.c", '#include "values/parse.h"'),
    ("its own folder", "lib/values/a.c", '#include "values/value.h"'),
    ("base", "lib/values/a.c", '#include "base/text.h"'),
    ("the public header", "lib/base/a.c", '#include "rtreg/rtreg.h"'),
    ("json-c at its place", "lib/values/parse.c", "#include <json-c/json.h>"),
    ("libsodium at its place", "lib/base/digest.c", "#include <sodium.h>"),
    ("liburcu at its place", "lib/store/rcu.h", "#include <urcu/flavor.h>"),
    ("libmicrohttpd in the daemon", "daemon/a.c", "#include <microhttpd.h>"),
    ("the daemon's flavour", "daemon/a.c", "#include <urcu-bp.h>"),
    ("the keys, for flags and help", "daemon/a.c", '#include "values/keys.h"'),
    ("the daemon's options in the manual", "tools/manual.c", '#include "daemon/options.h"'),
    ("the daemon's own header", "daemon/a.c", '#include "server.h"'),
    ("a tool's base", "tools/a.c", '#include "base/text.h"'),
    ("the lock-ins in the front door", "tools/runtime/a.c", '#include "lockins/lockins.h"'),
    ("the client's HTTP in a tool", "tools/a.c", '#include "client/http.h"'),
    ("the parser in the client", "lib/client/a.c", '#include "values/parse.h"'),
    ("a system header", "lib/values/a.c", "#include <sys/stat.h>"),
    ("a test of the inside", "test/unit/a.c", '#include "store/store.h"'),
)


def run(path, line):
    """includes.py on a tree that holds this line in this file."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        files = {"docs/architecture.md": PICTURE, "daemon/server.h": "", "lib/base/text.h": "", path: line + "\n"}
        for where, content in files.items():
            (root / where).parent.mkdir(parents=True, exist_ok=True)
            (root / where).write_text(content, encoding="utf-8")
        return subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True, check=False)


class Includes(unittest.TestCase):
    def test_each_offence_is_refused(self):
        for label, path, line in REFUSED:
            with self.subTest(label):
                result = run(path, line)
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertIn(path.rsplit("/", 1)[0], result.stdout)

    def test_what_the_table_allows_passes(self):
        for label, path, line in ALLOWED:
            with self.subTest(label):
                result = run(path, line)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
