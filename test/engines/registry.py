# SPDX-License-Identifier: LGPL-2.1-or-later
"""The registry under test: rtregd with a configuration, and its client."""

import glob
import json
import os
import shutil
import signal
import subprocess

from programs import built
from world import Broken, Service, run

RTREGD = built("daemon", "rtregd")
RTREGCTL = built("tools", "rtregctl")
RTREG_RUNTIME = built("tools", "rtreg-runtime")

# The daemon sees its state directory through a mount that nobody else has.
ELSEWHERE = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             'mount --bind "$0" "$0" && mount -t tmpfs tmpfs /mnt && exec "$@"']


class Registry:
    def __init__(self, directory):
        os.makedirs(directory)
        self.config = os.path.join(directory, "daemon.json")
        self.state = os.path.join(directory, "state")
        self.socket = os.path.join(directory, "rtreg.sock")
        self.exec_root = os.path.join(directory, "exec")
        self.service = Service(os.path.join(directory, "rtregd.log"))
        self.log_seen = 0
        self.environment = {"RTREG_SOCKET": self.socket, "RTREG_STATE_DIR": self.state}

    def configure(self, keys):
        with open(self.config + ".new", "w") as file:
            json.dump(keys, file)
        os.rename(self.config + ".new", self.config)

    def command(self, *options):
        return [RTREGD, "--config-file", self.config, "--state-dir", self.state, "--exec-root", self.exec_root,
                "--socket", self.socket, "--no-watch", "--threads", "2", *options]

    def start(self, elsewhere=False):
        self.log_seen = len(self.log())
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        self.service.start(*([*ELSEWHERE, self.state] if elsewhere else []), *self.command())
        self.service.wait_until(lambda: self.ctl("status").ok, "rtregd")

    def stop(self):
        code = self.service.end()
        if code not in (0, None):
            raise Broken(f"rtregd ends with {code}")

    def crash(self):
        self.service.end(signal.SIGKILL)

    def ctl(self, *words):
        return run(RTREGCTL, "--json", *words, env=self.environment)

    def ask(self, *words):
        return json.loads(self.ctl(*words).must("rtregctl " + words[0]).out)

    def reload(self):
        return self.ctl("reload")

    def log(self):
        return self.service.read_log() if os.path.exists(self.service.log) else ""

    def validate(self):
        return run(*self.command("--validate"))

    def try_start(self):
        """A start of another daemon with this configuration, which is to fail."""
        other = self.state + ".other"
        try:
            return run("timeout", "10", *self.command("--state-dir", other, "--socket", other + ".sock"))
        finally:
            shutil.rmtree(other, ignore_errors=True)

    def lock_ins(self):
        """The files of all lock-ins."""
        return [path for path in glob.glob(os.path.join(self.state, "lock-ins", "*", "*"))
                if os.path.basename(os.path.dirname(path)) != "scripts"]

    def lock_in(self, container):
        """The file of the only lock-in of a container, whatever its root, or None."""
        return next((path for path in self.lock_ins() if os.path.basename(path) == container), None)

    def set_read_only(self):
        subprocess.run(["mount", "--bind", self.state, self.state], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", self.state], check=True)

    def set_writable(self):
        subprocess.run(["umount", self.state], check=True)

    def reset(self):
        """As on a new machine."""
        self.service.end(signal.SIGKILL)
        shutil.rmtree(self.state, ignore_errors=True)
        self.log_seen = len(self.log())
        self.configure({})
