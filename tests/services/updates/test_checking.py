"""Checks of updates: what is asked, by whom, with what evidence, and how they end."""

import pytest

from ptdash.domain.acceptance import Answer, ItemState, NoteMissing
from ptdash.domain.updates import ChecksOpen, FailedPoints, PlaceMissing, Result, StepRefused
from ptdash.services.files import FileTypeRefused
from ptdash.services.updates import catalogue, checking
from ptdash.services.updates.checking import Where
from ptdash.services.updates.plan_defaults import DEFAULT_PLAN
from tests.services.updates.house import NOW, TODAY, House

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")


def by(house: House) -> dict:
    return {"actor_id": house.tester.id, "now": NOW}


def plan(house: House, *items: str, product=None, seen: int = 0) -> int:
    product = product or house.firefox
    return catalogue.save_plan(house.session, product.id, items, seen=seen, actor_id=house.manager.id, now=NOW)


def texts(house: House, check_id: int) -> list[str]:
    return [row.text for row in checking.results_of(house.session, [check_id])]


def test_a_check_asks_what_the_products_plan_says_and_keeps_it(house):
    plan(house, "Startet", "Druckt")
    check = house.start(house.update())
    plan(house, "Startet", "Druckt", "Spielt Video", seen=1)
    assert texts(house, check.id) == ["Startet", "Druckt"]
    assert (check.n, check.version, check.tested_on, check.tester_id) == (
        1,
        "140.5.0",
        "TEST-PC-01",
        house.tester.id,
    )


def test_a_product_without_a_plan_is_checked_by_the_general_one(house):
    assert texts(house, house.start(house.update()).id) == list(DEFAULT_PLAN)


def test_of_several_products_every_plan_is_asked_and_says_whose_it_is(house):
    office = house.product("Office", "Microsoft")
    plan(house, "Startet")
    plan(house, "Startet", "Makros laufen", product=office)
    update = house.update(products=(house.firefox.id, office.id))
    assert texts(house, house.start(update).id) == [
        "Firefox ESR: Startet",
        "Office: Startet",
        "Office: Makros laufen",
    ]


def test_one_check_at_a_time_and_it_is_its_testers(house):
    update = house.update()
    check = house.start(update)
    with pytest.raises(checking.CheckRunning, match="Tarek Kaya"):
        house.start(update, house.manager)
    with pytest.raises(checking.NotTheTester):
        checking.answer(house.session, check.id, 1, ItemState.PASSED, "", actor_id=house.manager.id, now=NOW)
    checking.call_off(house.session, check.id, actor_id=house.manager.id, now=NOW)
    assert house.start(update, house.manager).n == 1


def test_a_failed_point_needs_a_note(house):
    check = house.start(house.update())
    with pytest.raises(NoteMissing):
        checking.answer(house.session, check.id, 1, ItemState.FAILED, " ", **by(house))


def test_passed_means_every_point_answered_and_none_failed(house):
    plan(house, "Startet", "Druckt")
    check = house.start(house.update())
    given = [Answer(1, ItemState.PASSED)]
    checking.answer_all(house.session, check.id, given, **by(house))
    with pytest.raises(ChecksOpen):
        checking.finish(house.session, check.id, Result.PASSED, **by(house))
    checking.answer(house.session, check.id, 2, ItemState.FAILED, "leere Seite", **by(house))
    with pytest.raises(FailedPoints):
        checking.finish(house.session, check.id, Result.PASSED, **by(house))
    checking.answer(house.session, check.id, 2, ItemState.NOT_APPLICABLE, "kein Drucker", **by(house))
    checking.finish(house.session, check.id, Result.PASSED, **by(house))
    with pytest.raises(checking.CheckFinished):
        checking.answer(house.session, check.id, 1, ItemState.FAILED, "doch nicht", **by(house))


def test_a_check_says_on_what_it_was_done_and_a_device_names_itself(house):
    device = house.company.device(house.company.customer())
    update = house.update()
    check = checking.start(house.session, update.id, today=TODAY, **by(house))
    given = [Answer(one.pos, ItemState.PASSED) for one in checking.answers_of(house.session, check.id)]
    checking.answer_all(house.session, check.id, given, **by(house))
    with pytest.raises(PlaceMissing):
        checking.finish(house.session, check.id, Result.PASSED, **by(house))
    with pytest.raises(checking.DeviceUnknown):
        checking.finish(house.session, check.id, Result.PASSED, Where("D-unbekannt"), **by(house))
    done = checking.finish(house.session, check.id, Result.PASSED, Where(device.inventory_number), **by(house))
    assert done.device_id == device.id
    assert device.inventory_number in done.tested_on


def test_evidence_is_kept_with_the_check_and_stays_once_it_is_finished(house):
    check = house.start(house.update())
    kept = checking.attach(house.session, check.id, "C:\\setup.log", b"Installed OK", **by(house))
    gone = checking.attach(house.session, check.id, "bild.png", PNG, **by(house))
    with pytest.raises(FileTypeRefused):
        checking.attach(house.session, check.id, "setup.exe", b"MZ" + b"\0" * 100, **by(house))
    checking.detach(house.session, check.id, gone.id, **by(house))
    house.finish(check)
    assert [file.name for _, file in checking.files_of(house.session, [check.id])] == ["setup.log"]
    assert checking.load_file(house.session, check.id, kept.id).content == b"Installed OK"
    with pytest.raises(checking.CheckFinished):
        checking.attach(house.session, check.id, "noch.log", b"x", **by(house))


def test_what_is_approved_is_not_tested_again(house):
    with pytest.raises(StepRefused):
        house.start(house.approved())
