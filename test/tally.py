#!/usr/bin/env python3
"""Sums up what the test programs of one `meson test` said.

    tally.py KIND TESTLOG.json [AGAIN.json]     last line: PASSED FAILED SKIPPED UNSTEADY
    tally.py --again TESTLOG.json               the names of those that may run once more, a line each

Programs that wait for others and for the machine (suites AGAIN_SUITES) may run once more, alone, unless there are many
of them: that is no accident. AGAIN.json is the log of that. Who passes then counts as passed and as unsteady, and is
shown all the same.

A unit test's summary (`Checks: N, Failures: F, Errors: E`), a script's (`N passed, M failed`) and that of Python's
unittest count their cases; any other program counts as one. The logs of those that failed are shown before.
"""

import json
import re
import sys

SHOWN_LINES = 80
AGAIN_SUITES = {"integration", "engines", "bench"}
AGAIN_MOST = 2
CHECK_SUMMARY = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
SCRIPT_SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)
UNITTEST_SUMMARY = re.compile(r"^Ran (\d+) tests? in [^\n]*\n+(?:OK|FAILED)(?: \((.*)\))?$", re.MULTILINE)


def cases_of(output):
    """(passed, failed, skipped) as the program counted them, or None."""
    sums = [(int(n) - int(f) - int(e), int(f) + int(e), 0) for n, f, e in CHECK_SUMMARY.findall(output)]
    sums = sums or [(int(p), int(f), 0) for p, f in SCRIPT_SUMMARY.findall(output)[-1:]]
    for ran, details in UNITTEST_SUMMARY.findall(output):
        # failures=1, errors=2, skipped=3; a failed or skipped sub-test counts as a case of its own
        counts = {word: int(n) for word, n in re.findall(r"(\w+)=(\d+)", details)}
        bad, skipped = counts.get("failures", 0) + counts.get("errors", 0), counts.get("skipped", 0)
        sums.append((max(int(ran) - bad - skipped, 0), bad, skipped))
    if not sums:
        return None
    return tuple(map(sum, zip(*sums)))


def count(test):
    """(passed, failed, skipped) of one line of the log."""
    output = "\n".join((test.get("stdout") or "", test.get("stderr") or ""))
    if test["result"] == "SKIP":
        return 0, 0, 1
    cases = cases_of(output)
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return (cases[0], 0, cases[2]) if cases else (1, 0, 0)
    # One that fails without a failed case has crashed, leaked, or run out of time.
    return (cases[0], max(cases[1], 1), cases[2]) if cases else (0, 1, 0)


def show(kind, test, remark=""):
    print(f"--- {kind}: {test['name']}: {test['result']} after {test['duration']:.1f} s{remark}")
    lines = "\n".join((test.get("stdout") or "", test.get("stderr") or "")).strip().splitlines()
    if len(lines) > SHOWN_LINES:
        print(f"… {len(lines) - SHOWN_LINES} lines before; whole in the log")
    print("\n".join(lines[-SHOWN_LINES:]))


def read_log(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log]


def print_again(tests):
    failed = [test["name"] for test in tests if count(test)[1]]
    # `project:suite+suite / name`
    suites = [set(name.partition(" / ")[0].partition(":")[2].split("+")) for name in failed]
    if len(failed) <= AGAIN_MOST and all(of_test & AGAIN_SUITES for of_test in suites):
        print("".join(name.rpartition(" / ")[2] + "\n" for name in failed), end="")


def print_tally(kind, tests, again):
    total, unsteady = [0, 0, 0], 0
    for test in tests:
        numbers = count(test)
        if numbers[1] and test["name"] in again:
            show(kind, test, "; it ran once more")
            test = again[test["name"]]
            numbers = count(test)
            unsteady += not numbers[1]
        if numbers[1]:
            show(kind, test)
        elif test["result"] == "SKIP":
            print(*re.findall(r"^skipped: .*$", test.get("stdout") or "", re.MULTILINE)[:1], f"({kind}: {test['name']})")
        total = [a + b for a, b in zip(total, numbers)]
    print(*total, unsteady)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--again":
        print_again(read_log(sys.argv[2]))
    elif len(sys.argv) in (3, 4):
        again = {test["name"]: test for path in sys.argv[3:] for test in read_log(path)}
        print_tally(sys.argv[1], read_log(sys.argv[2]), again)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
