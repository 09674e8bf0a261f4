"""The matrix on stored updates: its rows, its cells, and a number of queries that does not grow."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.types import Date

from ptdash.domain.errors import NotFound
from ptdash.domain.matrix import Kind, Tab
from ptdash.domain.updates import Result
from ptdash.models import SoftwareAgreement
from ptdash.services.updates import approving, matrix, matrix_sql, reading
from ptdash.services.updates.matrix import Asked
from tests.counting import queries
from tests.services.updates.house import NOW, TODAY, House, later
from tests.services.updates.test_approving import INSTALL, ONE

NOVEMBER = Asked(date(2026, 11, 1))


def load(house: House, asked: Asked = NOVEMBER, today: date = TODAY) -> matrix.Matrix:
    return matrix.load(house.session, asked, today)


def kinds(found: matrix.Matrix) -> list[list[Kind | None]]:
    """The kinds of all cells, row by row."""
    return [
        [row.cells[column.id].kind if column.id in row.cells else None for column in found.columns]
        for row in found.rows
    ]


def test_before_the_approval_a_cell_counts_the_devices_that_run_it(house):
    house.covered(3, name="Anton")
    house.covered(1, name="Berta")
    house.company.customer(name="Cäsar")
    house.update()
    found = load(house)
    assert [(column.short, column.devices) for column in found.columns] == [("ANT", 3), ("BER", 1)]
    assert [found.rows[0].cells[column.id].n for column in found.columns] == [3, 1]
    assert kinds(found) == [[Kind.WAITING, Kind.WAITING]]


def test_after_the_approval_a_cell_says_how_far_it_is(house):
    house.covered(2)
    house.approved()
    (row,) = load(house).rows
    (cell,) = row.cells.values()
    assert (cell.kind, cell.of, cell.day) == (Kind.PLANNED, 2, date(2026, 11, 16))
    house.session.execute(text(INSTALL.format(one=ONE)))
    assert kinds(load(house)) == [[Kind.PARTLY]]
    house.session.execute(text(INSTALL.format(one="WHERE status = 'planned'")))
    assert kinds(load(house)) == [[Kind.DONE]]
    house.session.execute(text(f"UPDATE rollout_tasks SET status = 'failed', reason = 'kein Platz' {ONE}"))
    found = load(house)
    assert (kinds(found), found.figures.failed, found.counts[Tab.FAILED]) == ([[Kind.FAILED]], 1, 1)


def test_a_device_that_came_later_is_new_and_foreign_software_only_with_an_agreement(house):
    notes = house.product("Notes", "HCL")
    notes.offered_by_us = False
    _, (device,) = house.covered(1)
    house.approved(products=(notes.id,), title="Notes")
    house.runs(device, notes, source="foreign")
    assert load(house).columns == []
    contract = house.session.execute(text("SELECT id FROM contracts")).scalar_one()
    house.company.add(SoftwareAgreement(contract_id=contract, product="NOTES", agreement="wird gepflegt"))
    assert kinds(load(house)) == [[Kind.NEW]]


def test_what_was_withdrawn_keeps_where_it_is_installed(house):
    house.covered(1)
    house.covered(1)
    update = house.approved()
    house.session.execute(text(INSTALL.format(one=ONE)))
    approving.withdraw(house.session, update.id, "zurückgezogen", **house.by | later(5))
    assert kinds(load(house)) == [[Kind.DONE, Kind.CLOSED]]


def test_every_update_is_counted_under_its_heading(house):
    house.update("1", title="Neu")
    house.tested("1", title="Durchgefallen", result=Result.FAILED)
    house.tested("1", title="Wartet")
    testing = house.tested("1", title="Noch einmal")
    house.start(testing)
    house.approved("1", title="Freigegeben")
    approving.reject(house.session, house.update("1", title="Abgelehnt").id, "nein", **house.by)
    approving.defer(house.session, house.update("1", title="Später").id, TODAY + timedelta(days=3), **house.by)
    counts = load(house).counts
    assert counts == {
        Tab.ALL: 7,
        Tab.TO_APPROVE: 1,
        Tab.TO_TEST: 3,
        Tab.ROLLING_OUT: 1,
        Tab.FAILED: 0,
        Tab.DONE: 1,
    }
    assert [row.title for row in load(house, replace(NOVEMBER, tab=Tab.TO_APPROVE)).rows] == ["Wartet"]
    back = load(house, today=TODAY + timedelta(days=3)).counts
    assert (back[Tab.ALL], back[Tab.TO_TEST]) == (7, 4)


@pytest.mark.parametrize("days", [0, 3])
def test_the_figure_in_the_navigation_is_that_of_the_heading(house, days):
    deferred = house.tested("1", title="Zurückgestellt")
    approving.defer(house.session, deferred.id, TODAY + timedelta(days=3), **house.by)
    house.tested("1", title="Wartet")
    house.start(house.tested("1", title="Noch einmal"))
    house.tested("1", title="Durchgefallen", result=Result.FAILED)
    today = TODAY + timedelta(days=days)
    figure = select(matrix_sql.to_approve(bindparam("today", type_=Date)))
    counted = house.session.execute(figure, {"today": today}).scalar_one()
    assert counted == load(house, today=today).counts[Tab.TO_APPROVE] == (1 if days == 0 else 2)


def test_a_past_month_shows_what_was_planned_in_it(house):
    house.covered(1)
    house.update("1", title="Nie geplant")
    house.approved("1", title="Im November")
    in_january = date(2027, 1, 11)
    assert [row.title for row in load(house, NOVEMBER, in_january).rows] == ["Im November"]
    assert load(house, Asked(date(2026, 10, 1)), in_january).rows == []
    assert len(load(house, Asked(date(2027, 1, 1)), in_january).rows) == 2  # both are still open


def test_search_finds_in_every_month_and_forgives_umlauts(house):
    house.update("1", title="Büroklammer", kb_number="KB4711")
    house.update("2", title="Anders")
    for words in ("bueroklammer", "kb4711", "mozilla klammer"):
        found = load(house, Asked(date(2020, 1, 1), text=words))
        assert [row.title for row in found.rows] == ["Büroklammer"]


def test_rows_and_customers_come_in_pages(house):
    for _ in range(3):
        house.covered(1)
    for n in range(5):
        house.update(f"{n}", title=f"Update {n}")
    asked = replace(NOVEMBER, rows=2, columns=2)
    pages = [load(house, replace(asked, page=n)) for n in (1, 2, 3)]
    assert [len(page.rows) for page in pages] == [2, 2, 1]
    assert (pages[0].pages, pages[0].customer_pages, pages[0].found, pages[0].customers) == (3, 2, 5, 3)
    columns = [load(house, replace(asked, customers=n)).columns for n in (1, 2)]
    assert [len(part) for part in columns] == [2, 1]


def test_the_queries_do_not_grow_with_updates_customers_or_tasks(house):
    house.covered(1)
    house.approved("1", title="Erstes")
    with queries() as few:
        load(house)
    for n in range(6):
        house.covered(2)
        house.tested("1", title=f"Update {n}")
    house.approved("1", title="Letztes")
    with queries() as many:
        found = load(house)
    assert len(found.rows) == 8
    assert len(many) == len(few) <= 10


def test_a_cell_opens_the_devices_behind_it(house):
    _, devices = house.covered(2, number="10007")
    update = house.approved()
    cell = reading.customer_cell(house.session, update.id, "10007", TODAY)
    assert [line.device.id for line in cell.lines] == [device.id for device in devices]
    assert {line.status for line in cell.lines} == {"planned"}
    with pytest.raises(NotFound):
        reading.customer_cell(house.session, update.id, "nobody", TODAY)


def test_a_page_tells_checks_approvals_customers_and_history(house):
    house.covered(2)
    house.approved("140.4.0")
    update = house.tested("140.5.0", result=Result.FAILED)
    house.finish(house.start(update))
    page = reading.page(house.session, update.id, TODAY)
    assert ([check.check.n for check in page.checks], page.passed.check.n) == ([2, 1], 2)
    assert [old.version for old in page.older] == ["140.4.0"]
    approving.approve(house.session, update.id, **house.by)
    page = reading.page(house.session, update.id, TODAY)
    assert (page.approvals[0].approver, [one.tasks.todo for one in page.spread]) == ("Miriam Vogt", [2])
    old = reading.page(house.session, 1, TODAY)
    assert (old.successor.version, old.installed) == ("140.5.0", ())
    actions = [event.action for event in old.events]
    assert actions == ["stop_rollout", "supersede", "plan", "approve", "finish check", "start check", "enter"]
    assert page.events[0].at == NOW
