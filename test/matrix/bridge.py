"""What a ninja that insists on a FIFO gets through the bridge: alone, and beside a make."""

import contextlib
import os

import trees
from build import Build
from pool import Failed, Pool, Watch

JOBS = 4

SECONDS = 0.2
"""How long an edge takes. What a job needs before it counts as running is short beside it."""

EDGES = 200

ALONE = 3.0
"""Edges that must run on average, of four."""

BESIDE = 0.8
"""Share of its half of the pool that must be used on average."""

PRIORITY = -15
"""Of all processes in a check, where that is allowed; see nice(1)."""


def start(pool, directory, way, command, environment, tree):
    """A build of jobs that only take time."""
    directory.mkdir()
    tree(directory, EDGES, SECONDS)
    return Build(pool, directory, way, command, environment)


def check_peak(watch, steps):
    """Never more than the pool, by the report and by the jobs of all builds."""
    running = peak = 0
    for _, step in sorted(steps):
        running += step
        peak = max(peak, running)
    if watch.peak() > JOBS or peak > JOBS:
        raise Failed(f"{watch.peak()} tokens in use and {peak} jobs at once in a pool of {JOBS}")


def alone(pool, directory, environment):
    """How many edges ran on average, as a number and in words."""
    with Watch(pool) as watch:
        ninja = start(pool, directory, "bridge", ("ninja",), environment, trees.ninja)
        ninja.finish()
    check_peak(watch, ninja.jobs.steps())
    mean = ninja.jobs.mean()
    if mean < ALONE:
        raise Failed(f"{mean:.2f} ran on average in place of {ALONE}")
    return mean, f"{mean:.2f} of {JOBS} ran on average"


def beside_make(pool, directory, environment):
    """The part of its half of the pool that ninja used while both had work, in the same way."""
    directory.mkdir()
    with Watch(pool) as watch:
        make = start(pool, directory / "make", "fifo", ("make",), environment, trees.sleeps)
        ninja = start(pool, directory / "ninja", "bridge", ("ninja",), environment, trees.ninja)
        try:
            make.wait_for_jobs(1)
            ninja.wait_for_jobs(1)
            ninja.wait_for_jobs(EDGES // 4)
        finally:
            make.kill()
            ninja.kill()
    both = [each.jobs.steps() for each in (make, ninja)]
    span = max(steps[0][0] for steps in both), min(steps[-1][0] for steps in both)
    # What was killed wrote of no end.
    check_peak(watch, [step for steps in both for step in steps if step[0] <= span[1]])
    share = ninja.jobs.mean(*span) / (JOBS / 2)
    if share < BESIDE:
        raise Failed(f"{share:.0%} of its share was used in place of {BESIDE:.0%}")
    return share, f"{share:.0%} of its share used"


CHECKS = {"alone": alone, "beside a make": beside_make}


def run(check, programs, directory, device, environment):
    """Runs one of `CHECKS` in a fresh pool. Gives what was seen."""
    # What others do on this machine is not to be measured.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    with Pool(programs, directory, JOBS, device) as pool:
        return CHECKS[check](pool, directory / "check", environment)
