"""The rollout under everything that happens to it, in any order: nothing is installed without an approval in force
at that instant, every covered device has exactly one task of an approved update, and every check holds."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.db import db, transaction
from ptdash.domain.acceptance import Answer, ItemState
from ptdash.domain.errors import DomainError
from ptdash.domain.rollout import ON_DEVICE, TRANSITIONS, TaskStatus
from ptdash.domain.updates import Result, Severity
from ptdash.models import (
    Contract,
    ContractDevice,
    ContractNotice,
    Customer,
    Device,
    MaintenanceWindow,
    Product,
    RolloutTask,
    Setting,
    Update,
    UpdateApproval,
    User,
)
from ptdash.services import checks
from ptdash.services.rollout import moving, sweeping, ticking, undoing, verifying
from ptdash.services.rollout.ticking import Emergency, Step
from ptdash.services.updates import approving, checking, entering
from ptdash.services.updates.checking import Where
from ptdash.services.updates.entering import Entry
from tests.company import Company
from tests.conftest import empty
from tests.services.rollout.house import House

START = datetime(2026, 12, 10, 9, tzinfo=BERLIN)
# So many updates a run; those of one title are versions of each other.
MOST = 9
TITLES = ("Windows 11, Update", ".NET, Update")
DECISIONS = ("approve", "withdraw", "supersede", "reject", "defer", "take up", "newer", "enter", "check", "check")
APP: list[Flask] = []
# What the machine brought about, so that it does not only knock on closed doors.
SEEN: Counter[str] = Counter()
STEPS = [TaskStatus.INSTALLED] * 6 + [TaskStatus.VERIFIED] * 3 + list(TaskStatus)


class RolloutMachine(RuleBasedStateMachine):
    """Two customers with three devices each; one device a technician and day, so that windows fill up."""

    @initialize(per_day=st.integers(1, 3), running=st.booleans())
    def begin(self, per_day: int, running: bool) -> None:
        """Before anything is approved, or in the middle of a window with a part of an update installed."""
        self.context = APP[0].app_context()
        self.context.push()
        empty(APP[0])
        self.now = START
        self.changes: list[int] = []
        with transaction() as session:
            house = House(session)
            house.company.add(Setting(key="rollout.per_day", value=str(per_day)))
            self.technician, self.manager = house.technician.id, house.manager.id
            self.tester = house.tester.id
            for n in range(2):
                _, _, devices = house.customer(3)
                devices[0].active_station = n == 0
                devices[1].type = "server"
            self.product = session.execute(select(Product.id)).scalar_one()
        if running:
            self.approve(TITLES[0], closing=True)
            for _ in range(2):
                self.open_window(1)
                self.tick(1, TaskStatus.INSTALLED, 3, emergency=False, acknowledge=True)
            self.approve(TITLES[1], closing=True)

    @property
    def today(self) -> date:
        return self.now.astimezone(BERLIN).date()

    @rule(hours=st.sampled_from([1, 5, 24, 24, 24 * 4, 24 * 9]))
    def time_passes(self, hours: int) -> None:
        """A beat follows, as it does in the house."""
        self.now += timedelta(hours=hours)
        self.beat()

    def beat(self) -> None:
        with transaction() as session:
            swept = sweeping.sweep(session, today=self.today, now=self.now)
            SEEN.update(vars(swept))
            assert sweeping.sweep(session, today=self.today, now=self.now) == sweeping.NOTHING

    @rule(title=st.sampled_from(TITLES), closing=st.booleans())
    def approve(self, title: str, closing: bool) -> None:
        """An update on its whole way: entered, checked by one, approved by another; it may close older ones."""
        with transaction() as session:
            if self.number(session) >= MOST:
                return
            update = self.enter(session, title)
            self.check(session, update.id, self.tester, Result.PASSED)
            older = None if closing else ()
            approved = approving.approve(session, update.id, closing=older, **self.by(self.manager))
            SEEN["approved"] += 1
            SEEN["closed"] += len(approved.closed)

    @rule(pick=st.integers(0, 1000), how=st.sampled_from(["withdraw", "supersede"]), by=st.integers(0, 1000))
    def end_an_approval(self, pick: int, how: str, by: int) -> None:
        with transaction() as session:
            approved = self.updates(session, Update.state == "approved")
            if approved:
                self.decide(session, how, approved[pick % len(approved)], by)

    @rule(pick=st.integers(0, 1000), how=st.sampled_from(DECISIONS), by=st.integers(0, 1000))
    def decide_anything(self, pick: int, how: str, by: int) -> None:
        """Whatever somebody tries with whatever update; what is not possible is refused and leaves nothing."""
        with transaction() as session:
            updates = self.updates(session)
            if updates:
                self.decide(session, how, updates[pick % len(updates)], by)

    def decide(self, session: Session, how: str, update_id: int, pick: int) -> None:
        others = self.updates(session, Update.id != update_id)
        who = self.manager if pick % 4 else self.tester
        why, until = "Drucker stehen still", self.today + timedelta(days=pick % 9)
        try:
            match how:
                case "approve":
                    approving.approve(session, update_id, **self.by(who))
                case "withdraw":
                    approving.withdraw(session, update_id, why, "zurück auf die alte Fassung", **self.by(who))
                case "supersede" if others:
                    approving.supersede(session, update_id, others[pick % len(others)], **self.by(who))
                case "reject":
                    approving.reject(session, update_id, why, **self.by(who))
                case "defer":
                    approving.defer(session, update_id, until, **self.by(who))
                case "take up":
                    approving.take_up(session, update_id, **self.by(who))
                case "enter" if self.number(session) < MOST:
                    self.enter(session, TITLES[pick % 2])
                case "newer" if self.number(session) < MOST:
                    entry = self.entry(session, session.get_one(Update, update_id).title)
                    approving.enter_newer(session, update_id, entry, **self.by(who))
                case "check":
                    self.check(session, update_id, who, Result.FAILED if pick % 3 == 0 else Result.PASSED)
            session.flush()
        except DomainError:
            SEEN[f"refused to {how}"] += 1
            session.rollback()
        else:
            SEEN[how] += 1

    def enter(self, session: Session, title: str) -> Update:
        return entering.enter(session, self.entry(session, title), actor_id=self.manager, now=self.now)

    def entry(self, session: Session, title: str) -> Entry:
        """The next version."""
        return Entry(
            vendor="Microsoft",
            title=title,
            version=f"10.{self.number(session) + 1}",
            severity=list(Severity)[self.number(session) % 4],
            released_on=self.today,
            products=(self.product,),
        )

    def check(self, session: Session, update_id: int, who: int, result: Result) -> None:
        """Begun, every point answered, finished."""
        by = {"actor_id": who, "now": self.now}
        begun = checking.start(session, update_id, Where(tested_on="Testgerät"), today=self.today, **by)
        points = checking.answers_of(session, begun.id)
        answers = [Answer(point.pos, ItemState.PASSED) for point in points]
        if result is Result.FAILED:
            answers[-1] = Answer(points[-1].pos, ItemState.FAILED, "startet nicht")
        checking.answer_all(session, begun.id, answers, **by)
        checking.finish(session, begun.id, result, note="geprüft", **by)

    def by(self, who: int) -> dict[str, Any]:
        return {"today": self.today, "actor_id": who, "now": self.now}

    @staticmethod
    def updates(session: Session, *which: Any) -> list[int]:
        return list(session.execute(select(Update.id).where(*which).order_by(Update.id)).scalars())

    def number(self, session: Session) -> int:
        return len(self.updates(session))

    @rule(pick=st.integers(0, 1000), to=st.sampled_from(STEPS), number=st.integers(1, 3), emergency=st.booleans(),
          acknowledge=st.booleans())  # fmt: skip
    def tick(self, pick: int, to: TaskStatus, number: int, emergency: bool, acknowledge: bool) -> None:
        self.open_window(pick)
        with transaction() as session:
            rows = session.execute(select(RolloutTask.id, RolloutTask.status).order_by(RolloutTask.id)).all()
            ids = [row.id for row in rows if pick % 4 == 0 or to in TRANSITIONS[TaskStatus(row.status)]]
            if not ids:
                return
            chosen = [ids[(pick + n) % len(ids)] for n in range(number)]
            if acknowledge:
                session.execute(
                    RolloutTask.__table__.update()
                    .where(RolloutTask.status == "planned", RolloutTask.acknowledged_at.is_(None))
                    .values(acknowledged_at=self.now, acknowledged_by_id=self.technician)
                )
            allowed = Emergency("Lücke", self.manager) if emergency else None
            actor = self.user(session, self.technician)
            step = Step(to, reason="so", emergency=allowed)
            try:
                outcome = ticking.tick(session, chosen, step, actor=actor, today=self.today, now=self.now)
            except DomainError:
                SEEN["refused"] += 1
                session.rollback()
                return
            self.changes.append(outcome.change)
            SEEN[to.value] += len(outcome.done)
            if to is TaskStatus.INSTALLED:
                for task in outcome.done:
                    approval = session.get_one(UpdateApproval, task.row.approval_id, populate_existing=True)
                    assert approval.ended_at is None and approval.approved_at <= self.now

    def open_window(self, pick: int) -> None:
        """Half of the ticks happen while a window with work in it is open."""
        with transaction() as session:
            days = [day for row in session.execute(select(MaintenanceWindow)).scalars() for day in row.days]
        ahead = sorted(day for day in days if day > self.today)
        if pick % 4 and ahead and ahead[0] - self.today < timedelta(days=20):
            day = ahead[0]
            self.now = datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN)
            self.beat()

    @rule(pick=st.integers(0, 1000))
    def undo(self, pick: int) -> None:
        if not self.changes:
            return
        with transaction() as session:
            try:
                undoing.undo(
                    session,
                    self.changes[-1 - pick % min(3, len(self.changes))],
                    actor=self.user(session, self.technician),
                    now=self.now,
                )
            except DomainError:
                session.rollback()

    @rule(pick=st.integers(0, 1000), ahead=st.integers(0, 6))
    def move(self, pick: int, ahead: int) -> None:
        with transaction() as session:
            ids = list(session.execute(select(RolloutTask.id).order_by(RolloutTask.id)).scalars())
            days = [day for row in session.execute(select(MaintenanceWindow)).scalars() for day in row.days]
            if not ids:
                return
            try:
                moving.move(session, [ids[pick % len(ids)]], sorted(days)[ahead % len(days)], self.tester,
                            actor=self.user(session, self.manager), today=self.today, now=self.now)  # fmt: skip
            except DomainError:
                session.rollback()

    @rule(pick=st.integers(0, 1000), days=st.integers(0, 10))
    def device_leaves(self, pick: int, days: int) -> None:
        with transaction() as session:
            rows = session.execute(
                select(ContractDevice).where(ContractDevice.ends_before.is_(None)).order_by(ContractDevice.id)
            ).scalars().all()  # fmt: skip
            if rows:
                row = rows[pick % len(rows)]
                row.included_until = self.today + timedelta(days=days)
                row.ends_before = row.included_until + timedelta(days=1)
        self.beat()

    @rule(pick=st.integers(0, 1000))
    def device_comes(self, pick: int) -> None:
        with transaction() as session:
            house = self.house(session)
            contracts = session.execute(
                select(Contract).where(Contract.ends_before.is_(None)).order_by(Contract.id)
            ).scalars().all()  # fmt: skip
            if contracts and len(session.execute(select(Device.id)).all()) < 10:
                contract = contracts[pick % len(contracts)]
                device = house.device(session.get_one(Customer, contract.customer_id))
                house.company.include(contract, device, included_from=self.today)
        self.beat()

    @rule(pick=st.integers(0, 1000), days=st.integers(0, 20))
    def contract_ends(self, pick: int, days: int) -> None:
        with transaction() as session:
            contracts = session.execute(
                select(Contract).where(Contract.ends_before.is_(None)).order_by(Contract.id)
            ).scalars().all()  # fmt: skip
            if not contracts or pick % 3:
                return
            contract = contracts[pick % len(contracts)]
            ends_on = self.today + timedelta(days=days)
            session.add(ContractNotice(contract_id=contract.id, received_on=self.today, kind="extraordinary",
                                       ends_on=ends_on, channel="letter"))  # fmt: skip
            contract.ends_before = ends_on + timedelta(days=1)
            for row in session.execute(
                select(ContractDevice).where(ContractDevice.contract_id == contract.id)
            ).scalars():
                row.ends_before = min(day for day in (row.ends_before, contract.ends_before) if day)
        self.beat()

    @invariant()
    def nothing_is_installed_that_is_not_approved(self) -> None:
        if not hasattr(self, "now"):
            return
        with transaction() as session:
            _, unapproved = verifying.unapproved(session)
            assert unapproved == []
            covered, wrong = verifying.without_one_task(session, self.today)
            assert wrong == [], (self.today, covered)
            planned = session.execute(
                select(RolloutTask, UpdateApproval.ended_at)
                .join(UpdateApproval, UpdateApproval.id == RolloutTask.approval_id)
                .where(RolloutTask.status == "planned")
            ).all()
            assert all(ended_at is None for _, ended_at in planned)
            assert {row.status for row in session.execute(select(RolloutTask)).scalars()
                    if row.installed_at is None}.isdisjoint(ON_DEVICE)  # fmt: skip

    def teardown(self) -> None:
        if not hasattr(self, "now"):
            return
        with transaction() as session:
            results = checks.run(session)["checks"]
            # The machine's clock is not the database's; the invariant has asked for the machine's day.
            broken = [c for c in results if not c["ok"] and c["name"] != "one_task_a_covered_device"]
            assert not broken
        db.session.remove()
        self.context.pop()

    def house(self, session) -> House:
        """The same people and numbers go on: nothing of the company is made twice."""
        house = House.__new__(House)
        house.session = session
        house.company = Company.__new__(Company)
        house.company.session = session
        house.company.numbers = count(20000 + len(session.execute(select(Device.id)).all()))
        house.versions = count(1 + len(session.execute(select(Update.id)).all()))
        house.technician, house.tester = self.user(session, self.technician), self.user(session, self.tester)
        house.manager = self.user(session, self.manager)
        return house

    @staticmethod
    def user(session, user_id: int) -> User:
        return session.get_one(User, user_id)


@pytest.fixture
def machine(app: Flask) -> Iterator[None]:
    APP[:] = [app]
    yield
    with app.app_context():
        empty(app)


def test_nothing_unapproved_is_ever_installed_and_nobody_is_forgotten(machine: None):
    SEEN.clear()
    run_state_machine_as_test(
        RolloutMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert SEEN["approved"] and SEEN["installed"], SEEN
