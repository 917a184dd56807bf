"""One build by one client, started through stevie, and what its jobs wrote of themselves."""

import os
import pathlib
import signal
import subprocess

from pool import DEADLINE, Failed, kill_session, session, wait_until

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"

BUILD_DEADLINE = 300.0
"""Seconds after which a build is taken to hang."""


class Jobs:
    """What the jobs wrote: "+ TIME" as each starts, "- TIME" as each ends."""

    def __init__(self, path):
        self.path = path
        path.touch()

    def steps(self):
        """Pairs of a time and 1 or -1."""
        lines = self.path.read_text(encoding="ascii").splitlines()
        return [(float(line[2:]), 1 if line[0] == "+" else -1) for line in lines if line[2:]]

    def started(self):
        """How many have started."""
        return sum(step == 1 for _, step in self.steps())

    def peak(self):
        """The most that ran at once. Lines are appended one after the other: no clock is asked."""
        running = most = 0
        for _, step in self.steps():
            running += step
            most = max(most, running)
        return most

    def mean(self, start=None, end=None):
        """How many ran on average, between two times or from the first line to the last."""
        steps = sorted(self.steps())
        start = steps[0][0] if start is None else start
        end = steps[-1][0] if end is None else end
        area, running, last = 0.0, 0, start
        for when, step in steps:
            clipped = min(max(when, start), end)
            area += running * (clipped - last)
            running, last = running + step, clipped
        return (area + running * (end - last)) / (end - start)


class Build:
    """A client at work in `directory`, a session of its own."""

    def __init__(self, pool, directory, way, command, environment):
        self.directory = directory
        self.jobs = Jobs(directory / "jobs.log")
        self.private = directory / "private"
        self.private.mkdir()
        self.output = directory / "output.log"
        self.environment = environment | {
            "JOB": str(CLIENTS / "job"),
            "JOBS_LOG": str(self.jobs.path),
            "XDG_RUNTIME_DIR": str(self.private),
            "STEVE_DEVICE": pool.path,
        }
        with open(self.output, "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                [pool.stevie, "--auth", way, *command],
                cwd=directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def finish(self):
        """Waits for its end, which must be a success."""
        try:
            status = self.process.wait(BUILD_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()
            status = "no end"
        if status != 0:
            told = self.output.read_text(encoding="utf-8", errors="replace")
            raise Failed(f"the build ended with {status}: {told[-600:].strip()}")

    def wait_for_jobs(self, number):
        """Waits until so many have started."""

        def reached():
            if self.process.poll() is not None:
                self.finish()
                raise Failed(f"the build was over before {number} jobs had started")
            return self.jobs.started() >= number

        wait_until(reached, f"{number} jobs started")

    def kill_client(self):
        """Kills the first process alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE)

    def kill(self):
        """Kills the client and all that it started."""
        kill_session(self.process.pid)
        self.process.wait(DEADLINE)

    def left(self):
        """What should have gone with the build: processes and files."""
        return session(self.process.pid) + os.listdir(self.private)
