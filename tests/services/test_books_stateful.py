"""The books under everything that people do to them, in any order: after every step every check holds, and once
nothing is late any more, what was issued for a month is what it owes by its facts."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.domain.periods import days_in, month_of, next_month
from ptdash.domain.settlement import owed
from ptdash.models import (
    Contract,
    ContractNotice,
    Customer,
    CustomerMonth,
    Invoice,
    InvoiceLine,
    PackageChange,
    Period,
    Ticket,
    TimeEntry,
)
from ptdash.services import (
    books,
    cancellations,
    checks,
    contracts,
    facts,
    history,
    period_close,
    prices,
)
from ptdash.services.tickets import moving
from tests.company import Company
from tests.conftest import NOW, empty

FIRST = date(2026, 1, 1)
TREATMENTS = ("package", "package", "package", "separate", "goodwill", None)
APP: list[Flask] = []


class BooksMachine(RuleBasedStateMachine):
    """Two customers; the clock stands on the third of the month after the last one that was closed."""

    @initialize(packages=st.lists(st.sampled_from("SML"), min_size=2, max_size=2), fee=st.booleans())
    def open_the_books(self, packages: list[str], fee: bool) -> None:
        self.context = APP[0].app_context()
        self.context.push()
        empty(APP[0])
        self.open_month = FIRST
        with transaction() as session:
            company = Company(session)
            self.technician = company.technician.id
            self.customers, self.tickets, self.contracts = [], [], []
            for package in packages:
                customer = company.customer()
                self.customers.append(customer.id)
                self.tickets.append(company.ticket(customer).id)
                self.contracts.append(company.support(customer, package, date(2025, 12, 1)).id)
                if fee:
                    company.include(company.maintenance(customer), company.device(customer))
            for who in (0, 1):
                for day, minutes in ((5, 25), (12, 40)):
                    start = datetime(2026, 1, day, 9, tzinfo=BERLIN)
                    self._add_entry(session, self.tickets[who], start, minutes, "package")
        self.close()

    @property
    def today(self) -> date:
        return next_month(self.open_month) + timedelta(days=2)

    @rule(who=st.integers(0, 1), back=st.integers(0, 2), day=st.integers(0, 27), minutes=st.integers(1, 45),
          treatment=st.sampled_from(TREATMENTS))  # fmt: skip
    def book(self, who: int, back: int, day: int, minutes: int, treatment: str | None) -> None:
        """In the open month, or late in one of the two before."""
        month = self.open_month
        for _ in range(back):
            month = max(FIRST, month_of(month - timedelta(days=1)))
        start = datetime.combine(month + timedelta(days=min(day, days_in(month) - 1)), time(9), BERLIN)
        with transaction() as session:
            self._add_entry(session, self.tickets[who], start, minutes, treatment)

    @rule(pick=st.integers(0, 1000), minutes=st.none() | st.integers(1, 45))
    def reverse(self, pick: int, minutes: int | None) -> None:
        """Take an entry back, perhaps with another in its place."""
        with transaction() as session:
            entries = session.execute(facts.standing_entries().order_by(TimeEntry.id)).scalars().all()
            if not entries:
                return
            entry = entries[pick % len(entries)]
            assert entry.minutes
            at, same = entry.started_at, {"customer_id": entry.customer_id, "reverses": entry.id}
            self._add_entry(session, entry.ticket_id, at, entry.minutes, entry.treatment, **same)
            if minutes:
                self._add_entry(session, entry.ticket_id, at, minutes, "package")

    @rule(who=st.integers(0, 1))
    def triage(self, who: int) -> None:
        """Give every untreated entry its treatment, so that nobody stays parked for ever."""
        with transaction() as session:
            for entry in session.execute(
                facts.standing_entries().where(
                    TimeEntry.customer_id == self.customers[who], TimeEntry.treatment.is_(None)
                )
            ).scalars():
                entry.treatment = "package"

    @rule(pick=st.integers(0, 1000))
    def move_ticket(self, pick: int) -> None:
        """A ticket that was one customer's becomes the other's, with its time."""
        with transaction() as session:
            rows = session.execute(select(Ticket).order_by(Ticket.id)).scalars().all()
            ticket = rows[pick % len(rows)]
            other = next(c for c in self.customers if c != ticket.customer_id)
            moving.move(session, ticket.id, other, "Falscher Kunde", actor_id=None, now=NOW)

    @rule(who=st.integers(0, 1), package=st.sampled_from("SML"))
    def change_package(self, who: int, package: str) -> None:
        """From the first of the month that is open."""
        with transaction() as session:
            contract = session.get_one(Contract, self.contracts[who])
            key = (contract.id, self.open_month)
            posted = history.load(session, [contract.customer_id], self.open_month)[contract.customer_id].posted
            if (
                contract.ends_before is None
                and not posted.get(self.open_month)
                and not session.get(PackageChange, key)
            ):
                session.add(PackageChange(contract_id=key[0], effective_on=key[1], package=package))

    @rule(who=st.integers(0, 1), back=st.integers(0, 40))
    def give_notice(self, who: int, back: int) -> None:
        """An extraordinary notice that is recorded up to forty days late."""
        with transaction() as session:
            contract = session.get_one(Contract, self.contracts[who])
            if contract.ends_before is not None:
                return
            ends_on = max(contract.starts_on, self.today - timedelta(days=back))
            session.add(
                ContractNotice(
                    contract_id=contract.id, received_on=contract.starts_on, kind="extraordinary", ends_on=ends_on
                )
            )
            session.flush()
            contracts.store_ends(session, [contract.id])

    @rule()
    def close(self) -> None:
        with transaction() as session:
            run, blockers = books.begin(session, self.open_month, self.today, actor_id=None, now=NOW)
            assert not blockers, blockers
        if run:
            self._work_off(run.id)
        self._go_on()

    @rule()
    def set_aside(self) -> None:
        """Everything that is parked: in the open month, or cancelled and tried in vain."""
        with transaction() as session:
            for month, number in self._parked(session):
                books.set_aside(session, month, number, "wird geklärt", actor_id=None, now=NOW)
        self._go_on()

    @rule(pick=st.integers(0, 1000))
    def try_again(self, pick: int) -> None:
        with transaction() as session:
            parked = self._parked(session)
            if not parked:
                return
            month, number = parked[pick % len(parked)]
            run = books.try_again(session, month, number, self.today, actor_id=None, now=NOW)
        self._work_off(run.id)
        self._go_on()

    @rule(pick=st.integers(0, 1000))
    def cancel(self, pick: int) -> None:
        with transaction() as session:
            cancelled = select(Invoice.cancels_id).where(Invoice.cancels_id.is_not(None))
            in_force = select(Invoice.number).where(Invoice.kind == "bill", Invoice.id.not_in(cancelled))
            bills = session.execute(in_force.order_by(Invoice.id)).scalars().all()
            if bills:
                number = bills[pick % len(bills)]
                cancellations.cancel(session, number, "Irrtum", business_day=self.today, actor_id=None, now=NOW)

    @rule(who=st.integers(0, 1), pick=st.integers(0, 1000))
    def bill_again(self, who: int, pick: int) -> None:
        with transaction() as session:
            months = session.execute(select(Period.month).order_by(Period.month)).scalars().all()
            if not months:
                return
            month = months[pick % len(months)]
            customer = session.get_one(Customer, self.customers[who])
            try:
                run = cancellations.bill_again(
                    session, customer.number, month, business_day=self.today, actor_id=None, now=NOW
                )
            except cancellations.NothingToBillAgain:
                return
        self._work_off(run.id)
        self._go_on()

    @rule(pick=st.integers(0, 1000))
    def bill_an_adjusted_month_again(self, pick: int) -> None:
        """A month of which an adjustment stands on a later invoice: its own is cancelled and billed anew."""
        with transaction() as session:
            cancelled = select(Invoice.cancels_id).where(Invoice.cancels_id.is_not(None))
            carrier = aliased(Invoice)
            adjusted = (
                select(Invoice.number, Invoice.period, Customer.number)
                .join(Customer, Customer.id == Invoice.customer_id)
                .join(carrier, carrier.customer_id == Invoice.customer_id)
                .join(InvoiceLine, (InvoiceLine.invoice_id == carrier.id) & (InvoiceLine.kind == "adjustment"))
                .where(Invoice.kind == "bill", Invoice.id.not_in(cancelled))
                .where(InvoiceLine.service_month == Invoice.period, carrier.id != Invoice.id)
                .order_by(Invoice.id)
            )
            found = session.execute(adjusted).all()
            if not found:
                return
            number, month, customer = found[pick % len(found)]
            cancellations.cancel(session, number, "Irrtum", business_day=self.today, actor_id=None, now=NOW)
            run = cancellations.bill_again(
                session, customer, month, business_day=self.today, actor_id=None, now=NOW
            )
        self._work_off(run.id)
        with transaction() as session:
            new = session.execute(select(Invoice).where(Invoice.run_id == run.id)).scalar_one_or_none()
            if new and new.net_cents:
                issued, due = self._issued_and_owed(session, new.customer_id, month)
                assert issued == due, "what stands elsewhere is taken off as far as the new lines cover it"
        self._go_on()

    @precondition(lambda self: self.open_month > FIRST)
    @rule(who=st.integers(0, 1))
    def nothing_is_billed_twice(self, who: int) -> None:
        """A second preview of the open month shows no month that stands already."""
        with transaction() as session:
            past = history.load(session, [self.customers[who]], self.open_month)[self.customers[who]]
            assert all(not past.is_held(m) for m in past.to_bill_whole(self.open_month) if m < self.open_month)

    @invariant()
    def every_check_holds(self) -> None:
        """After every step; and of a month of which nothing is late, all is issued that it owes by its facts. More
        may stand there until a negative rest finds lines that cover it."""
        with transaction() as session:
            report = checks.run(session)
            assert report["ok"], [check for check in report["checks"] if not check["ok"]]
            for customer_id, past in history.load(session, self.customers, self.open_month).items():
                for month in past.posted:
                    if past.is_held(month) and not past.changed(month):
                        issued, due = self._issued_and_owed(session, customer_id, month)
                        assert issued >= due, (customer_id, month, issued, due)

    def teardown(self) -> None:
        if not hasattr(self, "context"):
            return
        try:
            self._let_everything_come_out()
        finally:
            db.session.remove()
            self.context.pop()

    def _let_everything_come_out(self) -> None:
        """Everybody leaves, everything is triaged: what still waits comes as correction invoices, and then every
        month's issued lines are what it owes."""
        for who in (0, 1):
            self.triage(who)
            self.give_notice(who, 0)
        with transaction() as session:
            for contract in session.execute(select(Contract).where(Contract.ends_before.is_(None))).scalars():
                ends_on = next_month(self.open_month) - timedelta(days=1)
                session.add(
                    ContractNotice(
                        contract_id=contract.id,
                        received_on=contract.starts_on,
                        kind="extraordinary",
                        ends_on=max(ends_on, contract.starts_on),
                    )
                )
                session.flush()
                contracts.store_ends(session, [contract.id])
        for _ in range(3):
            self.close()
        with transaction() as session:
            assert checks.run(session)["ok"], checks.run(session)
            for customer_id in self.customers:
                past = history.load(session, [customer_id], self.open_month)[customer_id]
                for month in past.posted:
                    issued, due = self._issued_and_owed(session, customer_id, month)
                    assert issued == due, (customer_id, month)

    def _issued_and_owed(self, session: Session, customer_id: int, month: date) -> tuple[int, int]:
        """All issued lines of a service month, Stornos included, and what it owes by its facts; net cents."""
        loaded = facts.load(session, [customer_id], month)[0]
        due = owed(loaded.month, prices.valid_on(session, month).rates).net_cents
        lines = (
            select(func.coalesce(func.sum(InvoiceLine.net_cents), 0))
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .where(Invoice.customer_id == customer_id, InvoiceLine.service_month == month)
        )
        return session.execute(lines).scalar_one(), due

    def _parked(self, session: Session) -> list[tuple[date, str]]:
        parked = select(CustomerMonth.month, Customer.number).join(Customer)
        rows = session.execute(parked.where(CustomerMonth.park_code.is_not(None)).order_by(CustomerMonth.month))
        return [(month, number) for month, number in rows]

    def _work_off(self, run_id: int) -> None:
        with transaction() as session:
            period_close.post(session, run_id, books.pending(session, run_id), now=NOW)
        with transaction() as session:
            books.finish(session, run_id, now=NOW)

    def _go_on(self) -> None:
        """To the next month where this one is closed."""
        with transaction() as session:
            if books.state(session, self.open_month) == "closed":
                self.open_month = next_month(self.open_month)

    def _add_entry(
        self, session: Session, ticket_id: int, start: datetime, minutes: int, treatment: str | None, **more: int
    ) -> None:
        session.add(
            TimeEntry(
                ticket_id=ticket_id,
                customer_id=more.get("customer_id", session.get_one(Ticket, ticket_id).customer_id),
                technician_id=self.technician,
                started_at=start,
                ended_at=start + timedelta(minutes=minutes),
                treatment=treatment,
                note="Kulanz nach Absprache",
                reverses_id=more.get("reverses"),
            )
        )


@pytest.fixture
def machine(app: Flask) -> Iterator[type[BooksMachine]]:
    APP[:] = [app]
    yield BooksMachine
    APP.clear()


def test_the_books_hold_whatever_people_do(machine: type[BooksMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
