# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd with ctr, whose shims call rtreg-runtime as the one runtime they know."""

import os

from engine import NotForIt, WithRegistry
from images import make_image
from programs import find, version
from registry import RTREG_RUNTIME
from world import Service, run, wait_for

CONFIG = """version = 2
root = "{at}/root"
state = "{at}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{at}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{at}/opt"
"""


class ContainerdService:
    def __init__(self, directory, environment):
        os.makedirs(directory)
        self.config = os.path.join(directory, "config.toml")
        self.socket = os.path.join(directory, "containerd.sock")
        self.environment = environment
        self.service = Service(os.path.join(directory, "log"))
        with open(self.config, "w") as file:
            file.write(CONFIG.format(at=directory))

    def start(self):
        # Shims are looked for beside containerd, and they inherit its environment.
        self.service.start(find("containerd"), "--config", self.config, env=self.environment)
        self.service.wait_until(lambda: self.ctr("version").ok, "containerd")

    def ctr(self, *words):
        return run(find("ctr"), "--address", self.socket, "--namespace", "test", *words)

    def restart(self):
        self.service.end()
        self.start()


class Containerd(WithRegistry):
    key = "containerd"
    needs = ("containerd", "ctr", "containerd-shim-runc-v2", "runc", "busybox")
    image = "docker.io/library/rtreg-test:1"

    @classmethod
    def title(cls):
        return f"containerd {version(find('containerd'))}, rtreg-runtime"

    def __init__(self, directory):
        super().__init__(directory)
        self.containerd = ContainerdService(self.at("containerd"), self.environment)
        self.containerd.start()
        archive = make_image(self.root, self.at("image.tar"), self.image)
        self.ctr("image", "import", "--snapshotter", "native", archive).must("import")

    def ctr(self, *words):
        return self.containerd.ctr(*words)

    def close(self):
        super().close()
        self.containerd.service.end()

    def service_processes(self):
        return {self.containerd.service.process.pid}

    def restart_engine(self):
        self.containerd.restart()

    def create(self, name, runtime=None):
        raise NotForIt("makes the runtime's container when it starts it")

    def run(self, name, runtime=None):
        annotation = ["--annotation", f"io.rtreg.runtime={runtime}"] if runtime else []
        return self.ctr("run", "--detach", "--null-io", "--snapshotter", "native", "--runc-binary", RTREG_RUNTIME,
                        "--runc-root", self.at("containers"), "--cgroup", f"/{self.cgroup}/{name}", *annotation,
                        self.image, name).must("run")

    def exec(self, name, *words):
        self.serial += 1
        return self.ctr("task", "exec", "--exec-id", f"e{self.serial}", name, *words)

    def kill(self, name):
        done = self.ctr("task", "kill", "--signal", "SIGKILL", name)
        if done.ok:
            wait_for(lambda: self.status(name) == "STOPPED", "the task to end")
        return done

    def status(self, name):
        rows = self.ctr("task", "ls").must("task ls").out.splitlines()
        return next((row.split()[2] for row in rows if row.split()[0] == name), None)

    def delete(self, name):
        done = self.ctr("task", "rm", name)
        return self.ctr("container", "rm", name) if done.ok else done

    def delete_badly(self, name):
        self.ctr("task", "rm", name)
        self.delete(name).must("second delete")

    halt = WithRegistry.end
    again = run


COLUMNS = [Containerd]
