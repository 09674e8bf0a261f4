"""The contract that is to be changed."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, selectinload

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.packages import MAINTENANCE, SUPPORT
from ptdash.domain.terms import ContractFacts
from ptdash.models import Contract, Customer
from ptdash.services import contracts, posted

MOST_FEE = Decimal(1_000_000)


class NotMaintenance(Invalid):
    message = "%(contract)s is a support contract. Devices, fees and agreements belong to maintenance contracts."


class NotSupport(Invalid):
    message = "%(contract)s is a maintenance contract. It has no package."


class FeeUnreadable(Invalid):
    message = "Enter the monthly fee from 0 on with at most two decimals, for example 29,00."


class PostedAlready(Conflict):
    message = (
        "Months before %(until)s are posted already. Choose that day or a later one, or cancel the invoices first "
        "(Storno)."
    )


@dataclass(frozen=True)
class Locked:
    """A contract, locked, with its changes and notices; nothing of its customer is posted meanwhile."""

    contract: Contract
    customer: Customer

    @property
    def facts(self) -> ContractFacts:
        return contracts.facts_of(self.contract, self.customer.is_consumer)


def lock(session: Session, number: str, kind: str | None = None) -> Locked:
    """One change of a contract after the other. Raises NotFound, NotMaintenance, NotSupport."""
    row = session.execute(
        select(Contract, Customer)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(Contract.number == number)
        .options(*map(selectinload, (Contract.notices, Contract.package_changes, Contract.fee_changes)))
        .with_for_update(key_share=True, of=Contract)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound(what=number)
    contract, customer = row
    if kind == MAINTENANCE and contract.kind != kind:
        raise NotMaintenance(contract=number)
    if kind == SUPPORT and contract.kind != kind:
        raise NotSupport(contract=number)
    posted.lock(session, customer.id)
    return Locked(contract, customer)


def fee(amount: Decimal | None) -> Decimal:
    """A monthly fee in euros. Raises FeeUnreadable."""
    if amount is None or not 0 <= amount < MOST_FEE or amount != round(amount, 2):
        raise FeeUnreadable()
    return amount


def constraint_of(error: DBAPIError) -> str:
    """What refused a statement: the name of the constraint, or the SQLSTATE of our own."""
    diag = getattr(error.orig, "diag", None)
    return getattr(diag, "constraint_name", None) or getattr(error.orig, "sqlstate", None) or ""
