"""The figures that the database puts together for the matrix are those that plain counting gives."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from ptdash.domain.matrix import NOTHING, Tally, cell, tab_of
from ptdash.domain.periods import month_of, previous_month
from ptdash.domain.rollout import TaskStatus
from ptdash.domain.updates import Result, State, state_on
from ptdash.models import (
    Contract,
    ContractDevice,
    Customer,
    Device,
    DeviceProduct,
    MaintenanceWindow,
    Product,
    RolloutTask,
    SoftwareAgreement,
    Update,
    UpdateApproval,
    UpdateCheck,
    UpdateProduct,
    User,
)
from ptdash.services.updates import matrix
from ptdash.services.updates.matrix import Asked
from tests.services.updates.house import NOW, TODAY

THIS = month_of(TODAY)
BEFORE = previous_month(THIS)
UNDECIDED = (State.DETECTED, State.IN_TEST, State.DEFERRED)
DONE = ("installed", "reboot_pending", "verified")
LIVES = ((-300, None), (-300, None), (-300, None), (-300, -1), (-300, 0), (-300, 1), (1, None), (0, None))
STATUSES = [status.value for status in TaskStatus]


@dataclass(frozen=True)
class InContract:
    """A device from a day until before another, in days from today, in a contract with a life of its own."""

    kind: str
    contract: tuple[int, int | None]
    device: tuple[int, int | None]


@dataclass(frozen=True)
class OfDevice:
    customer: int
    retired: int | None
    within: InContract | None
    runs: dict[int, str]
    agreed: frozenset[int]


@dataclass(frozen=True)
class OfUpdate:
    state: State
    products: frozenset[int]
    released: int
    until: int
    deferred_from: State
    checks: list[tuple[Result, bool]]
    approvals: list[tuple[int, int | None]]


@dataclass(frozen=True)
class OfTask:
    update: int
    device: int
    status: str
    followed: bool
    stopped: bool
    earlier: bool
    day: int


@dataclass(frozen=True)
class Invented:
    offered: list[bool]
    devices: list[OfDevice]
    updates: list[OfUpdate]
    tasks: list[OfTask]


within = st.builds(
    InContract,
    kind=st.sampled_from(["maintenance", "maintenance", "maintenance", "support"]),
    contract=st.sampled_from(LIVES),
    device=st.sampled_from(LIVES),
)
devices = st.builds(
    OfDevice,
    customer=st.integers(1, 3),
    retired=st.sampled_from([None, None, None, -1, 0, 1]),
    within=st.one_of(within, within, within, st.none()),
    runs=st.dictionaries(st.integers(1, 3), st.sampled_from(["foreign", "foreign", "ours"]), max_size=3),
    agreed=st.frozensets(st.integers(1, 3), max_size=2),
)
approval = st.sampled_from([(-60, None), (-60, -30), (-60, 0), (-5, None), (-5, 0)])
ended = st.just((-60, -40))
updates = st.builds(
    OfUpdate,
    state=st.sampled_from([*State, State.APPROVED, State.APPROVED, State.IN_TEST]),
    products=st.frozensets(st.integers(1, 3), min_size=1),
    released=st.sampled_from([-60, -40, -5, 0]),
    until=st.sampled_from([-1, 0, 1]),
    deferred_from=st.sampled_from([State.DETECTED, State.IN_TEST]),
    checks=st.lists(st.tuples(st.sampled_from([Result.PASSED, Result.FAILED]), st.booleans()), max_size=2),
    approvals=st.one_of(st.just([]), st.tuples(ended, approval).map(list), st.tuples(approval).map(list)),
)


@st.composite
def houses(draw: st.DrawFn) -> Invented:
    found = draw(st.lists(devices, min_size=1, max_size=6))
    for n, one in enumerate(found):  # a customer has one support package at a time
        if (
            one.within
            and one.within.kind == "support"
            and any(
                other.within and other.within.kind == "support" and other.customer == one.customer
                for other in found[:n]
            )
        ):
            found[n] = replace(one, within=None)
    decided = draw(st.lists(updates, min_size=1, max_size=5))
    task = st.builds(
        OfTask,
        update=st.integers(1, len(decided)),
        device=st.integers(1, len(found)),
        status=st.sampled_from(STATUSES),
        followed=st.booleans(),
        stopped=st.booleans(),
        earlier=st.booleans(),
        day=st.integers(15, 19),
    )
    tasks, taken = [], set()
    for one in draw(st.lists(task, max_size=14)):
        live = not one.followed and not one.stopped
        if not live or (one.update, one.device) not in taken:
            tasks.append(one)
            taken.update([(one.update, one.device)] if live else [])
    return Invented(
        draw(st.lists(st.sampled_from([False, False, True]), min_size=3, max_size=3)), found, decided, tasks
    )


def day(offset: int | None) -> date | None:
    return None if offset is None else TODAY + timedelta(days=offset)


def at(offset: int) -> datetime:
    return NOW + timedelta(days=offset)


def store(session: Session, house: Invented) -> None:
    """Written past every trigger: what must never be stored is no matter of the matrix."""

    def add(model: type[Any], **values: Any) -> None:
        session.execute(insert(model).values(**values))

    session.execute(text("SET LOCAL session_replication_role = replica"))
    add(User, id=1, email="m@pt.example", name="Miriam Vogt", role="manager")
    for month in (THIS, BEFORE):
        days, hours = [month.replace(day=n) for n in range(15, 20)], {"opens_at": time(7), "closes_at": time(15)}
        add(MaintenanceWindow, month=month, days=days, left_out=[], stored_at=NOW, **hours)
    for n, offered in enumerate(house.offered, 1):
        add(Customer, id=n, number=str(n), name=f"Kunde {n}", sort_key=str(n))
        add(Product, id=n, name=f"Produkt {n}", offered_by_us=offered)
    for n, device in enumerate(house.devices, 1):
        store_device(add, n, device)
    for n, update in enumerate(house.updates, 1):
        store_update(add, n, update)
    for task in house.tasks:
        status, month = status_of(task), month_of_task(task)
        done = {"installed_at": NOW, "installed_by_id": 1} if status in DONE else {}
        if status == "verified":
            done |= {"verified_at": NOW}
        add(
            RolloutTask,
            update_id=task.update,
            device_id=task.device,
            customer_id=house.devices[task.device - 1].customer,
            window_month=month,
            planned_on=month.replace(day=task.day),
            status=status,
            followed=task.followed,
            stopped_at=NOW if task.stopped else None,
            **{"approval_id": 1, "contract_id": 1, "reason": "x", "created_at": NOW, "changed_at": NOW} | done,
        )


def store_device(add: Callable[..., None], n: int, device: OfDevice) -> None:
    row = {"inventory_number": f"D-{n}", "type": "pc", "name": "x", "purchased_from_us": True}
    add(Device, id=n, customer_id=device.customer, retired_on=day(device.retired), **row)
    for product, source in device.runs.items():
        add(DeviceProduct, device_id=n, product=f"Produkt {product}", product_id=product, source=source)
    inside = device.within
    if inside is None:
        return
    starts, ends = map(day, inside.contract)
    priced = {"monthly_fee": 9} if inside.kind == "maintenance" else {"package": "M"}
    terms = {"term_months": 12, "notice_months": 1, "renewal_months": 12} | priced
    life = {"starts_on": starts, "ends_before": ends}
    add(Contract, id=n, number=f"V-{n}", customer_id=device.customer, kind=inside.kind, **life, **terms)
    starts, ends = map(day, inside.device)
    add(ContractDevice, contract_id=n, device_id=n, included_from=starts, ends_before=ends, monthly_fee=1)
    for product in device.agreed:
        add(SoftwareAgreement, contract_id=n, product=f"produkt {product} ", agreement="wird gepflegt")


def store_update(add: Callable[..., None], n: int, update: OfUpdate) -> None:
    deferred = update.state is State.DEFERRED
    add(
        Update,
        id=n,
        released_on=day(update.released),
        state=update.state.value,
        deferred_until=day(update.until) if deferred else None,
        deferred_from=update.deferred_from.value if deferred else None,
        superseded_by_id=n + 100 if update.state is State.SUPERSEDED else None,
        **{"vendor": "V", "title": f"Update {n}", "version": "1", "severity": "low", "reason": "x"},
        created_at=NOW,
    )
    for product in update.products:
        add(UpdateProduct, update_id=n, product_id=product)
    checked = {"tested_on": "x", "tester_id": 1, "started_at": NOW, "finished_at": NOW, "note": "x"}
    for place, (result, present) in enumerate(update.checks, 1):
        version = "1" if present else "0"
        add(UpdateCheck, update_id=n, n=place, version=version, result=result.value, **checked)
    for since, until in update.approvals:
        ended = {} if until is None else {"ended_at": at(until), "ended_by": "withdrawn", "end_reason": "x"}
        approved = {"check_id": 1, "approved_by_id": 1, "four_eyes": True}
        add(UpdateApproval, update_id=n, approved_at=at(since), **approved, **ended)


def status_of(task: OfTask) -> str:
    """What is stopped is nothing else any more."""
    return "skipped" if task.stopped else task.status


def month_of_task(task: OfTask) -> date:
    return BEFORE if task.earlier else THIS


def runs_on(life: tuple[int, int | None]) -> bool:
    starts, ends = life
    return starts <= 0 and (ends is None or ends > 0)


def concerned(house: Invented, update: OfUpdate, *, may_get: bool) -> list[int]:
    """The devices in running maintenance contracts that run a product of an update (and may get it)."""
    found = []
    for n, device in enumerate(house.devices, 1):
        mine = update.products & device.runs.keys()
        inside = device.within
        if not mine or (device.retired is not None and device.retired <= 0):
            continue
        if not inside or inside.kind != "maintenance":
            continue
        if not runs_on(inside.contract) or not runs_on(inside.device):
            continue
        if not may_get or any(
            device.runs[one] == "ours" or house.offered[one - 1] or one in device.agreed for one in mine
        ):
            found.append(n)
    return found


def tally(tasks: list[OfTask]) -> Tally:
    statuses = [status_of(one) for one in tasks]
    planned = [one for one in tasks if status_of(one) == "planned"]
    return Tally(
        sum(status in ("planned", "missed") for status in statuses),
        sum(status in DONE for status in statuses),
        sum(status in ("failed", "rolled_back") for status in statuses),
        min((month_of_task(one).replace(day=one.day) for one in planned), default=None),
    )


def is_shown(house: Invented, n: int, update: OfUpdate, month: date) -> bool:
    mine = [one for one in house.tasks if one.update == n]
    if any(month_of_task(one) == month for one in mine):
        return True
    if month != THIS:
        return False
    still = ("planned", "missed", "failed")
    instants = [at for approval in update.approvals for at in approval if at is not None]
    return (
        update.state in UNDECIDED
        or day(update.released) >= month
        or (update.state is State.APPROVED and not mine)
        or any(status_of(one) in still and not one.followed and not one.stopped for one in mine)
        or any(day(at) >= month for at in instants)
    )


def check(house: Invented, found: matrix.Matrix) -> None:
    month = found.asked.month
    expected = {n: one for n, one in enumerate(house.updates, 1) if is_shown(house, n, one, month)}
    assert {row.id for row in found.rows} == expected.keys()
    columns = set()
    for row in found.rows:
        update = expected[row.id]
        live = [one for one in house.tasks if one.update == row.id and not one.followed and not one.stopped]
        state = state_on(
            update.state,
            update.deferred_from if update.state is State.DEFERRED else None,
            day(update.until) if update.state is State.DEFERRED else None,
            TODAY,
        )
        newest = [result for result, present in update.checks if present]
        assert row.state is state
        assert row.result == (newest[-1] if newest else None)
        whole = tally(live)
        assert (row.tasks.todo, row.tasks.done, row.tasks.failed) == (whole.todo, whole.done, whole.failed)
        assert row.tab is tab_of(state, row.result, False, whole)
        devices = concerned(house, update, may_get=state is State.APPROVED)
        if state is State.APPROVED:
            devices = [device for device in devices if device not in {one.device for one in live}]
        cells = {}
        for customer in (1, 2, 3):
            own = [one for one in live if house.devices[one.device - 1].customer == customer]
            waiting = sum(house.devices[device - 1].customer == customer for device in devices)
            if own or waiting:
                columns.add(customer)
                says = cell(state, tally(own), affected=waiting, without_task=waiting)
                cells.update({} if says == NOTHING else {customer: says})
        assert row.cells == cells
    assert {column.id for column in found.columns} == columns
    window = [
        status_of(one)
        for one in house.tasks
        if month_of_task(one) == month and not one.stopped and one.status != "not_applicable"
    ]
    figures = found.figures
    assert (figures.done, figures.planned, figures.failed, figures.total) == (
        sum(status in DONE for status in window),
        window.count("planned"),
        window.count("failed") + window.count("rolled_back"),
        len(window),
    )


def test_every_row_cell_and_figure_is_what_counting_gives(session: Session) -> None:
    @given(house=houses(), month=st.sampled_from([THIS, THIS, BEFORE]))
    @settings(max_examples=80, deadline=None)
    def compare(house: Invented, month: date) -> None:
        nested = session.begin_nested()
        try:
            store(session, house)
            check(house, matrix.load(session, Asked(month), TODAY))
        finally:
            nested.rollback()

    compare()
