"""A distcc host on loopback."""

import contextlib
import re
import socket
import subprocess

from pool import DEADLINE, Failed, wait_until


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def host(directory, compilations):
    """Serves as long as the `with` lasts, and gives the environment that leads distcc to it. So
    many compilations at least must have been done by it."""
    port = free_port()
    log = directory / "distccd.log"
    with open(log, "w", encoding="utf-8") as output:
        daemon = subprocess.Popen(
            [
                *("distccd", "--daemon", "--no-detach", "--log-stderr", "--log-level", "info"),
                *("--listen", "127.0.0.1", "--port", str(port), "--allow", "127.0.0.1"),
                *("--jobs", "8"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def listens():
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, "distccd listening")
        yield {
            "CC": "distcc cc",
            # By its address: distcc takes the name localhost to mean "without a host".
            "DISTCC_HOSTS": f"127.0.0.1:{port}/8",
            "DISTCC_DIR": str(directory),
            # What fails on the host is not tried here.
            "DISTCC_FALLBACK": "0",
        }
        done = len(re.findall("COMPILE_OK", log.read_text(encoding="utf-8", errors="replace")))
        if done < compilations:
            raise Failed(f"the host compiled {done} files in place of {compilations}")
    finally:
        daemon.terminate()
        daemon.wait(DEADLINE)
