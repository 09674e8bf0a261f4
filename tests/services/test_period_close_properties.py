"""Over random months, on the real database: what must hold whatever the facts are."""

import random
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.domain.periods import days_in, next_month
from ptdash.models import AuditEvent, Invoice, InvoiceLine, Posting, Settlement
from ptdash.services import books, checks, close_document, period_close
from tests.company import Company
from tests.conftest import NOW, empty

TREATMENTS = ("package", "separate", "maintenance", "warranty", "goodwill")
COUNTRIES = ({"country": "DE"}, {"country": "AT", "vat_id": "ATU12345675"}, {"country": "CH"}, {"street": ""})


def days(month: date) -> st.SearchStrategy[date]:
    return st.integers(0, days_in(month) - 1).map(lambda n: month + timedelta(days=n))


@st.composite
def companies(draw):
    """A month and its customers, as plain data: (where, contracts, fee, entries, materials) each."""
    month = draw(st.dates(date(2024, 2, 1), date(2028, 12, 1))).replace(day=1)
    seconds = st.integers(1, 5400)
    # Up to the last hour of the day, so that entries run over midnight and over the end of the month.
    start = st.builds(
        lambda day, hour, minute: datetime.combine(day, time(hour, minute), BERLIN),
        days(month),
        st.sampled_from((0, 7, 9, 12, 15, 23)),
        st.integers(0, 59),
    )
    entry = st.tuples(start, seconds, st.sampled_from(TREATMENTS))
    around = st.integers(-70, 40).map(lambda n: month + timedelta(days=n))
    contract = st.tuples(around, st.sampled_from("SML"), st.none() | st.integers(1, 60))
    customer = st.tuples(
        st.sampled_from((0, 0, 0, 1, 2, 3)),
        st.none() | contract,
        st.none() | st.tuples(around, st.sampled_from(("0", "29.00", "59.90"))),
        st.lists(entry, max_size=6),
        st.lists(st.tuples(days(month), st.sampled_from(("34.50", "0.3333"))), max_size=2),
    )
    return month, draw(st.lists(customer, min_size=1, max_size=4))


def write(company: Company, customers: list, shuffled: random.Random | None = None) -> None:
    for where, contract, fee, entries, materials in customers:
        customer = company.customer(**COUNTRIES[where])
        if contract:
            starts_on, package, runs = contract
            ends_before = starts_on + timedelta(days=runs) if runs else None
            company.support(customer, package, starts_on, ends_before=ends_before)
        if fee:
            maintenance = company.maintenance(customer, fee[1], fee[0])
            company.include(maintenance, company.device(customer))
        mixed = list(entries)
        if shuffled:
            shuffled.shuffle(mixed)
        ticket = company.ticket(customer)
        for at, seconds, treatment in mixed:
            company.entry(customer, None, treatment, at, ticket=ticket, lasts=timedelta(seconds=seconds))
        for day, net in materials:
            company.material(customer, net, day=day)


def close(month: date, batch: int = 100) -> dict:
    today = next_month(month)
    with transaction() as session:
        run, blockers = books.begin(session, month, today, actor_id=None, now=NOW)
        assert blockers == []
        waiting = books.pending(session, run.id) if run else []
    for i in range(0, len(waiting), batch):
        with transaction() as session:
            period_close.post(session, run.id, waiting[i : i + batch], now=NOW)
    if run:
        with transaction() as session:
            books.finish(session, run.id, now=NOW)
    with transaction() as session:
        return close_document.posted(session, month)


def rows_written() -> list[int]:
    with transaction() as session:
        tables = (Posting, Settlement, Invoice, InvoiceLine, AuditEvent)
        return [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def comparable(document: dict) -> dict:
    """A document without what posting adds."""
    return document | {"state": None, "invoices": [i | {"number": None} for i in document["invoices"]]}


on_the_database = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def context(app: Flask):
    with app.app_context():
        yield app


@on_the_database
@given(companies())
def test_preview_equals_close_minutes_are_conserved_and_twice_writes_nothing(context, generated):
    month, customers = generated
    empty(context)
    with transaction() as session:
        write(Company(session), customers)
    with transaction() as session:
        preview = close_document.preview(session, month, next_month(month))
    posted = close(month, batch=2)
    assert comparable(posted) == comparable(preview)

    with transaction() as session:
        report = checks.run(session)
    assert report["ok"], report
    for settled in posted["settlements"]:
        assert settled["used_minutes"] == settled["covered_minutes"] + settled["overage_minutes"]
        assert settled["included_minutes"] == settled["covered_minutes"] + settled["expired_minutes"]
    numbers = [invoice["number"] for invoice in posted["invoices"]]
    assert sorted(numbers) == [f"RE-{next_month(month).year}-{n:05d}" for n in range(1, len(numbers) + 1)]

    written = rows_written()
    if posted["state"] == "closed":
        assert close(month) == posted
        assert rows_written() == written


@settings(on_the_database, max_examples=10)
@given(companies(), st.randoms(use_true_random=False))
def test_the_order_in_which_entries_arrive_does_not_matter(context, generated, shuffled):
    month, customers = generated
    documents = []
    for order in (None, shuffled):
        empty(context)
        with transaction() as session:
            write(Company(session), customers, order)
        documents.append(comparable(close(month)))
    assert documents[0] == documents[1]
    db.session.remove()
