"""The database of a command: the one that runs, or one started for it and stopped by whoever leaves last."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from ptdash.config import Config, sqlalchemy_url
from ptdash.runtime import home as homes
from ptdash.runtime.errors import DatabaseElsewhere, DatabaseLost
from ptdash.runtime.locks import Lock, serving_up, transition
from ptdash.runtime.postgres import Postgres
from ptdash.runtime.processes import wait_until

# An `up` that serves may be restarting its database just now.
PATIENCE_SECONDS = 60


@contextmanager
def attached(config: Config) -> Iterator[Config]:
    """The configuration with a database that answers, and with the queue where a `ptdash up` runs one.

    With DATABASE_URL nothing is started. Otherwise the command holds the home's shared lock meanwhile.
    """
    homes.ensure(config.home)
    if config.database_url:
        yield replace(config, redis_url=config.redis_url or _queue(config.home))
        return
    postgres = Postgres.of_home(config.home)
    holders = Lock(config.home, "holders")
    with _ended_by_signals_like_by_errors():
        try:
            with transition(config.home):
                _ensure_running(postgres, config.home, alone=_join(holders))
                redis_url = config.redis_url or _queue(config.home)
            yield replace(config, database_url=sqlalchemy_url(postgres.url), redis_url=redis_url)
        finally:
            _leave(postgres, config.home, holders)


def _join(holders: Lock) -> bool:
    """Become a holder; whether nobody else is one."""
    # The last one out has ended its transition and stopped the server, but may not have let go yet.
    holders.take(shared=True, wait=True)
    alone = holders.take()
    holders.take(shared=True)
    return alone


def _ensure_running(postgres: Postgres, home: Path, *, alone: bool) -> None:
    """A server that answers. Who is alone may start one, so that never two run on the same files; so may who finds
    that it ended with a killed `up` while a command was at work, which would not start it again."""
    up = serving_up(home)
    if up and up.database_elsewhere:
        raise DatabaseElsewhere(home=home)
    if not alone:
        if not wait_until(lambda: postgres.answers() or _abandoned(postgres, home), PATIENCE_SECONDS):
            raise DatabaseLost(home=home, log=home / "log" / "postgres.log")
        if not postgres.answers():
            postgres.start(home / "log" / "postgres.log")
        return
    # Nobody uses it, but a killed command or supervisor may have left it running, or about to end.
    if not wait_until(lambda: postgres.running_pid() is None or postgres.answers(), PATIENCE_SECONDS):
        postgres.stop()
    if postgres.running_pid() is None:
        postgres.start(home / "log" / "postgres.log")


def _abandoned(postgres: Postgres, home: Path) -> bool:
    """No server has these files, and no `up` is there to restart it."""
    return postgres.is_over() and serving_up(home) is None


def _leave(postgres: Postgres, home: Path, holders: Lock) -> None:
    """Let go, and stop the server where nobody else holds it.

    Let go first: an `up` that starts waits inside its transition for the last holder.
    """
    holders.release()
    with transition(home):
        if holders.take():
            postgres.stop()
    holders.close()


def _queue(home: Path) -> str | None:
    up = serving_up(home)
    return up.redis_url if up else None


@contextmanager
def _ended_by_signals_like_by_errors() -> Iterator[None]:
    """SIGTERM and a closed terminal end the command by an exception, so that it can leave the home properly."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
