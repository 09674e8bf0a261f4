"""A run worked off by workers: real Redis protocol, real work horses, the database decides."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, text, update

from ptdash.db import db, transaction
from ptdash.jobs import closing
from ptdash.jobs.queue import (
    POST_BATCH,
    TICK,
    HouseJob,
    NotAllowed,
    enqueue,
    live_workers,
    make_worker,
    open_queue,
)
from ptdash.jobs.tick import tick
from ptdash.models import AuditEvent, AuditSeal, Invoice, Posting, Run
from ptdash.services import books, checks
from tests.company import Company

MONTH = date(2026, 9, 1)


@pytest.fixture
def house(app: Flask, redis_url: str) -> Iterator[Flask]:
    """A company with a dozen customers, and an empty queue."""
    with app.app_context():
        open_queue(redis_url).connection.flushall()
        with transaction() as session:
            company = Company(session)
            for _ in range(12):
                company.support(company.customer())
        yield app
        db.session.remove()


def begin() -> int:
    with transaction() as session:
        run, blockers = books.begin(session, MONTH, date(2026, 10, 5), actor_id=None, now=datetime.now(UTC))
        assert blockers == []
        return run.id


def state() -> tuple[str, int, bool]:
    with transaction() as session:
        invoices = session.execute(select(func.count()).select_from(Invoice)).scalar_one()
        return books.state(session, MONTH).value, invoices, checks.run(session)["ok"]


def work_once(redis_url: str) -> None:
    """One worker until the queue is empty."""
    make_worker(redis_url).work(burst=True, logging_level="WARNING")


def test_workers_close_a_month(house, redis_url):
    closing.enqueue_run(redis_url, begin())
    work_once(redis_url)
    assert state() == ("closed", 12, True)


def test_the_same_job_fifty_times_issues_one_invoice_each(house, redis_url):
    run_id = begin()
    with transaction() as session:
        everybody = list(books.pending(session, run_id))
    for _ in range(50):
        enqueue(redis_url, POST_BATCH, run_id, everybody)
    work_once(redis_url)
    assert state() == ("closed", 12, True)


def test_an_emptied_queue_loses_nothing(house, redis_url):
    run_id = begin()
    closing.enqueue_run(redis_url, run_id)
    open_queue(redis_url).connection.flushall()
    with transaction() as session:
        session.execute(update(Run).values(enqueued_at=datetime.now(UTC) - timedelta(minutes=1)))
    tick()
    work_once(redis_url)
    assert state() == ("closed", 12, True)


def test_the_sweep_leaves_alone_what_was_enqueued_just_now(house, redis_url):
    begin()
    tick()
    assert open_queue(redis_url).count == 0


def test_worked_off_in_this_process_it_tells_how_far_it_is(house):
    told: list[tuple[int, int]] = []
    closing.work_off(begin(), lambda done, total: told.append((done, total)))
    assert told == [(5, 12), (10, 12), (12, 12)]
    assert state() == ("closed", 12, True)


def test_two_processes_share_a_run_without_doing_anything_twice(house, redis_url):
    closing.enqueue_run(redis_url, begin())
    url = house.config["SQLALCHEMY_DATABASE_URI"]
    env = {
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "x",
        "PTDASH_HOME": str(house.config["PTDASH"].home),
    }
    workers = [subprocess.Popen([sys.executable, "-m", "ptdash.cli", "worker"], env=env) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while state()[0] != "closed" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert state() == ("closed", 12, True)
        assert live_workers(redis_url) == 2
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(30)


def test_one_customers_trouble_stops_nobody_else(house):
    """An amount that does not fit into the table is nothing a rule foresees."""
    with transaction() as session:
        company = Company.__new__(Company)
        company.session, company.numbers = session, iter(range(90_000, 90_100))
        broken = company.customer()
        for _ in range(3):
            company.material(broken, "99999999.0000", "999")
    closing.work_off(begin())
    with transaction() as session:
        done = books.progress(session, MONTH)
        posted = session.execute(select(func.count()).select_from(Posting)).scalar_one()
    assert (done.posted, done.parked, posted) == (12, 1, 12)
    assert state()[2]


def test_the_tick_seals_the_audit_chain(house):
    begin()
    tick()
    with transaction() as session:
        events = session.execute(select(func.count()).select_from(AuditEvent)).scalar_one()
        seals = session.execute(select(func.count()).select_from(AuditSeal)).scalar_one()
    assert events == seals > 0


def test_only_the_functions_on_the_list_may_run(house, redis_url):
    enqueue(redis_url, "os.getcwd")
    work_once(redis_url)
    queue = open_queue(redis_url)
    failed = queue.failed_job_registry.get_job_ids()
    assert len(failed) == 1
    job: Job = HouseJob.fetch(failed[0], connection=queue.connection, serializer=JSONSerializer)
    with pytest.raises(NotAllowed):
        _ = job.func


def test_a_tick_can_be_enqueued(house, redis_url):
    enqueue(redis_url, TICK)
    work_once(redis_url)
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM audit_seals")).scalar_one() == 0
    assert open_queue(redis_url).failed_job_registry.count == 0
