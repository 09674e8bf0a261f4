"""Notices of contracts: what one would do, recording it with its proof and its confirmation, taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ptdash.domain import notices
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.notices import Step, Timing, Verdict, WithdrawnTooLate
from ptdash.domain.periods import month_of
from ptdash.domain.terms import ONE_DAY, Notice, contract_end, known_on
from ptdash.models import Contract, ContractNotice, NoticeFile
from ptdash.services import audit, contracts, files, notice_letters, posted, recurring, reminders
from ptdash.services.contracts import ContractOnDay
from ptdash.services.posted import Confirmed, PostedMonth

CHANNELS = ("email", "letter", "portal", "phone", "fax", "in_person")
GIVEN_BY = ("customer", "company")
FILES_MOST = 10


class ReceivedInFuture(Invalid):
    message = "A notice is recorded once it has been received. %(day)s is still to come."


class NoticeOfTheDay(Conflict):
    message = "A notice of %(contract)s received on %(day)s is recorded already."


class AlreadyEnded(Conflict):
    message = "Contract %(contract)s ended on %(ends_on)s. There is nothing left to give notice of."


class NoticeReasonMissing(Invalid):
    message = "Say why: a notice for an important reason needs that reason."


class EndNotSeen(Conflict):
    message = "With what is entered now the contract ends on %(day)s. Look at it, then save."


class AlreadyWithdrawn(Conflict):
    message = "This notice was withdrawn on %(day)s."


class SuccessorOverlaps(Conflict):
    message = (
        "Contract %(contract)s cannot run on: %(successor)s of the same customer has begun or begins on "
        "%(starts_on)s. Let that one end first."
    )


class TooManyFiles(Invalid):
    message = "At most %(most)s files at a time."


@dataclass(frozen=True)
class Entered:
    """What a person knows of a notice. `ends_on` (inclusive) and a reason belong to an extraordinary one."""

    received_on: date
    kind: Literal["ordinary", "extraordinary"] = "ordinary"
    ends_on: date | None = None
    channel: str = ""
    given_by: str = "customer"
    taken_by_id: int | None = None
    reason: str = ""
    note: str = ""

    @property
    def fact(self) -> Notice:
        return Notice(self.received_on, self.kind, self.ends_on)


@dataclass(frozen=True)
class Preview:
    """What a notice would do. `months_left` bills with `left_cents` (net) follow the term of the receipt where the
    contract outlives it; `last_cents` is the fee of the month in which it ends."""

    row: ContractOnDay
    verdict: Verdict
    steps: tuple[Step, ...]
    last_cents: int
    months_left: int
    left_cents: int
    successor: Contract | None
    posted: tuple[PostedMonth, ...] = ()

    @property
    def difference_cents(self) -> int:
        return sum(month.difference_cents for month in self.posted)


@dataclass(frozen=True)
class Recorded:
    """A notice on record, and the contract's last day with it."""

    notice: ContractNotice
    ends_on: date


def preview(session: Session, number: str, entered: Entered, *, today: date) -> Preview:
    """What this notice would do, by the code that records it, without keeping it; raises as `record` does."""
    row = contract_on(session, number, today)
    _refuse(row, entered, today)
    found = _foresee(session, row, entered)
    reach = _reach(row, found.verdict)
    if reach is None or not posted.is_held(session, row.customer.id, reach[0]):
        return found
    months = posted.foreseen(
        session, row.customer.id, *reach, write=lambda: _write(session, row.contract, entered)
    )
    return replace(found, posted=months)


def record(
    session: Session,
    number: str,
    entered: Entered,
    *,
    today: date,
    now: datetime,
    actor_id: int,
    uploads: Sequence[tuple[str, bytes]] = (),
    confirm: bool = True,
    seen_cents: int | None = None,
    seen_end: date | None = None,
) -> Recorded:
    """Record a notice, its proof and its confirmation, and end the contract with its devices.

    `seen_end` is the end that the person confirms; another one is refused. An end that reaches into posted
    months needs the difference that was seen (`seen_cents`, net) and a reason. Raises NotFound,
    ReceivedInFuture, AlreadyEnded, NoticeOfTheDay, NoticeReasonMissing, EndNotSeen, what `posted.confirm`,
    `domain.notices.faults` and `contracts.store_ends` raise, and what a file is refused for.
    """
    _lock(session, number)
    row = contract_on(session, number, today)
    _refuse(row, entered, today)
    if entered.kind == "extraordinary" and not entered.reason.strip():
        raise NoticeReasonMissing()
    found = _foresee(session, row, entered)
    if seen_end and seen_end != found.verdict.ends_on:
        raise EndNotSeen(day=found.verdict.ends_on)
    reach = _reach(row, found.verdict)
    if reach is None:
        notice, difference = _write(session, row.contract, entered), 0
    else:
        notice, months = posted.changing(
            session, row.customer.id, *reach, write=lambda: _write(session, row.contract, entered)
        )
        difference = posted.confirm(months, Confirmed(seen_cents, entered.reason))
    notice.recorded_at = now
    _attach(session, notice, uploads, actor_id=actor_id, now=now)
    after = _as_recorded(entered) | {"ends_on": found.verdict.ends_on, "posted_difference_cents": difference}
    audit.record(session, "record_notice", "contract", number, actor_id=actor_id, now=now, after=after)
    reminders.finish(session, row.contract.id, actor_id=actor_id, now=now)
    if confirm:
        notice_letters.confirm(session, row, notice, found, today=today, now=now, actor_id=actor_id)
    return Recorded(notice, found.verdict.ends_on)


def withdraw(
    session: Session,
    number: str,
    received_on: date,
    *,
    today: date,
    now: datetime,
    actor_id: int,
    confirm: bool = True,
) -> ContractNotice:
    """Take a notice back while the contract still runs; it stays on record, the contract and its devices run on.

    A confirmation that was not sent yet is cancelled. Raises NotFound, AlreadyWithdrawn, WithdrawnTooLate,
    SuccessorOverlaps.
    """
    _lock(session, number)
    row = contract_on(session, number, today)
    notice = next((found for found in row.contract.notices if found.received_on == received_on), None)
    if notice is None:
        raise NotFound(what=f"{number}, {received_on}")
    if notice.withdrawn_on:
        raise AlreadyWithdrawn(day=notice.withdrawn_on)
    if not notices.withdrawable(row.facts, today):
        raise WithdrawnTooLate(contract=number, day=today)
    before = {"withdrawn_on": None, "ends_on": row.life.ends_on}
    notice.withdrawn_on = today
    _reopen(session, row.contract, number)
    reminders.reopen(session, row.contract.id, today)
    ends_on = row.contract.ends_before and row.contract.ends_before - ONE_DAY
    after = {"received_on": received_on, "withdrawn_on": today, "ends_on": ends_on}
    audit.record(
        session, "withdraw_notice", "contract", number, actor_id=actor_id, now=now, before=before, after=after
    )
    notice_letters.withdrawn(
        session, row, notice, ends_on, today=today, now=now, actor_id=actor_id, confirm=confirm
    )
    return notice


def contract_on(session: Session, number: str, day: date) -> ContractOnDay:
    """A contract as it is on a day; raises NotFound."""
    found = contracts.on_day(session, day, Contract.number == number)
    if not found:
        raise NotFound(what=number)
    return found[0]


def _lock(session: Session, number: str) -> None:
    """One notice of a contract after the other: each sees the ends of those before it."""
    found = select(Contract.id).where(Contract.number == number).with_for_update(key_share=True)
    if session.execute(found).scalar_one_or_none() is None:
        raise NotFound(what=number)


def _refuse(row: ContractOnDay, entered: Entered, today: date) -> None:
    number, facts = row.contract.number, row.facts
    if entered.received_on > today:
        raise ReceivedInFuture(day=entered.received_on)
    for fault in (*notices.faults(entered.fact), *notices.faults_with(entered.fact, number, facts)):
        raise fault
    end = contract_end(known_on(facts, entered.received_on))
    if end is not None and entered.received_on > end:
        raise AlreadyEnded(contract=number, ends_on=end)
    if any(notice.received_on == entered.received_on for notice in facts.notices):
        raise NoticeOfTheDay(contract=number, day=entered.received_on)


def _foresee(session: Session, row: ContractOnDay, entered: Entered) -> Preview:
    """The verdict with its money, without the posted months that it reaches."""
    contract, verdict = row.contract, notices.assess(row.facts, entered.fact)
    dated, ends_before = contracts.package_prices(session), verdict.ends_on + ONE_DAY
    left: list[date] = []
    if verdict.timing is Timing.TOO_LATE and verdict.term.ends_on and verdict.ends_on > verdict.term.ends_on:
        left = list(recurring.months(verdict.term.ends_on + ONE_DAY, verdict.ends_on))
    return Preview(
        row=row,
        verdict=verdict,
        steps=notices.reckoning(row.facts, entered.fact, verdict),
        last_cents=recurring.fees_cents(contract, month_of(verdict.ends_on), ends_before, dated),
        months_left=len(left),
        left_cents=sum(recurring.fees_cents(contract, month, ends_before, dated) for month in left),
        successor=session.execute(select(Contract).where(Contract.follows_id == contract.id)).scalar_one_or_none(),
    )


def _reach(row: ContractOnDay, verdict: Verdict) -> tuple[date, date | None] | None:
    """The days that the contract loses, from the first one without it to its end so far; None for no day."""
    ends_before, so_far = verdict.ends_on + ONE_DAY, row.contract.ends_before
    return (ends_before, so_far) if so_far is None or ends_before < so_far else None


def _write(session: Session, contract: Contract, entered: Entered) -> ContractNotice:
    notice = ContractNotice(contract_id=contract.id, **_as_recorded(entered))
    session.add(notice)
    session.flush()
    contracts.store_ends(session, [contract.id])
    return notice


def _as_recorded(entered: Entered) -> dict[str, object]:
    return {
        "received_on": entered.received_on,
        "kind": entered.kind,
        "ends_on": entered.ends_on,
        "channel": entered.channel,
        "given_by": entered.given_by,
        "taken_by_id": entered.taken_by_id,
        "reason": entered.reason.strip(),
        "note": entered.note.strip(),
    }


def _attach(
    session: Session,
    notice: ContractNotice,
    uploads: Sequence[tuple[str, bytes]],
    *,
    actor_id: int,
    now: datetime,
) -> None:
    if len(uploads) > FILES_MOST:
        raise TooManyFiles(most=FILES_MOST)
    kept = {files.store(session, name, content, actor_id=actor_id, now=now).id for name, content in uploads}
    session.add_all(NoticeFile(notice_id=notice.id, file_id=file_id) for file_id in kept)
    session.flush()


def _reopen(session: Session, contract: Contract, number: str) -> None:
    """Store the ends without a notice; the database refuses where a successor is in the way."""
    ended_before = contract.ends_before
    try:
        with session.begin_nested():
            contracts.store_ends(session, [contract.id])
    except IntegrityError as error:
        successor = session.execute(
            select(Contract)
            .where(Contract.customer_id == contract.customer_id, Contract.id != contract.id)
            .where(Contract.starts_on >= ended_before)
            .order_by(Contract.kind != contract.kind, Contract.starts_on)
            .limit(1)
        ).scalar_one_or_none()
        if successor is None:
            raise
        raise SuccessorOverlaps(
            contract=number, successor=successor.number, starts_on=successor.starts_on
        ) from error
    session.refresh(contract, ["ends_before"])
