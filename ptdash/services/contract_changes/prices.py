"""What a contract costs from a day on: its package, its fee."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from ptdash.domain import packages
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.packages import MAINTENANCE, SUPPORT
from ptdash.domain.settlement import in_force
from ptdash.models import FeeChange, PackageChange
from ptdash.services import audit, posted
from ptdash.services.contract_changes.contract import Locked, PostedAlready, fee, lock


class PackageUnknown(Invalid):
    message = "Choose package S, M or L."


class LaterChangeInTheWay(Conflict):
    message = (
        "The change to package %(package)s that is planned for %(day)s would not be possible any more. "
        "Take it back first."
    )


class FeeNotOnFirst(Invalid):
    message = "A fee changes on the first of a month; %(day)s is none."


class SameFee(Invalid):
    message = "%(contract)s has this fee already; nothing changes."


def change_package(
    session: Session, number: str, package: str, effective_on: date, *, actor_id: int | None, now: datetime
) -> None:
    """Change a support contract's package: up from the first of a month that is not posted, down with a term.

    A change of the same day is replaced. Raises NotFound, NotSupport, PackageUnknown, what `packages.outside` and
    `packages.fault` say, PostedAlready, LaterChangeInTheWay.
    """
    if package not in packages.SIZES:
        raise PackageUnknown()
    locked = lock(session, number, SUPPORT)
    contract, facts = locked.contract, locked.facts
    _refuse_outside(locked, effective_on)
    before = _package_before(locked, effective_on)
    if fault := packages.fault(number, facts, before, package, effective_on):
        raise fault
    _refuse_posted(session, locked, effective_on)
    stored = next((row for row in contract.package_changes if row.effective_on == effective_on), None)
    others = [(row.effective_on, row.package) for row in contract.package_changes if row is not stored]
    _refuse_broken(locked, [*others, (effective_on, package)], effective_on)
    old = {"package": stored.package if stored else before}
    session.merge(PackageChange(contract_id=contract.id, effective_on=effective_on, package=package))
    session.flush()
    after = {"package": package, "effective_on": effective_on}
    audit.record(
        session, "change_package", "contract", number, actor_id=actor_id, now=now, before=old, after=after
    )


def take_back_package(
    session: Session, number: str, effective_on: date, *, actor_id: int | None, now: datetime
) -> None:
    """Take back a change of package whose months are not posted. Raises NotFound, NotSupport, PostedAlready,
    LaterChangeInTheWay."""
    locked = lock(session, number, SUPPORT)
    rows = locked.contract.package_changes
    stored = next((row for row in rows if row.effective_on == effective_on), None)
    if stored is None:
        raise NotFound(what=f"{number}, {effective_on}")
    _refuse_posted(session, locked, effective_on)
    _refuse_broken(locked, [(row.effective_on, row.package) for row in rows if row is not stored], effective_on)
    session.delete(stored)
    session.flush()
    before = {"package": stored.package, "effective_on": effective_on}
    audit.record(session, "take_back_package", "contract", number, actor_id=actor_id, now=now, before=before)


def change_fee(
    session: Session,
    number: str,
    monthly_fee: Decimal | None,
    effective_on: date,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Change a maintenance contract's own fee from the first of a month that is not posted.

    A change of the same day is replaced. Raises NotFound, NotMaintenance, FeeUnreadable, FeeNotOnFirst, SameFee,
    PostedAlready, and what `packages.outside` says.
    """
    amount = fee(monthly_fee)
    locked = lock(session, number, MAINTENANCE)
    contract = locked.contract
    _refuse_outside(locked, effective_on)
    if effective_on.day != 1:
        raise FeeNotOnFirst(day=effective_on)
    known = [(row.effective_on, row.monthly_fee) for row in contract.fee_changes]
    old = in_force(contract.monthly_fee, known, effective_on)
    if old == amount:
        raise SameFee(contract=number)
    _refuse_posted(session, locked, effective_on)
    session.merge(FeeChange(contract_id=contract.id, effective_on=effective_on, monthly_fee=amount))
    session.flush()
    before, after = {"monthly_fee": old}, {"monthly_fee": amount, "effective_on": effective_on}
    audit.record(session, "change_fee", "contract", number, actor_id=actor_id, now=now, before=before, after=after)


def take_back_fee(
    session: Session, number: str, effective_on: date, *, actor_id: int | None, now: datetime
) -> None:
    """Take back a change of the fee whose months are not posted. Raises NotFound, NotMaintenance,
    PostedAlready."""
    locked = lock(session, number, MAINTENANCE)
    stored = next((row for row in locked.contract.fee_changes if row.effective_on == effective_on), None)
    if stored is None:
        raise NotFound(what=f"{number}, {effective_on}")
    _refuse_posted(session, locked, effective_on)
    session.delete(stored)
    session.flush()
    before = {"monthly_fee": stored.monthly_fee, "effective_on": effective_on}
    audit.record(session, "take_back_fee", "contract", number, actor_id=actor_id, now=now, before=before)


def _package_before(locked: Locked, day: date) -> str:
    assert locked.contract.package is not None  # the table's check: a support contract has a package
    changes = [(row.effective_on, row.package) for row in locked.contract.package_changes]
    return in_force(locked.contract.package, [row for row in changes if row[0] < day], day)


def _refuse_outside(locked: Locked, day: date) -> None:
    contract = locked.contract
    if outside := packages.outside(contract.number, locked.facts, contract.ends_before, day):
        raise outside


def _refuse_posted(session: Session, locked: Locked, day: date) -> None:
    if posted.is_held(session, locked.customer.id, day):
        raise PostedAlready(until=posted.first_open(session, locked.customer.id))


def _refuse_broken(locked: Locked, changes: list[tuple[date, str]], since: date) -> None:
    """What is planned after a day must still be an upgrade on a first, or a downgrade with a term."""
    assert locked.contract.package is not None
    number, facts = locked.contract.number, locked.facts
    if found := packages.first_fault(number, facts, locked.contract.package, sorted(changes), since):
        raise LaterChangeInTheWay(day=found, package=dict(changes)[found])
