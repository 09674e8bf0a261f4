"""What happens to the demo's contracts: one that ends without renewal, notices with their letters, reminders."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ptdash.domain.periods import last_day, next_month
from ptdash.domain.terms import ContractState
from ptdash.models import Contract, Customer
from ptdash.services import contract_numbers, contracts, notices, reminders
from ptdash.services.notices import Entered

TERM_MONTHS = 12
LETTER = (
    "From: {sender}\r\nTo: rechnung@premium-technologies.example\r\nSubject: Kuendigung {contract}\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\nHiermit kündigen wir den Vertrag {contract} zum nächsten "
    "möglichen Termin.\r\n"
)


def seed(session: Session, *, today: date, now: datetime, manager_id: int) -> None:
    """A contract to decide about, two notices by customers and one for an important reason, today's reminders."""
    _ending(session, today)
    leaving = _running_support(session, today)
    by_mail, on_paper, closing_down = leaving[-2], leaving[-4], leaving[-6]
    _record(session, by_mail, today - timedelta(days=5), "email", today, now, manager_id, proof=True)
    _record(session, on_paper, today - timedelta(days=12), "letter", today, now, manager_id)
    ends_on = last_day(next_month(today))
    given = Entered(
        today - timedelta(days=2), "extraordinary", ends_on, "in_person", "customer", manager_id, "Betriebsaufgabe"
    )
    notices.record(session, closing_down.number, given, today=today, now=now, actor_id=manager_id)
    reminders.look_once_a_day(session, today, now)


def _ending(session: Session, today: date) -> None:
    """A maintenance contract that ends with the next month and does not renew itself."""
    without = ~exists().where(Contract.customer_id == Customer.id, Contract.kind == "maintenance")
    customer = session.execute(select(Customer).where(without).order_by(Customer.number)).scalars().first()
    if customer is None:
        return
    ends_before = next_month(next_month(today))
    contract = Contract(
        number=contract_numbers.following(session, "maintenance"),
        customer_id=customer.id,
        kind="maintenance",
        monthly_fee=Decimal("89.00"),
        starts_on=ends_before.replace(year=ends_before.year - 1),
        term_months=TERM_MONTHS,
        notice_months=1,
    )
    session.add(contract)
    session.flush()
    contracts.store_ends(session, [contract.id])


def _running_support(session: Session, today: date) -> Sequence[Contract]:
    rows = contracts.on_day(session, today, Contract.kind == "support")
    before = today - timedelta(days=14)
    return [
        row.contract
        for row in rows
        if row.life.state is ContractState.ACTIVE and row.contract.starts_on < before and not row.contract.notices
    ]


def _record(
    session: Session,
    contract: Contract,
    received_on: date,
    channel: str,
    today: date,
    now: datetime,
    manager_id: int,
    *,
    proof: bool = False,
) -> None:
    customer = session.get_one(Customer, contract.customer_id)
    letter = LETTER.format(sender=customer.email, contract=contract.number).encode()
    notices.record(
        session,
        contract.number,
        Entered(received_on, channel=channel, taken_by_id=manager_id),
        today=today,
        now=now,
        actor_id=manager_id,
        uploads=[(f"Kuendigung-{contract.number}.eml", letter)] if proof else [],
    )
