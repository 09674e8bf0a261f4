"""Recording notices: what they end, what they refuse, what they write to the customer."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from ptdash.domain import notices as rules
from ptdash.domain.notices import StepKind, Timing
from ptdash.models import AuditEvent, ContractNotice, NoticeFile, OutboxMessage, StaleCustomer, StoredFile
from ptdash.services import files, notices, outbox
from ptdash.services import posted as posted_months
from ptdash.services.notices import Entered
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import close

TODAY = date(2026, 6, 2)
DEADLINE = date(2026, 5, 31)


@pytest.fixture
def company(session):
    return Company(session)


@pytest.fixture
def actor(company):
    return company.technician.id


@pytest.fixture
def contract(company):
    customer = company.customer(name="Fahrschule Rehn GmbH", email="kontakt@rehn.example")
    return company.support(customer, starts_on=date(2024, 1, 1), number="SV-1012")


def entered(received_on=DEADLINE, **more):
    return Entered(received_on, **({"channel": "email"} | more))


def extraordinary(received_on, ends_on, reason="Betrieb eingestellt", **more):
    return entered(received_on, kind="extraordinary", ends_on=ends_on, reason=reason, **more)


@pytest.fixture
def record(session, actor):
    def record(number="SV-1012", given=None, today=TODAY, **more):
        return notices.record(
            session, number, given or entered(), today=today, now=NOW, actor_id=actor, **more
        ).notice

    return record


@pytest.fixture
def withdraw(session, actor):
    def withdraw(number="SV-1012", received_on=DEADLINE, today=TODAY, **more):
        return notices.withdraw(session, number, received_on, today=today, now=NOW, actor_id=actor, **more)

    return withdraw


def state(session, number="SV-1012", on=TODAY):
    return notices.contract_on(session, number, on).life


def event(session):
    return session.execute(select(AuditEvent).order_by(AuditEvent.id.desc())).scalars().first()


# What it would do


def test_the_preview_tells_the_end_the_steps_and_the_last_bill(session, contract):
    found = notices.preview(session, "SV-1012", entered(), today=TODAY)
    assert (found.verdict.timing, found.verdict.ends_on) == (Timing.IN_TIME, date(2026, 6, 30))
    assert (found.last_cents, found.months_left, found.posted) == (4000, 0, ())
    assert [(step.kind, step.day, step.count) for step in found.steps] == [
        (StepKind.START, date(2024, 1, 1), 6),
        (StepKind.TERM, date(2026, 6, 30), 5),
        (StepKind.DEADLINE, DEADLINE, 1),
        (StepKind.RECEIPT, DEADLINE, 0),
    ]


def test_a_day_late_it_tells_what_another_term_costs(session, contract):
    found = notices.preview(session, "SV-1012", entered(date(2026, 6, 1)), today=TODAY)
    assert (found.verdict.timing, found.verdict.ends_on) == (Timing.TOO_LATE, date(2026, 12, 31))
    assert (found.months_left, found.left_cents) == (6, 24000)
    assert [(step.kind, step.count) for step in found.steps[3:]] == [(StepKind.RECEIPT, 1), (StepKind.TERM, 6)]


def test_a_preview_leaves_no_trace(session, contract):
    notices.preview(session, "SV-1012", entered(), today=TODAY)
    assert state(session).ends_on is None
    assert session.scalar(select(func.count()).select_from(ContractNotice)) == 0


# Recording


def test_a_notice_ends_the_contract_and_is_on_record(session, contract, actor, record):
    notice = record(given=entered(given_by="customer", taken_by_id=actor, note="per Mail"))
    assert contract.ends_before == date(2026, 7, 1)
    assert (notice.taken_by_id, notice.note, notice.recorded_at) == (actor, "per Mail", NOW)
    assert state(session).state == "notice_given"
    session.flush()
    written = session.execute(select(AuditEvent).where(AuditEvent.action == "record_notice")).scalar_one()
    assert (written.subject, written.subject_id, written.actor_id) == ("contract", "SV-1012", actor)
    assert written.after["ends_on"] == "2026-06-30"


def test_of_several_notices_the_earliest_end_counts(session, contract, record):
    record(given=entered(date(2026, 6, 1)))
    assert contract.ends_before == date(2027, 1, 1)
    record(given=extraordinary(TODAY, date(2026, 6, 15)))
    assert contract.ends_before == date(2026, 6, 16)


def test_a_consumer_leaves_a_month_after_the_receipt(session, company, record):
    company.support(company.customer(is_consumer=True), starts_on=date(2024, 1, 1), number="SV-2")
    record("SV-2", entered(TODAY))
    assert state(session, "SV-2").ends_on == date(2026, 7, 2)


def test_the_devices_end_with_their_contract(session, company, record):
    customer = company.customer()
    contract = company.maintenance(customer, number="WV-1")
    included = company.include(contract, company.device(customer))
    record("WV-1", extraordinary(TODAY, date(2026, 6, 20)))
    session.refresh(included)
    assert included.ends_before == date(2026, 6, 21)


def test_the_proof_is_kept(session, contract, record):
    notice = record(uploads=[("Kuendigung.eml", b"From: kontakt@rehn.example\nSubject: Kuendigung\n\nHiermit")])
    kept = session.execute(
        select(StoredFile).join(NoticeFile).where(NoticeFile.notice_id == notice.id)
    ).scalar_one()
    assert (kept.name, kept.media_type) == ("Kuendigung.eml", "message/rfc822")


def test_a_proof_that_is_no_document_is_refused(contract, record):
    with pytest.raises(files.FileTypeRefused):
        record(uploads=[("brief.pdf", b"MZ\x90\x00")])


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (entered(date(2026, 6, 3)), notices.ReceivedInFuture),
        (extraordinary(TODAY, None), rules.EndMissing),
        (entered(TODAY, ends_on=date(2026, 7, 1)), rules.EndNotAllowed),
        (extraordinary(TODAY, date(2026, 6, 1)), rules.EndBeforeReceipt),
        (extraordinary(date(2023, 12, 1), date(2023, 12, 20)), rules.EndBeforeContract),
        (extraordinary(TODAY, date(2026, 7, 1), reason=" "), notices.NoticeReasonMissing),
    ],
)
def test_what_is_no_notice_is_refused(contract, record, given, refusal):
    with pytest.raises(refusal):
        record(given=given)


def test_a_second_notice_of_the_same_day_is_refused(contract, record):
    record()
    with pytest.raises(notices.NoticeOfTheDay, match="SV-1012 received on 2026-05-31"):
        record(given=extraordinary(DEADLINE, date(2026, 6, 10)))


def test_what_has_ended_cannot_be_given_notice_of(contract, record):
    record()
    with pytest.raises(notices.AlreadyEnded, match="ended on 2026-06-30"):
        record(given=entered(date(2026, 7, 1)), today=date(2026, 7, 1))


def test_a_notice_received_before_the_start_ends_the_first_term(session, company, record):
    company.support(company.customer(), starts_on=date(2026, 7, 1), number="SV-3")
    record("SV-3", entered(TODAY))
    assert state(session, "SV-3", date(2026, 7, 1)).ends_on == date(2026, 12, 31)


# The confirmation


def test_the_confirmation_waits_in_the_outbox_with_its_letter(session, contract, record):
    notice = record()
    (listed,) = outbox.of_subject(session, f"notice:{notice.id}:")
    message = listed.message
    assert (message.state, message.recipient) == ("waiting", "kontakt@rehn.example")
    assert "30.06.2026" in message.body
    assert [name for _, name, _ in listed.files] == ["Kuendigung-SV-1012.pdf"]
    file = files.load(session, listed.files[0][0])
    assert file.content.startswith(b"%PDF-1.7")
    assert file.media_type == "application/pdf"


def test_without_an_address_the_confirmation_is_held_with_its_reason(session, company, record):
    company.support(company.customer(email=""), starts_on=date(2024, 1, 1), number="SV-4")
    record("SV-4")
    message = session.execute(select(OutboxMessage)).scalar_one()
    assert (message.state, message.why) == ("held", "no_address")


def test_no_confirmation_where_none_is_wanted(session, contract, record):
    record(confirm=False)
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_what_is_confirmed_is_the_end_that_was_seen(contract, record):
    with pytest.raises(notices.EndNotSeen, match="2026-06-30"):
        record(seen_end=date(2026, 12, 31))
    record(seen_end=date(2026, 6, 30))


# Posted months


@pytest.fixture
def posted(session, company, contract):
    """May 2026 is posted for SV-1012."""
    close(session, date(2026, 5, 1), date(2026, 6, 1))
    return contract


def test_an_end_in_posted_months_shows_its_difference_first(session, posted):
    given = extraordinary(date(2026, 5, 10), date(2026, 5, 16))
    found = notices.preview(session, "SV-1012", given, today=TODAY)
    assert [(row.month, row.before_cents, row.after_cents) for row in found.posted] == [
        (date(2026, 5, 1), 4000, 2065)
    ]
    assert found.difference_cents == -1935
    assert session.scalar(select(func.count()).select_from(ContractNotice)) == 0
    assert notices.contract_on(session, "SV-1012", TODAY).contract.ends_before is None


def test_it_is_recorded_only_after_the_difference_was_seen_and_with_a_reason(session, posted, record):
    given = extraordinary(date(2026, 5, 10), date(2026, 5, 16), reason="Erst heute bekannt")
    for seen in (None, 0, -1):
        with pytest.raises(posted_months.ReachNotSeen), session.begin_nested():
            record(given=given, seen_cents=seen)
    record(given=given, seen_cents=-1935)
    assert session.execute(select(StaleCustomer.since)).scalar_one() == date(2026, 5, 1)


def test_an_ordinary_notice_known_too_late_needs_a_reason(session, posted, company, record):
    session.execute(select(1))
    given = entered(date(2025, 11, 3))
    found = notices.preview(session, "SV-1012", given, today=TODAY)
    assert found.verdict.ends_on == date(2025, 12, 31)
    with pytest.raises(posted_months.ReachReasonMissing), session.begin_nested():
        record(given=given, seen_cents=found.difference_cents)
    record(given=replace(given, reason="Brief lag bei der Post"), seen_cents=found.difference_cents)


# Taking it back


def test_a_withdrawal_restores_what_was_before(session, company, record, withdraw):
    customer = company.customer()
    contract = company.maintenance(customer, starts_on=date(2025, 7, 1), number="WV-5")
    included = company.include(contract, company.device(customer))
    before = state(session, "WV-5")
    record("WV-5")
    assert state(session, "WV-5").ends_on == date(2026, 6, 30)
    notice = withdraw("WV-5")
    session.refresh(included)
    assert (contract.ends_before, included.ends_before) == (None, None)
    assert state(session, "WV-5") == before
    assert notice.withdrawn_on == TODAY
    assert session.scalar(select(func.count()).select_from(ContractNotice)) == 1


def test_an_unsent_confirmation_is_cancelled_and_the_withdrawal_confirmed(session, contract, record, withdraw):
    record()
    withdraw()
    found = session.execute(select(OutboxMessage.kind, OutboxMessage.state).order_by(OutboxMessage.id)).all()
    assert found == [("notice", "cancelled"), ("notice_withdrawn", "waiting")]


def test_a_notice_is_withdrawn_once(contract, record, withdraw):
    record()
    withdraw()
    with pytest.raises(notices.AlreadyWithdrawn, match="2026-06-02"):
        withdraw()


def test_what_has_ended_cannot_be_taken_back(contract, record, withdraw):
    record()
    withdraw_on = date(2026, 7, 1)
    with pytest.raises(rules.WithdrawnTooLate, match="had ended"):
        withdraw(today=withdraw_on)


def test_a_successor_in_the_way_is_named(session, company, contract, record, withdraw):
    record()
    customer = notices.contract_on(session, "SV-1012", TODAY).customer
    company.support(customer, starts_on=date(2026, 7, 1), number="SV-1013")
    with pytest.raises(notices.SuccessorOverlaps, match="SV-1013 of the same customer"):
        withdraw()


def test_a_device_in_another_contract_since_is_in_the_way(session, company, record, withdraw):
    customer = company.customer()
    contract = company.maintenance(customer, starts_on=date(2025, 7, 1), number="WV-6")
    device = company.device(customer)
    company.include(contract, device)
    record("WV-6")
    after = company.maintenance(customer, starts_on=date(2026, 7, 1), number="WV-7")
    company.include(after, device)
    with pytest.raises(notices.SuccessorOverlaps, match="WV-7"):
        withdraw("WV-6")


def test_nothing_is_withdrawn_that_was_not_given(contract, withdraw):
    with pytest.raises(notices.NotFound):
        withdraw()
