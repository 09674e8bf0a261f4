"""A process of its own that meets its fault at the n-th boundary: before a statement, around a commit."""

import mmap
import os
import signal
import socket
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from redis.connection import AbstractConnection
from sqlalchemy import event

from ptdash.db import db

Work = Callable[[], object]


@dataclass
class Fuse:
    """Counts boundaries; at the one asked for it does the fault, once.

    Boundaries are: before every statement, before every commit, after every commit; and, for faults that lose
    an answer, the commit that was sent and never heard of again; `queue_too`: every word to the queue.
    """

    at: int | None
    fault: Callable[["Fuse"], None]
    loses_answers: bool = False
    queue_too: bool = False
    board: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, 8))
    connection: Any = None
    commit_sent: bool = False

    @property
    def reached(self) -> int:
        """How many boundaries the process has come to; readable from outside."""
        return int(struct.unpack("q", self.board[:8])[0])

    def lay(self) -> None:
        event.listen(db.engine, "before_cursor_execute", lambda conn, *_: self._reach(conn))
        event.listen(db.engine, "commit", self._before_commit)
        event.listen(db.session, "after_commit", lambda _: self._reach(None))
        if self.queue_too:
            send = AbstractConnection.send_packed_command

            def counted(connection: Any, *arguments: Any, **more: Any) -> None:
                self._reach(None)
                send(connection, *arguments, **more)

            AbstractConnection.send_packed_command = counted  # type: ignore[method-assign]

    def _before_commit(self, conn: Any) -> None:
        self._reach(conn)
        if self.loses_answers:
            self._reach(conn, commit=True)

    def _reach(self, conn: Any, *, commit: bool = False) -> None:
        if conn is not None:
            self.connection = conn.connection.dbapi_connection
        n = self.reached
        self.board[:8] = struct.pack("q", n + 1)
        if n == self.at:
            if commit:
                self.connection.pgconn.send_query(b"COMMIT")
                self.commit_sent = True
            self.fault(self)


def nothing(_: Fuse) -> None:
    """No fault: the boundaries are only counted."""


def die(_: Fuse) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stand_still(_: Fuse) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def run_out_of_time(_: Fuse) -> None:
    """The queue's alarm rings here; to be met under its death penalty."""
    os.kill(os.getpid(), signal.SIGALRM)


def lose_the_line(fuse: Fuse) -> None:
    """The connection breaks: neither side hears of the other again."""
    if fuse.commit_sent:
        fuse.connection.pgconn.finish()
        return
    with socket.socket(fileno=os.dup(fuse.connection.pgconn.socket)) as line:
        line.shutdown(socket.SHUT_RDWR)


def be_thrown_out(database: str) -> Callable[[Fuse], None]:
    """The server ends the connection."""

    def fault(fuse: Fuse) -> None:
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [fuse.connection.info.backend_pid])

    return fault


def start(work: Work, fuse: Fuse | None = None) -> int:
    """A forked process that does the work, its fuse laid; its number. Needs an application context."""
    db.session.remove()
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        db.engine.dispose(close=False)
        if fuse:
            fuse.lay()
        work()
        db.session.remove()
        code = 0
    except BaseException:
        if os.environ.get("FAULTS_LOUD"):
            traceback.print_exc()
    finally:
        os._exit(code)


def end(number: int) -> int:
    """Wait until the process is over; how it ended, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def stopped(number: int) -> bool:
    """Wait until the process stands still, or is over; whether it stands."""
    _, status = os.waitpid(number, os.WUNTRACED)
    return os.WIFSTOPPED(status)


def wake(number: int) -> None:
    os.kill(number, signal.SIGCONT)


def run(work: Work, fuse: Fuse | None = None) -> int:
    return end(start(work, fuse))


def count(work: Work, *, loses_answers: bool = False, queue_too: bool = False) -> int:
    """How many boundaries the work has when nothing disturbs it."""
    fuse = Fuse(None, nothing, loses_answers, queue_too)
    assert run(work, fuse) == 0
    return fuse.reached
