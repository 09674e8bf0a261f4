"""The next deadlines of the overview: what they are, in which order, and which are none any more."""

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from ptdash.models import Device, Inspection
from ptdash.services import upcoming
from ptdash.services.acceptances import inspecting
from ptdash.services.upcoming import SHOWN, Deadline, Kind
from tests.counting import queries
from tests.services.rollout.house import FIRST, IN_WINDOW, NOW, TODAY, House, utc

DECEMBER, JANUARY = date(2026, 12, 1), date(2027, 1, 1)


@pytest.fixture
def house(session: Session) -> House:
    return House(session)


def planned(house: House, days: int = 1, name: str = "Optik Weiß") -> Inspection:
    device = house.company.device(house.company.customer(name=name), ours=False)
    at = utc(TODAY + timedelta(days=days), 9)
    return inspecting.plan(
        house.session, device.inventory_number, assignee_id=None, scheduled_at=at, actor_id=None, now=NOW
    )


def kinds(house: House, today: date = TODAY) -> list[tuple[date, Kind]]:
    return [(row.day, row.kind) for row in upcoming.deadlines(house.session, today)]


def test_every_kind_stands_in_the_order_of_its_day(house: House) -> None:
    house.customer(devices=2, name="Müller & Söhne")
    house.approved()
    inspection = planned(house)
    ending = house.company.customer(name="Brandt")
    support = house.company.support(ending, starts_on=DECEMBER, ends_before=date(2027, 2, 1))
    found = {row.kind: row for row in upcoming.deadlines(house.session, TODAY)}
    assert list(found) == [Kind.ACCEPTANCE, Kind.WINDOW, Kind.CLOSE, Kind.END]
    assert (found[Kind.ACCEPTANCE].id, found[Kind.ACCEPTANCE].name) == (inspection.id, "Optik Weiß")
    window = found[Kind.WINDOW]
    assert (window.day, window.at, window.count) == (date(2026, 12, 24), utc(date(2026, 12, 24), 15), 2)
    assert found[Kind.CLOSE] == Deadline(JANUARY, Kind.CLOSE, month=DECEMBER, count=2)
    assert (found[Kind.END].day, found[Kind.END].number) == (date(2027, 1, 31), support.number)


def test_an_inspection_that_is_begun_over_or_called_off_is_no_deadline(house: House) -> None:
    planned(house, days=-1)
    planned(house, days=61)
    begun, retired = planned(house), planned(house)
    begun.started_at = NOW
    house.session.get_one(Device, retired.device_id).retired_on = TODAY
    house.session.flush()
    assert Kind.ACCEPTANCE not in [kind for _, kind in kinds(house)]


def test_after_the_last_day_of_a_window_the_next_one_counts(house: House) -> None:
    house.customer()
    house.approved()
    last = date(2026, 12, 24)
    assert (last, Kind.WINDOW) in kinds(house, last)
    found = [day for day, kind in kinds(house, last + timedelta(days=1)) if kind is Kind.WINDOW]
    assert [day.month for day in found] == [1]


def test_what_is_installed_is_no_open_task(house: House) -> None:
    house.customer(devices=2)
    house.approved()
    first = house.tasks()[0]
    first.status, first.installed_at, first.installed_by_id = "installed", IN_WINDOW, house.technician.id
    house.session.flush()
    (window,) = (row for row in upcoming.deadlines(house.session, FIRST) if row.kind is Kind.WINDOW)
    assert window.count == 1


def test_the_nearest_eight_in_as_many_queries_as_one(house: House) -> None:
    planned(house)
    with queries() as few:
        upcoming.deadlines(house.session, TODAY)
    for day in range(2, 12):
        planned(house, day)
    with queries() as many:
        found = upcoming.deadlines(house.session, TODAY)
    assert len(many) == len(few)
    assert [row.day for row in found] == [TODAY + timedelta(days=day) for day in range(1, SHOWN + 1)]


def test_contracts_with_one_notice_deadline_stand_together(house: House) -> None:
    for name in ("Ärzte", "Brandt", "Conradi"):
        house.company.maintenance(house.company.customer(name=name), "10.00", date(2026, 2, 1))
    today = date(2026, 12, 20)
    (row,) = (row for row in upcoming.deadlines(house.session, today) if row.kind is Kind.NOTICE)
    assert (row.day, row.count, row.monthly_net_cents) == (date(2026, 12, 31), 3, 3000)
    assert row.name == "Ärzte, Brandt …"
