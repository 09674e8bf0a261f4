"""The locks of a home, as files that the kernel locks: whoever dies lets go of them.

`up`          exclusive: the one supervisor; the file says who it is.
`holders`     shared: everybody who uses the embedded database; who can have it exclusively is the last one.
`transition`  exclusive and short: starting and stopping servers, and joining and leaving the holders.
"""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from ptdash.runtime.errors import AlreadyUp


class Lock:
    """One lock file; the lock belongs to this object, not to the process."""

    def __init__(self, home: Path, name: str) -> None:
        directory = home / "lock"
        directory.mkdir(mode=0o700, exist_ok=True)
        self._file = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, shared: bool = False, wait: bool = False) -> bool:
        """Take it, or change how it is held; False where somebody else has it and `wait` is not wanted."""
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        try:
            fcntl.flock(self._file, how)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._file)

    def read(self) -> str:
        return os.pread(self._file, 65536, 0).decode()

    def write(self, text: str) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text.encode(), 0)


@contextmanager
def transition(home: Path) -> Iterator[None]:
    """Nobody else starts, stops, joins or leaves meanwhile."""
    lock = Lock(home, "transition")
    try:
        lock.take(wait=True)
        yield
    finally:
        lock.close()


@dataclass(frozen=True)
class Up:
    """Who runs `ptdash up` on a home, and what commands need to know of it once it serves."""

    pid: int
    host: str
    since: str
    serving: bool = False
    database_elsewhere: bool = False
    redis_url: str | None = None


class UpLock:
    """Held by the supervisor as long as it lives; raises AlreadyUp with who holds it."""

    def __init__(self, home: Path, now: datetime) -> None:
        self._lock = Lock(home, "up")
        if not self._lock.take():
            holder = _record(self._lock.read())
            self._lock.close()
            who = {"pid": "?", "host": "?", "since": "a moment ago"} | (asdict(holder) if holder else {})
            raise AlreadyUp(home=home, **{key: who[key] for key in ("pid", "host", "since")})
        self.last_one_was_killed = bool(self._lock.read())
        self._record = Up(os.getpid(), socket.gethostname(), now.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
        self._lock.write(json.dumps(asdict(self._record)))

    def serve(self, *, database_elsewhere: bool, redis_url: str | None) -> None:
        """From now on commands use our servers (to be called in a transition)."""
        self._record = replace(
            self._record, serving=True, database_elsewhere=database_elsewhere, redis_url=redis_url
        )
        self._lock.write(json.dumps(asdict(self._record)))

    def leave(self) -> None:
        """Nobody runs here any more."""
        self._lock.write("")
        self._lock.close()


def serving_up(home: Path) -> Up | None:
    """The `ptdash up` whose servers are to be used, if one serves on this home."""
    lock = Lock(home, "up")
    try:
        if lock.take(shared=True):
            return None
        found = _record(lock.read())
        return found if found and found.serving else None
    finally:
        lock.close()


def _record(text: str) -> Up | None:
    try:
        return Up(**json.loads(text))
    except (ValueError, TypeError):
        return None
