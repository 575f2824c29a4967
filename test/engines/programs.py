# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the engines' programs are: on PATH, or where tools/packages.sh has unpacked what nobody wants installed."""

import functools
import os
import re
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = os.path.join(TOP, "build-test", "packages")
BUILD = os.path.abspath(os.environ.get("RTREG_BUILD", "build"))
UNPACKED = {"dockerd": "docker.io/usr/sbin", "docker": "docker.io/usr/bin", "containerd": "containerd/usr/bin",
            "ctr": "containerd/usr/bin", "containerd-shim-runc-v2": "containerd/usr/bin"}


def built(folder, name):
    return os.path.join(BUILD, folder, name)


def find(name):
    """The path of a program, or None."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    unpacked = os.path.join(PACKAGES, UNPACKED.get(name, "-"), name)
    return unpacked if os.access(unpacked, os.X_OK) else shutil.which(name, path=search)


def missing(*names):
    """Why tests with these programs cannot run here, or None."""
    lacking = [name for name in names if not find(name)]
    if lacking:
        return f"no {', '.join(lacking)} here (tools/packages.sh test brings Debian's)"
    for name in set(names) & {"dockerd", "containerd"}:  # unpacked: nobody looked for their libraries
        done = subprocess.run([find(name), "--version"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"{name} does not start: {done.stderr.strip()}"
    return None


def cannot_contain():
    """Why there can be no containers here, or None."""
    if os.geteuid() != 0:
        return "containers need root"
    done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        return f"root without the right to make namespaces: {done.stderr.strip()}"
    if not cgroup_roots():
        return "no cgroups that can be written to"
    return None


def cgroup_roots():
    """The top of each cgroup hierarchy that is mounted for writing."""
    with open("/proc/self/mounts") as file:
        mounts = [line.split()[1:4] for line in file]
    return [point for point, kind, options in mounts
            if kind.startswith("cgroup") and options.split(",")[0] == "rw" and os.access(point, os.W_OK)]


@functools.cache
def version(path):
    """The upstream version of a program: 20.10.24 of 20.10.24+dfsg1."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr).group()
