"""What a manager mends and adds: invoice data, treatments, material, credits."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.countries import CountryUnreadable, VatIdUnreadable
from ptdash.domain.minutes import Treatment
from ptdash.models import AuditEvent, Material
from ptdash.services import checks, customers, materials, time_entries
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_adjustments import IN_NOVEMBER, OCTOBER, SEPTEMBER, issued_for, kinds
from tests.services.test_period_close import close, parked

DAY = date(2026, 9, 20)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def changed(customer, **values) -> customers.InvoiceData:
    facts = customers.invoice_data(customer).__dict__
    return customers.InvoiceData(**(facts | values))


def test_a_decision_on_vat_is_stored_with_its_reason_and_the_month_goes_on(session, company):
    swiss = company.customer(country="CH", vat_id="CHE123456788")
    company.support(swiss)
    assert parked(close(session)) == {swiss.number: "unclear_vat"}
    decided = changed(swiss, vat_decision="reverse_charge", vat_reason="Leistungsort Schweiz")
    customers.change_invoice_data(session, swiss.number, decided, actor_id=None, now=NOW)
    assert kinds(close(session)) == [("package_fee", 4000)]
    event = session.execute(select(AuditEvent).where(AuditEvent.subject == "customer")).scalar_one()
    assert event.after == {"vat_decision": "reverse_charge", "vat_reason": "Leistungsort Schweiz"}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"street": " "}, customers.FieldMissing),
        ({"country": "Deutschland"}, CountryUnreadable),
        ({"country": "XX"}, CountryUnreadable),
        ({"vat_id": "123456789"}, VatIdUnreadable),
        ({"vat_id": "QQ123456789"}, VatIdUnreadable),
        ({"vat_decision": "standard", "vat_reason": " "}, customers.VatReasonMissing),
    ],
)
def test_what_an_invoice_cannot_do_without_is_asked_for(session, company, values, error):
    customer = company.customer()
    with pytest.raises(error):
        customers.change_invoice_data(
            session, customer.number, changed(customer, **values), actor_id=None, now=NOW
        )


def test_a_treatment_is_chosen_until_its_month_is_posted(session, company):
    customer = company.customer()
    entry = company.entry(customer, 12, None)
    assert [row[0].id for row in time_entries.untreated(session, customer.number)] == [entry.id]
    with pytest.raises(time_entries.GoodwillWithoutReason):
        time_entries.choose_treatment(session, entry.id, Treatment.GOODWILL, " ", actor_id=None, now=NOW)
    time_entries.choose_treatment(session, entry.id, Treatment.SEPARATE, "", actor_id=None, now=NOW)
    assert kinds(close(session)) == [("separate", 2000)]
    with pytest.raises(time_entries.AlreadyPosted):
        time_entries.choose_treatment(session, entry.id, Treatment.PACKAGE, "", actor_id=None, now=NOW)


def add(session: Session, company: Company, customer, net: str, **more) -> Material:
    values = {
        "day": DAY,
        "description": "SSD 1 TB",
        "quantity": Decimal(1),
        "reason": "",
        "may_credit": False,
    } | more
    ticket = company.ticket(customer)
    return materials.add(session, ticket.id, net=Decimal(net), actor_id=None, now=NOW, **values)


def test_material_is_billed_in_the_month_of_its_day(session, company):
    customer = company.customer()
    add(session, company, customer, "34.50", quantity=Decimal(2))
    assert kinds(close(session)) == [("material", 6900)]
    assert [row[2] for row in materials.of_customer(session, customer.number)] == [True]


@pytest.mark.parametrize(
    ("net", "more", "error"),
    [
        ("10", {"description": " "}, materials.DescriptionMissing),
        ("10", {"quantity": Decimal(0)}, materials.QuantityNotPositive),
        ("-10", {"reason": "Kulanz"}, materials.CreditNeedsManager),
        ("-10", {"may_credit": True}, materials.CreditWithoutReason),
    ],
)
def test_material_is_refused_with_its_reason(session, company, net, more, error):
    with pytest.raises(error):
        add(session, company, company.customer(), net, **more)


def test_a_credit_takes_no_more_than_the_invoice_holds_and_the_rest_waits(session, company):
    customer = company.customer()
    company.support(customer)
    add(session, company, customer, "-65.00", may_credit=True, reason="Entschuldigung")
    assert kinds(close(session)) == [("package_fee", 4000), ("material", -6500), ("adjustment", 2500)]
    assert checks.run(session)["ok"]
    assert kinds(close(session, OCTOBER, IN_NOVEMBER)) == [("package_fee", 4000), ("adjustment", -2500)]
    assert issued_for(session, SEPTEMBER) == -2500
    assert checks.run(session)["ok"]
