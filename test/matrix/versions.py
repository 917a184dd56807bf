"""Which version of a client is here, or why none that will do. Each function gives another, which
looks in an environment."""

import os
import pathlib
import re
import subprocess

LOCK = pathlib.Path(__file__).resolve().parents[2] / "Cargo.lock"


class Missing(Exception):
    """Why a client cannot be tried on this machine."""


def program(name, since=None, before=None):
    """The version that a program tells, which must be one of a range."""

    def version(environment):
        try:
            told = subprocess.run(
                [name, "--version"],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise Missing(f"{name} is not installed") from error
        found = re.search(r"\d+(\.\d+)+", told)
        if not found:
            raise Missing(f"{name} tells no version")
        number = tuple(map(int, found[0].split(".")))
        if (since and number < since) or (before and number >= before):
            raise Missing(f"{name} is {found[0]}")
        return found[0]

    return version


def package(name):
    """The version of a Python package."""
    ask = f"import importlib.metadata as m; print(m.version({name!r}))"

    def version(environment):
        told = subprocess.run(
            ["python", "-c", ask], env=environment, capture_output=True, text=True, check=False
        )
        if told.returncode != 0:
            raise Missing(f"{name} is not installed")
        return told.stdout.strip()

    return version


def package_as_root(name):
    """The same of a package that only root can use."""

    def version(environment):
        if os.geteuid() != 0:
            raise Missing("it wants root")
        return package(name)(environment)

    return version


def crate(name):
    """The version of a crate in Cargo.lock."""

    def version(_):
        lock = LOCK.read_text(encoding="utf-8")
        return re.search(rf'name = "{name}"\nversion = "([^"]+)"', lock)[1]

    return version


def none(_):
    """A program of clients/ has none."""
    return ""
