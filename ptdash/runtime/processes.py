"""Questions to the operating system about processes."""

import ctypes
import os
import signal
import subprocess  # nosec B404
import sys
import time
from collections.abc import Callable
from pathlib import Path

POLL_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child calls before exec so that it gets this signal when its parent dies (Linux; elsewhere nothing).

    To be made in the parent, for a fork in its main thread: the kernel watches the thread that forked.
    """
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != parent:  # it died before the request
                os._exit(1)

    return ask_the_kernel


def runs_in(pid: int, directory: Path) -> bool:
    """Whether this process lives and works in this directory, as PostgreSQL and Valkey do in their data.

    A number alone says nothing: after a restart of the machine it belongs to somebody else.
    """
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").samefile(directory)
        except OSError:
            return False
    command = ["/usr/sbin/lsof", "-a", "-p", str(pid), "-d", "cwd", "-Fn"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # nosec B603
    return any(line[:1] == "n" and Path(line[1:]) == directory.resolve() for line in found.splitlines())


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until it holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
