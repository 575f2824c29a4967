# SPDX-License-Identifier: LGPL-2.1-or-later
"""dockerd: with rtreg-runtime as the one runtime it knows, and alone, as the reference."""

import json
import os
import shutil
import signal
import subprocess

from containerd import ContainerdService
from engine import Engine, NotForIt, WithRegistry
from programs import find, version
from registry import RTREG_RUNTIME
from world import Service, end_processes, run, unmount_below, wait_for

# Without network, and without a trace on the host.
OPTIONS = ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false",
           "--bridge=none", "--storage-driver=vfs"]
RELOADED = ("Reloaded configuration", "level=error")
NO_LOCK_INS = "keeps no lock-ins"


class DockerdService:
    """A dockerd and the containerd below it."""

    def __init__(self, dockerd, directory, environment, cgroup, *options):
        os.makedirs(directory)
        self.directory, self.dockerd = directory, dockerd
        self.options = [*OPTIONS, "--cgroup-parent=/" + cgroup, *options]
        self.config, self.socket, self.data = self.at("daemon.json"), self.at("docker.sock"), self.at("data/docker")
        beside = os.path.join(os.path.dirname(os.path.dirname(dockerd)), "bin", "docker")
        self.client = beside if os.access(beside, os.X_OK) else find("docker")
        self.containerd = ContainerdService(self.at("containerd"), environment)
        self.service = Service(self.at("log"))
        self.log_seen = 0

    def at(self, name):
        return os.path.join(self.directory, name)

    def configure(self, keys):
        with open(self.config, "w") as file:
            json.dump({"live-restore": True, "deprecated-key-path": self.at("key.json"), **keys}, file)

    def command(self, *options):
        return [self.dockerd, "--config-file", self.config, *self.options, *options]

    def start(self):
        if not self.containerd.service.runs:
            self.containerd.start()
        self.start_dockerd()
        if not self.docker("image", "inspect", "rtreg-test:1").ok:
            self.import_image()

    def start_dockerd(self):
        self.log_seen = len(self.log())
        self.service.start(*self.command(
            "--data-root", self.data, "--exec-root", self.at("exec"), "--pidfile", self.at("pid"), "--host",
            "unix://" + self.socket, "--containerd", self.containerd.socket))
        self.service.wait_until(lambda: os.path.exists(self.socket) and self.docker("version").ok, "dockerd")

    def import_image(self):
        subprocess.run(["tar", "-C", os.path.join(os.path.dirname(self.directory), "root"), "-cf",
                        self.at("image.tar"), "."], check=True)
        self.docker("import", self.at("image.tar"), "rtreg-test:1").must("import")

    def end(self):
        self.service.end(signal.SIGKILL)
        self.containerd.service.end()

    def log(self):
        return self.service.read_log() if os.path.exists(self.service.log) else ""

    def docker(self, *words):
        return run(self.client, "--host", "unix://" + self.socket, *words, env={"DOCKER_CONFIG": self.directory})

    @property
    def annotates(self):
        """Whether containers can be given annotations."""
        return "--annotation " in self.docker("create", "--help").out

    def processes(self):
        return {service.process.pid for service in (self.service, self.containerd.service) if service.process}


class DockerCommands:
    """The part of an engine that speaks to dockerd."""

    docker_service = None

    def docker(self, *words):
        return self.docker_service.docker(*words)

    def create_with(self, name, *options):
        return self.docker("create", "--name", name, "--network", "none", *options, "rtreg-test:1", "/bin/sleep",
                           "1000").must("create").out.strip()

    def start(self, name):
        return self.docker("start", name)

    def exec(self, name, *words):
        return self.docker("exec", name, *words)

    def kill(self, name):
        done = self.docker("kill", name)
        if done.ok:
            self.docker("wait", name)
        return done

    def delete(self, name):
        return self.docker("rm", name)

    def halt(self, name):
        self.kill(name).must("kill")

    def again(self, name, runtime=None):
        self.start(name).must("start")

    def service_processes(self):
        return self.docker_service.processes()


class Dockerd(DockerCommands, WithRegistry):
    key = "dockerd"
    needs = ("dockerd", "docker", "containerd", "ctr", "containerd-shim-runc-v2", "runc", "busybox")

    @classmethod
    def path(cls):
        return find("dockerd")

    @classmethod
    def title(cls):
        return f"dockerd {version(cls.path())}, rtreg-runtime"

    def __init__(self, directory):
        super().__init__(directory)
        self.docker_service = DockerdService(self.path(), self.at("docker"), self.environment, self.cgroup,
                                            "--add-runtime=rtreg=" + RTREG_RUNTIME, "--default-runtime=rtreg")
        self.standing_mounts.add(self.docker_service.data)
        self.docker_service.configure({})
        self.docker_service.start()

    def close(self):
        super().close()
        self.docker_service.end()

    def restart_engine(self):
        self.docker_service.service.end()
        self.docker_service.start_dockerd()

    def create(self, name, runtime=None):
        """The engine's own container; the runtime is locked in before there is one of rtreg-runtime's."""
        container = self.create_with(name)
        if runtime:
            self.registry.ctl("lock", container, "--runtime", runtime).must("lock")

    def run(self, name, runtime=None):
        if runtime and self.docker_service.annotates:  # older ones have no annotations
            self.create_with(name, "--annotation", f"io.rtreg.runtime={runtime}")
            self.start(name).must("start")
        else:
            super().run(name, runtime)

    def delete_badly(self, name):
        """It has deleted by itself."""


class Alone(DockerCommands, Engine):
    """The configuration is its own daemon.json. What happens is written down and not judged."""

    key = "dockerd-alone"
    needs = Dockerd.needs
    own = False
    path = Dockerd.path

    @classmethod
    def title(cls):
        return f"dockerd {version(cls.path())} alone"

    def __init__(self, directory):
        super().__init__(directory)
        self.docker_service = None

    def reset(self, clean):
        if self.docker_service and clean:
            self.configure()
            self.reload()
            return
        self.close()
        end_processes(but=())
        unmount_below(self.at("docker"))
        shutil.rmtree(self.at("docker"), ignore_errors=self.docker_service is None)
        self.docker_service = DockerdService(self.path(), self.at("docker"), {}, self.cgroup)
        self.configure()
        self.docker_service.start()

    def close(self):
        if self.docker_service:
            self.docker_service.end()

    def own_processes(self):
        return self.service_processes()

    def configure(self, default="plain", runtimes=None, **keys):
        self.docker_service.configure({"runtimes": {"plain": self.runtimes.plain(), **(runtimes or {})},
                                       "default-runtime": default, **keys})

    def create(self, name, runtime=None):
        self.create_with(name, *(["--runtime", runtime] if runtime else []))

    def try_reload(self):
        """Its answer to SIGHUP is in its log alone."""
        service = self.docker_service
        service.log_seen = len(service.log())
        service.service.process.send_signal(signal.SIGHUP)

        def answer():
            return [line for line in service.log()[service.log_seen:].splitlines()
                    if any(word in line for word in RELOADED)]
        wait_for(answer, "an answer to SIGHUP")
        line = answer()[0]
        return run("sh", "-c", 'printf %s "$1" >&2; exit "$0"', "1" if "level=error" in line else "0", line)

    def reload(self):
        self.try_reload().must("reload")

    def restart(self):
        self.docker_service.service.end()
        self.docker_service.start_dockerd()

    def crash(self):
        self.docker_service.service.end(signal.SIGKILL)
        self.docker_service.start_dockerd()

    def away(self):
        raise NotForIt("is itself who holds the configuration")

    restart_elsewhere = restart_engine = away

    def labels(self):
        return json.loads(self.docker("info", "--format", "{{json .Labels}}").must("info").out)

    def validate(self):
        return run(*self.docker_service.command("--validate"))

    def try_start(self):
        with_places = [f"--{option}={self.at('other/' + option)}" for option in ("data-root", "exec-root", "pidfile")]
        return run("timeout", "10", *self.docker_service.command(
            *with_places, "--host", "unix://" + self.at("other.sock"), "--containerd",
            self.docker_service.containerd.socket))

    def scripts(self):
        return os.path.join(self.docker_service.data, "runtimes")

    def told_of(self, path, reply):
        return path in self.docker_service.log()[self.docker_service.log_seen:]

    def only_lock_ins_bound_to_a_boot(self):
        raise NotForIt(NO_LOCK_INS)

    @property
    def registry(self):
        raise NotForIt("cannot run with its data directory read-only")


NEW = os.environ.get("RTREG_DOCKERD_NEW")
COLUMNS = [Dockerd, Alone]
if NEW:
    class Newer:
        @classmethod
        def path(cls):
            return NEW

    COLUMNS += [type("DockerdNew", (Newer, Dockerd), {"key": "dockerd-new"}),
                type("AloneNew", (Newer, Alone), {"key": "dockerd-new-alone"})]
