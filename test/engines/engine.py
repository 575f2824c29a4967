# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cases ask of every engine. Where one has no such thing, the case is not for it: NotForIt says why."""

import os
import time

import enclosure
from images import make_root
from programs import find
from runtimes import Runtimes
from registry import Registry
from world import PATIENCE, Broken, end_processes, mounts_below, processes, unmount_below


class NotForIt(Exception):
    pass


ALIVE = 42


class Engine:
    """Engines differ in how containers are made and in who holds the configuration."""

    key = None
    needs = ()  # programs
    base = "runc"
    own = True  # the registry is asked, and every case must pass

    def __init__(self, directory):
        self.directory = directory
        self.root = make_root(self.at("root"))
        self.runtimes = Runtimes(self.at("runtimes"), find(self.base))
        self.cgroup = enclosure.token()
        self.serial = 0
        self.standing_mounts = set()

    @classmethod
    def title(cls):
        raise NotImplementedError

    def at(self, name):
        return os.path.join(self.directory, name)

    def new_name(self):
        """A container's name that was not there before."""
        self.serial += 1
        return f"c{self.serial}"

    # Containers

    def run(self, name, runtime=None):
        self.create(name, runtime)
        self.start(name).must("start")

    def end(self, name):
        """Kills and deletes; each must succeed."""
        self.kill(name).must("kill")
        self.delete(name).must("delete")

    def exec_works(self, name):
        # By its exit code: ctr loses the output of a short command now and then.
        done = self.exec(name, "/bin/sh", "-c", f"exit {ALIVE}")
        if done.code != ALIVE:
            done.must("exec")
            raise Broken("exec: the command was not run")

    def restart_engine(self):
        raise NotForIt("has no process of its own")

    def come_back(self):
        """Whoever was away is there again."""

    def own_processes(self):
        return set()

    def own_left_overs(self):
        return []

    def left_overs(self):
        found = [f"process {name}" for pid, name in processes().items() if pid not in self.own_processes()]
        found += [f"mount {point}" for point in mounts_below(self.directory) if point not in self.standing_mounts]
        found += [f"cgroup {path}" for path in enclosure.cgroups(self.cgroup)]
        return sorted(set(found + self.own_left_overs()))

    def left_nothing(self):
        """What a container leaves goes some time after it."""
        end = time.monotonic() + PATIENCE
        while found := self.left_overs():
            if time.monotonic() > end:
                raise Broken("left: " + ", ".join(found))
            time.sleep(0.02)


class WithRegistry(Engine):
    """The configuration is rtregd's."""

    def __init__(self, directory):
        super().__init__(directory)
        self.registry = Registry(self.at("registry"))
        self.environment = self.registry.environment

    def reset(self, clean):
        """As if nothing had been. Clean: the last case went well."""
        end_processes(but=self.service_processes())
        enclosure.remove_cgroups(self.cgroup)
        unmount_below(self.directory, self.standing_mounts)
        self.registry.reset()
        self.configure()
        self.registry.start()

    def close(self):
        self.registry.service.end()

    def service_processes(self):
        return set()

    def own_processes(self):
        return self.service_processes() | ({self.registry.service.process.pid} if self.registry.service.runs else set())

    def own_left_overs(self):
        return ["lock-in " + path for path in self.registry.lock_ins()]

    def configure(self, default="plain", runtimes=None, **keys):
        self.registry.configure({"runtimes": {"plain": self.runtimes.plain(), **(runtimes or {})},
                                 "default-runtime": default, **keys})

    def try_reload(self):
        return self.registry.reload()

    def reload(self):
        self.try_reload().must("reload")

    def restart(self):
        self.registry.stop()
        self.registry.start()

    def crash(self):
        self.registry.crash()
        self.registry.start()

    def away(self):
        self.registry.stop()

    def restart_elsewhere(self):
        self.registry.stop()
        self.registry.start(elsewhere=True)

    def come_back(self):
        if not self.registry.service.runs:
            self.registry.start()

    # Lock-ins

    def only_lock_ins_bound_to_a_boot(self):
        pass

    def locked_to(self, runtime):
        """There is one lock-in, to this runtime."""
        found = [lock_in["runtime"] for lock_in in self.registry.ask("locks")["containers"]]
        if found != [runtime]:
            raise Broken(f"locked in: {found}")

    def unlock_what_was_left(self):
        """Where unlocking failed, by hand."""
        for lock_in in self.registry.ask("locks")["containers"]:
            root = ["--root", lock_in["root"]] if lock_in["root"] else []
            self.registry.ctl("unlock", lock_in["id"], *root).must("unlock")

    def delete_badly(self, name):
        """Does what an engine does where the first delete fails."""
        self.delete(name)

    def labels(self):
        return self.registry.ask("config")["config"].get("labels", [])

    def validate(self):
        return self.registry.validate()

    def try_start(self):
        return self.registry.try_start()

    def scripts(self):
        return os.path.join(self.registry.state, "runtimes")

    def told_of(self, path, reply):
        """Whether a reload's reply, or the log since the last start, names a path."""
        return (reply and path in reply.out) or path in self.registry.log()[self.registry.log_seen:]
