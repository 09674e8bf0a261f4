"""What children say: on stderr behind their name, and in a file that does not grow without end."""

import contextlib
import os
import sys
from pathlib import Path

LARGEST_LOG_BYTES = 5 * 1024 * 1024
READ_BYTES = 65536
# One talkative child must not keep the others waiting.
BLOCKS_AT_ONCE = 16
LATEST_LINES = 5


class Log:
    """A file that is moved to `<name>.log.1` when it is full; the one before is dropped."""

    def __init__(self, path: Path, limit: int = LARGEST_LOG_BYTES) -> None:
        self._path = path
        self._limit = limit
        self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        """Add a line; a full disk must not end who only reports."""
        with contextlib.suppress(OSError):
            if self._file.tell() + len(line) > self._limit and self._file.tell():
                self._path.replace(self._path.with_name(self._path.name + ".1"))
                self._file.close()
                self._file = self._path.open("ab", buffering=0)
            self._file.write(line)

    def close(self) -> None:
        self._file.close()


class Stream:
    """The reading end of one child's output, passed on line by line."""

    def __init__(self, name: str, source: int, log: Log) -> None:
        self.source = source
        self.name = name
        self._log = log
        self._rest = b""
        os.set_blocking(source, False)

    def pump(self) -> bool:
        """Pass on what is there; False at the end."""
        for _ in range(BLOCKS_AT_ONCE):
            try:
                data = os.read(self.source, READ_BYTES)
            except BlockingIOError:
                return True
            if not data:
                self._pass_on([self._rest] if self._rest else [])
                return False
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._pass_on(lines)
        return True

    def _pass_on(self, lines: list[bytes]) -> None:
        for line in lines:
            self._log.write(line + b"\n")
            say(self.name, line.decode(errors="replace"))

    def close(self) -> None:
        os.close(self.source)


def last_line(log: Path) -> str:
    """What a log says last, for a sentence: what was fatal rather than the farewell after it."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    latest = [line.strip() for line in reversed(lines[-LATEST_LINES:]) if line.strip()]
    return next((line for line in latest if "FATAL" in line), latest[0] if latest else "it said nothing")


def say(name: str, line: str) -> None:
    """One line on stderr; nobody listening is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{name:<10}| {line}\n")
        sys.stderr.flush()
