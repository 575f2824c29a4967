# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root file system of busybox alone, and what engines make containers from: bundles and an image."""

import hashlib
import io
import json
import os
import shutil
import tarfile

from programs import find

APPLETS = ("sh", "sleep", "echo", "true")
SLEEP = ["/bin/sleep", "1000"]  # what every container runs


def make_root(path):
    for name in ("bin", "proc", "sys", "dev", "etc", "tmp"):
        os.makedirs(os.path.join(path, name))
    shutil.copy(find("busybox"), os.path.join(path, "bin", "busybox"))
    for name in APPLETS:
        os.symlink("busybox", os.path.join(path, "bin", name))
    return path


NAMESPACES = ("pid", "ipc", "uts", "mount", "network")
MOUNTS = (("/proc", "proc", "proc", []), ("/dev", "tmpfs", "tmpfs", ["nosuid", "mode=755", "size=65536k"]))


def make_bundle(path, root, cgroup, annotations):
    """A directory with the config.json that the OCI runtimes read."""
    os.makedirs(path)
    config = {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": SLEEP, "env": ["PATH=/bin"], "cwd": "/"},
        "root": {"path": root, "readonly": True},
        "hostname": "test",
        "mounts": [{"destination": where, "type": kind, "source": source, "options": options}
                   for where, kind, source, options in MOUNTS],
        "linux": {"namespaces": [{"type": kind} for kind in NAMESPACES], "cgroupsPath": cgroup},
        "annotations": annotations,
    }
    with open(os.path.join(path, "config.json"), "w") as file:
        json.dump(config, file)
    return path


def anonymous(entry):
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def layer_of(root):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in sorted(os.listdir(root)):
            archive.add(os.path.join(root, name), arcname=name, filter=anonymous)
    return data.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob(kind, data):
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(data), "size": len(data)}


def make_image(root, path, name):
    """An OCI image layout in a tar archive, for containerd."""
    layer = layer_of(root)
    config = json.dumps({"architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine), "os": "linux",
                         "config": {"Cmd": SLEEP, "Env": ["PATH=/bin"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()
    manifest = json.dumps({"schemaVersion": 2, "config": blob("config.v1+json", config),
                           "layers": [blob("layer.v1.tar", layer)]}).encode()
    entry = {**blob("manifest.v1+json", manifest), "annotations": {"org.opencontainers.image.ref.name": name}}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
             "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()}
    for data in (layer, config, manifest):
        files["blobs/sha256/" + digest(data).split(":")[1]] = data
    with tarfile.open(path, "w") as archive:
        for member, data in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
