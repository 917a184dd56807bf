"""The measurements. Each takes the tools and yields the rows that it fills; runs of what is compared alternate, and
a figure is a median, so that what else the machine does falls on all alike."""

import contextlib
import json
import os
import signal
import subprocess
import time

from pools import crowd, fifo, floor, pools, steve
from table import Row, median, median_ratio

ALL = "steve", "floor", "fifo"


@contextlib.contextmanager
def on_one_cpu(pools):
    """Puts the servers, and what is started meanwhile, on one CPU: where the scheduler would place a server and its
    client, which changes their speed more than anything else, must not decide between two servers."""
    mine = os.sched_getaffinity(0)
    pids = [0, *(pool.pid for pool in pools if pool.pid)]
    for pid in pids:
        os.sched_setaffinity(pid, {max(mine)})
    try:
        yield
    finally:
        for pid in pids:
            os.sched_setaffinity(pid, mine)


def trips(tools, pools, rounds=60):
    """Microseconds for a token's way out and back, a list for each pool."""
    with on_one_cpu(pools):
        figures = tools.ask("trip", rounds, 5000 if tools.transport == "fuse" else 20000, *(pool.path for pool in pools))
    return [[figure / 1e3 for figure in each] for each in figures]


def round_trip(tools):
    with pools(tools, 4, *ALL) as served:
        ours, floors, fifos = trips(tools, served, rounds=150)
    ratio = median_ratio(ours, floors)
    yield Row("round trip", "us", median(ours), median(floors), median(fifos), ratio, "floor", most=1.10)


def system_calls(tools):
    """What the server calls for a request, the first of a client and its exit among thousands; an answer is one write."""
    counts = os.path.join(tools.directory, "strace")
    with steve(tools, 4) as pool:
        tracer = subprocess.Popen(["strace", "-c", "-o", counts, "-p", str(pool.pid)], stderr=subprocess.PIPE)
        tracer.stderr.readline()  # attached
        tools.ask("trip", 1, 500_000, pool.path)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
    with open(counts) as lines:
        calls = {words[-1]: int(words[3]) for words in map(str.split, lines) if len(words) > 4 and words[3].isdigit()}
    answers = calls.get("write", 0) + calls.get("writev", 0)
    total = calls["total"] - calls.get("clock_gettime", 0)  # which is one only where there is no vDSO, as in the guest
    yield Row("system calls a request", "", total / answers, most=3.05)


def herd(tools):
    """Many that poll for few tokens, beside a few that do."""
    seen = {(kind, clients): [] for kind in ALL for clients in (64, 8)}
    rounds, times = (5, {64: 800, 8: 300}) if tools.transport == "fuse" else (2, {64: 4000, 8: 800})
    with pools(tools, 4, *ALL) as served:
        for _ in range(rounds):
            for pool in served:
                for clients, ms in times.items():
                    seen[pool.kind, clients].append(tools.ask("herd", clients, ms, 200, pool.path))

    def figure(kind, what, clients=64):
        return [what(run) for run in seen[kind, clients]]

    def row(name, unit, what, **bound):
        yield Row(name, unit, *(median(figure(kind, what)) for kind in ALL), **bound)

    # In the guest 64 processes get a few turns each of one slow CPU: too few to hold to a bound.
    bound = (lambda **bound: bound) if tools.transport == "fuse" else (lambda **_: {})
    yield from row("herd of 64: failed reads a token", "", lambda run: run["failed"] / run["tokens"], most=0.05)
    yield from row("herd of 64: client switches a token", "", lambda run: run["switches"] / run["tokens"], most=6.5)
    pace = lambda run: run["time"] / run["tokens"] / 1e3
    ratio = median_ratio(figure("steve", pace), figure("steve", pace, 8))
    yield from row("herd of 64: time a token", "us", pace, ratio=ratio, to="8 clients", **bound(most=1.3))
    yield from row("herd of 64: slowest of fastest client", "", lambda run: run["least"] / run["most"], **bound(least=0.9))


def growth(tools):
    """The round trip among live clients that do nothing."""
    bounds = {1: None, 100: None, 1000: 1.2, 4000: 1.3}
    if tools.transport == "cuse":
        del bounds[4000]  # too much for the guest
    with contextlib.ExitStack() as stack:
        served = []
        for kind in steve, floor:
            for clients in bounds:
                pool = stack.enter_context(kind(tools, 4))
                stack.enter_context(crowd(tools, clients, "take", pool))
                served.append(pool)
        figures = trips(tools, served)
    ours, floors = figures[: len(bounds)], figures[len(bounds) :]
    for (clients, most), our, its in zip(bounds.items(), ours, floors):
        name = f"round trip, {clients:,} idle client{'s'[:clients > 1]}"
        yield Row(name, "us", median(our), median(its), ratio=median_ratio(our, ours[0]), to="1 client", most=most)


def hand_over(tools):
    """From a token's return, and from a holder's death, to whoever waits."""
    figures = {kind: [] for kind in ALL}
    with pools(tools, 1, *ALL) as served:
        for _ in range(5):
            for pool in served:
                figures[pool.kind] += tools.ask("pass", 100, pool.path)
    ours, floors, fifos = (figures[kind] for kind in ALL)
    ratio = median_ratio(ours, floors)
    yield Row("return to a blocked waiter", "us", *(median(f) / 1e3 for f in (ours, floors, fifos)), ratio, "floor")
    with steve(tools, 1) as pool:
        yield Row("holder's SIGKILL to a blocked waiter", "us", median(tools.ask("kill", 100, pool.path)) / 1e3)


def start(tools):
    def once(kind):
        with kind(tools, 4) as pool:
            return pool.started * 1e3

    ours, floors = zip(*((once(steve), once(floor)) for _ in range(15)))
    most = 10 if tools.transport == "fuse" else None
    yield Row("start to \"running on\"", "ms", median(ours), median(floors), most=most)


def memory(tools):
    with pools(tools, 4, "steve", "floor") as (ours, its):
        for pool in (ours, its):
            tools.ask("trip", 1, 1000, pool.path)
        yield Row("resident, idle", "MiB", ours.resident() / 1024, its.resident() / 1024, most=3)
    if tools.transport == "fuse":
        with steve(tools, 4096) as pool, crowd(tools, 4096, "hold", pool):
            yield Row("resident, tables full", "MiB", pool.resident() / 1024, most=3)


def size(tools):
    for program in tools.steve, tools.stevie:
        name = os.path.basename(program)
        yield Row(f"size of {name}", "KiB", os.path.getsize(program) / 1024, most=600)


def gnu_make(tools):
    """2,000 recipes that do nothing, four at a time."""
    makefile = os.path.join(tools.directory, "Makefile")
    with open(makefile, "w") as file:
        names = " ".join(f"t{i}" for i in range(2000))
        file.write(f"all: {names}\n{names}:\n\t@true\n")
    clean = {name: value for name, value in os.environ.items() if "MAKE" not in name and name != "MFLAGS"}

    def once(args, flags=""):
        before = time.monotonic()
        subprocess.run([*args, "-f", makefile], env=clean | {"MAKEFLAGS": flags}, check=True)
        return time.monotonic() - before

    # A build through stevie has taken the token of its first job; without, that one comes on top of the pool's.
    with steve(tools, 4) as ours, floor(tools, 3) as its:
        ways = (
            lambda: once([tools.stevie, "-D", ours.path, tools.make]),
            lambda: once([tools.make], f" -j --jobserver-auth=fifo:{its.path}"),
            lambda: once([tools.make, "-j4", "--jobserver-style=fifo"]),
        )
        ours, floors, fifos = zip(*([way() for way in ways] for _ in range(3)))
    ratio = median_ratio(ours, fifos)
    yield Row("GNU make, 2,000 targets", "s", median(ours), median(floors), median(fifos), ratio, "FIFO")


def status(tools):
    """A busy pool while its status is asked for without pause, and while programs are started that ask nothing."""

    def once(pool, option):
        calls = 0
        herd = subprocess.Popen([tools.client, "herd", "64", "1500", "200", pool.path], stdout=subprocess.PIPE)
        while herd.poll() is None:
            subprocess.run([tools.stevie, "-D", pool.path, option], stdout=subprocess.DEVNULL, check=True)
            calls += 1
        return json.load(herd.stdout) | {"calls": calls}

    with steve(tools, 4) as pool:
        idle, asked = [], []
        while sum(run["calls"] for run in asked) < 1000:
            idle.append(once(pool, "--version"))
            asked.append(once(pool, "--status"))
    pace = lambda run: run["time"] / run["tokens"] / 1e3
    paces, others = [pace(run) for run in asked], [pace(run) for run in idle]
    calls = sum(run["calls"] for run in asked)
    name = f"herd and {calls:,} --status"
    yield Row(f"{name}: time a token", "us", median(paces), ratio=median_ratio(paces, others), to="--version", most=1.1)
    yield Row(f"{name}: failed reads", "", median([run["failed"] / run["tokens"] for run in asked]), most=0.05)
    yield Row(f"{name}: slowest", "", median([run["least"] / run["most"] for run in asked]), least=0.9)


HERE = round_trip, system_calls, herd, growth, hand_over, start, memory, size, gnu_make, status
GUEST = round_trip, system_calls, herd, growth, hand_over, start, memory
