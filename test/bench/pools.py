"""What is measured: steve, the floor server and a plain FIFO, each with a pool of tokens."""

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time

DEADLINE = 60  # seconds for whatever takes no time where nothing is wrong; the guest is slow


class Tools:
    """The programs, and where to serve."""

    def __init__(self, transport, built, helpers, make):
        self.transport = transport
        self.steve = os.path.join(built, "steve")
        self.stevie = os.path.join(built, "stevie")
        self.floor = os.path.join(helpers, "floor")
        self.client = os.path.join(helpers, "client")
        self.make = make
        self.directory = tempfile.mkdtemp(prefix="bench.")
        self.served = 0

    def place(self, kind):
        """A name of its own, and the path that clients open."""
        self.served += 1
        name = f"bench.{kind}.{os.getpid()}.{self.served}"
        if self.transport == "cuse":
            return name, f"/dev/{name}"
        path = os.path.join(self.directory, name)
        open(path, "w").close()
        return path, path

    def ask(self, *args):
        """What the client program prints, read as JSON."""
        args = [self.client, *map(str, args)]
        return json.loads(subprocess.run(args, stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout)


class Pool:
    """A pool being served. `pid` is the server's; a FIFO has none."""

    def __init__(self, kind, path, process=None, started=None):
        self.kind = kind
        self.path = path
        self.pid = process and process.pid
        self.started = started  # seconds from exec to the word that it runs

    def resident(self):
        """KiB of memory that the server has in use."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@contextlib.contextmanager
def running(args, word):
    """A process that has said `word`; it is ended, and seen to end, afterwards."""
    before = time.monotonic()
    process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        said = b""
        while word not in said:
            ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
            piece = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                raise RuntimeError(f"{args[0]} does not say it runs")
            said += piece
        yield process, time.monotonic() - before
    finally:
        process.stdin.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextlib.contextmanager
def steve(tools, jobs):
    """steve with a pool of `jobs` tokens."""
    name, path = tools.place("steve")
    where = ["--mount", name] if tools.transport == "fuse" else ["--dev-name", name]
    with running([tools.steve, "-j", str(jobs), *where], b"running on") as (process, started):
        yield Pool("steve", path, process, started)


@contextlib.contextmanager
def floor(tools, jobs):
    """The floor server with `jobs` tokens."""
    name, path = tools.place("floor")
    with running([tools.floor, tools.transport, name, str(jobs)], b"running") as (process, started):
        yield Pool("floor", path, process, started)


@contextlib.contextmanager
def fifo(tools, jobs):
    """A FIFO with `jobs` bytes in it, as GNU make's own jobserver has."""
    path = os.path.join(tools.directory, f"fifo.{tools.served}")
    tools.served += 1
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    try:
        os.write(keeper, b"+" * jobs)
        yield Pool("fifo", path)
    finally:
        os.close(keeper)
        os.unlink(path)


KINDS = {"steve": steve, "floor": floor, "fifo": fifo}


@contextlib.contextmanager
def pools(tools, jobs, *kinds):
    """One pool of each kind at the same time, so that runs can alternate between them."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(KINDS[kind](tools, jobs)) for kind in kinds]


@contextlib.contextmanager
def crowd(tools, clients, how, pool):
    """Live clients that do nothing more while this lasts."""
    with running([tools.client, "crowd", str(clients), how, pool.path], b"ready"):
        yield
