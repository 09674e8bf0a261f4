"""What the database refuses, whoever asks."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.models import Acceptance, AuditEvent, ContractNotice, Price, TimeEntry
from ptdash.services import audit, checks
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import close

DAY = date(2026, 9, 10)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def refused(session: Session, sql: str, **params) -> str:
    """The SQLSTATE with which the database refuses a statement, checked at once."""
    session.flush()
    with pytest.raises(DBAPIError) as caught:
        if "TRUNCATE" in sql:  # which waits for no deferred check
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.execute(text(sql), params)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    return caught.value.orig.sqlstate


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE time_entries SET treatment = 'goodwill'",
        "UPDATE time_entries SET ended_at = ended_at + interval '1 minute'",
        "DELETE FROM time_entries",
        "UPDATE materials SET quantity = 2",
        "DELETE FROM materials",
        "UPDATE contracts SET package = 'S'",
        "DELETE FROM contracts",
        "INSERT INTO package_changes SELECT id, '2026-09-01', 'L' FROM contracts",
    ],
)
def test_what_a_posting_took_cannot_be_changed(session, company, sql):
    customer = company.customer()
    company.support(customer)
    company.entry(customer)
    company.material(customer)
    close(session)
    assert refused(session, sql) == "PD001"


@pytest.mark.parametrize("table", ["invoices", "invoice_lines", "postings", "settlements", "audit_events"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {} = {}"])
def test_what_is_issued_can_neither_be_changed_nor_deleted(session, company, table, verb):
    customer = company.customer()
    company.support(customer)
    company.entry(customer)
    close(session)
    column = {"invoices": "number", "invoice_lines": "description", "postings": "run_id"}.get(table, "id")
    column = "package" if table == "settlements" else column
    sql = verb.format(table, column, column) if "UPDATE" in verb else verb.format(table)
    if (table, verb[:6]) == ("audit_events", "UPDATE"):
        sql = "UPDATE audit_events SET action = action"
    assert refused(session, sql) == "PD003"


def test_no_line_can_be_added_to_an_issued_invoice(app, session, company):
    company.support(company.customer())
    close(session)
    session.commit()
    later = """INSERT INTO invoice_lines SELECT invoice_id, pos + 1, service_month, kind, contract_id,
               description, quantity, unit, unit_price, net_cents, vat_category, vat_rate, service_from,
               service_until, explanation FROM invoice_lines"""
    assert refused(session, later) == "PD003"


def test_an_invoice_that_does_not_add_up_is_refused(session, company):
    company.support(company.customer())
    close(session)
    more = """INSERT INTO invoice_lines SELECT invoice_id, pos + 1, service_month, 'material', NULL,
              description, 1, unit, 1, 100, vat_category, vat_rate, service_from, service_until, explanation
              FROM invoice_lines"""
    assert refused(session, more) == "23514"


def test_a_number_that_was_not_drawn_is_refused(session, company):
    company.support(company.customer())
    close(session)
    stolen = """INSERT INTO invoices (number, series_year, series_number, customer_id, period, kind, revision,
                run_id, issued_on, due_on, seller, buyer, net_cents, vat_cents, gross_cents)
                SELECT 'RE-2026-00002', 2026, 2, customer_id, period, kind, 2, run_id, issued_on, due_on,
                seller, buyer, net_cents, vat_cents, gross_cents FROM invoices"""
    assert refused(session, stolen) == "23514"


def test_prices_of_a_month_whose_close_has_begun_stay(session, company):
    close(session)
    assert refused(session, "UPDATE prices SET net = 2 WHERE item = 'overage_minute'") == "PD002"


def test_a_price_for_a_begun_month_cannot_be_slipped_in(session, company):
    close(session)
    sql = "INSERT INTO prices (item, valid_from, net) VALUES ('overage_minute', '2026-09-01', 2)"
    assert refused(session, sql) == "PD002"


def test_a_price_for_a_later_month_can_be_entered(session, company):
    close(session)
    company.price("overage_minute", "2", date(2026, 10, 1))
    assert session.get(Price, ("overage_minute", date(2026, 10, 1))).net == 2


def test_one_support_package_at_a_time(session, company):
    customer = company.customer()
    company.support(customer, ends_before=date(2026, 7, 1))
    company.support(customer, starts_on=date(2026, 7, 1))
    with pytest.raises(DBAPIError, match="ex_contracts_one_support_package"):
        company.support(customer, starts_on=date(2026, 9, 1))


def test_a_device_in_one_contract_at_a_time(session, company):
    customer = company.customer()
    device = company.device(customer)
    company.include(company.maintenance(customer), device)
    with pytest.raises(DBAPIError, match="ex_contract_devices_one_contract"):
        company.include(company.maintenance(customer), device)


def accepted(session: Session, company: Company, device_id: int, outcome: str, day: date) -> None:
    session.add(
        Acceptance(device_id=device_id, inspected_on=day, outcome=outcome, inspector_id=company.technician.id)
    )
    session.flush()


@pytest.mark.parametrize("outcomes", [[], ["refused"], ["accepted", "refused"]])
def test_a_foreign_device_needs_a_valid_acceptance(session, company, outcomes):
    customer = company.customer()
    device = company.device(customer, ours=False)
    for n, outcome in enumerate(outcomes):
        accepted(session, company, device.id, outcome, DAY + timedelta(days=n))
    with pytest.raises(DBAPIError, match="no valid acceptance"):
        company.include(company.maintenance(customer), device, included_from=DAY + timedelta(days=9))


def test_an_acceptance_that_a_contract_relies_on_stays(session, company):
    customer = company.customer()
    device = company.device(customer, ours=False)
    accepted(session, company, device.id, "accepted_with_reservations", DAY)
    company.include(company.maintenance(customer), device, included_from=DAY + timedelta(days=1))
    assert refused(session, "UPDATE acceptances SET outcome = 'refused'") == "PD004"


def test_a_device_stays_inside_its_contract(session, company):
    customer = company.customer()
    contract = company.maintenance(customer, ends_before=date(2027, 1, 1))
    with pytest.raises(DBAPIError, match="outside its life"):
        company.include(contract, company.device(customer), ends_before=None)


def test_a_notice_is_withdrawn_and_never_deleted(session, company):
    contract = company.support(company.customer())
    session.add(ContractNotice(contract_id=contract.id, received_on=DAY, kind="ordinary", channel="letter"))
    assert refused(session, "DELETE FROM contract_notices") == "PD003"


def test_one_running_timer_a_person(session, company):
    customer = company.customer()
    company.entry(customer, minutes=None)
    with pytest.raises(DBAPIError, match="uq_time_entries_running_timer"):
        company.entry(customer, minutes=None)


def test_goodwill_needs_its_reason(session, company):
    with pytest.raises(DBAPIError, match="goodwill_reason"):
        company.entry(company.customer(), 5, "goodwill", note=" ")


def test_minutes_are_counted_by_the_database_as_by_the_rule(session, company):
    """Over the night in which the clocks go back."""
    start = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
    row = company.entry(company.customer(), None, at=start, lasts=timedelta(hours=3, seconds=1))
    session.refresh(row)
    assert (row.minutes, row.service_month) == (181, date(2026, 10, 1))


def test_a_reversal_repeats_what_it_reverses(session, company):
    customer = company.customer()
    ticket = company.ticket(customer)
    original = company.entry(customer, 10, ticket=ticket)
    company.entry(customer, 10, ticket=ticket, reverses_id=original.id)
    second = company.entry(customer, 10, ticket=ticket)
    with pytest.raises(DBAPIError, match="differs from what it reverses"):
        company.entry(customer, 10, "separate", ticket=ticket, reverses_id=second.id)


def test_what_is_reversed_stays_as_its_reversal_repeats_it(session, company):
    customer = company.customer()
    ticket = company.ticket(customer)
    original = company.entry(customer, 10, ticket=ticket)
    company.entry(customer, 10, ticket=ticket, reverses_id=original.id)
    sql = "UPDATE time_entries SET treatment = 'separate' WHERE id = :id"
    assert refused(session, sql, id=original.id) == "23514"


@pytest.mark.parametrize("n", [0, 3])
def test_postings_of_a_month_count_up(session, company, n):
    company.support(company.customer())
    close(session)
    sql = (
        "INSERT INTO postings (customer_id, month, n, run_id) SELECT customer_id, month, :n, run_id FROM postings"
    )
    assert refused(session, sql, n=n) == "23514"


def test_time_belongs_to_the_customer_of_its_ticket(session, company):
    ours, other = company.customer(), company.customer()
    session.add(
        TimeEntry(
            ticket_id=company.ticket(ours).id,
            customer_id=other.id,
            technician_id=company.technician.id,
            started_at=NOW,
            ended_at=NOW + timedelta(minutes=5),
            treatment="package",
            note="x",
        )
    )
    assert refused(session, "SELECT 1") == "23514"


def test_the_audit_chain_shows_a_later_change(app, session, company):
    for n in range(3):
        audit.record(session, "change", "setting", n, actor_id=None, now=NOW, after={"net": Decimal("1.5")})
    session.commit()
    assert audit.seal(session) == 3
    session.commit()
    assert checks.audit_chain(session).violations == []
    session.execute(text("SET LOCAL session_replication_role = replica"))
    event = session.query(AuditEvent).order_by(AuditEvent.id).first()
    session.execute(text("UPDATE audit_events SET action = 'delete' WHERE id = :id"), {"id": event.id})
    session.expire_all()
    assert checks.audit_chain(session).violations == [f"audit event {event.id}: the chain is broken at link 1"]


def test_a_seal_stays_valid_for_ever_whatever_reads_the_event(session, company):
    """The hashed text written out: another form of it would break the chain of every database there is."""
    at = datetime(2026, 9, 30, 12, 0, 0, 250_000, tzinfo=UTC)
    values = {"name": 'Grüße, "Ö"\n', "net": Decimal("1.50"), "rate": 0.1, "none": None}
    audit.record(session, "change", "setting", "x", actor_id=None, now=at, before=None, after=values)
    session.commit()
    audit.seal(session)
    event_id, seal = session.execute(text("SELECT event_id, hash FROM audit_seals")).one()
    hashed = (
        '{"action":"change","actor":null,"after":{"name":"Grüße, \\"Ö\\"\\n","net":"1.50","none":null,"rate":0.1},'
        f'"at":1790769600.25,"before":null,"id":{event_id},"subject":["setting","x"]}}'
    )
    assert seal == hashlib.sha256(f"{audit.GENESIS}{hashed}".encode()).hexdigest()
