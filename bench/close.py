"""The close of many customers with a hundred time entries each, beside two floors on the same rows.

Floor 1: one SQL aggregate over all entries. Floor 2: a bare writer that aggregates, computes and COPYs the same
rows (customer's month, posting, settlement, invoice with two lines, audit event) into the same tables of a copy,
in one process, at the same batch size; once with everything by which the database guards its books, once with
foreign keys and triggers off. After the close, `ptdash check` over the same rows, and then over as many sealed
events of the audit trail.

The floors write no e-invoices. So the close is told apart: its books (what the floors do), and its documents (what
a bill is calculated from, read ahead before anything is locked; the invoice's XML, the rules that check it, both
kept with its e-mail). The bills are calculated in the drafts and posted as they are: that counts for the books.

`python -m bench close 10000 2` lets two processes close the month together, as two workers do.
"""

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import psycopg
from flask_migrate import upgrade
from sqlalchemy import text

from bench.bare import copy_database, write_bare
from ptdash import create_app
from ptdash.config import Config, sqlalchemy_url
from ptdash.db import db, transaction
from ptdash.documents import schematron
from ptdash.jobs import closing
from ptdash.runtime.postgres import temporary_cluster
from ptdash.services import audit, books, checks, invoice_documents, period_close
from ptdash.services.billing import Ground

ENTRIES = 100
READ_AHEAD, CALCULATED = "read ahead", "bills calculated"
# What a close does for its e-invoices: where it stands, and what it is.
DOCUMENTS: tuple[tuple[Any, str, str], ...] = (
    (period_close, "draft", READ_AHEAD),
    (period_close.Draft, "check", "XML and rules"),
    (invoice_documents, "write", "XML and e-mail kept"),
)
MONTH = date(2026, 9, 1)

COMPANY = """
SET session_replication_role = replica;  -- the stamp and the locks of the triggers are not what is measured
INSERT INTO settings VALUES ('company.name', 'Bench'), ('company.street', 'a'), ('company.postal_code', '1'),
    ('company.city', 'b'), ('company.country', 'DE'), ('company.vat_id', 'DE123456789'),
    ('company.iban', 'DE02120300000000202051'),
    ('company.email', 'rechnung@pt.example'), ('company.phone', '0251 5550100');
INSERT INTO prices VALUES ('overage_minute', '2024-01-01', 1.5), ('separate_minute', '2024-01-01', 1.5);
INSERT INTO users (email, name, role) VALUES ('t@pt.example', 'T', 'technician');
INSERT INTO customers (number, name, sort_key, street, postal_code, city)
    SELECT n::text, 'Kunde ' || n, lpad(n::text, 8, '0'), 's', '1', 'c' FROM generate_series(1, {customers}) n;
INSERT INTO customer_books SELECT id FROM customers;
INSERT INTO contracts (number, customer_id, kind, package, starts_on, term_months, notice_months, renewal_months)
    SELECT 'SV-' || id, id, 'support', 'M', '2026-01-01', 6, 1, 6 FROM customers;
INSERT INTO tickets (number, customer_id, channel, category, subject, status, priority, created_at)
    SELECT 'T-' || id, id, 'phone', 'software', 's', 'open', 'normal', now() FROM customers;
INSERT INTO time_entries (ticket_id, customer_id, technician_id, started_at, ended_at, treatment, note, posting_n)
    SELECT id, customer_id, 1, at, at + interval '7 minutes', 'package', 'n', 1 FROM tickets,
    LATERAL (SELECT timestamptz '2026-09-01 08:00+02' + n * interval '6 hours' AS at
             FROM generate_series(0, {last}) n) AS work;
SET session_replication_role = origin;
"""
TRAIL = """
INSERT INTO audit_events (at, action, subject, subject_id, before, after)
SELECT now() - n * interval '1 second', 'change', 'ticket', n::text,
       jsonb_build_object('status', 'open', 'assignee', n % 7),
       jsonb_build_object('status', 'in_progress', 'assignee', n % 5, 'note', 'Größe „x“')
FROM generate_series(1, :events) n
"""


def main(customers: int, workers: int = 1) -> None:
    with TemporaryDirectory(prefix="ptdash-bench-") as directory, temporary_cluster(Path(directory)) as url:
        config = Config(home=Path(directory), database_url=sqlalchemy_url(url), secret_key="bench")
        with create_app(config).app_context():
            upgrade()
            entries = customers * ENTRIES
            with db.engine.begin() as connection:
                connection.execute(text(COMPANY.format(customers=customers, last=ENTRIES - 1)))
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(
                    text("VACUUM ANALYZE customers, customer_books, contracts, tickets, time_entries")
                )
            db.engine.dispose()
            aggregate = timed(lambda: sum_up(url))
            batch = len(closing.batches(range(customers))[0])
            print(f"{customers} customers, {entries} entries, batches of {batch}")  # noqa: T201
            copy_database(url, "unguarded")
            copy_database(url, "guarded")
            bare = timed(lambda: write_bare(url, "unguarded", customers, MONTH, batch, guarded=False))
            floor = timed(lambda: write_bare(url, "guarded", customers, MONTH, batch, guarded=True))
            with watched() as spent:
                close = timed(lambda: close_month(workers))
            who = resource.RUSAGE_SELF if workers == 1 else resource.RUSAGE_CHILDREN
            peak = resource.getrusage(who).ru_maxrss // 1024
            check = timed(check_books)
            report(
                ("one SQL aggregate", aggregate),
                ("bare writer", bare),
                ("bare, guarded", floor),
                ("close" if workers == 1 else f"close by {workers}", close),
                *((f"  {name}", seconds) for name, seconds in spent.items()),
                ("check", check),
            )
            if workers == 1:
                documents = sum(spent[name] for *_, name in DOCUMENTS)
                report_ratio("books alone", close - documents, bare, floor)
            report_ratio("with documents", close, bare, floor)
            print(f"peak memory of the close: {peak} MiB")  # noqa: T201
            report(("seal the trail", timed(lambda: lengthen_trail(entries))), ("check", timed(check_books)))
            db.session.remove()
            db.engine.dispose()


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """The seconds in each of `DOCUMENTS` of this process; what one of them calls is its own, but for the bills."""
    spent: dict[str, float] = dict.fromkeys([*(name for *_, name in DOCUMENTS), CALCULATED], 0.0)
    with ExitStack() as stack:
        nested = [0]
        for module, function, name in DOCUMENTS:
            stack.enter_context(
                patch.object(module, function, stopwatch(getattr(module, function), spent, name, nested))
            )
        stack.enter_context(patch.object(Ground, "bill", stopwatch(Ground.bill, spent, CALCULATED, [0])))
        yield spent
    spent[READ_AHEAD] -= spent[CALCULATED]


def stopwatch(
    work: Callable[..., Any], spent: dict[str, float], name: str, nested: list[int]
) -> Callable[..., Any]:
    def measured(*arguments: Any, **more: Any) -> Any:
        started = time.perf_counter()
        nested[0] += 1
        try:
            return work(*arguments, **more)
        finally:
            nested[0] -= 1
            if not nested[0]:
                spent[name] += time.perf_counter() - started

    return measured


def report_ratio(what: str, seconds: float, bare: float, floor: float) -> None:
    print(  # noqa: T201
        f"{what} / bare writer: {seconds / floor:.2f}, without foreign keys and triggers {seconds / bare:.2f}"
    )


def lengthen_trail(events: int) -> None:
    """So many more events, then sealed."""
    with transaction() as session:
        session.execute(text(TRAIL), {"events": events})
    with transaction() as session:
        assert audit.seal(session) >= events


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def report(*figures: tuple[str, float]) -> None:
    for name, seconds in figures:
        print(f"{name:<20} {seconds:8.2f} s   {seconds / figures[0][1]:8.1f} x")  # noqa: T201


def close_month(workers: int) -> None:
    with transaction() as session:
        run, blockers = books.begin(session, MONTH, date(2026, 10, 5), actor_id=None, now=datetime.now(UTC))
        assert run and not blockers, blockers
    schematron.start()
    if workers == 1:
        closing.work_off(run.id)
    else:
        close_together(run.id, workers)


def close_together(run_id: int, workers: int) -> None:
    """Each process takes the next batches of its turn, on a connection of its own."""
    with transaction() as session:
        batches = closing.batches(books.pending(session, run_id))
    db.session.remove()
    db.engine.dispose()
    children = []
    for turn in range(workers):
        if child := os.fork():
            children.append(child)
            continue
        for batch in batches[turn::workers]:
            closing.post_batch(run_id, batch)
        os._exit(0)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)


def check_books() -> None:
    """Everybody is posted, and every check holds."""
    with transaction() as session:
        done = books.progress(session, MONTH)
        assert done.posted and not done.parked, done
        result = checks.run(session)
    assert result["ok"], result


def sum_up(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT customer_id, treatment, sum(minutes) FROM time_entries GROUP BY customer_id, treatment"
        ).fetchall()
