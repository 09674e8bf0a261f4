"""The digital invoice of 1,000 customers: XML, validation, issue and PDF with its time record, by two workers.

Floors, measured in the same run by as many processes: the Schematron rules alone on one ready XML, and typst alone
on the ready content of one PDF, as often as there are invoices. What is above them is ours: reading the books,
writing the XML, the schema, reading it back, posting, the metadata, storing.
"""

import os
import resource
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask_migrate import upgrade
from sqlalchemy import func, select, text

from bench.close import report, timed
from ptdash import create_app
from ptdash.config import Config, sqlalchemy_url
from ptdash.db import db, transaction
from ptdash.documents import schematron, sheets
from ptdash.jobs import closing, documents
from ptdash.models import InvoicePdf, InvoiceXml
from ptdash.runtime.postgres import temporary_cluster
from ptdash.services import books, invoice_pdfs

MONTH = date(2026, 9, 1)
ENTRIES = 12

COMPANY = """
SET session_replication_role = replica;
INSERT INTO settings SELECT 'company.' || key, value FROM (VALUES
    ('name', 'Bench GmbH'), ('street', 'Hafenweg 12'),
    ('postal_code', '48155'), ('city', 'Münster'), ('country', 'DE'), ('vat_id', 'DE123456789'),
    ('iban', 'DE02120300000000202051'), ('email', 'rechnung@bench.example'), ('phone', '0251 5550100'))
    AS company(key, value);
INSERT INTO prices VALUES ('overage_minute', '2024-01-01', 1.5), ('separate_minute', '2024-01-01', 1.5);
INSERT INTO users (email, name, role) VALUES ('t@pt.example', 'Tarek Kaya', 'technician');
INSERT INTO customers (number, name, sort_key, street, postal_code, city, email)
    SELECT (10000 + n)::text, 'Kunde ' || n, lpad(n::text, 8, '0'), 'Ringstraße 1', '48143', 'Münster',
    'rechnung@kunde.example' FROM generate_series(1, {customers}) n;
INSERT INTO customer_books SELECT id FROM customers;
INSERT INTO contracts (number, customer_id, kind, package, starts_on, term_months, notice_months, renewal_months)
    SELECT 'SV-' || id, id, 'support', 'M', '2026-01-01', 6, 1, 6 FROM customers;
INSERT INTO tickets (number, customer_id, channel, category, subject, status, priority, created_at)
    SELECT 'T-' || id, id, 'phone', 'software', 'Drucker druckt nicht', 'open', 'normal', now() FROM customers;
INSERT INTO time_entries (ticket_id, customer_id, technician_id, started_at, ended_at, treatment, note, posting_n)
    SELECT id, customer_id, 1, at, at + interval '7 minutes', CASE n WHEN 5 THEN 'separate' ELSE 'package' END,
    'Treiber ersetzt', 1 FROM tickets,
    LATERAL (SELECT n, timestamptz '2026-09-01 08:00+02' + n * interval '2 days' AS at
             FROM generate_series(0, {last}) n) AS work;
SET session_replication_role = origin;
"""


def main(customers: int = 1000, workers: int = 2) -> None:
    with TemporaryDirectory(prefix="ptdash-bench-") as directory, temporary_cluster(Path(directory)) as url:
        config = Config(home=Path(directory), database_url=sqlalchemy_url(url), secret_key="bench")
        with create_app(config).app_context():
            upgrade()
            with db.engine.begin() as connection:
                connection.execute(text(COMPANY.format(customers=customers, last=ENTRIES - 1)))
            print(f"{customers} invoices of {ENTRIES} time entries, {workers} workers")  # noqa: T201
            issue = timed(lambda: _close(workers))
            paper = timed(lambda: _render(workers))
            spent = resource.getrusage(resource.RUSAGE_CHILDREN)
            xml, said, at = _one()
            rules = timed(lambda: together(workers, lambda turn: _ask(xml, customers // workers)))
            typeset = timed(lambda: together(workers, lambda turn: _set(said, xml, at, customers // workers)))
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            report(
                ("rules alone", rules),
                ("typst alone", typeset),
                ("both floors", rules + typeset),
                ("XML, rules, issue", issue),
                ("PDF", paper),
                ("all", issue + paper),
            )
            print(  # noqa: T201
                f"all / floors: {(issue + paper) / (rules + typeset):.2f}"
                f"   {customers / (issue + paper):.1f} invoices a second   peak memory of a process: {peak} MiB"
                f"   processor time of the workers without the rules: {spent.ru_utime + spent.ru_stime:.1f} s"
            )
            db.session.remove()
            db.engine.dispose()


def _close(workers: int) -> None:
    with transaction() as session:
        run, blockers = books.begin(session, MONTH, date(2026, 10, 5), actor_id=None, now=datetime.now(UTC))
        assert run and not blockers, blockers
        batches = closing.batches(books.pending(session, run.id))
    together(workers, lambda turn: _each(batches[turn::workers], lambda batch: closing.post_batch(run.id, batch)))
    with transaction() as session:
        assert session.execute(select(func.count()).select_from(InvoiceXml)).scalar_one() == sum(map(len, batches))


def _render(workers: int) -> None:
    batches = list(documents.batches().values())
    together(workers, lambda turn: _each(batches[turn::workers], documents.render_batch))
    with transaction() as session:
        assert session.execute(select(func.count()).select_from(InvoicePdf)).scalar_one() == sum(map(len, batches))


def together(workers: int, work: Callable[[int], None]) -> None:
    """Each process on connections, and with rules, of its own."""
    db.session.remove()
    db.engine.dispose()
    children = []
    for turn in range(workers):
        if child := os.fork():
            children.append(child)
            continue
        work(turn)
        os._exit(0)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)


def _each(batches: Sequence[Sequence[int]], work: Callable[[Sequence[int]], None]) -> None:
    for batch in batches:
        work(batch)


def _one() -> tuple[bytes, dict[str, object], datetime]:
    """The XML and the content of some invoice's PDF."""
    with transaction() as session:
        invoice_id = session.execute(select(InvoiceXml.invoice_id).limit(1)).scalar_one()
        source = invoice_pdfs.load(session, invoice_id).source
        xml = session.execute(select(InvoiceXml.content).where(InvoiceXml.invoice_id == invoice_id)).scalar_one()
    return xml, source["said"], datetime.fromisoformat(source["at"])


def _ask(xml: bytes, times: int) -> None:
    for _ in range(times):
        schematron.report(xml)


def _set(said: dict[str, object], xml: bytes, at: datetime, times: int) -> None:
    for n in range(times):
        sheets.render("invoice", said | {"number": str(n)}, at=at, xml=xml)
