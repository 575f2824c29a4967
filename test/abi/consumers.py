#!/usr/bin/env python3
"""Strict C and C++ programs that only include the public headers, without and with each flavour of liburcu.

    consumers.py INCLUDE_DIR

The compilers are $CC and $CXX, else gcc and g++. A missing C++ compiler is said, and skips its half. Ends with
`N passed, M failed`.
"""

import os
import shlex
import shutil
import subprocess
import sys

FLAVOURS = (
    ("no flavour", ""),
    ("memb", "#include <urcu.h>\n"),
    ("mb", "#define RCU_MB\n#include <urcu.h>\n"),
    ("qsbr", "#include <urcu-qsbr.h>\n"),
    ("bp", "#include <urcu-bp.h>\n"),
    ("memb, inlined", "#define _LGPL_SOURCE\n#include <urcu.h>\n"),
)
# Uses one thing of each kind; with a flavour the inline readers too. Twice included: the guard holds.
BODY = """#include <rtreg/rtreg.h>
#include <rtreg/rtreg.h>
uint64_t use(struct rtreg *registry, struct rtreg_error *error);
uint64_t use(struct rtreg *registry, struct rtreg_error *error)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t generation = rtreg_snapshot_generation(snapshot);
	struct rtreg_runtime runtime;
	struct rtreg_name name;

	rtreg_name_init(&name, "crun");
	if (rtreg_resolve(snapshot, "crun", &runtime, error) < 0 ||
	    rtreg_resolve_name(snapshot, &name, &runtime, error) < 0)
		generation = 0;
	rtreg_unpin(snapshot);
	return generation;
}
uint64_t call(struct rtreg *registry);
uint64_t call(struct rtreg *registry)
{
	void (*unpin)(const struct rtreg_snapshot *) = rtreg_unpin;
	const struct rtreg_snapshot *snapshot = (rtreg_pin)(registry);
	uint64_t generation = rtreg_snapshot_generation(snapshot);

	unpin(snapshot);
	return generation;
}
struct held {
	int number;
	struct rtreg *registry;
};
const struct rtreg_snapshot *pin_held(struct rtreg *registry);
const struct rtreg_snapshot *pin_held(struct rtreg *registry)
{
#ifdef __cplusplus
	return rtreg_pin(held{0, registry}.registry);
#else
	return rtreg_pin((struct held){0, registry}.registry);
#endif
}
"""
# Has names of its own that are those of the library.
CALLED = """#define RTREG_PINS_CALLED
#include <rtreg/rtreg.h>
struct table {
	const struct rtreg_snapshot *(*rtreg_pin)(struct rtreg *);
	void (*rtreg_unpin)(const struct rtreg_snapshot *);
};
void pin_by_table(const struct table *table, struct rtreg *registry);
void pin_by_table(const struct table *table, struct rtreg *registry)
{
	table->rtreg_unpin(table->rtreg_pin(registry));
}
#ifdef __cplusplus
namespace engine { using ::rtreg_pin; using ::rtreg_unpin; }
void pin_by_namespace(struct rtreg *registry) { engine::rtreg_unpin(engine::rtreg_pin(registry)); }
#endif
const struct rtreg_snapshot *rtreg_pin(struct rtreg *registry)
{
	(void)registry;
	return NULL;
}
"""
# The client's header alone, and behind the other: neither needs liburcu.
CLIENT = """#include <rtreg/client.h>
#include <rtreg/client.h>
int ask(struct rtreg_client *client, struct rtreg_lock_in *ret, struct rtreg_error *error);
int ask(struct rtreg_client *client, struct rtreg_lock_in *ret, struct rtreg_error *error)
{
	struct rtreg_runtime runtime;
	int code = rtreg_client_resolve(client, "crun", &runtime, error);

	if (code == 0 && rtreg_client_generation(client) > 0)
		code = rtreg_client_lock_in(client, NULL, "web", runtime.name, ret, error);
	return code < 0 ? rtreg_exit_code(error) : 0;
}
"""
WITH_FLAVOUR = """int read_once(const struct rtreg_options *options, struct rtreg **ret);
int read_once(const struct rtreg_options *options, struct rtreg **ret)
{
	struct rtreg_runtime runtime;
	int code = rtreg_open(options, ret, NULL);

	if (code < 0)
		return code;
	rcu_read_lock();
	code = rtreg_resolve(rtreg_borrow(*ret), NULL, &runtime, NULL);
	if (code == 0)
		code = rtreg_resolve_live(*ret, "crun", &runtime, NULL);
	rcu_read_unlock();
	return code;
}
"""
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]


def languages():
    """(label, command line) of each language that can be tried here."""
    cc = shlex.split(os.environ.get("CC") or "gcc")
    yield "C11", cc + ["-std=c11", "-Wstrict-prototypes", "-Wmissing-prototypes", *STRICT, "-xc", "-"]
    yield "GNU C11", cc + ["-std=gnu11", "-Wshadow", "-Wundef", "-Wcast-qual", *STRICT, "-xc", "-"]
    cxx = shlex.split(os.environ.get("CXX") or "g++")
    if not shutil.which(cxx[0]):
        print(f"SKIP C++: no {cxx[0]} here")
        return
    yield "C++17", cxx + ["-std=c++17", *STRICT, "-xc++", "-"]


def programs():
    """(label, text) of each program."""
    for flavour, include in FLAVOURS:
        yield flavour, include + BODY + (WITH_FLAVOUR if include else "")
        yield f"client, {flavour}", include + CLIENT + BODY + (WITH_FLAVOUR if include else "")
        yield f"pins that are called, {flavour}", include + CALLED
    yield "client alone", CLIENT


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    passed = failed = 0
    for label, command in languages():
        for what, source in programs():
            for mode in ([], ["-DNDEBUG"]):
                result = subprocess.run([*command, *mode, "-I", sys.argv[1]], input=source, text=True,
                                        capture_output=True, check=False)
                if result.returncode == 0:
                    passed += 1
                else:
                    failed += 1
                    print(f"FAIL {label}, {what} {' '.join(mode)}:\n{result.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
