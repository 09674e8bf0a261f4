"""An inspection until its signature, and what follows a refusal."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ptdash.domain.acceptance import ItemsOpen, ItemState, NoteMissing, Outcome, OutcomeExcluded
from ptdash.models import Acceptance, AuditEvent, ChecklistTemplate, Inspection, InspectionResult, User
from ptdash.services import checklists
from ptdash.services.acceptances import inspecting, reading, signing
from ptdash.services.checklist_defaults import DEFAULTS
from tests.services.acceptances.inspection import NOW, TODAY, Bench, day, later


def states(bench: Bench, inspection: Inspection) -> list[str]:
    return [row.state for row in inspecting.results(bench.session, inspection.id)]


def test_a_planned_inspection_is_started_with_every_item_open(bench: Bench) -> None:
    planned = inspecting.plan(
        bench.session,
        bench.device.inventory_number,
        assignee_id=bench.colleague.id,
        scheduled_at=later(2),
        actor_id=None,
        now=NOW,
    )
    started = bench.start()
    assert started.id == planned.id
    assert started.assignee_id == bench.colleague.id
    assert states(bench, started) == ["open"] * len(DEFAULTS["notebook"])


def test_starting_twice_is_starting_once(bench: Bench) -> None:
    first = bench.start()
    bench.answer(first, 1)
    assert bench.start().id == first.id
    assert states(bench, first)[0] == "passed"


def test_nobody_but_technicians_and_managers_inspects(bench: Bench) -> None:
    dispatcher = bench.company.add(User(email="jana@pt.example", name="Jana Petersen", role="dispatcher"))
    with pytest.raises(inspecting.InspectorUnknown):
        inspecting.plan(
            bench.session,
            bench.device.inventory_number,
            assignee_id=dispatcher.id,
            scheduled_at=None,
            actor_id=None,
            now=NOW,
        )


@pytest.mark.parametrize("state", [ItemState.FAILED, ItemState.NOT_APPLICABLE])
def test_failed_and_not_applicable_need_a_note(bench: Bench, state: ItemState) -> None:
    inspection = bench.start()
    with pytest.raises(NoteMissing):
        bench.answer(inspection, 1, state, "  ")
    bench.answer(inspection, 1, state, "Deckel gerissen")
    assert states(bench, inspection)[0] == state


def test_what_a_colleague_answered_meanwhile_is_not_overwritten(bench: Bench) -> None:
    inspection = bench.start()
    bench.answer(inspection, 3, by=bench.colleague)
    with pytest.raises(inspecting.AnsweredMeanwhile, match="Lukas Brenner") as refused:
        bench.answer(inspection, 3, ItemState.FAILED, "Defekt", seen=None)
    assert refused.value.result.state == "passed"
    bench.answer(inspection, 3, ItemState.FAILED, "Defekt", seen=NOW)
    assert states(bench, inspection)[2] == "failed"


def test_the_same_answer_of_two_people_is_no_conflict(bench: Bench) -> None:
    inspection = bench.start()
    bench.answer(inspection, 3, by=bench.colleague)
    bench.answer(inspection, 3, seen=None)


def test_a_running_inspection_keeps_the_version_it_began_with(bench: Bench) -> None:
    inspection = bench.start()
    items = [*checklists.current(bench.session, "notebook").items[:3]]
    assert checklists.save(bench.session, "notebook", items, seen=1, actor_id=None, now=NOW) == 2
    assert len(states(bench, inspection)) == len(DEFAULTS["notebook"])
    other = bench.start(bench.foreign())
    assert len(states(bench, other)) == 3
    versions = bench.session.execute(select(ChecklistTemplate.version).order_by(ChecklistTemplate.version))
    assert versions.scalars().all() == [1, 2]


def test_a_type_without_a_checklist_uses_the_general_one(bench: Bench) -> None:
    bench.device.type = "handscanner"
    assert len(states(bench, bench.start())) == len(DEFAULTS["general"])


def test_nobody_signs_with_an_open_item(bench: Bench) -> None:
    inspection = bench.start()
    with pytest.raises(ItemsOpen):
        bench.sign(inspection)
    with pytest.raises(DBAPIError, match="cannot be signed"):
        bench.session.execute(
            text(
                "UPDATE inspections SET signed_at = now(), signed_by_id = :by, signed_name = 'x', "
                "outcome = 'accepted'"
            ),
            {"by": bench.technician.id},
        )


def test_a_failed_item_excludes_a_plain_acceptance(bench: Bench) -> None:
    inspection = bench.start()
    bench.answer(inspection, 1, ItemState.FAILED, "Deckel gerissen")
    bench.answer_rest(inspection)
    with pytest.raises(OutcomeExcluded):
        bench.sign(inspection)
    assert bench.sign(inspection, Outcome.WITH_RESERVATIONS).outcome == "accepted_with_reservations"


def test_a_refusal_without_a_failed_item_says_why(bench: Bench) -> None:
    inspection = bench.start()
    bench.answer_rest(inspection)
    with pytest.raises(signing.OutcomeReasonMissing):
        bench.sign(inspection, Outcome.REFUSED)
    assert bench.sign(inspection, Outcome.REFUSED, "Gehört dem Vermieter").note == "Gehört dem Vermieter"


def test_a_signed_inspection_does_not_change(bench: Bench) -> None:
    inspection = bench.inspected()
    with pytest.raises(inspecting.AlreadySigned):
        bench.answer(inspection, 1, ItemState.FAILED, "Doch nicht")
    with pytest.raises(DBAPIError, match="is signed"):
        bench.session.execute(text("UPDATE inspection_results SET state = 'failed', note = 'x' WHERE pos = 1"))


def test_the_signature_is_the_verdict_of_its_day(bench: Bench) -> None:
    inspection = bench.inspected()
    row = bench.session.execute(select(Acceptance)).scalar_one()
    assert (row.inspected_on, row.outcome, row.inspection_id) == (TODAY, "accepted", inspection.id)
    assert row.inspector_id == bench.technician.id


def test_of_two_signatures_on_one_day_the_last_counts(bench: Bench) -> None:
    bench.inspected(Outcome.REFUSED, failed=(1,))
    second = bench.inspected()
    row = bench.session.execute(select(Acceptance)).scalar_one()
    assert (row.outcome, row.inspection_id) == ("accepted", second.id)


def test_a_reinspection_asks_only_for_what_failed(bench: Bench) -> None:
    first = bench.inspected(Outcome.REFUSED, failed=(2, 5))
    signing.remedy(bench.session, first.id, 2, "Akku getauscht", actor_id=bench.colleague.id, now=later(1))
    second = bench.start(at=later(2))
    page = reading.page(bench.session, second.id)
    assert second.continues_id == first.id
    assert [line.pos for line in page.asked] == [2, 5]
    assert {(line.finding.found_on, line.finding.by) for line in page.taken_over} == {(TODAY, "Tarek Kaya")}
    before = page.asked[0].before
    assert before is not None
    assert (before.result.remedy, before.remedied_by) == ("Akku getauscht", "Lukas Brenner")
    bench.answer_rest(second, later(2))
    assert bench.sign(second, at=later(2)).outcome == "accepted"


@pytest.mark.parametrize(("days", "asked"), [(90, 1), (91, len(DEFAULTS["notebook"]))])
def test_what_passed_is_taken_over_for_90_days(bench: Bench, days: int, asked: int) -> None:
    bench.inspected(Outcome.REFUSED, failed=(2,))
    assert len(reading.page(bench.session, bench.start(at=later(days)).id).asked) == asked


def test_the_90_days_count_from_the_first_time_it_was_found(bench: Bench) -> None:
    bench.inspected(Outcome.REFUSED, failed=(2,))
    bench.inspected(Outcome.REFUSED, failed=(2,), at=later(60))
    third = bench.start(at=later(120))
    page = reading.page(bench.session, third.id)
    assert len(page.asked) == len(DEFAULTS["notebook"])
    assert page.round == 3


def test_an_accepted_device_is_inspected_anew_as_a_whole(bench: Bench) -> None:
    bench.inspected()
    again = bench.start(at=later(1))
    assert again.continues_id is None
    assert set(states(bench, again)) == {"open"}


def test_only_a_fault_is_remedied_and_it_says_how(bench: Bench) -> None:
    first = bench.inspected(Outcome.REFUSED, failed=(2,))
    with pytest.raises(signing.RemedyMissing):
        signing.remedy(bench.session, first.id, 2, " ", actor_id=bench.technician.id, now=NOW)
    with pytest.raises(signing.NoFault):
        signing.remedy(bench.session, first.id, 1, "Schon gut", actor_id=bench.technician.id, now=NOW)
    bench.start(at=later(1))
    with pytest.raises(signing.ReinspectionRuns):
        signing.remedy(bench.session, first.id, 2, "Zu spät", actor_id=bench.technician.id, now=later(1))


def test_revoking_lists_the_contracts_that_the_device_is_in(bench: Bench) -> None:
    bench.inspected()
    acceptance = bench.session.execute(select(Acceptance)).scalar_one()
    bench.company.include(bench.contract, bench.device, included_from=TODAY)
    with pytest.raises(signing.EntersLater, match="WV-2012"):
        signing.revoke(bench.session, acceptance.id, "Fehler", today=TODAY, actor_id=1, now=NOW)
    still = signing.revoke(
        bench.session, acceptance.id, "Fehler", today=day(1), actor_id=bench.technician.id, now=later(1)
    )
    assert [row.contract for row in still] == ["WV-2012"]
    with pytest.raises(signing.NothingToRevoke):
        signing.revoke(bench.session, acceptance.id, "Noch mal", today=day(2), actor_id=1, now=later(2))


def test_revoking_needs_a_reason(bench: Bench) -> None:
    bench.inspected()
    with pytest.raises(signing.RevokeReasonMissing):
        signing.revoke(bench.session, 1, "", today=day(1), actor_id=bench.technician.id, now=later(1))


def test_a_new_acceptance_opens_the_gate_again(bench: Bench) -> None:
    bench.inspected()
    signing.revoke(bench.session, 1, "Fehler", today=TODAY, actor_id=bench.technician.id, now=NOW)
    bench.inspected()
    row = bench.session.execute(select(Acceptance)).scalar_one()
    assert (row.revoked_on, row.revoke_reason) == (None, None)


def test_calling_off_takes_the_answers_away_and_the_trail_keeps_them(bench: Bench) -> None:
    inspection = bench.start()
    bench.answer(inspection, 1, ItemState.FAILED, "Deckel gerissen")
    inspecting.call_off(bench.session, inspection.id, "Falsches Gerät", actor_id=bench.technician.id, now=NOW)
    assert bench.session.execute(select(InspectionResult)).first() is None
    event = bench.session.execute(select(AuditEvent).where(AuditEvent.action == "call off")).scalar_one()
    assert event.before
    assert [1, "failed", "Deckel gerissen"] in event.before["answers"]


def test_every_step_leaves_an_event(bench: Bench) -> None:
    bench.propose()
    bench.inspected()
    events = bench.session.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars().all()
    assert events[:2] == ["propose", "add"]
    assert {"start", "answer", "sign"} <= set(events)
