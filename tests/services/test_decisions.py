"""Decisions about contracts whose term ends, and the contracts that follow."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from ptdash.models import Acceptance, AuditEvent, ContractDecision, ContractDevice, SoftwareAgreement
from ptdash.services import contracts, decisions, notices, renewals
from tests.company import Company
from tests.conftest import NOW

TODAY = date(2026, 11, 17)


@pytest.fixture
def company(session):
    return Company(session)


@pytest.fixture
def ending(session, company):
    """WV-2009 ends on 31 Dec 2026 and does not renew itself."""
    customer = company.customer(name="Hofmann Logistik")
    contract = company.maintenance(
        customer, "412.00", date(2026, 1, 1), number="WV-2009", renewal_months=None,
        active_station_procedure="Vorher anrufen",
    )  # fmt: skip
    contracts.store_ends(session, [contract.id])
    return contract


@pytest.fixture
def decide(session, company):
    def decide(decision, number="WV-2009", today=TODAY, **more):
        actor_id = company.technician.id
        return decisions.decide(session, number, decision, today=today, now=NOW, actor_id=actor_id, **more)

    return decide


def row_of(session, number="WV-2009", today=TODAY):
    return next(row for row in renewals.load(session, today) if row.number == number)


def test_without_automatic_renewal_a_decision_is_asked_for_60_days_ahead(session, ending):
    asked = {day: row_of(session, today=day).needs_decision for day in (date(2026, 10, 31), date(2026, 11, 1))}
    assert asked == {date(2026, 10, 31): False, date(2026, 11, 1): True}
    assert row_of(session, today=date(2026, 12, 31)).needs_decision
    assert not row_of(session, today=date(2027, 1, 1)).needs_decision


def test_what_renews_itself_asks_30_days_before_its_deadline(session, company):
    company.support(company.customer(), number="SV-1")
    asked = [row_of(session, "SV-1", day).needs_decision for day in (date(2026, 10, 30), date(2026, 10, 31))]
    assert asked == [False, True]
    assert row_of(session, "SV-1", date(2026, 12, 1)).asks_on is None


def test_renewing_makes_the_same_contract_once_more(session, company, ending, decide):
    device = company.device(notices.contract_on(session, "WV-2009", TODAY).customer)
    company.include(ending, device, "12.50", ends_before=date(2027, 1, 1))
    company.add(SoftwareAgreement(contract_id=ending.id, product="Lexware", agreement="nur Updates"))
    made = decide("renew")
    assert (made.starts_on, made.ends_before, made.follows_id) == (date(2027, 1, 1), date(2028, 1, 1), ending.id)
    assert (made.kind, made.monthly_fee, made.renewal_months) == ("maintenance", Decimal("412.00"), None)
    assert made.active_station_procedure == "Vorher anrufen"
    (included,) = session.execute(select(ContractDevice).where(ContractDevice.contract_id == made.id)).scalars()
    assert (included.device_id, included.included_from, included.monthly_fee) == (
        device.id, date(2027, 1, 1), Decimal("12.50"),
    )  # fmt: skip
    agreed = session.execute(
        select(SoftwareAgreement.product).where(SoftwareAgreement.contract_id == made.id)
    ).scalars()
    assert list(agreed) == ["Lexware"]
    assert row_of(session).is_decided
    assert row_of(session).successor == made.number


def test_the_number_follows_the_highest_of_its_kind(session, company, ending, decide):
    company.maintenance(company.customer(), number="WV-2100")
    assert decide("renew").number == "WV-2101"


def test_a_successor_changes_nothing_about_the_first_contract(session, ending, decide):
    def without_successor(day):
        return [row for row in contracts.renewals(session, day) if row["contract"] == "WV-2009"]

    days = [TODAY, date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 1)]
    before = [without_successor(day) for day in days]
    decide("renew")
    assert [without_successor(day) for day in days] == before


def test_a_package_is_renewed_as_it_is_at_the_end(session, company, decide):
    contract = company.support(company.customer(), "S", number="SV-7", renewal_months=None, term_months=12)
    contracts.store_ends(session, [contract.id])
    company.package_change(contract, date(2026, 8, 1), "L")
    assert decide("renew", "SV-7").package == "L"


def test_a_device_without_acceptance_keeps_the_contract_from_being_renewed_as_it_is(
    session, company, ending, decide
):
    customer = notices.contract_on(session, "WV-2009", TODAY).customer
    device = company.device(customer, ours=False)
    accepted = company.add(
        Acceptance(
            device_id=device.id,
            inspected_on=date(2025, 12, 1),
            outcome="accepted",
            inspector_id=company.technician.id,
        )
    )
    company.include(ending, device, ends_before=date(2027, 1, 1))
    accepted.revoked_on, accepted.revoke_reason = date(2026, 5, 1), "Gehäuse geöffnet"
    session.flush()
    with pytest.raises(decisions.DevicesNotAccepted, match=device.inventory_number):
        decide("renew")


def test_a_device_that_is_elsewhere_by_then_or_retired_is_not_taken_along(session, company, ending, decide):
    customer = notices.contract_on(session, "WV-2009", TODAY).customer
    here, elsewhere, retired = (company.device(customer) for _ in range(3))
    retired.retired_on = TODAY
    for device in (here, elsewhere, retired):
        company.include(ending, device, ends_before=date(2027, 1, 1))
    company.include(company.maintenance(customer), elsewhere, included_from=date(2027, 1, 1))
    made = decide("renew")
    taken = session.execute(select(ContractDevice).where(ContractDevice.contract_id == made.id)).scalars()
    assert [row.device_id for row in taken] == [here.id]


def test_letting_end_needs_a_reason_and_is_settled(session, ending, decide):
    with pytest.raises(decisions.LetEndReasonMissing):
        decide("let_end")
    assert decide("let_end", reason="Kunde wechselt") is None
    assert not row_of(session).needs_decision
    kept = session.execute(select(ContractDecision)).scalar_one()
    assert (kept.decision, kept.reason, kept.term_ends_on) == ("let_end", "Kunde wechselt", date(2026, 12, 31))
    session.flush()
    written = session.execute(select(AuditEvent).where(AuditEvent.action == "decide")).scalar_one()
    assert written.subject_id == "WV-2009"


def test_who_let_it_end_may_still_renew_it_while_it_runs(session, ending, decide):
    decide("let_end", reason="Kunde wechselt")
    assert decide("renew") is not None
    with pytest.raises(decisions.AlreadyFollowed):
        decide("let_end", reason="doch nicht")


def test_a_change_is_decided_once_its_contract_is_there(session, company, ending, decide):
    decide("change")
    assert row_of(session).needs_decision
    company.maintenance(
        notices.contract_on(session, "WV-2009", TODAY).customer, starts_on=date(2027, 1, 1), follows_id=ending.id
    )
    assert not row_of(session).needs_decision


def test_what_renews_itself_is_let_go_on(session, company, decide):
    company.support(company.customer(), number="SV-1")
    for other in ("change", "let_end"):
        with pytest.raises(decisions.RenewsItself):
            decide(other, "SV-1", reason="x")
    assert decide("renew", "SV-1") is None
    assert not row_of(session, "SV-1").needs_decision
    assert row_of(session, "SV-1").known.life.ends_on is None


def test_there_is_nothing_to_decide_where_the_end_is_fixed(session, company, ending, decide):
    given = notices.Entered(TODAY, channel="letter")
    notices.record(session, "WV-2009", given, today=TODAY, now=NOW, actor_id=company.technician.id)
    with pytest.raises(decisions.NothingToDecide):
        decide("renew")


@pytest.mark.parametrize("today", [date(2025, 12, 1), date(2027, 1, 1)])
def test_only_a_running_contract_is_decided_about(ending, decide, today):
    with pytest.raises(decisions.NothingToDecide):
        decide("renew", today=today)


def test_what_is_no_decision_is_refused(ending, decide):
    with pytest.raises(decisions.DecisionUnknown):
        decide("maybe")
