"""What contracts are promised with, and when a support package may change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ptdash.domain.errors import DomainError, Invalid
from ptdash.domain.periods import next_month
from ptdash.domain.terms import ContractFacts, term_on, terms

SIZES = ("S", "M", "L")
SUPPORT, MAINTENANCE = "support", "maintenance"


@dataclass(frozen=True)
class Promise:
    """Months of term, of notice and of renewal, as the company promises them; each contract can have its own."""

    term_months: int
    notice_months: int
    renewal_months: int


PROMISED = {SUPPORT: Promise(6, 1, 6), MAINTENANCE: Promise(12, 1, 12)}


class ChangeBeforeStart(Invalid):
    message = "Contract %(contract)s starts on %(starts_on)s; its package cannot change before."


class ChangeAfterEnd(Invalid):
    message = "Contract %(contract)s does not run on %(day)s any more."


class SamePackage(Invalid):
    message = "Contract %(contract)s has package %(package)s already; nothing changes."


class UpgradeNotOnFirst(Invalid):
    message = "An upgrade starts on the first of a month; %(day)s is none."


class DowngradeInsideTerm(Invalid):
    message = "A downgrade starts with a term of the contract; on %(day)s none begins."


def outside(contract: str, facts: ContractFacts, ends_before: date | None, on: date) -> DomainError | None:
    """Why a contract does not run on the day of a change: ChangeBeforeStart, ChangeAfterEnd."""
    if on < facts.starts_on:
        return ChangeBeforeStart(contract=contract, starts_on=facts.starts_on)
    if ends_before is not None and on >= ends_before:
        return ChangeAfterEnd(contract=contract, day=on)
    return None


def fault(contract: str, facts: ContractFacts, before: str, after: str, on: date) -> DomainError | None:
    """Why one package cannot follow another on a day: an upgrade starts on the first of a month, a downgrade with
    a term (UpgradeNotOnFirst, DowngradeInsideTerm); SamePackage where nothing changes."""
    if after == before:
        return SamePackage(contract=contract, package=before)
    if is_upgrade(before, after):
        return None if on.day == 1 else UpgradeNotOnFirst(day=on)
    return None if begins_a_term(facts, on) else DowngradeInsideTerm(day=on)


def first_fault(
    contract: str, facts: ContractFacts, initial: str, changes: Sequence[tuple[date, str]], since: date
) -> date | None:
    """The day of the first change after `since` that cannot follow the one before; `changes` (effective day,
    package) in order. One that changes nothing is in nobody's way."""
    package = initial
    for on, after in changes:
        if on > since and after != package and fault(contract, facts, package, after, on):
            return on
        package = after
    return None


def is_upgrade(before: str, after: str) -> bool:
    return SIZES.index(after) > SIZES.index(before)


def begins_a_term(facts: ContractFacts, day: date) -> bool:
    """Whether a term begins on the day. A consumer's time without an end, which may be left at any time, has
    no terms: every month of it counts."""
    term = term_on(facts, day)
    return day == term.starts_on or (term.ends_on is None and day.day == 1)


def earliest(facts: ContractFacts, before: str, after: str, not_before: date) -> date | None:
    """The first day from `not_before` on which the package may change so; None where the contract has no such day
    (its end by notice is not looked at)."""
    day = max(not_before, facts.starts_on)
    first = day if day.day == 1 else next_month(day)
    if is_upgrade(before, after):
        return first
    for term in terms(facts):
        if term.starts_on >= day:
            return term.starts_on
        if term.ends_on is None:
            return first
    return None
