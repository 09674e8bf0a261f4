"""A month closes: what is refused, who is parked, what is posted, and that it happens once."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.models import Invoice, InvoiceLine, Price, Setting
from ptdash.services import books, checks, close_document, period_close
from tests.company import Company
from tests.conftest import NOW

SEPTEMBER = date(2026, 9, 1)
OCTOBER = date(2026, 10, 1)
TODAY = date(2026, 10, 5)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def close(session: Session, month: date = SEPTEMBER, today: date = TODAY) -> dict:
    run, blockers = books.begin(session, month, today, actor_id=None, now=NOW)
    assert blockers == []
    if run is not None:
        period_close.post(session, run.id, books.pending(session, run.id), now=NOW)
        books.finish(session, run.id, now=NOW)
    return close_document.posted(session, month)


def codes(session: Session, month: date, today: date = TODAY) -> list[tuple[str, str]]:
    run, blockers = books.begin(session, month, today, actor_id=None, now=NOW)
    assert run is None
    return [(blocker.code, blocker.params["subject"]) for blocker in blockers]


def unnumbered(document: dict) -> dict:
    invoices = [invoice | {"number": None} for invoice in document["invoices"]]
    return document | {"state": None, "invoices": invoices}


# Refused as a whole ----------------------------------------------------------------------------------


def test_a_month_that_is_not_over_is_refused(session, company):
    assert codes(session, OCTOBER) == [("month_not_over", "2026-10")]


def test_a_missing_rate_is_refused_even_where_nobody_needs_it(session, company):
    session.delete(session.get(Price, ("overage_minute", date(2024, 1, 1))))
    session.flush()
    assert codes(session, SEPTEMBER) == [("missing_rate", "overage_minute")]


@pytest.mark.parametrize("field", ["name", "street", "postal_code", "city", "iban", "vat_id"])
def test_missing_company_data_are_refused(session, company, field):
    session.delete(session.get(Setting, f"company.{field}"))
    session.flush()
    assert codes(session, SEPTEMBER) == [("missing_company_data", field)]


def test_an_earlier_month_has_to_be_closed_first(session, company):
    customer = company.customer()
    company.entry(customer, treatment=None)
    close(session)
    assert codes(session, OCTOBER, date(2026, 11, 2)) == [("earlier_month_open", "2026-09")]


def test_months_before_the_books_are_refused(session, company):
    close(session)
    assert codes(session, date(2026, 8, 1)) == [("before_the_books", "2026-09")]


def test_a_refused_run_writes_nothing(session, company):
    codes(session, OCTOBER)
    assert books.begins_on(session) is None
    assert books.state(session, OCTOBER) == "open"


# Parked ----------------------------------------------------------------------------------------------


def parked(document: dict) -> dict[str, str]:
    return {row["customer"]: row["code"] for row in document["parked"]}


def test_a_running_timer_parks_its_customer_and_nobody_else(session, company):
    timed, other = company.customer(), company.customer()
    company.entry(timed, minutes=None)
    company.support(other)
    document = close(session)
    assert parked(document) == {timed.number: "running_timer"}
    assert [invoice["customer"] for invoice in document["invoices"]] == [other.number]
    assert document["state"] == "closing"


def test_an_entry_without_treatment_parks(session, company):
    customer = company.customer()
    company.entry(customer, treatment=None)
    assert parked(close(session)) == {customer.number: "missing_treatment"}


def test_a_missing_address_parks_only_where_there_is_something_to_bill(session, company):
    billed, idle = company.customer(street=" "), company.customer(street="")
    company.support(billed)
    document = close(session)
    assert parked(document) == {billed.number: "missing_address"}
    assert idle.number not in str(document)


def test_an_unclear_vat_parks_until_a_person_decides(session, company):
    swiss = company.customer(country="CH")
    company.support(swiss)
    assert parked(close(session)) == {swiss.number: "unclear_vat"}
    swiss.vat_decision, swiss.vat_reason = "reverse_charge", "Leistungsort Schweiz"
    session.flush()
    assert parked(close(session)) == {swiss.number: "missing_vat_id"}, "it has to stand on the invoice"
    swiss.vat_id = "CHE123456788"
    session.flush()
    document = close(session)
    assert document["state"] == "closed"
    assert [(i["net_cents"], i["vat_cents"]) for i in document["invoices"]] == [(4000, 0)]


@pytest.mark.parametrize(
    ("country", "vat_id", "consumer", "vat"),
    [("DE", "", False, 760), ("DE", "", True, 760), ("AT", "ATU12345675", False, 0), ("FR", "FR123", False, 0)],
)
def test_vat_follows_the_customer(session, company, country, vat_id, consumer, vat):
    company.support(company.customer(country=country, vat_id=vat_id, is_consumer=consumer))
    assert close(session)["totals"]["vat_cents"] == vat


@pytest.mark.parametrize(
    ("country", "vat_id", "consumer"), [("AT", "", False), ("AT", "ATU1", True), ("US", "X", False)]
)
def test_anybody_else_is_parked(session, company, country, vat_id, consumer):
    company.support(company.customer(country=country, vat_id=vat_id, is_consumer=consumer))
    assert list(parked(close(session)).values()) == ["unclear_vat"]


def test_trying_again_posts_what_was_mended_and_keeps_what_was_posted(session, company):
    timed, other = company.customer(), company.customer()
    company.support(timed)
    company.support(other)
    timer = company.entry(timed, minutes=None)
    first = close(session)
    timer.ended_at = timer.started_at + timedelta(minutes=41)
    session.flush()
    second = close(session, today=date(2026, 10, 9))
    numbers = {invoice["customer"]: invoice["number"] for invoice in second["invoices"]}
    assert numbers == {other.number: first["invoices"][0]["number"], timed.number: "RE-2026-00002"}
    issued = dict(session.execute(select(Invoice.number, Invoice.issued_on)).all())
    assert issued == {"RE-2026-00001": TODAY, "RE-2026-00002": date(2026, 10, 9)}
    assert second["state"] == "closed"


# Posted ----------------------------------------------------------------------------------------------


def test_preview_and_close_give_the_same_document(session, company):
    customer = company.customer()
    contract = company.maintenance(customer)
    company.include(contract, company.device(customer))
    company.support(customer)
    company.entry(customer, 43)
    company.entry(customer, 7, "separate")
    company.material(customer)
    preview = close_document.preview(session, SEPTEMBER, TODAY)
    posted = close(session)
    assert (preview["state"], posted["state"]) == ("preview", "closed")
    assert unnumbered(preview) == unnumbered(posted)
    assert posted["invoices"][0]["lines"][1] == {
        "kind": "overage",
        "contract": preview["settlements"][0]["contract"],
        "quantity": "13",
        "unit": "minute",
        "unit_price": "1.5000",
        "net_cents": 1950,
        "vat_rate": "19.00",
        "service_from": "2026-09-01",
        "service_until": "2026-09-30",
        "description": f"Mehrminuten, {preview['settlements'][0]['contract']}",
    }


def test_a_preview_writes_nothing(session, company):
    company.support(company.customer())
    close_document.preview(session, SEPTEMBER, TODAY)
    assert not session.new
    assert not session.dirty
    assert books.state(session, SEPTEMBER) == "open"


def test_closing_a_closed_month_writes_nothing_and_answers_the_same(session, company):
    company.support(company.customer())
    assert close(session) == close(session)
    assert len(session.execute(select(Invoice)).all()) == 1


def test_a_customer_without_anything_to_bill_is_posted_without_an_invoice(session, company):
    company.entry(company.customer(), 20, "goodwill")
    document = close(session)
    assert (document["state"], document["invoices"]) == ("closed", [])


def test_posting_the_same_customers_again_does_nothing(session, company):
    company.support(company.customer())
    run, _ = books.begin(session, SEPTEMBER, TODAY, actor_id=None, now=NOW)
    waiting = books.pending(session, run.id)
    assert period_close.post(session, run.id, waiting, now=NOW) == 1
    assert period_close.post(session, run.id, waiting, now=NOW) == 0


def test_a_failure_that_comes_late_does_not_park_who_is_posted(session, company):
    customer = company.customer()
    company.support(customer)
    run, _ = books.begin(session, SEPTEMBER, TODAY, actor_id=None, now=NOW)
    period_close.post(session, run.id, [customer.id], now=NOW)
    period_close.park_failed(session, run.id, customer.id, "ab12")
    assert books.finish(session, run.id, now=NOW)
    assert parked(close_document.posted(session, SEPTEMBER)) == {}


def test_numbers_are_gapless_over_the_months_of_a_year_and_start_anew_with_the_next(session, company):
    for _ in range(3):
        company.support(company.customer())
    months = [(date(2026, 11, 1), date(2026, 12, 3)), (date(2026, 12, 1), date(2027, 1, 4))]
    numbers = [i["number"] for month, today in months for i in close(session, month, today)["invoices"]]
    assert sorted(numbers) == [f"RE-{year}-0000{n}" for year in (2026, 2027) for n in (1, 2, 3)]


def test_the_invoice_keeps_copies_of_buyer_and_seller(session, company):
    customer = company.customer(name="Bäckerei Große")
    company.support(customer)
    close(session)
    customer.name, customer.city = "Bäckerei Klein", "Köln"
    session.flush()
    invoice = session.execute(select(Invoice)).scalar_one()
    assert (invoice.buyer["name"], invoice.buyer["city"]) == ("Bäckerei Große", "Münster")
    assert invoice.seller["name"] == "premium technologies GmbH"
    assert invoice.due_on == TODAY + timedelta(days=14)


def test_an_entry_belongs_to_the_berlin_month_in_which_it_starts(session, company):
    customer = company.customer()
    company.entry(customer, 30, "separate", datetime(2026, 8, 31, 23, 50, tzinfo=BERLIN))
    company.entry(customer, 10, "separate", datetime(2026, 9, 30, 23, 55, tzinfo=BERLIN))
    line = close(session)["invoices"][0]["lines"][0]
    assert (line["kind"], line["quantity"]) == ("separate", "10")


def test_earlier_time_is_not_billed_and_the_preview_says_so(session, company):
    customer = company.customer()
    company.entry(customer, 30, "separate", datetime(2026, 8, 20, 9, tzinfo=BERLIN))
    preview = close_document.preview(session, SEPTEMBER, TODAY)
    assert preview["not_billed"] == [{"month": "2026-08", "entries": 1, "minutes": 30, "materials": 0}]
    assert preview["invoices"] == []


def test_every_line_keeps_what_explains_it(session, company):
    customer = company.customer()
    company.support(customer)
    company.entry(customer, 35)
    close(session)
    overage = session.execute(select(InvoiceLine).where(InvoiceLine.kind == "overage")).scalar_one()
    assert {k: overage.explanation[k] for k in ("included_minutes", "used_minutes", "overage_minutes")} == {
        "included_minutes": 30,
        "used_minutes": 35,
        "overage_minutes": 5,
    }


def test_the_books_pass_every_check_after_a_close(session, company):
    customer = company.customer()
    company.support(customer)
    company.entry(customer, 35)
    company.entry(customer, 35, "separate")
    close(session)
    report = checks.run(session)
    assert report["ok"], report
    counts = {check["name"]: check["checked"] for check in report["checks"]}
    assert (counts["minutes_conserved"], counts["settlement_sums"], counts["invoice_sums"]) == (2, 1, 1)


def test_late_time_is_taken_by_no_posting_yet_and_disturbs_no_check(session, company):
    customer = company.customer()
    company.support(customer)
    close(session)
    late = company.entry(customer, 50)
    session.refresh(late)
    assert late.posting_n == 2
    assert checks.run(session)["ok"]
