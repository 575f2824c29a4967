#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/engines.md is typed as it stands there, on a machine that has nothing but what it says: /etc, /usr and /var are
laid over with what nobody else sees. What the page shows as said must be said.

    test_page.py docker|podman

Exits with 77 where the engines cannot be had here."""

import contextlib
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import enclosure
from dockerd import OPTIONS
from images import make_image, make_root
from preflight import runc_fails
from programs import TOP, built, cannot_contain, cgroup_roots, find, missing
from world import Broken, Service, run, wait_for

PAGE = (pathlib.Path(TOP) / "docs/engines.md").read_text(encoding="utf-8")
SKIPPED = 77
# The engines that are typed together, and what the page begins with.
SECTIONS = {
    "docker": ("First: rtregd", "Docker", "containerd", "An engine of your own", "The socket and the state directory",
               "When it goes wrong"),
    "podman": ("First: rtregd", "Podman"),
}
NEEDS = {"docker": ("dockerd", "docker", "containerd", "ctr", "containerd-shim-runc-v2", "runc", "busybox", "curl"),
         "podman": ("podman", "conmon", "runc", "busybox")}
IMAGE = "docker.io/library/busybox:latest"
SOCKETS = {"rtregd": "/run/rtreg/rtreg.sock", "containerd": "/run/containerd/containerd.sock",
           "docker": "/run/docker.sock"}


def section(name):
    return re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[1]


def steps(text):
    """(command, what the page shows as its output) of each; a here-document belongs to its command."""
    command, shown, ending = None, [], None
    for line in [*text.splitlines(), ""]:
        prompt = re.match(r"    [#$] (.*)", line)
        if ending:
            command += "\n" + line[4:]
            ending = None if line.strip() == ending else ending
        elif prompt or not line.startswith("    "):
            if command:
                yield command, shown
            command, shown = (prompt[1] if prompt else None), []
            document = re.search(r"<<'(\w+)'", command or "")
            ending = document and document[1]
        elif command:
            shown.append(line.strip())


def misquoted():
    """What the page's table quotes and no program says."""
    source = "".join(path.read_text(encoding="utf-8") for folder in ("lib", "tools")
                     for path in sorted((pathlib.Path(TOP) / folder).rglob("*.c")))
    source = re.sub(r'"\s*(RUNTIME_ANNOTATION)?\s*"', lambda match: "io.rtreg.runtime" if match[1] else "", source)
    said = [message for row in re.findall(r"^\| (`.*?) \|", section("When it goes wrong"), re.MULTILINE)
            for message in re.findall("`([^`]+)`", row)]
    if len(said) < 8:
        raise Broken(f"the page quotes {said}")
    pieces = [piece.strip(" ,") for message in said for piece in message.split("…")]
    return [piece for piece in pieces if piece not in source]


class Machine:
    """A machine of our own, with the services of the page."""

    def __init__(self):
        self.place = enclosure.directory()
        self.services = {}
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.place], check=True)
        for folder in ("etc", "usr", "var"):
            self.lay_over(folder)
        os.makedirs("/run/rtreg")
        for name in ("rtreg-runtime", "rtregctl"):
            shutil.copy(built("tools", name), "/usr/bin")
        programs = {os.path.dirname(find(name)) for names in NEEDS.values() for name in names if find(name)}
        os.environ["PATH"] = os.pathsep.join(["/usr/bin", *sorted(programs), os.environ["PATH"]])
        self.root = make_root(self.at("root"))
        self.commands = {"rtregd": [built("daemon", "rtregd")], "containerd": [find("containerd")],
                         "docker": [find("dockerd"), *OPTIONS, "--host", "unix:///run/docker.sock", "--containerd",
                                    SOCKETS["containerd"], "--cgroup-parent", "/" + enclosure.token()]}

    def at(self, name):
        return os.path.join(self.place, name)

    def lay_over(self, folder):
        for part in ("up", "work"):
            os.makedirs(self.at(f"{folder}/{part}"))
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/{folder},upperdir={self.at(folder)}/up,"
                        f"workdir={self.at(folder)}/work", "/" + folder], check=True)

    def start(self, name):
        service = self.services[name] = Service(self.at(name + ".log"))
        service.start(*self.commands[name])
        service.wait_until(lambda: os.path.exists(SOCKETS[name]), name)

    def stop(self, name):
        self.services.pop(name).end()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SOCKETS[name])  # so that start() waits for the new one

    def systemctl(self, action, name):
        if action == "start":
            self.start(name)
        elif action == "restart":
            self.stop(name)
            self.start(name)
        else:
            self.services[name].process.send_signal(signal.SIGHUP)
            wait_for(lambda: "Reloaded configuration" in self.services[name].read_log(), name + " to reload")

    def docker_machine(self):
        """What the page takes for granted: Docker runs, and there are images."""
        for folder in ("/var/lib/containerd", "/var/lib/docker"):
            os.makedirs(folder, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        os.makedirs("/etc/docker", exist_ok=True)
        with open("/etc/docker/daemon.json", "w") as file:
            file.write("{}")
        os.environ["CONTAINERD_SNAPSHOTTER"] = "native"
        self.start("containerd")
        run("ctr", "image", "import", make_image(self.root, self.at("image.tar"), IMAGE)).must("import")
        self.start("docker")
        wait_for(lambda: run("docker", "version").ok, "dockerd")
        subprocess.run(["tar", "-C", self.root, "-cf", self.at("root.tar"), "."], check=True)
        run("docker", "import", self.at("root.tar"), "busybox").must("import")

    def podman_machine(self):
        os.makedirs("/var/lib/containers", exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/var/lib/containers"], check=True)
        os.makedirs("/etc/containers", exist_ok=True)
        with open("/etc/containers/storage.conf", "w") as file:
            file.write('[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\n'
                       'graphroot = "/var/lib/containers/storage"\n')
        with open("/etc/containers/policy.json", "w") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        subprocess.run(["tar", "-C", self.root, "-cf", self.at("root.tar"), "."], check=True)
        run("podman", "import", self.at("root.tar"), "busybox").must("import")

    def can(self, command):
        """Older engines have no annotations, as the page says."""
        if "docker run" in command and "--annotation" in command:
            return "--annotation " in run("docker", "run", "--help").out
        return True

    def type_in(self, command, shown):
        print("#", command, flush=True)
        if match := re.match(r"systemctl (\w+) (\w+)", command):
            self.systemctl(*match.groups())
            return
        # No networks here.
        command = re.sub(r"^((docker|podman) (?:.*? )?(run|create)) ", r"\1 --network none ", command)
        done = run("sh", "-c", command)
        refused = any(re.match(r"(ctr|docker|Error): ", line) for line in shown)
        if done.ok == refused:
            raise Broken(f"{command}: exit {done.code}\n{done.out}{done.err}")
        for line in shown:
            if line not in done.out + done.err:
                raise Broken(f"{command}: the page shows {line!r}, and it says\n{done.out}{done.err}")

    def close(self):
        for service in reversed(self.services.values()):
            service.end()
        # ctr's and Podman's, which are nobody's when they are empty.
        for root, name in itertools.product(cgroup_roots(), ("default", "libpod_parent")):
            for path, _, _ in os.walk(os.path.join(root, name), topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)


def follow(kind):
    if wrong := misquoted():
        print("quoted, and not said:", wrong)
        return 1
    machine = Machine()
    try:
        getattr(machine, kind + "_machine")()
        for name in SECTIONS[kind]:
            count = 0
            for command, shown in steps(section(name)):
                if name == "When it goes wrong" and command.startswith("docker run"):
                    machine.stop("rtregd")  # this is what is shown
                if machine.can(command):
                    machine.type_in(command, shown)
                count += 1
            print(f"{name}: {count} commands")
            if count == 0:
                raise Broken(f"{name}: nothing to type")
        left = [name for folder, _, names in os.walk("/var/lib/rtreg/lock-ins") for name in names
                if os.path.basename(folder) != "scripts"]
        if left:
            raise Broken(f"lock-ins are left: {left}")
    except Broken as reason:
        print(reason)
        for name, service in machine.services.items():
            print(f"--- {name}", *service.read_log().splitlines()[-12:], sep="\n")
        return 1
    finally:
        machine.close()
    return 0


def why_not(kind):
    """Podman is nobody's but its own: with what it needs it is too much to bring along for one page."""
    if kind == "podman" and not (find("podman") and find("conmon")):
        return "no podman here (apt-get install podman)"
    return cannot_contain() or missing(*NEEDS[kind])


def main():
    kind = sys.argv[1]
    enclosure.enclose(why_not(kind), SKIPPED)
    reason = runc_fails(enclosure.directory())
    if reason:
        print("skipped:", reason)
        return SKIPPED
    return follow(kind)


if __name__ == "__main__":
    sys.exit(main())
