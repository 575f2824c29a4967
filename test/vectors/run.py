#!/usr/bin/env python3
"""Black-box runner for the rtreg test vectors (Python 3.11, standard library only).

    run.py --build BUILD_DIR --set DIR [--only validate|reload|resolve] [--name TEXT] [--verbose]

BUILD_DIR/daemon/rtregd and BUILD_DIR/tools/rtregctl are the programs under test; DIR holds validate.json, reload.json
and resolve.json in the format of README.md beside this file. One line per failing case, last line `N passed, M failed`;
exit 0 only if M is 0 and at least one case ran.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse

CASE_LIMIT = 240.0  # seconds that a case may take before it counts as hanging
STOP_LIMIT = 60.0
HUP_LIMIT = 60.0
KINDS = ("validate", "resolve", "reload")
DROP_ENV = ("DOCKER_RAMDISK", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC",
            "WATCHDOG_PID", "RTREG_SOCKET", "RTREG_VEC_DUMP", "DOCKER_HOST")
RUNTIME_FIELDS = ("path", "runtimeArgs", "runtimeType", "options", "shim", "binary", "wrapper", "stock")
DUMPER = """#!/bin/sh
if [ -z "$RTREG_VEC_DUMP" ]; then echo '{}'; exit 0; fi
echo "$$" >"$RTREG_VEC_DUMP.pid"
for a in "$@"; do printf '%s\\0' "$a"; done >"$RTREG_VEC_DUMP"
exit 7
"""


class Fail(Exception):
    pass


class Skip(Exception):
    pass


def short(value, limit=300):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text.strip().replace("\n", "\\n")
    return text if len(text) <= limit else text[:limit] + "…"


def want(condition, expected, seen):
    if not condition:
        raise Fail(f"expected {short(expected)}; seen {short(seen)}")


# --- placeholders -----------------------------------------------------------------------------------------------

def fill(value, table):
    """Replaces @NAME@ in every string of value; a string that is nothing but @PORTn@ becomes a number."""
    if isinstance(value, str):
        if value in table and isinstance(table[value], int):
            return table[value]
        for key, text in table.items():
            if key in value:
                value = value.replace(key, str(text))
        return value
    if isinstance(value, list):
        return [fill(v, table) for v in value]
    if isinstance(value, dict):
        return {fill(k, table): fill(v, table) for k, v in value.items()}
    return value


def as_bytes(config, table):
    """A configuration of a case (object, text or {"$base64": …}) as the bytes of the file."""
    if isinstance(config, dict) and set(config) == {"$base64"}:
        return base64.b64decode(config["$base64"])
    if isinstance(config, str):
        return str(fill(config, table)).encode("utf-8")
    return json.dumps(fill(config, table), ensure_ascii=False, indent=1).encode("utf-8")


def free_ports(count):
    """Ports below those that the kernel gives out, and the sockets that keep them from other runs while they are open."""
    ports, claims = [], []
    while len(ports) < count:
        port, claim = random.randrange(10240, 32768), socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0rtreg-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        ports.append(port)
        claims.append(claim)
    return ports, claims


def port_is_open(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


# --- comparing --------------------------------------------------------------------------------------------------

def differences(expected, seen, where=""):
    """Subset comparison: each member of expected must be in seen. false, "", [] and {} may also be absent or null;
    {"$contains": [...]} wants each element somewhere in an array."""
    if isinstance(expected, dict) and set(expected) == {"$contains"}:
        if not isinstance(seen, list):
            return [f"{where}: expected an array, seen {short(seen)}"]
        return [f"{where}: {short(e)} is not in {short(seen)}" for e in expected["$contains"] if e not in seen]
    if isinstance(expected, dict) and expected and isinstance(seen, dict):
        out = []
        for key, value in expected.items():
            out += differences(value, seen.get(key), f"{where}.{key}" if where else key)
        return out
    if seen is None and (expected is None or expected is False or expected in ("", [], {})):
        return []
    if type(expected) is type(seen) and expected == seen:
        return []
    return [f"{where}: expected {short(expected)}, seen {short(seen)}"]


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for v in value:
            yield from strings_of(v)
    elif isinstance(value, dict):
        for k, v in value.items():
            yield k
            yield from strings_of(v)


def keys_of(listed):
    """The keys that an array such as "changed" names: its elements are keys, texts that begin with one, or objects."""
    out = set()
    for element in listed if isinstance(listed, list) else []:
        if isinstance(element, dict):
            for field in ("key", "name", "path"):
                if isinstance(element.get(field), str):
                    out.add(element[field])
        elif isinstance(element, str):
            out.add(element)
            out.add(re.split(r"[ :=(.]", element, maxsplit=1)[0])
    return out


def message_of(body):
    if not isinstance(body, dict):
        return str(body)
    parts = [body.get("message", "")]
    for e in body.get("errors") or []:
        parts.append(e if isinstance(e, str) else json.dumps(e, ensure_ascii=False))
    return "\n".join(str(p) for p in parts)


# --- the daemon -------------------------------------------------------------------------------------------------

class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.unix_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.unix_path)


def clean_env(extra=None):
    env = {k: v for k, v in os.environ.items() if k not in DROP_ENV}
    env.update(extra or {})
    return env


class Daemon:
    """One rtregd on directories of its own, for one case."""

    def __init__(self, build, case):
        self.case = case
        self.deadline = time.monotonic() + CASE_LIMIT
        self.tmp = tempfile.mkdtemp(prefix="rv.", dir="/tmp")
        self.process = None
        self.log = None
        self.bodies = []
        self.claims = []
        self.started = int(time.time())
        try:
            self._prepare(build)
        except BaseException:
            self.clean()
            raise

    def _prepare(self, build):
        tmp, case = self.tmp, self.case
        self.state, self.exec_root = f"{tmp}/state", f"{tmp}/exec"
        self.config, self.sock = f"{tmp}/daemon.json", f"{tmp}/s"
        self.runtime = f"{tmp}/{case.get('path_name', 'rt')}"
        os.mkdir(self.exec_root)
        ports, self.claims = free_ports(3)
        self.table = {"@STATE@": self.state, "@EXECROOT@": self.exec_root, "@SOCK@": self.sock,
                      "@RUNTIME@": self.runtime, "@TMP@": tmp,
                      "@PORT1@": ports[0], "@PORT2@": ports[1], "@PORT3@": ports[2]}
        with open(self.runtime, "w", encoding="utf-8") as f:
            f.write(DUMPER)
        os.chmod(self.runtime, 0o755)

        argv = [os.path.join(build, "daemon", "rtregd")]
        if case.get("default_config"):
            argv = self._own_etc() + argv
        else:
            argv += ["--config-file", self.config]
        argv += ["--state-dir", self.state, "--exec-root", self.exec_root, "--socket", self.sock, "--no-watch"]
        argv += [str(fill(f, self.table)) for f in case.get("flags", [])]
        start = case["start"] if "start" in case else case.get("config")
        if start is not None:
            self.write(start)
        elif not case.get("default_config"):
            self.write("")
        self.log = open(f"{tmp}/log", "w+b")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        cwd="/", env=clean_env(fill(case.get("env", {}), self.table)))
        while True:
            if self.process.poll() is not None:
                raise Fail(f"expected rtregd to start; seen {self.exit_text()}: {short(self.log_text())}")
            try:
                status, _, _ = self.call("GET", "/_ping", keep=False)
                if status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > self.deadline:
                raise Fail(f"expected rtregd to answer within {CASE_LIMIT:.0f} s; seen none: {short(self.log_text())}")
            time.sleep(0.02)

    def _own_etc(self):
        """A mount namespace in which /etc/rtreg is ours, so that the default configuration file can be tested."""
        unshare = shutil.which("unshare")
        if not unshare or not shutil.which("mount"):
            raise Skip("needs unshare and mount for the default configuration file")
        if os.path.isdir("/etc/rtreg"):
            ours, over = f"{self.tmp}/rtreg", "/etc/rtreg"
            os.mkdir(ours)
            self.config = f"{ours}/daemon.json"
        else:
            ours, over = f"{self.tmp}/etc", "/etc"
            os.mkdir(ours)
            subprocess.run(["cp", "-a", "/etc/.", ours], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=CASE_LIMIT, check=False)
            os.makedirs(f"{ours}/rtreg", exist_ok=True)
            self.config = f"{ours}/rtreg/daemon.json"
        command = [unshare, "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        command += ["sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", ours, over]
        if subprocess.run(command + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            raise Skip("no mount namespace to be had for the default configuration file")
        return command

    def write(self, config):
        new = f"{self.config}.new"
        with open(new, "wb") as f:
            f.write(as_bytes(config, self.table))
        os.replace(new, self.config)

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Fail(f"expected the case to end within {CASE_LIMIT:.0f} s; seen none")
        return left

    def call(self, method, target, body=None, headers=None, keep=True):
        connection = UnixConnection(self.sock, self.left())
        try:
            send = {"Connection": "close", **(headers or {})}
            if body is not None:
                send["Content-Type"] = "application/json"
            elif method == "POST":
                send["Content-Length"] = "0"
            connection.request(method, target, body=body, headers=send)
            reply = connection.getresponse()
            data = reply.read()
            if keep:
                self.bodies.append(data)
            try:
                value = json.loads(data) if data else None
            except ValueError:
                value = data.decode("utf-8", "replace")
            return reply.status, reply.headers, value
        finally:
            connection.close()

    def get(self, target):
        status, headers, value = self.call("GET", target)
        want(status == 200, f"200 to GET {target}", f"{status} {short(value)}")
        return headers, value

    def log_text(self):
        if self.log is None:
            return ""
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")[-2000000:]

    def fate(self):
        """How rtregd fares; a crash may take a moment (a core, a sanitizer's report) after the connection broke."""
        try:
            self.process.wait(0.5)
        except subprocess.TimeoutExpired:
            return "runs"
        return self.exit_text() + ": " + short(self.log_text()[-600:])

    def exit_text(self):
        code = self.process.returncode
        if code is not None and code < 0:
            try:
                return f"death by {signal.Signals(-code).name}"
            except ValueError:
                return f"death by signal {-code}"
        return f"exit {code}"

    def stop(self):
        """Ends rtregd as systemd would; raises Fail when it had crashed, or does not go."""
        if self.process is None:
            return
        if self.process.poll() is not None:
            raise Fail(f"expected rtregd to run on; seen {self.exit_text()}: {short(self.log_text()[-600:])}")
        self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Fail(f"expected an end within {STOP_LIMIT:.0f} s of SIGTERM; seen none")
        want(self.process.returncode == 0, "exit 0 after SIGTERM", self.exit_text() + ": " + self.log_text()[-600:])

    def clean(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.log is not None:
            self.log.close()
        for claim in self.claims:
            claim.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


# --- pieces that resolve and reload share -----------------------------------------------------------------------

def resolve(daemon, name):
    status, _, value = daemon.call("GET", "/v1/resolve?runtime=" + urllib.parse.quote(name, safe=""))
    return status, value


def check_resolve(daemon, check):
    name = fill(check["runtime"], daemon.table)
    label = f"runtime {short(name, 60)!r}: "
    status, value = resolve(daemon, name)
    replies = [("/v1/resolve", status, value)]
    if name not in ("", ".", "..") and check.get("by_path", True):
        status, _, value = daemon.call("GET", "/v1/runtimes/" + urllib.parse.quote(name, safe=""))
        replies.append(("/v1/runtimes/NAME", status, value))
    for where, status, value in replies:
        try:
            want(status == check["status"], f"status {check['status']}", f"{status} {short(value)}")
            if "shim" in check:
                expected = fill(check["shim"], daemon.table)
                want(isinstance(value, dict) and value.get("shim") == expected, f"shim {expected}", value)
            options = value.get("options") if isinstance(value, dict) else None
            if "options_subset" in check:
                wrong = differences(fill(check["options_subset"], daemon.table), options, "options")
                want(not wrong, "options as told", "; ".join(wrong))
            if "options_exact" in check:
                expected = fill(check["options_exact"], daemon.table)
                want((options or {}) == expected, f"options {short(expected)}", options)
            if check.get("wrapped") is True:
                binary = (options or {}).get("BinaryName", "")
                want(binary.startswith(f"{daemon.state}/runtimes/"), "BinaryName to be a wrapper in the state dir", binary)
            for text in check.get("message_contains", []):
                message = message_of(value)
                want(fill(text, daemon.table) in message, f"message with {short(text)}", message)
            for text in check.get("message_lacks", []):
                want(fill(text, daemon.table) not in message_of(value), f"message without {short(text)}", message_of(value))
        except Fail as e:
            raise Fail(f"{label}{where}: {e}") from None


def wrapper_facts(path):
    st = os.lstat(path)
    with open(path, "rb") as f:
        return f.read(), stat.S_IMODE(st.st_mode), st.st_uid


def check_wrapper_file(daemon, name, path):
    where = f"wrapper of {short(name, 60)!r}: "
    directory, base = os.path.split(path)
    want(directory == f"{daemon.state}/runtimes", where + f"directly in {daemon.state}/runtimes", path)
    try:
        content, mode, owner = wrapper_facts(path)
    except OSError as e:
        raise Fail(f"{where}expected the file; seen {e}") from None
    want(stat.S_ISREG(os.lstat(path).st_mode), where + "a plain file", path)
    want(mode == 0o700, where + "mode 0700", oct(mode))
    want(owner == os.geteuid(), where + f"owner {os.geteuid()}", owner)
    dir_mode = stat.S_IMODE(os.stat(directory).st_mode)
    want(dir_mode == 0o700, where + "directory mode 0700", oct(dir_mode))
    want(len(os.fsencode(base)) <= 255, where + "a file name within 255 bytes", len(os.fsencode(base)))
    match = re.fullmatch(r"([A-Za-z0-9._%-]+)\.([0-9a-f]{64})", base)
    want(match, where + "a file name NAME.SHA256", base)
    prefix, suffix = match.groups()
    want(not prefix.startswith("."), where + "no leading dot", base)
    digest = hashlib.sha256(content).hexdigest()
    want(digest == suffix, where + f"SHA-256 {digest} in the name", suffix)
    encoded = encode_name(name)
    if len(encoded) <= 190:
        want(prefix.upper() == encoded.upper() and urllib.parse.unquote(prefix) == name,
             where + f"the name as {encoded} (upper or lower case hex)", prefix)
    else:
        want(encoded.upper().startswith(prefix.upper()) and len(prefix) >= 100, where + f"a beginning of {encoded}", prefix)
    want(content.startswith(b"#!/bin/sh\n"), where + "#!/bin/sh", content[:40].decode("utf-8", "replace"))
    want(b'"$@"' in content, where + '"$@"', content[-60:].decode("utf-8", "replace"))


def encode_name(name):
    out = []
    for i, byte in enumerate(name.encode("utf-8")):
        char = chr(byte)
        if byte < 128 and (char.isalnum() or char in "._-") and not (i == 0 and char == "."):
            out.append(char)
        else:
            out.append(f"%{byte:02X}")
    return "".join(out)


def check_wrapper(daemon, spec):
    name = spec["runtime"]
    status, value = resolve(daemon, name)
    want(status == 200, f"runtime {short(name, 60)!r}: status 200", f"{status} {short(value)}")
    path = (value.get("options") or {}).get("BinaryName", "")
    check_wrapper_file(daemon, name, path)
    for extra in spec.get("extra", [["create", "a b", ""], ["--root", "/run/x", "state", "c1"], []]):
        dump = f"{daemon.tmp}/dump"
        for old in (dump, dump + ".pid"):
            if os.path.exists(old):
                os.unlink(old)
        child = subprocess.Popen([path] + extra, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, cwd="/", env=clean_env({"RTREG_VEC_DUMP": dump}))
        try:
            output, _ = child.communicate(timeout=daemon.left())
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise Fail(f"wrapper of {short(name, 60)!r}: expected an end; seen none") from None
        said = output.decode("utf-8", "replace")
        want(child.returncode == 7 and os.path.exists(dump), f"wrapper of {short(name, 60)!r} to run the runtime (exit 7)",
             f"exit {child.returncode}: {said}")
        with open(dump, "rb") as f:
            seen = f.read().split(b"\0")[:-1]
        expected = [a.encode("utf-8") for a in fill(spec["argv"], daemon.table) + extra]
        if seen != expected:
            at = next((i for i, (a, b) in enumerate(zip(expected, seen)) if a != b), min(len(expected), len(seen)))
            raise Fail(f"wrapper of {short(name, 60)!r}: expected argument {at} of {len(expected)} "
                       f"{short(repr(expected[at]) if at < len(expected) else 'none', 80)}; seen "
                       f"{short(repr(seen[at]) if at < len(seen) else 'none', 80)} ({len(seen)} in all)")
        with open(dump + ".pid", "rb") as f:
            pid = int(f.read())
        want(pid == child.pid, f"wrapper of {short(name, 60)!r} to exec the runtime", "a child process of the script")


def snapshot(daemon):
    headers, config = daemon.get("/v1/config")
    _, runtimes = daemon.get("/v1/runtimes")
    known = runtimes.get("runtimes") or {}
    resolved, wrappers = {}, {}
    for name in sorted({"", "runc", "io.containerd.runc.v2", *known}):
        status, value = resolve(daemon, name)
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if k != "generation"}
            binary = (value.get("options") or {}).get("BinaryName") or ""
            if binary.startswith(f"{daemon.state}/runtimes/"):
                wrappers[name] = binary
        resolved[name] = (status, value)
    return {"generation": config.get("generation"), "config": config.get("config") or {},
            "origin": config.get("origin") or {}, "default": runtimes.get("default"),
            "runtimes": {n: {f: r.get(f) for f in RUNTIME_FIELDS} for n, r in known.items()},
            "resolved": resolved, "wrappers": wrappers, "headers": headers}


def same(before, after):
    for part in ("generation", "config", "origin", "default", "runtimes", "resolved"):
        if before[part] != after[part]:
            wrong = differences(before[part], after[part], part) or [f"{part}: {short(after[part])}"]
            return "; ".join(wrong)
    return ""


def last_event(daemon):
    now = time.time_ns()
    until = f"{now // 10**9}.{now % 10**9:09d}"  # with a moment to come, the reply would wait for it
    status, _, value = daemon.call("GET", f"/v1/events?since={daemon.started - 1}&until={until}")
    want(status == 200, "200 to GET /v1/events", f"{status} {short(value)}")
    lines = daemon.bodies[-1].decode("utf-8", "replace").splitlines()
    found = [e for e in (json.loads(x) for x in lines if x.strip()) if e.get("Type") == "daemon" and e.get("Action") == "reload"]
    want(found, "a daemon reload event", lines)
    return (found[-1].get("Actor") or {}).get("Attributes") or {}


def check_attributes(step, attributes, table):
    want(isinstance(attributes, dict), "attributes", attributes)
    strange = {k: v for k, v in attributes.items() if not isinstance(v, str)}
    want(not strange, "attributes that are all strings", strange)
    if "attributes" in step:
        expected = fill(step["attributes"], table)
        seen = {k: v for k, v in attributes.items() if k != "name"}
        wrong = differences(expected, seen, "attributes") + [f"attributes.{k}: not expected" for k in seen if k not in expected]
        want(not wrong, "exactly the attributes told", "; ".join(wrong))
    if "attributes_subset" in step:
        wrong = differences(fill(step["attributes_subset"], table), attributes, "attributes")
        want(not wrong, "attributes as told", "; ".join(wrong))


# --- the three kinds of case ------------------------------------------------------------------------------------

def run_program(argv, env=None):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=CASE_LIMIT, cwd="/", env=clean_env(env), check=False)
    except subprocess.TimeoutExpired:
        raise Fail(f"expected {os.path.basename(argv[0])} to end within {CASE_LIMIT:.0f} s; seen none") from None
    except OSError as e:
        raise Fail(f"expected {argv[0]} to run; seen {e}") from None
    if done.returncode < 0:
        raise Fail(f"expected a verdict of {os.path.basename(argv[0])}; seen death by signal {-done.returncode}: "
                   f"{short(done.stderr.decode('utf-8', 'replace'))}")
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def input_bytes(case):
    if "input_base64" in case:
        return base64.b64decode(case["input_base64"])
    if "input_parts" in case:
        out = []
        for text, count in case["input_parts"]:
            if "{i}" in text:
                out.extend(text.replace("{i}", str(i)) for i in range(count))
            else:
                out.append(text * count)
        return "".join(out).encode("utf-8")
    value = case["input"]
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode("utf-8")


def run_validate(build, case):
    tmp = tempfile.mkdtemp(prefix="rv.", dir="/tmp")
    try:
        path, state = f"{tmp}/daemon.json", f"{tmp}/state"
        os.mkdir(state)
        if not case.get("missing"):
            with open(path, "wb") as f:
                f.write(input_bytes(case))
        table = {"@TMP@": tmp, "@STATE@": state, "@CONFIG@": path}
        flags = [str(fill(f, table)) for f in case.get("flags", [])]
        code, out, err = run_program([os.path.join(build, "daemon", "rtregd"), "--validate", "--config-file", path,
                                      "--state-dir", state] + flags, case.get("env"))
        said = err + "\n" + err.replace('\\"', '"')
        wanted = 0 if case["ok"] else 1
        want(code == wanted, f"rtregd --validate to exit {wanted}", f"exit {code}: {short(err)}")
        if case["ok"]:
            want("configuration OK" in err, "`configuration OK` on stderr", err)
        else:
            want(err.strip(), "an error on stderr", "nothing")
            want("configuration OK" not in err, "no `configuration OK`", err)
        for text in case.get("error_contains", []):
            want(fill(text, table) in said, f"an error with {short(text)}", err)
        for text in case.get("warns", []):
            want(fill(text, table) in said, f"a warning with {short(text)}", err)
        for text in case.get("absent", []):
            want(text not in out + err, f"{text!r} nowhere in the output", out + err)
        left = [os.path.join(d, n) for d, dirs, files in os.walk(state) for n in dirs + files]
        want(not left, "nothing written to the state dir", left)
        if not flags and not case.get("env"):
            code, out, err = run_program([os.path.join(build, "tools", "rtregctl"), "validate", path])
            verdict = code == 0 if case["ok"] else code != 0 if case.get("missing") else code == 1
            want(verdict, f"rtregctl validate to exit {wanted}", f"exit {code}: {short(err or out)}")
            for text in case.get("absent", []):
                want(text not in out + err, f"{text!r} nowhere in the output of rtregctl", out + err)
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def run_resolve(build, case):
    daemon = Daemon(build, case)
    try:
        try:
            for check in case.get("checks", []):
                check_resolve(daemon, check)
            wrappers = case.get("wrapper", [])
            for spec in wrappers if isinstance(wrappers, list) else [wrappers]:
                check_wrapper(daemon, spec)
        except (OSError, http.client.HTTPException) as e:
            raise Fail(f"expected an answer; seen {type(e).__name__}: {e}; rtregd {daemon.fate()}") from None
        daemon.stop()
    finally:
        daemon.clean()


def send_hup(daemon, step, before):
    _, _, history = daemon.call("GET", "/v1/history")
    os.kill(daemon.process.pid, signal.SIGHUP)
    grows = step["ok"] and step.get("generation_delta", 1) > 0
    end = time.monotonic() + HUP_LIMIT
    while time.monotonic() < end:
        if daemon.process.poll() is not None:
            raise Fail(f"expected rtregd to live through SIGHUP; seen {daemon.exit_text()}")
        if grows:
            _, config = daemon.get("/v1/config")
            if config.get("generation") != before["generation"]:
                return
        else:
            _, _, now = daemon.call("GET", "/v1/history")
            if now != history:
                daemon.call("GET", "/v1/history")  # is answered when all has been written down, in the log too
                return
        time.sleep(0.03)
    if grows:
        raise Fail(f"expected a new generation within {HUP_LIMIT:.0f} s of SIGHUP; seen none")


def run_step(daemon, step, wrappers):
    via = step.get("via", "api")
    before = snapshot(daemon)
    for path in before["wrappers"].values():
        if path not in wrappers:
            wrappers[path] = wrapper_facts(path)
    if step.get("delete"):
        os.unlink(daemon.config)
    elif "input" in step and via != "body":
        daemon.write(step["input"])
    reply = None
    if via == "sighup":
        send_hup(daemon, step, before)
    else:
        body = as_bytes(step["input"], daemon.table) if via == "body" else None
        headers = {}
        if "if_match" in step:
            number = before["generation"] + (0 if step["if_match"] == "current" else 1000)
            headers["If-Match"] = f'"{number}"'
        target = "/v1/reload" + ("?" + step["query"] if step.get("query") else "")
        status, got, reply = daemon.call("POST", target, body=body, headers=headers)
        wanted = step.get("status", 200 if step["ok"] else None)
        if wanted is not None:
            want(status == wanted, f"status {wanted}", f"{status} {short(reply)}")
        else:
            want(400 <= status <= 599, "an error status", f"{status} {short(reply)}")
        if step.get("headers"):
            number = str(daemon.get("/v1/config")[1].get("generation"))
            want(got.get("Rtreg-Generation") == number, f"Rtreg-Generation: {number}", got.get("Rtreg-Generation"))
            want(got.get("ETag") == f'"{number}"', f'ETag: "{number}"', got.get("ETag"))
    after = snapshot(daemon)
    for text in step.get("error_contains", []):
        message = message_of(reply) if reply is not None else daemon.log_text()
        want(fill(text, daemon.table) in message, f"an error with {short(text)}", message)
    delta = step.get("generation_delta", None if step["ok"] else 0)
    if delta is not None:
        seen = after["generation"] - before["generation"]
        want(seen == delta, f"generation to grow by {delta}", seen)
    if not step["ok"] or "dry-run" in step.get("query", ""):
        wrong = same(before, after)
        want(not wrong, "everything as before", wrong)
    if step["ok"] and reply is not None:
        want(isinstance(reply, dict), "a JSON reply", reply)
        if "unchanged" in step:
            want(reply.get("unchanged") is step["unchanged"], f"unchanged {step['unchanged']}", reply.get("unchanged"))
        if delta == 1 and "dry-run" not in step.get("query", ""):
            want(reply.get("generation") == after["generation"] and reply.get("previous") == before["generation"],
                 f"generation {after['generation']}, previous {before['generation']}",
                 {k: reply.get(k) for k in ("generation", "previous")})
        for field, key in (("changed_contains", "changed"), ("reset_contains", "reset"),
                           ("needs_restart_contains", "needs-restart"), ("ignored_contains", "ignored")):
            for name in step.get(field, []):
                want(name in keys_of(reply.get(key)), f"{name} in {key}", reply.get(key))
        for field, key in (("changed_lacks", "changed"), ("needs_restart_lacks", "needs-restart")):
            for name in step.get(field, []):
                want(name not in keys_of(reply.get(key)), f"{name} not in {key}", reply.get(key))
        for text in step.get("warnings_contain", []):
            want(any(text in s for s in strings_of(reply.get("warnings"))), f"a warning with {text}", reply.get("warnings"))
        if "attributes" in step or "attributes_subset" in step:
            check_attributes(step, reply.get("attributes"), daemon.table)
    if step.get("event"):
        attributes = last_event(daemon)
        check_attributes(step, attributes, daemon.table)
        want(attributes.get("name") == socket.gethostname(), f"attribute name {socket.gethostname()}", attributes.get("name"))
    if "config_subset" in step:
        wrong = differences(fill(step["config_subset"], daemon.table), after["config"], "config")
        want(not wrong, "the configuration told", "; ".join(wrong))
    for key in step.get("config_absent", []):
        value = after["config"]
        for part in key.split("/"):
            value = value.get(part) if isinstance(value, dict) else None
        want(value in (None, False, "", [], {}), f"no {key} in the configuration", value)
    if "origin_subset" in step:
        wrong = differences(step["origin_subset"], after["origin"], "origin")
        want(not wrong, "the origins told", "; ".join(wrong))
    texts = list(strings_of(after["config"]))
    for text in step.get("config_text_contains", []):
        want(any(text in s for s in texts), f"{text} in the configuration served", after["config"])
    if "info_subset" in step:
        _, info = daemon.get("/info")
        wrong = differences(fill(step["info_subset"], daemon.table), info, "info")
        want(not wrong, "the /info told", "; ".join(wrong))
    for check in step.get("resolve", []):
        check_resolve(daemon, check)
    for field, state in (("port_open", True), ("port_closed", False)):
        for port in fill(step.get(field, []), daemon.table):
            end = time.monotonic() + STOP_LIMIT
            while port_is_open(port) is not state and time.monotonic() < end:
                time.sleep(0.05)
            want(port_is_open(port) is state, f"port {port} {'open' if state else 'closed'}", "the contrary")
    if step.get("wrappers_still_there") or not step["ok"]:
        for path, facts in wrappers.items():
            try:
                now = wrapper_facts(path)
            except OSError as e:
                raise Fail(f"expected wrapper {path} for ever; seen {e}") from None
            want(now == facts, f"wrapper {path} unchanged", now[0].decode("utf-8", "replace"))


def run_reload(build, case):
    daemon = Daemon(build, case)
    try:
        wrappers = {}
        for number, step in enumerate(case["steps"], 1):
            try:
                run_step(daemon, step, wrappers)
            except Fail as e:
                if daemon.process.poll() is not None:
                    raise Fail(f"step {number}: rtregd: {daemon.exit_text()}; {e}") from None
                raise Fail(f"step {number}: {e}") from None
            except (OSError, http.client.HTTPException, KeyError, TypeError, AttributeError) as e:
                raise Fail(f"step {number}: expected an answer of the shape told; seen {type(e).__name__}: {e}; rtregd "
                           f"{daemon.fate()}") from None
        for secret in case.get("secrets", []):
            for body in daemon.bodies:
                want(secret.encode() not in body, f"{secret!r} in no reply", body.decode("utf-8", "replace"))
            for target in ("/v1/config", "/v1/history", "/v1/status", "/info"):
                status, _, value = daemon.call("GET", target)
                want(secret not in "\n".join(strings_of(value)), f"{secret!r} not in {target}", value)
            want(secret not in daemon.log_text(), f"{secret!r} not in the log", daemon.log_text())
        daemon.stop()
    finally:
        daemon.clean()


RUNNERS = {"validate": run_validate, "resolve": run_resolve, "reload": run_reload}


def main():
    parser = argparse.ArgumentParser(description="run the rtreg test vectors")
    parser.add_argument("--build", required=True)
    parser.add_argument("--set", required=True, dest="directory")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--name", help="only cases whose name holds this text")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    build = os.path.abspath(args.build)
    passed = failed = skipped = 0
    for kind in KINDS:
        if args.only and kind != args.only:
            continue
        path = os.path.join(args.directory, kind + ".json")
        if not os.path.exists(path):
            if args.only:
                parser.error(f"no {path}")
            continue
        with open(path, encoding="utf-8") as f:
            cases = json.load(f)
        for case in cases:
            if args.name and args.name not in case["name"]:
                continue
            began = time.monotonic()
            label = f"{kind} {case['name']} ({case['rule']})"
            try:
                RUNNERS[kind](build, case)
            except Skip as e:
                skipped += 1
                print(f"SKIP {label}: {e}", flush=True)
                continue
            except Fail as e:
                failed += 1
                print(f"FAIL {label}: {short(str(e), 900)}", flush=True)
                continue
            except Exception as e:  # a reply of an unheard-of shape is a failure of the case, not of the run
                failed += 1
                print(f"FAIL {label}: expected a reply of the shape told; seen {type(e).__name__}: {short(str(e))}", flush=True)
                continue
            passed += 1
            if args.verbose:
                print(f"ok   {label} {time.monotonic() - began:.2f} s", flush=True)
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
