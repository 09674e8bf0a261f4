"""What is agreed in a contract of its own."""

from datetime import date

import pytest
from sqlalchemy import select

from ptdash.domain.errors import NotFound
from ptdash.models import AuditEvent, ContractNotice, SoftwareAgreement
from ptdash.services import contracts, decisions
from ptdash.services.contract_changes import agreed, creating
from ptdash.services.contract_changes.contract import NotMaintenance

TODAY = date(2026, 10, 5)


@pytest.fixture
def customer(company):
    return company.customer()


@pytest.fixture
def contract(company, customer):
    return company.maintenance(customer, number="WV-1")


@pytest.fixture
def terms(session, contract, actor):
    def terms(notice, renewal, number="WV-1", today=TODAY, **more):
        agreed.change_terms(
            session, number, notice_months=notice, renewal_months=renewal, today=today, **actor, **more
        )

    return terms


def test_the_procedure_is_kept_with_what_it_was_before(session, contract, actor):
    agreed.set_procedure(session, "WV-1", " Vorher anrufen ", **actor)
    agreed.set_procedure(session, "WV-1", "Vorher anrufen", **actor)
    agreed.set_procedure(session, "WV-1", "Nur nach Ladenschluss", **actor)
    assert contract.active_station_procedure == "Nur nach Ladenschluss"
    events = session.execute(select(AuditEvent).order_by(AuditEvent.id)).scalars()
    assert [event.before["procedure"] for event in events] == ["", "Vorher anrufen"]


def test_an_agreement_replaces_the_one_about_the_same_software(session, contract, actor):
    agreed.agree_on_software(session, "WV-1", "DATEV Kanzlei", "Wir spielen Updates ein", **actor)
    agreed.agree_on_software(session, "WV-1", "datev kanzlei ", "Nur nach Freigabe", **actor)
    rows = session.execute(select(SoftwareAgreement)).scalars().all()
    assert [(row.product, row.agreement) for row in rows] == [("DATEV Kanzlei", "Nur nach Freigabe")]


def test_an_agreement_is_taken_back(session, contract, actor):
    agreed.agree_on_software(session, "WV-1", "DATEV", "Wir spielen Updates ein", **actor)
    agreed.withdraw_agreement(session, "WV-1", "DATEV", **actor)
    assert session.execute(select(SoftwareAgreement)).all() == []
    with pytest.raises(NotFound, match="DATEV"):
        agreed.withdraw_agreement(session, "WV-1", "DATEV", **actor)


def test_what_says_nothing_is_refused(session, company, customer, contract, actor):
    company.support(customer, number="SV-1")
    with pytest.raises(agreed.ProductMissing):
        agreed.agree_on_software(session, "WV-1", " ", "Ja", **actor)
    with pytest.raises(agreed.AgreementMissing, match="about DATEV"):
        agreed.agree_on_software(session, "WV-1", "DATEV", " ", **actor)
    with pytest.raises(agreed.TextTooLong, match="4000"):
        agreed.set_procedure(session, "WV-1", "x" * 4001, **actor)
    with pytest.raises(NotMaintenance):
        agreed.set_procedure(session, "SV-1", "Vorher anrufen", **actor)


# Terms


def test_in_the_first_term_notice_and_renewal_change(session, contract, terms):
    terms(2, 6)
    assert (contract.notice_months, contract.renewal_months, contract.ends_before) == (2, 6, None)
    event = session.execute(select(AuditEvent)).scalar_one()
    assert (event.before["renewal_months"], event.after["renewal_months"]) == (12, 6)


def test_without_renewal_the_end_is_stored_and_its_devices_end_with_it(
    session, company, contract, customer, terms
):
    included = company.include(contract, company.device(customer))
    terms(1, None)
    session.refresh(included)
    assert (contract.ends_before, included.ends_before) == (date(2027, 1, 1), date(2027, 1, 1))
    terms(1, 12)
    session.refresh(included)
    assert (contract.ends_before, included.ends_before) == (None, None)


def test_the_same_terms_change_nothing(session, terms):
    terms(1, 12)
    assert session.execute(select(AuditEvent)).all() == []


def test_the_first_terms_length_changes_only_before_it_begins(company, customer, terms):
    later = company.maintenance(customer, number="WV-2", starts_on=date(2026, 11, 1))
    terms(1, 12, "WV-2", term_months=24)
    assert later.term_months == 24
    with pytest.raises(agreed.TermBegun, match="WV-1 has begun"):
        terms(1, 12, term_months=24)


def test_terms_that_have_begun_are_not_rewritten(company, customer, terms):
    company.maintenance(customer, number="WV-2", starts_on=date(2025, 1, 1))
    with pytest.raises(agreed.TermsEntered, match="WV-2 is over"):
        terms(1, 6, "WV-2")


@pytest.mark.parametrize(("today", "notice"), [(date(2026, 12, 1), 2), (date(2026, 11, 1), 2)])
def test_a_deadline_that_has_passed_is_not_moved(terms, today, notice):
    """The old one is 30 November, the new one would be 31 October."""
    with pytest.raises(agreed.DeadlinePassed):
        terms(notice, 12, today=today)


def test_a_notice_on_record_keeps_the_terms(session, company, contract, terms):
    company.add(ContractNotice(contract_id=contract.id, received_on=TODAY, kind="ordinary"))
    with pytest.raises(agreed.NoticeOnRecord):
        terms(2, 12)


def test_what_is_followed_keeps_its_terms(session, company, contract, customer, terms):
    terms(1, None)
    company.maintenance(customer, number="WV-2", starts_on=date(2027, 1, 1), follows_id=contract.id)
    with pytest.raises(decisions.AlreadyFollowed, match="WV-2"):
        terms(1, 12)


def test_another_support_contract_behind_it_is_in_the_way(session, company, customer, terms):
    first = company.support(customer, starts_on=date(2026, 10, 1), number="SV-1", renewal_months=None)
    contracts.store_ends(session, [first.id])
    company.support(customer, starts_on=date(2027, 4, 1), number="SV-2")
    with pytest.raises(decisions.AlreadyFollowed, match="SV-2"):
        terms(1, 6, "SV-1")


def test_a_consumer_keeps_one_month(company, terms):
    consumer = company.customer(is_consumer=True)
    company.support(consumer, starts_on=TODAY, number="SV-9")
    with pytest.raises(creating.ConsumerNotice):
        terms(2, 6, "SV-9")
