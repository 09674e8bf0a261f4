"""Servers of their own, to be killed: a cluster that keeps what it has confirmed, a queue with its log."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg

from ptdash.runtime import home as homes
from ptdash.runtime.account import server_account
from ptdash.runtime.postgres import Postgres
from ptdash.runtime.processes import wait_until
from ptdash.runtime.valkey import Valkey

SECONDS = 30


@dataclass
class Database:
    postgres: Postgres
    log: Path

    def start(self) -> None:
        self.postgres.start(self.log, dies_with_us=signal.SIGQUIT)

    def kill(self, *, everything: bool) -> None:
        """The first process alone, whose children then find themselves without it; or all at once."""
        number = self.postgres.running_pid()
        assert number
        (os.killpg if everything else os.kill)(number, signal.SIGKILL)
        wait_until(lambda: not self.postgres.running_pid(), SECONDS)
        os.waitpid(number, 0)

    def started_at(self) -> datetime | None:
        """When the server began its work, or began it anew after one of its processes had died; None until it
        answers."""
        begun = "SELECT backend_start FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
        with suppress(psycopg.OperationalError), psycopg.connect(self.postgres.url) as connection:
            found = connection.execute(begun).fetchone()
            return found[0] if found else None
        return None

    def wait_for_restart(self, before: datetime | None) -> None:
        """Wait until the server has noticed that one of its processes died, and has begun anew."""
        assert wait_until(lambda: self.started_at() not in (None, before), SECONDS)


@dataclass
class Queue:
    valkey: Valkey
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self.valkey.spawn(subprocess.DEVNULL, dies_with_us=signal.SIGKILL)
        assert wait_until(self.valkey.answers, SECONDS)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()


@contextmanager
def database() -> Iterator[Database]:
    account = server_account(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix="ptdash-") as place:
        where = Path(place)
        where.chmod(0o711)
        postgres = Postgres(where / "data", homes.socket_directory(where, "pg", account), account)
        server = Database(postgres, where / "postgres.log")
        server.start()
        try:
            yield server
        finally:
            postgres.stop(signal.SIGQUIT)


@contextmanager
def queue() -> Iterator[Queue]:
    with tempfile.TemporaryDirectory(prefix="ptdash-") as place:
        where = Path(place)
        server = Queue(Valkey(where, homes.socket_directory(where, "valkey")))
        server.start()
        try:
            yield server
        finally:
            server.kill()
