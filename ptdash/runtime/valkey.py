"""The embedded Valkey: the queue. No TCP, one private unix socket, every write in its log."""

import os
import signal
import subprocess  # nosec B404
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from redis import Redis, RedisError

from ptdash.runtime import home as homes
from ptdash.runtime.errors import ServerDidNotStart
from ptdash.runtime.logs import last_line
from ptdash.runtime.processes import die_with_parent, runs_in, wait_until
from ptdash.runtime.programs import valkey_program

SOCKET = "valkey.sock"
PID_FILE = "valkey.pid"
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass
class Valkey:
    """One queue server: its files and its socket."""

    data: Path
    sockets: Path
    durable: bool = True

    @classmethod
    def of_home(cls, home: Path) -> "Valkey":
        data = homes.private_directory(homes.ensure(home) / "valkey")
        return cls(data, homes.socket_directory(home, "valkey"))

    @property
    def url(self) -> str:
        return f"unix://{self.sockets / SOCKET}"

    def argv(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.sockets / SOCKET),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / PID_FILE),
            "daemonize": "no",
            "loglevel": "warning",
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            # A full queue refuses new jobs; it never forgets old ones.
            "maxmemory-policy": "noeviction",
        }
        return [str(valkey_program()), *(part for pair in settings.items() for part in (f"--{pair[0]}", pair[1]))]

    def spawn(self, output: IO[bytes] | int, *, dies_with_us: signal.Signals) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # nosec B603
            self.argv(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            preexec_fn=die_with_parent(dies_with_us),
        )

    def answers(self) -> bool:
        """Whether it answers and has read its files."""
        try:
            with Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def running_pid(self) -> int | None:
        """The living server of these files."""
        try:
            pid = int((self.data / PID_FILE).read_text())
        except (OSError, ValueError):
            return None
        return pid if runs_in(pid, self.data) else None

    def stop(self) -> None:
        """End the server of these files, whoever started it: two on the same files would ruin them."""
        pid = self.running_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait_until(lambda: not runs_in(pid, self.data), STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not runs_in(pid, self.data), STOP_SECONDS)


@contextmanager
def temporary_valkey(directory: Path) -> Iterator[str]:
    """A forgetful queue server for tests: gives its URL, ends it on leaving; its log is in `directory`."""
    with tempfile.TemporaryDirectory(prefix="ptdash-") as place:
        where = Path(place)
        valkey = Valkey(where, homes.socket_directory(where, "valkey"), durable=False)
        log = directory / "valkey.log"
        with log.open("ab") as output:
            process = valkey.spawn(output, dies_with_us=signal.SIGKILL)
        try:
            wait_until(lambda: process.poll() is not None or valkey.answers(), START_SECONDS)
            if process.poll() is not None:
                raise ServerDidNotStart(server="Valkey", reason=last_line(log))
            yield valkey.url
        finally:
            process.kill()
            process.wait()
