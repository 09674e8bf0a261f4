"""A small company whose month is closed while something dies, and how the house goes on without a person."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import psycopg
from flask import Flask
from redis import Redis, RedisError
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import make_url, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from ptdash import create_app
from ptdash.config import BERLIN
from ptdash.db import Base, db, transaction
from ptdash.jobs import closing
from ptdash.jobs.queue import HouseJob, open_queue
from ptdash.jobs.tick import tick
from ptdash.models import Run, TimeEntry
from ptdash.services import books
from tests.company import Company
from tests.faults.ledger import EndState, end_state

MONTH = date(2026, 9, 1)
BUSINESS_DAY = date(2026, 10, 5)
# Sweeps until a month counts as stuck. One is enough for nearly every fault.
SWEEPS = 6
MENDS = 50


class Worker(SimpleWorker):
    """The house's worker without a fork for every job: whoever is to die is forked by the test."""

    job_class = HouseJob

    def _install_signal_handlers(self) -> None:
        """Signals stay the test's."""


@dataclass
class House:
    """The application on a database of its own. What a naive house does otherwise is `close` alone."""

    app: Flask
    close: Callable[[int, Sequence[int]], None] = closing.post_batch
    undisturbed: EndState | None = None
    written: Sequence[str] = ()
    sweeps: int = SWEEPS

    @property
    def redis_url(self) -> str:
        return str(self.app.config["PTDASH"].redis_url)

    @property
    def database(self) -> str:
        """Where psycopg finds the database."""
        url = make_url(self.app.config["SQLALCHEMY_DATABASE_URI"])
        return url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def open(self) -> Iterator["House"]:
        """Its application context."""
        with self.app.app_context():
            try:
                yield self
            finally:
                db.session.remove()

    def prepare(self) -> None:
        """Fill the empty database, and note what a close leaves behind: the tables that are empty before it."""
        with transaction() as session:
            fill(Company(session))
        with transaction() as session:
            self.written = [
                name
                for name in Base.metadata.tables
                if not session.scalar(text(f'SELECT EXISTS (SELECT FROM "{name}")'))
            ]
            session.execute(text("CREATE TABLE entry_before AS SELECT * FROM time_entries"))

    def reset(self) -> None:
        """Back to the evening before the close."""
        self.sweeps = SWEEPS
        Redis.from_url(self.redis_url).flushall()
        columns = ", ".join(c.name for c in TimeEntry.__table__.columns if c.computed is None)
        statements = [
            "SET LOCAL session_replication_role = replica",
            *(f'DELETE FROM "{name}"' for name in self.written),
            "UPDATE books SET begins_on = NULL",
            "DELETE FROM time_entries",
            f"INSERT INTO time_entries ({columns}) SELECT {columns} FROM entry_before",
        ]
        with transaction() as session:
            for statement in statements:
                session.execute(text(statement))
        db.session.remove()

    def order(self) -> int:
        """Somebody orders the close; the run's id."""
        with transaction() as session:
            run, blockers = books.begin(session, MONTH, BUSINESS_DAY, actor_id=None, now=datetime.now(UTC))
            assert run is not None and not blockers
            return run.id

    def everybody(self, run_id: int) -> list[int]:
        with transaction() as session:
            return list(books.pending(session, run_id))

    def post_each(self, run_id: int) -> None:
        """Customer by customer."""
        for customer_id in self.everybody(run_id):
            self.close(run_id, [customer_id])

    def post_in_batches(self, run_id: int) -> None:
        """Batch by batch, as one worker works off a month."""
        for batch in closing.batches(self.everybody(run_id)):
            self.close(run_id, batch)

    def post_together(self, run_id: int) -> None:
        self.close(run_id, self.everybody(run_id))

    def work_queue(self) -> None:
        """A worker until the queue is empty."""
        queue = open_queue(self.redis_url)
        worker = Worker([queue], connection=queue.connection, serializer=JSONSerializer, job_class=HouseJob)
        worker.work(burst=True, logging_level="CRITICAL")

    def go_on(self) -> None:
        """What happens by itself: sweep and worker, as often as it takes. Time passes without waiting for it.

        A server that was killed may take the sessions of the next sweep along, too; the one after goes on.
        """
        for _ in range(self.sweeps):
            with suppress(OperationalError):
                if not self.unfinished():
                    return
                self._sweep()
                continue
            self.mend()

    def _sweep(self) -> None:
        self.let_time_pass()
        if self.close is closing.post_batch:
            try:
                tick()
            except* OperationalError:
                self.mend()
            self.work_queue()
            return
        for run_id in self.unfinished():
            for customer_id in self.everybody(run_id) or [[]]:
                self.close(run_id, [customer_id] if customer_id else [])

    def mend(self) -> None:
        """Wait until both servers answer again; connections of before are given up."""
        for _ in range(MENDS):
            with suppress(DBAPIError, RedisError, psycopg.OperationalError):
                db.session.remove()
                db.engine.dispose()
                with transaction() as session:
                    session.execute(text("SELECT 1"))
                Redis.from_url(self.redis_url).ping()
                return
            time.sleep(0.1)
        raise TimeoutError("a server does not come back")

    def end_state(self) -> EndState:
        with transaction() as session:
            return end_state(session, MONTH)

    def unfinished(self) -> Sequence[int]:
        unfinished = select(Run.id).where(Run.finished_at.is_(None)).order_by(Run.id)
        with transaction() as session:
            return session.execute(unfinished).scalars().all()

    def let_time_pass(self) -> None:
        with transaction() as session:
            session.execute(update(Run).values(enqueued_at=datetime.now(UTC) - timedelta(hours=1)))


def found(app: Flask, name: str, **changes: str) -> House:
    """A house beside the application: a copy of its empty database, filled."""
    config = replace(app.config["PTDASH"], today=BUSINESS_DAY, **changes)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    server = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        # A page that a browser left open may still be asking; a template must have no other visitor.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [url.database]
        )
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {url.database}".encode())
    new = url.set(database=name).render_as_string(hide_password=False)
    house = House(create_app(replace(config, database_url=new)))
    with house.open():
        house.prepare()
    return house


def fill(company: Company) -> None:
    """Fourteen customers: with package, overage, separate time, maintenance, material; without lines; parked."""
    for minutes in (10, 55, 130, 400):
        customer = company.customer()
        company.support(customer, "M")
        company.entry(customer, minutes)
        company.entry(customer, 20, "separate", at=_day(17))
    changing = company.customer()
    company.package_change(company.support(changing, "S"), MONTH, "L")
    company.entry(changing, 90)
    for ends_before in (None, date(2026, 9, 11)):
        customer = company.customer()
        contract = company.maintenance(customer, ends_before=ends_before)
        company.include(contract, company.device(customer))
        company.entry(customer, 30, "maintenance")
        company.entry(customer, 15, "package", at=_day(20))
    company.material(company.customer())
    company.entry(company.customer(), 45)
    company.customer()
    company.entry(company.customer(), 30, "warranty")
    company.entry(company.customer(), 30, None)
    company.entry(company.customer(), None)
    company.support(company.customer(street=" "))


def _day(day: int) -> datetime:
    return datetime(2026, 9, day, 9, tzinfo=BERLIN)


def watched_entry() -> int:
    """The entry that is changed while its customer is posted: package minutes of the second customer."""
    with transaction() as session:
        return session.execute(select(TimeEntry.id).order_by(TimeEntry.id).offset(2).limit(1)).scalar_one()
