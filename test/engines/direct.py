# SPDX-License-Identifier: LGPL-2.1-or-later
"""runc and crun, without an engine around them: called through rtreg-runtime, or as the least engine would do it,
which asks the registry and calls what it was told."""

import hashlib
import json
import os
import shutil
import subprocess

from engine import NotForIt, WithRegistry
from images import make_bundle
from programs import cgroup_roots, find, version
from registry import RTREG_RUNTIME
from world import run, wait_for

UNIFIED = "/sys/fs/cgroup/unified"


class Direct(WithRegistry):
    def __init__(self, directory):
        super().__init__(directory)
        self.state = self.at("containers")
        if self.base == "crun" and UNIFIED in cgroup_roots():
            # crun refuses a hybrid; this namespace has none now. It makes directories there all the same.
            subprocess.run(["umount", UNIFIED], check=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", UNIFIED], check=True)

    def call(self, name, command, *words):
        raise NotImplementedError

    def annotations(self, runtime):
        return {}

    def create(self, name, runtime=None):
        bundle = self.at("bundles/" + name)
        shutil.rmtree(bundle, ignore_errors=True)
        make_bundle(bundle, self.root, f"/{self.cgroup}/{name}", self.annotations(runtime))
        return self.call(name, "create", "--bundle", bundle, name).must("create")

    def start(self, name):
        return self.call(name, "start", name)

    def exec(self, name, *words):
        return self.call(name, "exec", name, *words)

    def kill(self, name):
        done = self.call(name, "kill", name, "KILL")
        if done.ok:
            wait_for(lambda: self.status(name) == "stopped", "the container to end")
        return done

    def status(self, name):
        return json.loads(self.call(name, "state", name).must("state").out)["status"]

    def delete(self, name):
        return self.call(name, "delete", name)

    halt = WithRegistry.end
    again = WithRegistry.run


class FrontDoor(Direct):
    def call(self, name, command, *words):
        return run(RTREG_RUNTIME, "--root", self.state, command, *words, env=self.environment)

    def annotations(self, runtime):
        return {"io.rtreg.runtime": runtime} if runtime else {}


class Own(Direct):
    """Locks in before create, asks for the lock-in before each command, and unlocks after delete."""

    def __init__(self, directory):
        super().__init__(directory)
        self.to_unlock = []
        self.folder = hashlib.sha256(self.state.encode()).hexdigest()

    def create(self, name, runtime=None):
        self.ask(name, "--runtime", runtime or "").must("lock")
        return super().create(name)

    def ask(self, name, *words):
        return self.registry.ctl("lock", name, "--root", self.state, *words)

    def lock_in(self, name):
        """From the registry, or, while it is away, from the file that it is."""
        if self.registry.service.runs:
            return json.loads(self.ask(name).must("lock").out)
        with open(os.path.join(self.registry.state, "lock-ins", self.folder, name)) as file:
            return json.load(file)

    def call(self, name, command, *words):
        binary = self.lock_in(name)["options"]["BinaryName"]
        return run(binary, "--root", self.state, command, *words)

    def delete(self, name):
        done = super().delete(name)
        if done.ok:
            self.unlock(name)
        return done

    def unlock(self, name):
        """At once where that can be done, else when the registry is back."""
        if not self.registry.ctl("unlock", name, "--root", self.state).ok:
            self.to_unlock.append(name)

    def come_back(self):
        super().come_back()
        while self.to_unlock:
            self.registry.ctl("unlock", self.to_unlock.pop(), "--root", self.state).must("unlock")

    def unlock_what_was_left(self):
        self.come_back()

    def only_lock_ins_bound_to_a_boot(self):
        raise NotForIt("has lock-ins that last until it unlocks")


def column(kind, key, base, note):
    def title(_):
        return f"{base} {version(find(base))}, {note}"
    return type(key, (kind,), {"key": key, "base": base, "needs": (base, "busybox"), "title": classmethod(title)})


COLUMNS = [column(FrontDoor, "runc", "runc", "rtreg-runtime"), column(FrontDoor, "crun", "crun", "rtreg-runtime"),
           column(Own, "runc-own", "runc", "own engine"), column(Own, "crun-own", "crun", "own engine")]
