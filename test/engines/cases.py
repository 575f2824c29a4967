# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rows of the matrix: what is done to an engine, and what must come of it. A case ends well or with Broken."""

import json
import os
import threading

from world import Broken, wait_for

CASES = []  # (key, title, function)


def case(title, key=None):
    def add(function):
        CASES.append(((key or function.__name__).replace("_", "-"), title, function))
        return function
    return add


def run(engine, name, runtime, made="one"):
    """Runs a container, and makes sure that it is this runtime's: that keeps their names in `made`."""
    before = engine.runtimes.made(made)
    engine.run(name, runtime)
    if engine.runtimes.made(made) != before + 1:
        raise Broken("runs, but with another runtime")


# What becomes of a running container's runtime, and how the configuration comes into force.

CHANGES = {
    "dropped": ("arguments dropped", lambda engine: {"checked": engine.runtimes.keeping(None)}),
    "changed": ("arguments changed", lambda engine: {"checked": engine.runtimes.keeping("two")}),
    "removed": ("runtime removed", lambda engine: {}),
}


def engine_restart(engine):
    engine.reload()
    engine.restart_engine()


EVENTS = {
    "reload": ("reload", lambda engine: engine.reload()),
    "restart": ("orderly restart", lambda engine: engine.restart()),
    "crash": ("kill -9 and start", lambda engine: engine.crash()),
    "away": ("rtregd away", lambda engine: engine.away()),
    "engine": ("reload, then restart of the engine", engine_restart),
}


def outlives(change, event):
    def check(engine):
        name = engine.new_name()
        engine.configure(runtimes={"checked": engine.runtimes.keeping("one")})
        engine.reload()
        run(engine, name, "checked")
        engine.exec_works(name)
        engine.configure(runtimes=CHANGES[change][1](engine))
        EVENTS[event][1](engine)
        engine.exec_works(name)
        engine.end(name)
        engine.come_back()
    case(f"{CHANGES[change][0]}, {EVENTS[event][0]}; exec, kill, delete", f"{change}-{event}")(check)


for each_event in EVENTS:
    for each_change in CHANGES:
        outlives(each_change, each_event)


@case("another default runtime, reload; exec, kill, delete")
def default_changed(engine):
    name = engine.new_name()
    engine.configure(default="checked", runtimes={"checked": engine.runtimes.keeping("one")})
    engine.reload()
    run(engine, name, None)
    engine.configure(runtimes={"checked": engine.runtimes.keeping("two")})
    engine.reload()
    engine.exec_works(name)
    engine.end(name)


@case("arguments dropped between create and start")
def changed_after_create(engine):
    name = engine.new_name()
    engine.configure(runtimes={"checked": engine.runtimes.keeping("one")})
    engine.reload()
    engine.create(name, "checked")
    engine.configure(runtimes={"checked": engine.runtimes.keeping(None)})
    engine.reload()
    engine.start(name).must("start")
    engine.exec_works(name)
    engine.end(name)


@case("containers come and go while it reloads all the time")
def churn(engine):
    def configure(number):
        engine.configure(runtimes={"checked": engine.runtimes.keeping(f"names{number % 2}")}, debug=number % 3 == 0)

    stop, failures = threading.Event(), []

    def reload_all_the_time():
        number = 0
        while not stop.is_set():
            number += 1
            configure(number)
            done = engine.try_reload()
            if not done.ok:
                failures.append(done)

    configure(0)
    engine.reload()
    thread = threading.Thread(target=reload_all_the_time)
    thread.start()
    try:
        for _ in range(6):
            name = engine.new_name()
            engine.run(name, "checked")
            engine.exec_works(name)
            engine.end(name)
    except Broken as reason:
        raise Broken("some containers fail") from reason  # where they do, depends on who is quicker
    finally:
        stop.set()
        thread.join()
    if failures:
        failures[0].must("reload")


@case("arguments with spaces, quotes, newlines arrive whole")
def odd_arguments(engine):
    name = engine.new_name()
    engine.configure(runtimes={"exact": engine.runtimes.exact()})
    engine.reload()
    run(engine, name, "exact", "exact")
    engine.exec_works(name)
    engine.end(name)


@case("a runtime named `../../esc` writes nothing outside its directory, and works")
def escaping_name(engine):
    name = engine.new_name()
    engine.configure(runtimes={"../../esc": engine.runtimes.keeping("one")})
    engine.reload()
    for folder, _, files in os.walk(engine.directory):
        outside = [file for file in files if file.startswith("esc")]
        if outside and folder != engine.scripts():
            raise Broken("written outside its directory")
    run(engine, name, "../../esc")
    engine.exec_works(name)
    engine.end(name)


# What must not be applied.

def refuses(engine, **keys):
    """Labels before a bad file are those after it, and who asked is told."""
    engine.configure(labels=["rack=1"])
    engine.reload()
    engine.configure(**keys)
    done = engine.try_reload()
    after = engine.labels()
    said = "refused" if not done.ok else "accepted"
    if done.ok or after != ["rack=1"]:
        raise Broken(f"{said}; labels are then {json.dumps(after)}")


@case("a reload with a label without `=` is refused, and applies nothing")
def bad_label(engine):
    refuses(engine, labels=["rack"])


@case("a reload with good labels and a bad mirror is refused, and applies nothing")
def bad_mirror(engine):
    refuses(engine, labels=["rack=2"], **{"registry-mirrors": ["ftp://mirror.local"]})


BAD = {"unknown default-runtime": {"default": "nobody"},
       "runtime `runc`": {"runtimes": {"runc": {"path": "/bin/true"}}},
       "bad mirror": {"registry-mirrors": ["ftp://mirror.local"]}}


def validates(what):
    def check(engine):
        engine.configure(**BAD[what])
        started = engine.try_start()
        if started.ok or started.code == 124:
            raise Broken("the start accepts it")
        done = engine.validate()
        if done.ok:
            raise Broken(f"says {done.says()!r}; the start fails")
        if "unknown flag" in done.err:
            raise Broken("there is no --validate")
    case(f"--validate refuses what the start refuses: {what}", "validate-" + what.replace(" ", "-").replace("`", ""))(
        check)


for each_bad in BAD:
    validates(each_bad)


# Somebody's hand in the directory of the wrapper scripts.

class Held:
    """Keeps a file open for writing until the end of the case."""

    files = []

    def __call__(self, path):
        self.files.append(open(path, "r+b"))

    def release(self):
        while self.files:
            self.files.pop().close()


HELD = Held()
DAMAGES = {"removed": os.unlink, "truncated": lambda path: os.truncate(path, 0),
           "mode 0644": lambda path: os.chmod(path, 0o644), "open for writing": HELD}
REPAIRS = {"reload": lambda engine: engine.try_reload().must("reload"), "restart": lambda engine: engine.restart()}


def repairs(damage, event):
    def check(engine):
        name = engine.new_name()
        engine.configure(runtimes={"checked": engine.runtimes.keeping("one")})
        engine.reload()
        run(engine, name, "checked")
        [script] = os.listdir(engine.scripts())
        path = os.path.join(engine.scripts(), script)
        DAMAGES[damage](path)
        try:
            reply = REPAIRS[event](engine)
            engine.exec_works(name)
            if not engine.told_of(path, reply):
                raise Broken("works again, without a word about it")
            engine.end(name)
        finally:
            HELD.release()
    case(f"wrapper script {damage}, then {event}: put right and told", f"wrapper-{damage.replace(' ', '-')}-{event}")(
        check)


for each_damage in DAMAGES:
    for each_repair in REPAIRS:
        repairs(each_damage, each_repair)


# Lock-ins that nobody removed, and places from where they are read.

@case("a container's id used again after a reboot, with another runtime")
def reboot(engine):
    name = engine.new_name()
    engine.only_lock_ins_bound_to_a_boot()
    engine.configure(default="checked", runtimes={"checked": engine.runtimes.keeping("one")})
    engine.reload()
    run(engine, name, None)
    [path] = engine.registry.lock_ins()
    with open(path) as file:
        lock_in = json.load(file)
    engine.halt(name)
    lock_in["boot-id"] = "00000000-0000-4000-8000-000000000000"
    with open(path, "w") as file:
        json.dump(lock_in, file)
    engine.configure()
    engine.reload()
    engine.again(name)
    engine.exec_works(name)
    engine.locked_to("plain")
    engine.end(name)


@case("an id used again after a delete that was killed before it unlocked")
def delete_killed(engine):
    name, trigger = engine.new_name(), engine.at("deadly-trigger")
    engine.only_lock_ins_bound_to_a_boot()
    engine.configure(default="deadly", runtimes={"deadly": engine.runtimes.deadly(trigger)})
    engine.reload()
    engine.run(name)
    [path] = engine.registry.lock_ins()
    with open(path) as file:
        lock_in = file.read()
    with open(trigger, "w"):
        pass
    engine.kill(name).must("kill")
    engine.delete_badly(name)
    wait_for(lambda: not os.path.exists(trigger), "a delete")
    if not os.path.exists(path):  # an engine that deletes twice has unlocked; with another it would be there
        with open(path, "w") as file:
            file.write(lock_in)
    engine.locked_to("deadly")
    engine.configure()
    engine.reload()
    engine.again(name)
    engine.exec_works(name)
    engine.locked_to("plain")
    engine.end(name)


@case("state directory read-only; exec, kill, delete")
def read_only_state(engine):
    name = engine.new_name()
    engine.configure(runtimes={"checked": engine.runtimes.keeping("one")})
    engine.reload()
    run(engine, name, "checked")
    engine.registry.set_read_only()
    try:
        engine.exec_works(name)
        engine.end(name)
    finally:
        engine.registry.set_writable()
    engine.unlock_what_was_left()


@case("rtregd in another mount namespace than the engine; arguments dropped, reload; exec, kill, delete")
def other_namespace(engine):
    engine.restart_elsewhere()
    outlive = next(function for key, _, function in CASES if key == "dropped-reload")
    outlive(engine)
