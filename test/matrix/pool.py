"""The service under test: one steve on a mount or on a device, looked at through stevie."""

import json
import os
import pathlib
import signal
import subprocess
import threading
import time

DEADLINE = 60.0
"""Seconds after which what was waited for is taken not to come."""


class Failed(Exception):
    """What a client or the pool did that it must not."""


def wait_until(condition, what, seconds=DEADLINE):
    """Returns what `condition` gives once that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)
    return found


class Pool:
    """steve with `jobs` tokens, serving as long as the `with` lasts."""

    def __init__(self, programs, directory, jobs, device=None):
        self.steve, self.stevie = (str(programs / name) for name in ("steve", "stevie"))
        self.jobs = jobs
        self.path = f"/dev/{device}" if device else str(directory / "pool")
        self.where = ["--dev-name", device] if device else ["--mount", self.path]
        self.log = directory / "steve.log"

    def __enter__(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.steve, "-j", str(self.jobs), *self.where], stdout=log, stderr=log
            )
        try:
            wait_until(self._serves, "steve running")
        except Failed:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _serves(self):
        if self.process.poll() is not None:
            raise Failed(f"steve: {self.log.read_text(encoding='utf-8').strip()}")
        return "steve running" in self.log.read_text(encoding="utf-8")

    def look(self):
        """The report."""
        told = subprocess.run(
            [self.stevie, "-D", self.path, "--status", "--json"],
            capture_output=True,
            check=True,
            timeout=DEADLINE,
        )
        return json.loads(told.stdout)

    def in_use(self):
        """Tokens that are not free."""
        tokens = self.look()["tokens"]
        return tokens["held"] + tokens["reserved"]

    def wait_until_full(self, seconds):
        """Every token is back."""

        def full():
            report = self.look()
            held = sum(len(client["tokens"]) for client in report["clients"])
            return held == 0 and report["tokens"]["available"] == self.jobs

        wait_until(full, "every token back", seconds)


class Watch(threading.Thread):
    """Looks at the pool again and again. `samples` are pairs of the tokens in use and the report."""

    def __init__(self, pool):
        super().__init__(daemon=True)
        self.pool = pool
        self.samples = []
        self.ended = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join(DEADLINE)

    def run(self):
        pause = 0.0
        while not self.ended.wait(pause):
            start = time.monotonic()
            report = self.pool.look()
            # Where a look takes long, it is not to take the machine as well.
            pause = max(0.04, 4 * (time.monotonic() - start))
            tokens = report["tokens"]
            self.samples.append((tokens["held"] + tokens["reserved"], report))

    def peak(self):
        """The most tokens in use that were seen."""
        return max((in_use for in_use, _ in self.samples), default=0)


def session(leader):
    """The live processes of the session of `leader`."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except (OSError, UnicodeError):
            continue
        # State, parent, group, session: see proc(5).
        if int(fields[3]) == leader and fields[0] not in "ZX":
            found.append(int(entry.name))
    return found


def kill_session(leader):
    """Ends every process of the session at once, and waits until there is none."""

    def gone():
        found = session(leader)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not found

    wait_until(gone, "the killed processes gone")
