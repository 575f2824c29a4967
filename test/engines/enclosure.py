# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a test program in process and mount namespaces of its own: whatever it and its engines leave, processes, shims,
mounts, /run/containerd, is gone when it ends, however it ends. Only cgroups are not; they bear the enclosure's name."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from programs import cgroup_roots

INSIDE = "RTREG_ENGINES_IN"  # the directory, in the environment of those inside


def directory():
    return os.environ[INSIDE]


def token():
    """The name of our cgroups and of nobody else's."""
    return os.path.basename(directory())


def enclose(why_not, skipped):
    """Goes on inside. Those outside wait for it, or, where there is a reason that it cannot be, skip with it."""
    if INSIDE not in os.environ:
        if why_not:
            print("skipped:", why_not)
            sys.exit(skipped)
        sys.exit(outside())
    if os.getpid() == 1:
        prepare()
        child = os.fork()
        if child != 0:
            sys.exit(reap_until(child))


def outside():
    place = tempfile.mkdtemp(prefix="rtreg-engines-")
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
               sys.executable, *sys.argv]
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        with subprocess.Popen(command, env={**os.environ, INSIDE: place}) as process:
            try:
                return process.wait()
            finally:
                process.kill()  # and with it, by --kill-child, all inside
    finally:
        remove(place)


def remove(place):
    """All inside have been killed, which does not mean that they have gone."""
    end = time.monotonic() + 20
    while (os.path.exists(place) or has_cgroups(os.path.basename(place))) and time.monotonic() < end:
        remove_cgroups(os.path.basename(place))
        shutil.rmtree(place, ignore_errors=True)
        time.sleep(0.05)


def has_cgroups(name):
    return any(os.path.exists(os.path.join(root, name)) for root in cgroup_roots())


def prepare():
    """As the first process: places that engines insist on are empty and ours alone."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)


def reap_until(child):
    """Orphans end up with the first process."""
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def remove_cgroups(name):
    for root in cgroup_roots():
        for path, _, _ in os.walk(os.path.join(root, name), topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                pass


def cgroups(name):
    """Containers' cgroups that are still there."""
    return {os.path.relpath(path, root) for root in cgroup_roots()
            for path, _, _ in os.walk(os.path.join(root, name))} - {name}
