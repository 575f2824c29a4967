# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether there can be containers here at all: a machine may have root, cgroups and runc, and forbid them yet. What
plain runc cannot do says nothing about rtreg."""

import functools
import json
import os
import shutil
import tempfile

from images import make_bundle, make_root
from programs import find
from world import run


@functools.cache
def runc_fails(within=None):
    """Why plain runc cannot run a container, or None. Whether runc and busybox are there has been looked at."""
    place = tempfile.mkdtemp(prefix="rtreg-preflight-", dir=within)
    try:
        name = os.path.basename(place)
        bundle = make_bundle(os.path.join(place, "bundle"), make_root(os.path.join(place, "root")), "/" + name, {})
        path = os.path.join(bundle, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"]["args"] = ["/bin/true"]
        with open(path, "w") as file:
            json.dump(config, file)
        done = run(find("runc"), "--root", os.path.join(place, "state"), "run", "--bundle", bundle, name)
        return None if done.ok else f"runc cannot run a container here: {done.says()}"
    finally:
        shutil.rmtree(place, ignore_errors=True)
