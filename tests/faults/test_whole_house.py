"""The whole house as an operator runs it, with its real waiting times: a month closes although something is
killed in the middle of it, and nobody looks after it. Minutes long, so only with --all-faults."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy.exc import DBAPIError

from ptdash import create_app
from ptdash.config import Config, sqlalchemy_url
from ptdash.db import db, transaction
from ptdash.domain.periods import previous_month
from ptdash.jobs import closing
from ptdash.runtime.postgres import Postgres
from ptdash.runtime.processes import wait_until
from ptdash.runtime.up import free_port
from ptdash.runtime.valkey import Valkey
from ptdash.services import books, checks
from tests.company import Company
from tests.homes import temporary_home
from tests.runtime.conftest import pids_of_children

CUSTOMERS = 60
WORKERS = 2
READY_SECONDS = 120
# Longer than the aim, so that a miss is measured and not only noticed.
CLOSED_SECONDS = 240


@dataclass
class WholeHouse:
    home: Path
    process: subprocess.Popen[str]
    stopped: list[int] = field(default_factory=list)

    def pids(self, *words: str) -> list[int]:
        """Its programs whose command line has these words."""
        return [pid for pid in pids_of_children(self.process.pid) if all(w in _command(pid) for w in words)]

    def workers(self) -> list[int]:
        return self.pids("ptdash.cli", "worker")

    def horses(self) -> list[int]:
        return [horse for worker in self.workers() for horse in pids_of_children(worker)]

    def kill(self, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                self.stopped.append(pid)

    def wake(self) -> None:
        while self.stopped:
            with suppress(ProcessLookupError):
                os.kill(self.stopped.pop(), signal.SIGCONT)

    def busy_worker(self) -> list[int]:
        """A worker with its horse; the horse first."""
        wait_until(lambda: bool(self.horses()), 10)
        for worker in self.workers():
            if horses := pids_of_children(worker):
                return [*horses, worker]
        return self.workers()[:1]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _horse(house: WholeHouse) -> None:
    house.kill(house.busy_worker()[:1])


def _worker(house: WholeHouse) -> None:
    house.kill(house.busy_worker()[-1:])


def _worker_and_horse(house: WholeHouse) -> None:
    house.kill(house.busy_worker()[::-1])


def _every_worker(house: WholeHouse) -> None:
    house.kill([*house.workers(), *house.horses()])


def _stop_worker_and_horse(house: WholeHouse) -> None:
    house.stop(house.busy_worker()[::-1])


def _scheduler(house: WholeHouse) -> None:
    house.kill(house.pids("ptdash.cli", "scheduler"))
    _worker_and_horse(house)


def _web(house: WholeHouse) -> None:
    house.kill(house.pids("gunicorn"))


def _valkey(house: WholeHouse) -> None:
    house.kill([pid for pid in [Valkey.of_home(house.home).running_pid()] if pid])


def _empty_queue(house: WholeHouse) -> None:
    with Redis.from_url(Valkey.of_home(house.home).url) as client:
        client.flushall()


def _postgres(house: WholeHouse) -> None:
    house.kill([pid for pid in [Postgres.of_home(house.home).running_pid()] if pid])


FAULTS: dict[str, Callable[[WholeHouse], None]] = {
    "horse killed": _horse,
    "worker killed, its horse works on": _worker,
    "worker and horse killed": _worker_and_horse,
    "every worker and horse killed": _every_worker,
    "worker and horse stopped": _stop_worker_and_horse,
    "scheduler, worker and horse killed": _scheduler,
    "web killed": _web,
    "Valkey killed": _valkey,
    "queue emptied": _empty_queue,
    "PostgreSQL killed": _postgres,
}


@pytest.fixture(scope="module")
def whole_house(pytestconfig: pytest.Config) -> Iterator[WholeHouse]:
    if not pytestconfig.getoption("--all-faults", default=False):
        pytest.skip("minutes long: only with --all-faults")
    if sys.platform != "linux":
        pytest.skip("finds processes in /proc")
    with temporary_home() as home:
        command = [
            sys.executable,
            "-m",
            "ptdash.cli",
            "up",
            "--port",
            str(free_port("127.0.0.1", 0)),
            "--workers",
            str(WORKERS),
        ]
        environment = {
            k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "PTDASH_TODAY")
        }
        process = subprocess.Popen(
            command,
            env=environment | {"PTDASH_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        house = WholeHouse(home, process)
        try:
            assert process.stdout
            wait_until(lambda: bool(select.select([process.stdout], [], [], 0)[0]), READY_SECONDS)
            assert "ptdash ready" in process.stdout.readline()
            yield house
        finally:
            house.wake()
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_a_month_closes_whatever_is_killed(
    whole_house: WholeHouse, record_property: Callable[[str, object], None]
) -> None:
    config = Config(
        home=whole_house.home,
        database_url=sqlalchemy_url(Postgres.of_home(whole_house.home).url),
        redis_url=Valkey.of_home(whole_house.home).url,
        secret_key="tests only",
    )
    with create_app(config).app_context():
        with transaction() as session:
            company = Company(session)
            for _ in range(CUSTOMERS):
                company.support(company.customer(), starts_on=date(2024, 1, 1))
        found = {}
        for month, (what, fault) in zip(_months(len(FAULTS)), FAULTS.items(), strict=True):
            seconds, wrong = _close(config, whole_house, month, fault)
            record_property("fault", [f"whole house: {what}", 1, len(wrong), round(seconds, 1), "-"])
            found |= {what: wrong} if wrong else {}
        db.session.remove()
        db.engine.dispose()
    assert found == {}


def _months(count: int) -> list[date]:
    """As many months, the last of them over, the first one first."""
    months = [previous_month(datetime.now(UTC).date().replace(day=1))]
    while len(months) < count:
        months.insert(0, previous_month(months[0]))
    return months


def _close(
    config: Config, house: WholeHouse, month: date, fault: Callable[[WholeHouse], None]
) -> tuple[float, list[str]]:
    """Order the close, do the fault in the middle of it; the seconds until it is closed, and what is wrong."""
    now = datetime.now(UTC)
    with transaction() as session:
        run, blockers = books.begin(session, month, now.date(), actor_id=None, now=now)
        assert run and not blockers
    closing.enqueue_run(config.redis_url or "", run.id)
    wait_until(lambda: _posted(month) > 3, READY_SECONDS)
    posted_before = _posted(month)
    started = time.monotonic()
    fault(house)
    wait_until(lambda: _posted(month) == CUSTOMERS, CLOSED_SECONDS)
    seconds = time.monotonic() - started
    house.wake()
    wait_until(lambda: not house.horses() and len(house.workers()) == WORKERS, READY_SECONDS)
    wrong = [] if posted_before < CUSTOMERS else ["the month was closed before the fault"]
    with transaction() as session:
        if (state := books.state(session, month)) is not books.PeriodState.CLOSED:
            wrong.append(f"the month is {state} after {seconds:.0f} s")
        verdict = checks.run(session)
        wrong += [f"{c['name']}: {v}" for c in verdict["checks"] for v in c["violations"]]
        done = books.progress(session, month)
        wrong += [] if done.posted == CUSTOMERS and not done.parked else [str(done)]
    return seconds, wrong


def _posted(month: date) -> int:
    """How many customers are posted; where the database is away, none that one could know of."""
    try:
        with transaction() as session:
            return books.progress(session, month).posted
    except DBAPIError:
        db.session.remove()
        time.sleep(0.1)
        return 0
