"""The table of README.md: who takes part, how, and which rows of the matrix show it."""

import pathlib

from rows import ROWS

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"

HEAD = ("program", "version", "how", "tested")

LINES = (
    ("GNU make", "4.4 and newer", "as it is", "4.4.1", ("GNU make fifo",)),
    (
        "GNU make",
        "up to 4.3: Debian 12, RHEL 9, Ubuntu 24.04",
        "`stevie make` (`--auth fds`)",
        "4.3",
        ("GNU make, Debian 12's fds",),
    ),
    ("ninja", "after 1.13, Gentoo's 1.13.2-r1", "as it is", "no: not to be had", ()),
    (
        "ninja",
        "1.13.0 to 1.13.2",
        "`stevie ninja` (`--auth bridge`)",
        "1.13.0, 1.13.2",
        ("ninja 1.13.0 bridge", "ninja 1.13.2 bridge"),
    ),
    (
        "ninja",
        "up to 1.12",
        "not at all; PyPI's 1.11 to 1.12: `stevie ninja` (`--auth fds`)",
        "PyPI's 1.11.1",
        ("ninja 1.11.1.4 fds",),
    ),
    (
        "cargo, rustc, cc-rs",
        "with the jobserver crate 0.1.26 (2023) or newer",
        "as they are",
        "cargo 1.95, the crates cc 1.11 and jobserver 0.1.35",
        ("cargo with rustc fifo", "cc-rs, parallel fifo", "jobserver crate: acquire fifo"),
    ),
    (
        "GCC `-flto=auto`, `-flto=jobserver`",
        "13 and newer",
        "as it is",
        "where it is installed",
        ("GCC -flto=auto in make fifo", "GCC -flto=jobserver in make fifo"),
    ),
    (
        "GCC `-flto=auto`, `-flto=jobserver`",
        "12",
        "`stevie --auth fds make`",
        "12.2",
        ("GCC -flto=auto in /usr/bin/make fds", "GCC -flto=jobserver in /usr/bin/make fds"),
    ),
    ("CTest", "3.29 and newer", "as it is", "4.4.4", ("CTest fifo",)),
    ("Portage", "3.0.74 and newer", "as it is", "3.0.83", ("Portage, emerge --jobs=8 fifo",)),
    (
        "clang, LLD (LLVM)",
        "with jobserver support",
        "as they are; the first versions insist on a FIFO: `--auth bridge`",
        "no: not to be had",
        (),
    ),
    ("pytest-jobserver", "with xdist", "as it is", "1.1.0", ("pytest-jobserver, xdist fifo",)),
    ("SymbiYosys, gprbuild", "", "as they are", "no: not to be had", ()),
    (
        "gnumake-tokenpool",
        "0.0.9",
        "`stevie --auth bridge`",
        "0.0.9",
        ("gnumake-tokenpool bridge",),
    ),
    (
        "shell: `read -rN1 <>/dev/steve`, `printf`",
        "",
        "as it is",
        "bash 5.2",
        ("a shell's read and printf fifo",),
    ),
    (
        "the kernel's `jobserver-exec`",
        "",
        "as it is: it takes all tokens there are",
        "its way of reading",
        ("all at once, as the kernel's jobserver-exec fifo",),
    ),
    ("samurai, meson, Go, CMake", "", "know no jobserver; what they start may", "", ()),
)


def table():
    """The lines of the table."""
    known = {f"{row.client} {row.way}" for row in ROWS}
    unknown = [name for *_, names in LINES for name in names if name not in known]
    if unknown:
        raise LookupError(f"no such rows: {', '.join(unknown)}")
    cells = [HEAD, ("---",) * len(HEAD), *(line[:-1] for line in LINES)]
    return ["| " + " | ".join(line).replace("|  |", "| |") + " |" for line in cells]


def is_true():
    """Whether README.md has the table."""
    return "\n".join(table()) in README.read_text(encoding="utf-8")
