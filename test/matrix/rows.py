"""The clients: what each builds, and how it reaches the pool.

Programs are found in `PATH`, which begins with the pinned clients, the programs of clients/ and
Cargo's examples."""

import contextlib
import dataclasses
from typing import Callable

import distcc
import trees
from versions import crate, none, package, package_as_root, program


@dataclasses.dataclass(frozen=True)
class Row:
    """One client, one way, which is what stevie picks by itself if it is `auto`. It runs `jobs`
    jobs at least, and leaves the file `result`. `beside` serves what it needs in a directory, and
    gives the environment that tells of it."""

    client: str
    way: str
    version: Callable
    command: tuple
    jobs: int
    tree: Callable = lambda directory: None
    result: str = "."
    path: str = ""
    auto: bool = False
    environment: dict = dataclasses.field(default_factory=dict)
    beside: Callable = lambda directory, jobs: contextlib.nullcontext({})


JOB = ("job", "sleep", "0.05")
"""What clients that bring no work of their own run."""


def _ninja(release, way):
    return Row(
        f"ninja {release}",
        way,
        program("ninja"),
        ("ninja",),
        60,
        trees.ninja,
        "prog",
        path=f"ninja-{release}/bin",
        auto=True,
    )


def _make(way):
    return Row(
        "GNU make",
        way,
        program("make", since=(4, 4)),
        ("make",),
        60,
        trees.make,
        "c/prog",
        auto=way == "fifo",
    )


def _crate(way):
    return Row(
        f"jobserver crate: {way}",
        "fifo",
        crate("jobserver"),
        ("matrix_jobserver", way, "40", *JOB),
        40,
    )


def _gcc(kind, way, make, since=None, before=None):
    return Row(
        f"GCC -flto={kind} in {make}",
        way,
        program("gcc", since=since, before=before),
        (make, "-s"),
        14,
        trees.lto(kind),
        "prog",
    )


DEBIAN = "/usr/bin/make"
"""The make that the system has."""

ROWS = (
    Row(
        "GNU make, Debian 12's",
        "fds",
        program(DEBIAN, before=(4, 4)),
        (DEBIAN,),
        60,
        trees.make,
        "c/prog",
        auto=True,
    ),
    _make("fifo"),
    _make("fds"),
    _make("bridge"),
    _ninja("1.11.1.4", "fds"),
    _ninja("1.13.0", "bridge"),
    _ninja("1.13.2", "bridge"),
    Row(
        "cargo with rustc",
        "fifo",
        program("cargo"),
        ("cargo", "build", "--offline", "--quiet"),
        17,
        trees.cargo,
        "target/debug/prog",
        environment={"RUSTC_WRAPPER": "job"},
    ),
    Row(
        "cc-rs, parallel",
        "fifo",
        crate("cc"),
        ("matrix_cc", "job-cc", "."),
        40,
        trees.sources,
        "libtree.a",
    ),
    *map(_crate, ("acquire", "try_acquire", "release_raw", "helper", "configure")),
    _gcc("auto", "fds", DEBIAN, before=(13,)),
    _gcc("jobserver", "fds", DEBIAN, before=(13,)),
    _gcc("auto", "fifo", "make", since=(13,)),
    _gcc("jobserver", "fifo", "make", since=(13,)),
    Row(
        "make with distcc, a host on loopback",
        "fifo",
        program("distcc"),
        ("make",),
        60,
        trees.make,
        "c/prog",
        beside=distcc.host,
    ),
    Row(
        "CTest",
        "fifo",
        program("ctest", since=(3, 29)),
        ("ctest", "-j"),
        40,
        trees.ctest,
    ),
    Row(
        "gnumake-tokenpool",
        "bridge",
        package("gnumake-tokenpool"),
        ("tokenpool", "40", *JOB),
        40,
    ),
    Row(
        "pytest-jobserver, xdist",
        "fifo",
        package("pytest-jobserver"),
        ("pytest", "-q", "-n", "4"),
        40,
        trees.pytest,
    ),
    Row(
        "Portage, emerge --jobs=8",
        "fifo",
        package_as_root("portage"),
        ("emerge-all",),
        4,
        trees.portage,
        "prefix/part3",
    ),
    Row("a shell's read and printf", "fifo", program("bash"), ("shell", "40", *JOB), 40),
    Row(
        "all at once, as the kernel's jobserver-exec",
        "fifo",
        none,
        ("drain", "sh", "-c", f"seq 40 | xargs -P$PARALLELISM -I@ {' '.join(JOB)}"),
        40,
    ),
)

ABSENT = {
    "ninja after 1.13": "not released",
    "ninja 1.13.2-r1 of Gentoo": "its patch and sources are in no registry",
    "clang's offloading, LLVM's thread pools": "Debian 12's are older than their jobserver",
    "SymbiYosys": "not in Debian 12",
    "icecream": "not tried: it wants a scheduler, and a daemon on each host",
    "gprbuild": "Debian 12's is older than its jobserver",
}
"""Clients that no row tries, and why."""
