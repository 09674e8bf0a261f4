"""What is agreed in a contract of its own: active stations, foreign software, notice and renewal."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, DomainError, Invalid, NotFound
from ptdash.domain.packages import MAINTENANCE
from ptdash.domain.terms import ContractFacts, term_on
from ptdash.models import Contract, SoftwareAgreement
from ptdash.services import audit, contracts, decisions, reminders
from ptdash.services.contract_changes.contract import Locked, lock
from ptdash.services.contract_changes.creating import check_months
from ptdash.services.rollout import acknowledging

MOST_TEXT = 4000
MOST_PRODUCT = 200


class TextTooLong(Invalid):
    message = "That is too long. At most %(most)s characters are kept."


class ProductMissing(Invalid):
    message = "Name the software that the agreement is about."


class AgreementMissing(Invalid):
    message = "Say what was agreed about %(product)s."


class TermsEntered(Conflict):
    message = (
        "The first term of %(contract)s is over: its renewals run by the terms as they were. "
        "End it and make a new contract."
    )


class NoticeOnRecord(Conflict):
    message = "A notice of %(contract)s is on record; its end follows from the terms as they are."


class DeadlinePassed(Conflict):
    message = "The latest day for a notice would be %(day)s, or was; the terms of this term stay as they are."


class TermBegun(Conflict):
    message = "%(contract)s has begun: its first term stays as it is."


def set_procedure(session: Session, number: str, text: str, *, actor_id: int | None, now: datetime) -> None:
    """Record how stations in active use are handled. Raises NotFound, NotMaintenance, TextTooLong."""
    contract = lock(session, number, MAINTENANCE).contract
    new = _text(text)
    before = contract.active_station_procedure
    if new == before:
        return
    contract.active_station_procedure = new
    acknowledging.forget(session, contract.id)
    session.flush()
    _audit(session, "set_procedure", contract, {"procedure": before}, {"procedure": new}, actor_id, now)


def agree_on_software(
    session: Session, number: str, product: str, agreement: str, *, actor_id: int | None, now: datetime
) -> SoftwareAgreement:
    """Record what was agreed on for foreign software; for the same product it replaces what was agreed before.

    Raises NotFound, NotMaintenance, ProductMissing, AgreementMissing, TextTooLong.
    """
    contract = lock(session, number, MAINTENANCE).contract
    name, new = product.strip(), _text(agreement)
    if not name:
        raise ProductMissing()
    if len(name) > MOST_PRODUCT:
        raise TextTooLong(most=MOST_PRODUCT)
    if not new:
        raise AgreementMissing(product=name)
    row = _agreement(session, contract, name) or SoftwareAgreement(contract_id=contract.id, product=name)
    before = {"agreement": row.agreement} if row.id else None
    row.agreement = new
    session.add(row)
    session.flush()
    after = {"product": row.product, "agreement": new}
    _audit(session, "agree_on_software", contract, before, after, actor_id, now)
    return row


def withdraw_agreement(
    session: Session, number: str, product: str, *, actor_id: int | None, now: datetime
) -> None:
    """Take back an agreement about foreign software. Raises NotFound, NotMaintenance."""
    contract = lock(session, number, MAINTENANCE).contract
    row = _agreement(session, contract, product)
    if row is None:
        raise NotFound(what=product)
    session.delete(row)
    session.flush()
    before = {"product": row.product, "agreement": row.agreement}
    _audit(session, "withdraw_agreement", contract, before, None, actor_id, now)


def change_terms(
    session: Session,
    number: str,
    *,
    notice_months: int | None,
    renewal_months: int | None,
    term_months: int | None = None,
    today: date,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Change a contract's notice and renewal (None: it ends with its term), before its start its first term too.

    Only while no term has been entered that this would rewrite: in the first term, no notice in force, nothing
    follows, and the deadline ahead by the old terms and by the new ones. Raises NotFound, MonthsOutOfRange,
    ConsumerNotice, TermBegun, TermsEntered, NoticeOnRecord, DeadlinePassed, AlreadyFollowed.
    """
    locked = lock(session, number)
    contract = locked.contract
    term = term_months or contract.term_months
    check_months(locked.customer, term, notice_months, renewal_months)
    assert notice_months is not None
    before = _terms(contract)
    after = {"term_months": term, "notice_months": notice_months, "renewal_months": renewal_months}
    if after == before:
        return
    new = ContractFacts(contract.starts_on, term, notice_months, renewal_months, locked.customer.is_consumer)
    _refuse_rewriting(session, locked, new, today)
    contract.term_months, contract.notice_months, contract.renewal_months = term, notice_months, renewal_months
    try:
        with session.begin_nested():
            contracts.store_ends(session, [contract.id])
    except IntegrityError as error:
        raise decisions.AlreadyFollowed(contract=number, successor=_next(session, contract)) from error
    reminders.finish(session, contract.id, actor_id=actor_id, now=now)
    _audit(session, "change_terms", contract, before, after, actor_id, now)


def why_terms_stay(session: Session, found: Locked, today: date) -> DomainError | None:
    """Why the terms of a contract stay as they are; None where they can be changed."""
    try:
        _refuse_rewriting(session, found, found.facts, today)
    except DomainError as refusal:
        return refusal
    return None


def _refuse_rewriting(session: Session, locked: Locked, new: ContractFacts, today: date) -> None:
    contract, old = locked.contract, locked.facts
    if new.term_months != old.term_months and today >= contract.starts_on:
        raise TermBegun(contract=contract.number)
    if term_on(old, today).starts_on != contract.starts_on or today > old.first_term_ends_on:
        raise TermsEntered(contract=contract.number)
    if any(notice.withdrawn_on is None for notice in old.notices):
        raise NoticeOnRecord(contract=contract.number)
    for facts in (old, new):
        deadline = facts.deadline(facts.first_term_ends_on)
        if facts.renewal_months is not None and deadline < today:
            raise DeadlinePassed(day=deadline)
    if successor := decisions.successor_of(session, contract):
        raise decisions.AlreadyFollowed(contract=contract.number, successor=successor.number)


def _agreement(session: Session, contract: Contract, product: str) -> SoftwareAgreement | None:
    return session.execute(
        select(SoftwareAgreement).where(
            SoftwareAgreement.contract_id == contract.id,
            func.fold(SoftwareAgreement.product) == func.fold(product.strip()),
        )
    ).scalar_one_or_none()


def _next(session: Session, contract: Contract) -> str:
    later = select(Contract.number).where(
        Contract.customer_id == contract.customer_id, Contract.kind == contract.kind, Contract.id != contract.id
    )
    return session.execute(later.order_by(Contract.starts_on.desc()).limit(1)).scalar_one()


def _terms(contract: Contract) -> dict[str, int | None]:
    return {
        "term_months": contract.term_months,
        "notice_months": contract.notice_months,
        "renewal_months": contract.renewal_months,
    }


def _text(text: str) -> str:
    kept = text.strip()
    if len(kept) > MOST_TEXT:
        raise TextTooLong(most=MOST_TEXT)
    return kept


def _audit(
    session: Session,
    action: str,
    contract: Contract,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    actor_id: int | None,
    now: datetime,
) -> None:
    audit.record(
        session, action, "contract", contract.number, actor_id=actor_id, now=now, before=before, after=after
    )
