"""A contract's notices as they are on record: who, how, with which proof and which letters."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, false, or_, select
from sqlalchemy.orm import Session

from ptdash.domain import notices as rules
from ptdash.domain.errors import NotFound
from ptdash.domain.terms import Lifecycle, Notice, end_by_notice, lifecycle
from ptdash.models import (
    Contract,
    ContractNotice,
    Customer,
    NoticeFile,
    OutboxFile,
    OutboxMessage,
    Role,
    StoredFile,
    User,
)
from ptdash.services import contracts, files, notice_letters, outbox
from ptdash.services.bulk import among
from ptdash.services.contracts import ContractOnDay


@dataclass(frozen=True)
class OnRecord:
    """A notice: where it alone would end the contract, who took it, its files (id, name, size) and letters."""

    notice: ContractNotice
    ends_on: date
    taken_by: str | None
    files: tuple[tuple[int, str, int], ...]
    messages: tuple[outbox.Listed, ...]
    withdrawable: bool


@dataclass(frozen=True)
class Withdrawal:
    """A notice that is in force, its contract, and the contract's life once it is withdrawn."""

    row: ContractOnDay
    notice: ContractNotice
    life: Lifecycle


def withdrawal(session: Session, number: str, received_on: date, today: date) -> Withdrawal:
    """What taking a notice back would do. Raises NotFound, also for one that was withdrawn already."""
    found = contracts.on_day(session, today, Contract.number == number)
    in_force = [
        (row, notice)
        for row in found
        for notice in row.contract.notices
        if notice.received_on == received_on and notice.withdrawn_on is None
    ]
    if not in_force:
        raise NotFound(what=f"{number}, {received_on}")
    ((row, notice),) = in_force
    return Withdrawal(row, notice, lifecycle(rules.without(row.facts, _fact(notice)), today))


def of_contract(session: Session, contract: Contract, today: date) -> list[OnRecord]:
    """Every notice of a contract, the newest first; its notices must be loaded."""
    given = sorted(contract.notices, key=lambda notice: notice.received_on, reverse=True)
    if not given:
        return []
    customer = session.get_one(Customer, contract.customer_id)
    facts = contracts.facts_of(contract, customer.is_consumer)
    names = _names(session, {notice.taken_by_id for notice in given if notice.taken_by_id})
    proofs = _proofs(session, [notice.id for notice in given])
    withdrawable = rules.withdrawable(facts, today)
    return [
        OnRecord(
            notice=notice,
            ends_on=end_by_notice(facts, _fact(notice)),
            taken_by=names.get(notice.taken_by_id or 0),
            files=tuple(proofs.get(notice.id, ())),
            messages=tuple(notice_letters.messages(session, notice)),
            withdrawable=withdrawable and notice.withdrawn_on is None,
        )
        for notice in given
    ]


def takers(session: Session) -> list[tuple[int, str]]:
    """Who may have taken a notice: everybody active in the service, as (id, name)."""
    people = select(User.id, User.name).where(User.active, User.role != Role.ADMIN).order_by(User.name)
    return [(user_id, name) for user_id, name in session.execute(people)]


def file(session: Session, number: str, file_id: int) -> StoredFile:
    """A proof or a letter of a contract's notices with its content; raises NotFound."""
    notice = (
        select(ContractNotice.id)
        .join(Contract, Contract.id == ContractNotice.contract_id)
        .where(Contract.number == number)
    )
    ids = session.execute(notice).scalars().all()
    proof = exists().where(NoticeFile.file_id == file_id, among(NoticeFile.notice_id, ids))
    letter = (
        select(OutboxFile.file_id)
        .join(OutboxMessage, OutboxMessage.id == OutboxFile.message_id)
        .where(
            OutboxFile.file_id == file_id,
            or_(false(), *(OutboxMessage.once.startswith(f"notice:{notice_id}:") for notice_id in ids)),
        )
        .exists()
    )
    if not ids or not session.execute(select(or_(proof, letter))).scalar_one():
        raise NotFound(what=str(file_id))
    return files.load(session, file_id)


def _fact(notice: ContractNotice) -> Notice:
    return Notice(notice.received_on, "extraordinary" if notice.ends_on else "ordinary", notice.ends_on)


def _names(session: Session, user_ids: set[int]) -> dict[int, str]:
    rows = session.execute(select(User.id, User.name).where(among(User.id, user_ids)))
    return dict(rows.all())


def _proofs(session: Session, notice_ids: list[int]) -> dict[int, list[tuple[int, str, int]]]:
    rows = session.execute(
        select(NoticeFile.notice_id, StoredFile.id, StoredFile.name, StoredFile.size)
        .join(StoredFile, StoredFile.id == NoticeFile.file_id)
        .where(among(NoticeFile.notice_id, notice_ids))
        .order_by(StoredFile.id)
    )
    found: dict[int, list[tuple[int, str, int]]] = {}
    for notice_id, file_id, name, size in rows:
        found.setdefault(notice_id, []).append((file_id, name, size))
    return found
