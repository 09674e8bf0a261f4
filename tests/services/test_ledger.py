"""The minutes ledger agrees with settlements, postings and invoices to the minute and to the cent."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.db import transaction
from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import month_of, next_month
from ptdash.models import Customer, InvoiceLine
from ptdash.services import cancellations, close_document, ledger, ledger_month, time_records
from ptdash.services.ledger import LedgerRow, MonthState
from ptdash.services.ledger_month import Standing
from tests.company import Company
from tests.conftest import NOW, empty
from tests.counting import queries
from tests.services.test_period_close import close
from tests.services.test_period_close_properties import close as close_all
from tests.services.test_period_close_properties import companies, context, on_the_database, write

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER, IN_NOVEMBER = date(2026, 10, 5), date(2026, 11, 4)

__all__ = ["context"]


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def kessler(company: Company) -> Customer:
    """Package M since September with 8 + 15 + 12 minutes, so that the third entry crosses the limit of 30."""
    customer = company.customer(name="Autohaus Kessler KG")
    company.support(customer, starts_on=SEPTEMBER)
    company.entry(customer, 8, at=at(2))
    company.entry(customer, 15, at=at(7))
    company.entry(customer, 25, "separate", at(12))
    company.entry(customer, 12, at=at(14))
    company.entry(customer, 6, "goodwill", at(16), note="Fehler lag bei uns")
    return customer


def at(day: int, hour: int = 9, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=BERLIN)


def row(session: Session, customer: Customer, month: date = SEPTEMBER, today: date = IN_NOVEMBER) -> LedgerRow:
    found = ledger.month(session, customer.id, month, today)
    assert found
    return found


def opened(session: Session, customer: Customer, month: date = SEPTEMBER) -> ledger_month.OpenedMonth:
    return ledger_month.open_month(session, customer.id, row(session, customer, month))


def figures(row: LedgerRow) -> tuple:
    return row.included, row.used, row.expired, row.overage, row.goodwill_minutes, row.net_cents


def test_a_month_is_the_same_before_and_after_its_posting(session, company, kessler):
    expected = (30, 35, 0, 5, 6, 4000 + 750 + 4167)
    before = row(session, kessler)
    assert before.state is MonthState.OPEN
    assert figures(before) == expected
    close(session)
    after = row(session, kessler)
    assert after.state is MonthState.POSTED
    assert figures(after) == expected
    assert after.in_force.number == "RE-2026-00001"


def test_the_running_month_is_a_preview_in_which_nothing_has_expired_yet(session, company, kessler):
    company.entry(kessler, 4, at=at(3, month=11))
    running = row(session, kessler, NOVEMBER)
    assert running.state is MonthState.RUNNING
    assert figures(running) == (30, 4, None, 0, 0, 4000)


def test_entries_stand_in_order_of_draw_and_the_crossing_one_is_split(session, company, kessler):
    close(session)
    entries = opened(session, kessler).entries
    states = [(e.draw.left, e.draw.charged_so_far) if e.draws else None for e in entries]
    assert states == [(22, 0), (7, 0), None, (0, 5), None]
    assert [e.crosses for e in entries] == [False, False, False, True, False]
    assert (entries[3].draw.free, entries[3].draw.charged) == (7, 5)
    assert [e.amount_cents for e in entries] == [0, 0, 4167, 750, 0]


def test_a_late_entry_waits_and_is_told_until_the_next_posting_takes_it(session, company, kessler):
    close(session)
    company.entry(kessler, 4, at=at(20))
    waiting = opened(session, kessler)
    assert figures(waiting.row) == (30, 35, 0, 5, 6, 8917)
    assert [(c.minutes, c.billed_on) for c in waiting.row.changes] == [(4, None)]
    assert [e.standing for e in waiting.entries][-1] is Standing.LATE
    close(session, OCTOBER, IN_NOVEMBER)
    taken = opened(session, kessler)
    assert figures(taken.row) == (30, 39, 0, 9, 6, 8917 + 600)
    (change,) = taken.row.changes
    assert (change.minutes, change.billed_on, change.invoice, change.cents) == (
        4,
        IN_NOVEMBER,
        "RE-2026-00002",
        600,
    )
    assert taken.entries[-1].counts
    assert taken.entries[-1].added_late
    assert [(b.number, b.net_cents) for b in taken.billed] == [("RE-2026-00001", 8917), ("RE-2026-00002", 600)]


def test_a_late_entry_within_the_package_is_told_with_a_difference_of_zero(session, company):
    customer = company.customer()
    company.support(customer, starts_on=SEPTEMBER)
    company.entry(customer, 10, at=at(3))
    close(session)
    company.entry(customer, 4, at=at(20))
    close(session, OCTOBER, IN_NOVEMBER)
    (change,) = row(session, customer).changes
    assert (change.minutes, change.cents, change.invoice) == (4, 0, "RE-2026-00002")


def test_a_reversed_entry_stands_with_its_reversal_its_reason_and_its_replacement(session, company, kessler):
    ticket = company.ticket(kessler)
    wrong = company.entry(kessler, 20, at=at(21), ticket=ticket)
    close(session)
    same = {"ticket": ticket, "at": wrong.started_at}
    company.entry(kessler, 20, reverses_id=wrong.id, note="Falsches Ende", **same)
    company.entry(kessler, 2, **same)
    assert row(session, kessler).used == 55
    entry = next(e for e in opened(session, kessler).entries if e.id == wrong.id)
    assert entry.counts
    assert entry.waits
    close(session, OCTOBER, IN_NOVEMBER)
    after = opened(session, kessler)
    assert after.row.used == 37
    assert [(e.standing, e.replaces, e.reason) for e in after.entries[-3:]] == [
        (Standing.REVERSED, False, "Falsches Ende"),
        (Standing.REVERSAL, False, "Falsches Ende"),
        (Standing.COUNTS, True, ""),
    ]
    assert after.row.changes[0].minutes == -18


def test_a_cancelled_month_shows_bill_storno_and_no_invoice_in_force(session, company, kessler):
    close(session)
    cancellations.cancel(session, "RE-2026-00001", "Falsch", business_day=IN_OCTOBER, actor_id=None, now=NOW)
    found = row(session, kessler)
    assert [(i.number, i.storno, i.cancelled) for i in found.invoices] == [
        ("RE-2026-00001", False, True),
        ("RE-2026-00002", True, False),
    ]
    assert found.in_force is None


def test_package_time_without_a_package_is_separate_and_says_so(session, company):
    customer = company.customer()
    company.support(customer, starts_on=date(2026, 9, 16), ends_before=None)
    company.entry(customer, 10, at=at(3))
    month = opened(session, customer)
    assert (month.row.included, month.row.used, month.row.separate_minutes) == (15, 0, 10)
    assert month.entries[0].without_package
    assert month.entries[0].amount_cents == 1667


def test_a_running_timer_and_an_entry_without_treatment_are_shown_and_do_not_count(session, company, kessler):
    company.entry(kessler, None, None, at(25))
    company.entry(kessler, 9, None, at(26))
    month = opened(session, kessler)
    assert [e.standing for e in month.entries[-2:]] == [Standing.RUNNING, Standing.UNTREATED]
    assert month.row.used == 35


def test_months_before_the_books_are_not_billed(session, company, kessler):
    close(session)
    company.entry(kessler, 5, at=at(3, month=8))
    assert row(session, kessler, date(2026, 8, 1)).state is MonthState.NOT_BILLED


def test_a_month_before_the_first_or_after_this_one_is_unknown(session, company, kessler):
    assert ledger.month(session, kessler.id, date(2026, 8, 1), IN_NOVEMBER) is None
    assert ledger.month(session, kessler.id, date(2026, 12, 1), IN_NOVEMBER) is None
    assert ledger.months(session, company.customer().id, IN_NOVEMBER).rows == ()


def test_months_come_by_twelve_and_their_queries_do_not_grow(session, company):
    customer, other = company.customer(), company.customer()
    company.support(customer, starts_on=date(2024, 2, 1))
    company.support(other, starts_on=OCTOBER)
    for year, month in [(2024, 3), (2025, 4), (2026, 5)]:
        for day in range(1, 20):
            company.entry(customer, 10, at=datetime(year, month, day, 9, tzinfo=BERLIN))
    with queries() as few:
        assert len(ledger.months(session, other.id, IN_NOVEMBER).rows) == 2
    with queries() as many:
        page = ledger.months(session, customer.id, IN_NOVEMBER)
    assert [page.rows[0].month, page.rows[-1].month, page.older] == [
        NOVEMBER,
        date(2025, 12, 1),
        NOVEMBER.replace(year=2025),
    ]
    assert len(many) == len(few) <= 12
    older = ledger.months(session, customer.id, IN_NOVEMBER, upto=page.older)
    last = ledger.months(session, customer.id, IN_NOVEMBER, upto=older.older)
    assert last.rows[-1].month == date(2024, 2, 1)
    assert last.older is None
    with queries() as few:
        opened(session, other, OCTOBER)
    with queries() as many:
        opened(session, customer, date(2026, 5, 1))
    assert len(many) == len(few)


@settings(on_the_database, max_examples=20)
@given(companies())
def test_on_random_books_every_sum_is_the_settlement_and_the_invoice(context, generated):
    month, customers = generated
    empty(context)
    with transaction() as session:
        write(Company(session), customers)
    today = next_month(month)
    preview = ledgers(month, today)
    posted = close_all(month)
    settled = {row["customer"]: row for row in posted["settlements"]}
    after = ledgers(month, today)
    with transaction() as session:
        billed = time_lines(session, month)
    for number, (found, entries) in after.items():
        assert figures(found) == figures(preview[number][0])
        if found.state is not MonthState.POSTED:
            continue
        known = settled.get(number, {})
        assert found.used == known.get("used_minutes", 0)
        assert found.included == known.get("included_minutes", 0)
        assert found.overage == known.get("overage_minutes", 0)
        assert found.expired == known.get("expired_minutes", 0)
        assert found.net_cents == billed.get(number, 0)
        counting = [entry for entry in entries if entry.counts]
        assert sum(e.minutes for e in counting if e.draws) == found.used
        assert sum(e.draw.charged for e in counting if e.draws) == found.overage
        overage = sum(contract.overage_cents for contract in found.contracts)
        assert sum(e.amount_cents for e in counting) == overage + found.separate_cents
        goodwill = sum(e.minutes for e in counting if e.treatment is Treatment.GOODWILL)
        assert goodwill == found.goodwill_minutes


def ledgers(month: date, today: date) -> dict:
    with transaction() as session:
        found = {}
        for customer in session.execute(select(Customer)).scalars():
            if known := ledger.month(session, customer.id, month, today):
                found[customer.number] = known, ledger_month.entries(session, customer.id, known)
        return found


def time_lines(session: Session, month: date) -> dict[str, int]:
    rows = session.execute(
        select(Customer.number, func.sum(InvoiceLine.net_cents))
        .select_from(InvoiceLine)
        .join(ledger_month.Invoice, ledger_month.Invoice.id == InvoiceLine.invoice_id)
        .join(Customer, Customer.id == ledger_month.Invoice.customer_id)
        .where(InvoiceLine.service_month == month, InvoiceLine.kind.in_(("package_fee", "overage", "separate")))
        .group_by(Customer.number)
    )
    return {number: int(cents) for number, cents in rows}


def test_the_time_record_holds_what_counts_and_its_sums(session, company, kessler):
    company.entry(kessler, 9, at=at(21), note="=HYPERLINK(1)")
    close(session)
    company.entry(kessler, 4, at=at(22))
    month = opened(session, kessler)
    content = time_records.record(session, kessler.number, SEPTEMBER, IN_NOVEMBER).decode("utf-8-sig")
    lines = [line.split(";") for line in content.split("\r\n")[1:-1]]
    assert len(lines) == len(month.counting) == 6
    assert sum(int(line[6]) for line in lines if line[8]) == month.row.used
    assert lines[3][6:] == ["12", "Paket", "0", "5", "7,50"]
    assert lines[0][:3] == ["02.09.2026", "09:00", "09:08"]
    assert all(month_of(date(2026, int(line[0][3:5]), 1)) == SEPTEMBER for line in lines)
    assert close_document.posted(session, SEPTEMBER)["settlements"][0]["used_minutes"] == month.row.used
