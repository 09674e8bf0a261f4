"""Making support and maintenance contracts."""

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from ptdash.domain import terms
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.packages import MAINTENANCE, PROMISED, SIZES, SUPPORT
from ptdash.domain.periods import month_of
from ptdash.domain.terms import CONSUMER_NOTICE_MONTHS, ContractFacts, Lifecycle, add_months
from ptdash.models import Contract, ContractDevice, Customer
from ptdash.services import audit, contract_numbers, contracts, decisions, posted, recurring
from ptdash.services.contract_changes.contract import constraint_of, fee
from ptdash.services.posted import UNSEEN, Confirmed, PostedMonth

MOST_MONTHS = 600
MONTHS_AWAY = 120


class KindMissing(Invalid):
    message = "Choose support or maintenance."


class PackageMissing(Invalid):
    message = "A support contract needs its package: S, M or L."


class StartMissing(Invalid):
    message = "Enter the first day of the contract."


class StartFarAway(Invalid):
    message = "%(day)s is more than ten years away. Check the year."


class MonthsOutOfRange(Invalid):
    message = "Enter whole months from 1 to 600."


class ConsumerNotice(Invalid):
    message = "%(customer)s is a consumer: the notice period is one month."


class SupportOverlaps(Conflict):
    message = (
        "%(customer)s has support contract %(contract)s from %(starts_on)s on. One support package at a time: "
        "change its package, or let it end first."
    )


class CannotFollow(Conflict):
    message = (
        "%(contract)s cannot be followed by this contract: it must be of the same customer and kind, end before "
        "%(starts_on)s, and not be followed already."
    )


class NumberTaken(Conflict):
    message = "Somebody entered a contract at the same moment. Save again."


@dataclass(frozen=True)
class NewContract:
    """What a person enters; `customer` and `follows` are numbers. `renewal_months` None: it ends with its term.
    `takes_over` the devices of the contract that it follows, and what was agreed there on foreign software."""

    customer: str
    kind: str
    starts_on: date | None
    term_months: int | None
    notice_months: int | None
    renewal_months: int | None
    package: str | None = None
    monthly_fee: Decimal | None = None
    active_station_procedure: str = ""
    follows: str | None = None
    takes_over: bool = False

    @classmethod
    def promised(cls, customer: str, kind: str, starts_on: date) -> "NewContract":
        """With the terms that the company promises."""
        return cls(customer, kind, starts_on, **asdict(PROMISED[kind]))

    def facts(self, is_consumer: bool) -> ContractFacts:
        """Of a contract that was checked."""
        assert self.starts_on and self.term_months and self.notice_months
        return ContractFacts(
            self.starts_on, self.term_months, self.notice_months, self.renewal_months, is_consumer
        )


@dataclass(frozen=True)
class Foreseen:
    """What a contract would be: its life on its first day, how many devices it takes over, a whole month and the
    first month in net cents (None where the package has no price yet), and what it changes in posted months."""

    entered: NewContract
    customer: Customer
    life: Lifecycle
    devices: int
    monthly_cents: int | None
    first_month: date
    first_cents: int
    posted: tuple[PostedMonth, ...]

    @property
    def difference_cents(self) -> int:
        return sum(month.difference_cents for month in self.posted)


def preview(session: Session, entered: NewContract, *, today: date) -> Foreseen:
    """What this contract would be, without keeping it; raises as `create` does."""
    customer, entered = _checked(session, entered, today)
    followed = _followed(session, entered, customer)
    _refuse_overlap(session, entered, customer)
    contract, prices = _row(session, entered, customer, "", followed), contracts.package_prices(session)
    assert entered.starts_on is not None
    end = terms.ends_before(entered.facts(customer.is_consumer))
    return Foreseen(
        entered=entered,
        customer=customer,
        life=terms.lifecycle(entered.facts(customer.is_consumer), entered.starts_on),
        devices=len(contract.devices),
        monthly_cents=contracts.monthly_net_cents(contract, entered.starts_on, prices),
        first_month=month_of(entered.starts_on),
        first_cents=recurring.fees_cents(contract, month_of(entered.starts_on), end, prices),
        posted=posted.foreseen(
            session,
            customer.id,
            entered.starts_on,
            end,
            lambda: _write(session, _row(session, entered, customer, f"?{customer.id}", followed), customer),
        ),
    )


def create(
    session: Session,
    entered: NewContract,
    *,
    confirmed: Confirmed = UNSEEN,
    today: date,
    actor_id: int,
    now: datetime,
) -> Contract:
    """Make a contract under the next free number.

    A start in posted months needs the difference that was seen and a reason. Raises NotFound, KindMissing,
    PackageMissing, FeeUnreadable, StartMissing, StartFarAway, MonthsOutOfRange, ConsumerNotice, SupportOverlaps,
    CannotFollow, DevicesNotAccepted, NumberTaken, ReachNotSeen, ReachReasonMissing.
    """
    customer, entered = _checked(session, entered, today)
    number = contract_numbers.following(session, entered.kind)  # one after the other from here on
    posted.lock(session, customer.id)
    followed = _followed(session, entered, customer)
    _refuse_overlap(session, entered, customer)
    assert entered.starts_on is not None
    contract, months = posted.changing(
        session,
        customer.id,
        entered.starts_on,
        terms.ends_before(entered.facts(customer.is_consumer)),
        lambda: _write(session, _row(session, entered, customer, number, followed), customer),
    )
    if followed and entered.takes_over:
        decisions.take_over_agreements(session, followed, contract)
    difference = posted.confirm(months, confirmed)
    after = {key: value for key, value in asdict(entered).items() if value not in (None, "")}
    after |= {"renewal_months": entered.renewal_months}
    if months:
        after |= {"reason": confirmed.reason.strip(), "posted_difference_cents": difference}
    audit.record(session, "create", "contract", number, actor_id=actor_id, now=now, after=after)
    decisions.followed(session, contract, actor_id=actor_id, now=now)
    return contract


def overlapping(
    session: Session, customer: Customer, starts_on: date, ends_before: date | None
) -> Contract | None:
    """The support contract of a customer that runs, or will run, on one of these days."""
    found = select(Contract).where(
        Contract.customer_id == customer.id,
        Contract.kind == SUPPORT,
        or_(Contract.ends_before.is_(None), Contract.ends_before > starts_on),
    )
    if ends_before is not None:
        found = found.where(Contract.starts_on < ends_before)
    return session.execute(found.order_by(Contract.starts_on).limit(1)).scalar_one_or_none()


def _checked(session: Session, entered: NewContract, today: date) -> tuple[Customer, NewContract]:
    """The customer, and what was entered without what does not belong to its kind."""
    customer = session.execute(select(Customer).where(Customer.number == entered.customer)).scalar_one_or_none()
    if customer is None:
        raise NotFound(what=entered.customer)
    if entered.kind not in PROMISED:
        raise KindMissing()
    if entered.kind == SUPPORT:
        if entered.package not in SIZES:
            raise PackageMissing()
        entered = replace(entered, monthly_fee=None, active_station_procedure="")
    else:
        entered = replace(entered, package=None, monthly_fee=fee(entered.monthly_fee))
    if entered.starts_on is None:
        raise StartMissing()
    if not add_months(today, -MONTHS_AWAY) <= entered.starts_on <= add_months(today, MONTHS_AWAY):
        raise StartFarAway(day=entered.starts_on)
    check_months(customer, entered.term_months, entered.notice_months, entered.renewal_months)
    return customer, replace(entered, active_station_procedure=entered.active_station_procedure.strip())


def check_months(customer: Customer, term: int | None, notice: int | None, renewal: int | None) -> None:
    """Raises MonthsOutOfRange, ConsumerNotice."""
    for months in (term, notice, 1 if renewal is None else renewal):
        if months is None or not 1 <= months <= MOST_MONTHS:
            raise MonthsOutOfRange()
    if customer.is_consumer and notice != CONSUMER_NOTICE_MONTHS:
        raise ConsumerNotice(customer=customer.name)


def _followed(session: Session, entered: NewContract, customer: Customer) -> Contract | None:
    if not entered.follows:
        return None
    followed = select(Contract).where(Contract.number == entered.follows).options(selectinload(Contract.devices))
    found = session.execute(followed).scalar_one_or_none()
    if (
        found is None
        or (found.customer_id, found.kind) != (customer.id, entered.kind)
        or found.ends_before is None
        or (entered.starts_on and found.ends_before > entered.starts_on)
        or decisions.successor_of(session, found)
    ):
        raise CannotFollow(contract=entered.follows, starts_on=entered.starts_on)
    return found


def _refuse_overlap(session: Session, entered: NewContract, customer: Customer) -> None:
    if entered.kind == MAINTENANCE or entered.starts_on is None:
        return
    end = terms.ends_before(entered.facts(customer.is_consumer))
    if there := overlapping(session, customer, entered.starts_on, end):
        raise _overlaps(customer, there)


def _overlaps(customer: Customer, there: Contract) -> SupportOverlaps:
    return SupportOverlaps(customer=customer.name, contract=there.number, starts_on=there.starts_on)


def _row(
    session: Session, entered: NewContract, customer: Customer, number: str, followed: Contract | None
) -> Contract:
    devices: list[ContractDevice] = []
    if followed and entered.takes_over and entered.starts_on:
        devices = decisions.carried(session, followed, entered.starts_on)
    return Contract(
        number=number,
        customer_id=customer.id,
        kind=entered.kind,
        package=entered.package,
        monthly_fee=entered.monthly_fee,
        starts_on=entered.starts_on,
        term_months=entered.term_months,
        notice_months=entered.notice_months,
        renewal_months=entered.renewal_months,
        active_station_procedure=entered.active_station_procedure,
        follows_id=followed.id if followed else None,
        devices=devices,
    )


def _write(session: Session, contract: Contract, customer: Customer) -> Contract:
    """Into the database with its end; what another way of writing slipped in meanwhile is told, not failed on."""
    contract.ends_before = terms.ends_before(contracts.facts_of(contract, customer.is_consumer))
    for device in contract.devices:
        device.ends_before = contract.ends_before
    try:
        with session.begin_nested():
            session.add(contract)
            session.flush()
    except IntegrityError as error:
        if constraint_of(error) == "uq_contracts_number":
            raise NumberTaken() from None
        there = overlapping(session, customer, contract.starts_on, contract.ends_before)
        if constraint_of(error) == "ex_contracts_one_support_package" and there:
            raise _overlaps(customer, there) from None
        if constraint_of(error) == "uq_contracts_follows_id":
            raise CannotFollow(contract=contract.number, starts_on=contract.starts_on) from None
        raise
    return contract
