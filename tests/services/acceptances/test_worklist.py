"""What the page of acceptances shows, and in which words a contract waits."""

from datetime import timedelta

from sqlalchemy import event, select

from ptdash.domain.acceptance import ItemState, Outcome
from ptdash.models import Acceptance
from ptdash.services.acceptances import inspecting, signing, worklist
from ptdash.services.acceptances.worklist import Stage
from tests.services.acceptances.inspection import NOW, TODAY, Bench, day, later


def stages(bench: Bench, on: int = 0) -> list[Stage]:
    return [case.stage for case in worklist.cases(bench.session, day(on))]


def test_a_device_goes_through_its_stages(bench: Bench) -> None:
    assert stages(bench) == []
    bench.propose()
    assert stages(bench) == [Stage.WAITING]
    first = bench.start()
    assert stages(bench) == [Stage.INSPECTING]
    bench.answer(first, 1, ItemState.FAILED, "Deckel gerissen")
    bench.answer_rest(first)
    bench.sign(first, Outcome.REFUSED)
    assert stages(bench) == [Stage.REMEDIATION]
    second = bench.start(at=later(1))
    assert stages(bench, 1) == [Stage.INSPECTING]
    bench.answer_rest(second, later(1))
    bench.sign(second, at=later(1))
    assert stages(bench, 1) == [Stage.READY]
    bench.company.include(bench.contract, bench.device, included_from=day(1))
    assert stages(bench, 1) == []


def test_a_planned_reinspection_is_still_in_remediation(bench: Bench) -> None:
    bench.propose()
    bench.inspected(Outcome.REFUSED, failed=(1,))
    inspecting.plan(
        bench.session,
        bench.device.inventory_number,
        assignee_id=bench.colleague.id,
        scheduled_at=later(2),
        actor_id=None,
        now=NOW,
    )
    (case,) = worklist.cases(bench.session, TODAY)
    assert (case.stage, case.tally.failed, case.assignee) == (Stage.REMEDIATION, 1, bench.colleague)


def test_a_revoked_acceptance_of_a_device_in_a_contract_waits_for_a_decision(bench: Bench) -> None:
    bench.inspected()
    bench.company.include(bench.contract, bench.device, included_from=TODAY)
    (acceptance,) = bench.session.query(Acceptance).all()
    signing.revoke(
        bench.session, acceptance.id, "Fehler", today=day(1), actor_id=bench.technician.id, now=later(1)
    )
    assert stages(bench, 1) == [Stage.REVOKED]
    assert worklist.counts(bench.session) == (0, 1)


def test_retired_devices_wait_no_more(bench: Bench) -> None:
    bench.propose()
    bench.device.retired_on = TODAY
    assert stages(bench) == []


def test_what_a_contract_misses_while_devices_wait(bench: Bench) -> None:
    ours = bench.company.device(bench.customer)
    bench.company.include(bench.contract, ours)
    other = bench.foreign()
    bench.propose(fee="9.00", at=later(-3))
    bench.propose(other, fee="14.50")
    bench.start(other)
    (held,) = worklist.held(bench.session, worklist.cases(bench.session, TODAY), TODAY)
    assert (held.contract.number, held.customer.name) == ("WV-2012", "Steuerberatung Oltmanns")
    assert held.stages == {Stage.WAITING: 1, Stage.INSPECTING: 1}
    assert (held.included, held.net_cents, held.since) == (1, 2350, TODAY - timedelta(days=3))


def test_what_is_counted_is_what_is_shown(bench: Bench) -> None:
    bench.propose()
    bench.inspected(Outcome.REFUSED, failed=(1,), device=bench.foreign())
    bench.start(bench.foreign())
    assert bench.session.scalar(select(worklist.waiting(TODAY))) == len(stages(bench)) == 3


def test_the_accepted_come_newest_first_in_pages(bench: Bench) -> None:
    for days in range(4):
        bench.inspected(device=bench.foreign(), at=later(days))
    first = worklist.accepted(bench.session, limit=2)
    last = first[-1].acceptance
    rest = worklist.accepted(bench.session, before=(last.inspected_on, last.id), limit=2)
    days = [row.acceptance.inspected_on for row in first + rest]
    assert days == [day(3), day(2), day(1), day(0)]


def test_the_number_of_queries_does_not_grow(bench: Bench) -> None:
    def queries() -> int:
        seen: list[str] = []
        engine = bench.session.get_bind()
        bench.session.flush()
        event.listen(engine, "before_cursor_execute", lambda *said: seen.append(said[2]))
        found = worklist.cases(bench.session, TODAY)
        worklist.held(bench.session, found, TODAY)
        return len(seen)

    bench.propose()
    few = queries()
    for _ in range(6):
        bench.propose(bench.foreign())
        bench.start(bench.foreign())
    bench.session.expire_all()
    assert queries() <= few
