"""When it does not go well: late entries, reversals, cancellations, months set aside. One formula for all:
owed by the facts minus all issued lines of the service month."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.models import (
    Contract,
    ContractNotice,
    Customer,
    CustomerMonth,
    Invoice,
    InvoiceLine,
    Settlement,
    Ticket,
    TimeEntry,
)
from ptdash.services import (
    books,
    cancellations,
    checks,
    close_document,
    contracts,
    period_close,
    statements,
)
from ptdash.services.tickets import moving
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import close, parked, unnumbered

SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
IN_OCTOBER, IN_NOVEMBER, IN_DECEMBER = date(2026, 10, 5), date(2026, 11, 4), date(2026, 12, 3)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def october(session: Session) -> dict:
    preview = close_document.preview(session, OCTOBER, IN_NOVEMBER)
    posted = close(session, OCTOBER, IN_NOVEMBER)
    assert unnumbered(preview) == unnumbered(posted)
    assert checks.run(session)["ok"], checks.run(session)
    return posted


def kinds(document: dict) -> list[tuple[str, int]]:
    return [(line["kind"], line["net_cents"]) for invoice in document["invoices"] for line in invoice["lines"]]


def again(session: Session, customer_number: str, month: date = SEPTEMBER) -> dict:
    run = cancellations.bill_again(
        session, customer_number, month, business_day=IN_NOVEMBER, actor_id=None, now=NOW
    )
    period_close.post(session, run.id, books.pending(session, run.id), now=NOW)
    assert books.finish(session, run.id, now=NOW)
    return close_document.posted(session, month)


def storno(session: Session, number: str) -> str:
    return cancellations.cancel(
        session, number, "Falscher Preis", business_day=IN_NOVEMBER, actor_id=None, now=NOW
    )


def issued_for(session: Session, month: date) -> int:
    lines = session.execute(select(InvoiceLine.net_cents).where(InvoiceLine.service_month == month)).scalars()
    return sum(lines)


# Late entries ----------------------------------------------------------------------------------------


def test_late_minutes_become_an_adjustment_line_that_names_month_and_invoice(session, company):
    customer = company.customer()
    contract = company.support(customer)
    company.entry(customer, 20)
    close(session)
    company.entry(customer, 14)
    document = october(session)
    assert kinds(document) == [("package_fee", 4000), ("adjustment", 600)]
    line = document["invoices"][0]["lines"][1]
    assert line["description"] == "Anpassung September 2026 zu RE-2026-00001"
    assert (line["service_from"], line["service_until"]) == ("2026-09-01", "2026-09-30")
    why = session.execute(select(InvoiceLine.explanation).where(InvoiceLine.kind == "adjustment")).scalar_one()
    assert (why["issued_cents"], why["owed_cents"], why["waits_cents"]) == (4000, 4600, 0)
    assert [(m["contract"], m["used_minutes"], m["overage_minutes"]) for m in why["before"] + why["after"]] == [
        (contract.number, 20, 0),
        (contract.number, 34, 4),
    ]
    assert [(e["minutes"], e["treatment"]) for e in why["late"]] == [(14, "package")]


def test_late_minutes_within_the_package_cost_nothing_and_are_settled_all_the_same(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.entry(customer, 14)
    assert kinds(october(session)) == [("package_fee", 4000)]
    rows = session.execute(
        select(Settlement.n, Settlement.used_minutes).where(Settlement.month == SEPTEMBER)
    ).all()
    assert sorted(rows) == [(1, 0), (2, 14)]


def test_a_customer_with_nothing_but_a_late_entry_gets_an_invoice_for_it(session, company):
    customer = company.customer()
    close(session)
    company.entry(customer, 6, "separate")
    assert kinds(october(session)) == [("adjustment", 1000)]


def test_late_material_too(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.material(customer, "34.50", "2")
    assert kinds(october(session)) == [("package_fee", 4000), ("adjustment", 6900)]


def test_a_late_entry_without_treatment_parks_the_next_month(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.entry(customer, 5, None)
    assert parked(close(session, OCTOBER, IN_NOVEMBER)) == {customer.number: "missing_treatment"}


def test_what_was_taken_is_not_late_again(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.entry(customer, 40)
    october(session)
    assert kinds(close(session, NOVEMBER, IN_DECEMBER)) == [("package_fee", 4000)]


# Reversals -------------------------------------------------------------------------------------------


def reverse(company: Company, entry: TimeEntry, replacement_minutes: int | None = None) -> None:
    """Take an entry back, and put one of other length in its place."""
    customer = company.session.get_one(Customer, entry.customer_id)
    ticket = company.session.get_one(Ticket, entry.ticket_id)
    lasts = entry.ended_at - entry.started_at
    same = (entry.treatment, entry.started_at)
    company.entry(customer, None, *same, ticket=ticket, lasts=lasts, reverses_id=entry.id)
    if replacement_minutes:
        company.entry(customer, replacement_minutes, *same, ticket=ticket)


def test_a_reversal_with_replacement_gives_back_what_was_too_much(session, company):
    customer = company.customer()
    company.support(customer)
    entry = company.entry(customer, 43)
    close(session)
    reverse(company, entry, 34)
    document = october(session)
    assert kinds(document) == [("package_fee", 4000), ("adjustment", -1350)]
    assert issued_for(session, SEPTEMBER) == 4600


def test_what_the_lines_do_not_cover_waits_for_the_next_month(session, company):
    customer = company.customer()
    company.support(customer, "S")
    entry = company.entry(customer, 40)
    close(session)
    reverse(company, entry)
    assert kinds(october(session)) == [("package_fee", 1500), ("adjustment", -1500)]
    november = close(session, NOVEMBER, IN_DECEMBER)
    assert kinds(november) == [("package_fee", 1500), ("adjustment", -1500)]
    december = close(session, date(2026, 12, 1), date(2027, 1, 4))
    assert kinds(december) == [("package_fee", 1500), ("adjustment", -1500)]
    assert issued_for(session, SEPTEMBER) == 1500
    assert checks.run(session)["ok"]


def test_a_customer_who_has_left_gets_a_correction_invoice(session, company):
    customer = company.customer()
    company.support(customer, ends_before=OCTOBER)
    entry = company.entry(customer, 43)
    close(session)
    reverse(company, entry)
    document = october(session)
    assert kinds(document) == [("adjustment", -1950)]
    assert document["invoices"][0]["gross_cents"] == -2321
    assert issued_for(session, SEPTEMBER) == 4000


# An end that becomes known later ---------------------------------------------------------------------


def test_a_notice_recorded_late_gives_back_the_days_after_the_end(session, company):
    customer = company.customer()
    contract = company.support(customer)
    company.maintenance(customer, "40.00")
    close(session)
    session.add(
        ContractNotice(
            contract_id=contract.id,
            received_on=date(2026, 9, 12),
            kind="extraordinary",
            ends_on=date(2026, 9, 15),
            channel="letter",
        )
    )
    session.flush()
    contracts.store_ends(session, [contract.id])
    assert kinds(october(session)) == [("maintenance_fee", 4000), ("adjustment", -2000)]


def test_a_contract_that_had_ended_before_the_month_is_not_settled_in_it(session, company):
    customer = company.customer()
    contract = company.support(customer)
    company.maintenance(customer, "40.00")
    assert [s["contract"] for s in close(session)["settlements"]] == [contract.number]
    session.add(
        ContractNotice(
            contract_id=contract.id,
            received_on=date(2026, 8, 12),
            kind="extraordinary",
            ends_on=date(2026, 8, 31),
            channel="letter",
        )
    )
    session.flush()
    contracts.store_ends(session, [contract.id])
    assert kinds(october(session)) == [("maintenance_fee", 4000), ("adjustment", -4000)]
    assert close_document.posted(session, SEPTEMBER)["settlements"] == []


def test_a_contract_that_becomes_known_late_is_billed_for_the_months_before(session, company):
    customer = company.customer()
    company.maintenance(customer, "40.00")
    close(session)
    company.support(customer, starts_on=date(2026, 9, 16))
    assert kinds(october(session)) == [("package_fee", 4000), ("maintenance_fee", 4000), ("adjustment", 2000)]


# Storno and billing again ----------------------------------------------------------------------------


def test_a_storno_turns_its_invoice_round_under_its_own_number(session, company):
    customer = company.customer()
    company.support(customer)
    company.entry(customer, 43)
    close(session)
    assert storno(session, "RE-2026-00001") == "RE-2026-00002"
    turned = session.execute(select(Invoice).where(Invoice.kind == "storno")).scalar_one()
    assert (turned.net_cents, turned.vat_cents, turned.gross_cents) == (-5950, -1131, -7081)
    assert (turned.issued_on, turned.buyer["number"]) == (IN_NOVEMBER, customer.number)
    lines = session.execute(select(InvoiceLine).where(InvoiceLine.invoice_id == turned.id)).scalars().all()
    assert [(line.kind, line.quantity, line.unit_price) for line in lines] == [
        ("cancellation", -1, 40),
        ("cancellation", -13, 1.5),
    ]
    assert issued_for(session, SEPTEMBER) == 0
    assert checks.run(session)["ok"]
    cancelled = statements.issued(session, "RE-2026-00001")
    assert (cancelled.cancelled_by, cancelled.waits) == (("RE-2026-00002", "Falscher Preis"), True)
    assert statements.issued(session, "RE-2026-00002").cancels == "RE-2026-00001"


def test_billing_again_gives_the_whole_month_as_the_second_revision(session, company):
    customer = company.customer()
    company.support(customer)
    entry = company.entry(customer, 43)
    close(session)
    storno(session, "RE-2026-00001")
    reverse(company, entry, 33)
    document = again(session, customer.number)
    assert kinds(document) == [
        ("package_fee", 4000),
        ("overage", 1950),
        ("cancellation", -4000),
        ("cancellation", -1950),
        ("package_fee", 4000),
        ("overage", 450),
    ]
    bill = session.execute(select(Invoice).where(Invoice.number == "RE-2026-00003")).scalar_one()
    assert (bill.period, bill.revision, bill.issued_on) == (SEPTEMBER, 2, IN_NOVEMBER)
    assert checks.run(session)["ok"]
    assert kinds(october(session)) == [("package_fee", 4000)]


def test_a_cancelled_month_is_billed_by_the_next_run_under_its_own_period(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    storno(session, "RE-2026-00001")
    document = october(session)
    assert [(i["period"], i["net_cents"]) for i in document["invoices"]] == [("2026-09", 4000), ("2026-10", 4000)]


def test_a_package_can_be_mended_in_a_cancelled_month(session, company):
    customer = company.customer()
    contract = company.support(customer)
    close(session)
    storno(session, "RE-2026-00001")
    session.execute(update(Contract).where(Contract.id == contract.id).values(package="S"))
    assert kinds(again(session, customer.number))[-1] == ("package_fee", 1500)


def test_cancelling_an_invoice_with_an_adjustment_opens_both_months(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.entry(customer, 40)
    october(session)
    storno(session, "RE-2026-00002")
    assert issued_for(session, SEPTEMBER) == 4000
    again(session, customer.number, OCTOBER)
    november = close(session, NOVEMBER, IN_DECEMBER)
    assert kinds(november) == [("package_fee", 4000), ("adjustment", 1500)]
    assert issued_for(session, SEPTEMBER) == 5500
    assert checks.run(session)["ok"]


def test_what_stands_elsewhere_for_a_month_is_taken_off_when_it_is_billed_again(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    company.entry(customer, 40)
    october(session)
    storno(session, "RE-2026-00001")
    document = again(session, customer.number)
    assert kinds(document)[-3:] == [("package_fee", 4000), ("overage", 1500), ("adjustment", -1500)]
    assert issued_for(session, SEPTEMBER) == 5500
    assert checks.run(session)["ok"]


def test_a_second_storno_is_refused_and_so_is_one_of_a_storno(session, company):
    company.support(company.customer())
    close(session)
    second = storno(session, "RE-2026-00001")
    with pytest.raises(cancellations.AlreadyCancelled):
        storno(session, "RE-2026-00001")
    with pytest.raises(cancellations.StornoIsFinal):
        storno(session, second)
    with pytest.raises(books.ReasonMissing):
        cancellations.cancel(session, "RE-2026-00001", " ", business_day=IN_NOVEMBER, actor_id=None, now=NOW)


def test_a_month_whose_bill_stands_is_not_billed_again(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    with pytest.raises(cancellations.NothingToBillAgain):
        again(session, customer.number)


def test_a_vat_decision_changes_only_what_is_billed_again(session, company):
    decided = {"vat_decision": "standard", "vat_reason": "Kein Nachweis"}
    swiss = company.customer(country="CH", vat_id="CHE123456788", **decided)
    company.support(swiss)
    close(session)
    swiss.vat_decision, swiss.vat_reason = "reverse_charge", "Nachweis liegt vor"
    session.flush()
    company.entry(swiss, 40)
    document = october(session)
    rates = [(line["kind"], line["vat_rate"]) for line in document["invoices"][0]["lines"]]
    assert rates == [("package_fee", "0.00"), ("adjustment", "19.00")]


# Set aside, and customers that come later ------------------------------------------------------------


def set_aside(session: Session, customer_id: int) -> None:
    session.execute(
        update(CustomerMonth)
        .where(CustomerMonth.customer_id == customer_id)
        .values(park_code=None, park_params=None, set_aside_reason="Anschrift wird geklärt")
    )


def test_a_month_set_aside_is_billed_by_the_next_run_oldest_first(session, company):
    customer = company.customer(street="")
    company.support(customer)
    close(session)
    set_aside(session, customer.id)
    assert books.state(session, SEPTEMBER) == "closed"
    customer.street = "Ringstraße 1"
    session.flush()
    document = october(session)
    assert [(i["period"], i["number"]) for i in document["invoices"]] == [
        ("2026-09", "RE-2026-00001"),
        ("2026-10", "RE-2026-00002"),
    ]


def test_or_alone(session, company):
    customer = company.customer(street="")
    company.support(customer)
    close(session)
    set_aside(session, customer.id)
    customer.street = "Ringstraße 1"
    session.flush()
    assert kinds(again(session, customer.number)) == [("package_fee", 4000)]


def test_while_it_is_blocked_the_later_months_are_parked(session, company):
    customer = company.customer()
    company.support(customer)
    company.entry(customer, 5, None)
    close(session)
    set_aside(session, customer.id)
    document = close(session, OCTOBER, IN_NOVEMBER)
    assert parked(document) == {customer.number: "earlier_month_blocked"}
    (told,) = [item["message"] for item in document["parked"]]
    assert "(2026-09)" in told and "Time entries without a treatment: 1" in told


def test_a_customer_entered_after_the_close_gets_the_months_it_was_there_and_no_other(session, company):
    company.support(company.customer())
    close(session, date(2026, 8, 1), date(2026, 9, 2))
    close(session)
    late = company.customer()
    company.support(late, starts_on=date(2026, 9, 16))
    document = october(session)
    mine = [(i["period"], i["net_cents"]) for i in document["invoices"] if i["customer"] == late.number]
    assert mine == [("2026-09", 2000), ("2026-10", 4000)]


def test_an_entry_moves_to_its_place_in_a_year_with_another_series(session, company):
    """A Storno in January of an invoice of December takes a number of its own year."""
    company.support(company.customer())
    close(session, NOVEMBER, IN_DECEMBER)
    number = cancellations.cancel(
        session, "RE-2026-00001", "Irrtum", business_day=date(2027, 1, 8), actor_id=None, now=NOW
    )
    assert number == "RE-2027-00001"
    assert checks.run(session)["ok"]


def test_late_time_over_the_end_of_the_month_stays_in_the_month_it_began(session, company):
    customer = company.customer()
    close(session)
    at = datetime(2026, 9, 30, 23, 50, tzinfo=BERLIN)
    company.entry(customer, None, "separate", at, lasts=timedelta(minutes=20))
    company.entry(customer, 10, "separate", datetime(2026, 9, 30, 22, 0, tzinfo=UTC))
    document = october(session)
    assert [(line["kind"], line["net_cents"]) for line in document["invoices"][0]["lines"]] == [
        ("separate", 1667),
        ("adjustment", 3333),
    ]


# A ticket that was another customer's ---------------------------------------------------------------


def test_a_moved_ticket_takes_its_time_along_and_what_was_posted_is_reversed_and_replaced(session, company):
    wrong, right = company.customer(), company.customer()
    ticket = company.ticket(wrong)
    company.entry(wrong, 30, "separate", ticket=ticket)
    company.entry(wrong, 12, "separate", datetime(2026, 10, 8, 9, tzinfo=BERLIN), ticket=ticket)
    company.support(wrong)
    close(session)
    moving.move(session, ticket.id, right.id, "Falscher Kunde", actor_id=None, now=NOW)
    document = october(session)
    by_customer = {
        invoice["customer"]: [(line["kind"], line["net_cents"]) for line in invoice["lines"]]
        for invoice in document["invoices"]
    }
    assert by_customer == {
        wrong.number: [("package_fee", 4000), ("adjustment", -4000)],
        right.number: [("separate", 2000), ("adjustment", 5000)],
    }
    assert issued_for(session, SEPTEMBER) == 10000


def test_a_move_needs_a_reason_and_leaves_billed_material_alone(session, company):
    wrong, right = company.customer(), company.customer()
    ticket = company.ticket(wrong)
    with pytest.raises(books.ReasonMissing):
        moving.move(session, ticket.id, right.id, " ", actor_id=None, now=NOW)
    material = company.material(wrong)
    close(session)
    with pytest.raises(moving.MaterialPosted):
        moving.move(session, material.ticket_id, right.id, "Falscher Kunde", actor_id=None, now=NOW)
