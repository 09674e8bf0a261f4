"""Entering updates: by hand and by CSV, what is known already, and what can still be corrected."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from ptdash.domain import updates as rules
from ptdash.domain.updates import Named, Severity
from ptdash.models import Update
from ptdash.services.checklists import ChecklistEmpty, ItemTwice
from ptdash.services.updates import catalogue, csv_import, entering
from tests.services.updates.house import NOW, TODAY

HEADER = "vendor;title;version;severity;released_on;products;kb_number;link\n"
LINE = "Mozilla;Mozilla Firefox ESR;140.6.0;critical;08.12.2026;Firefox ESR;;https://mozilla.example/140.6\n"
TEXT = st.text("aäAßÆø 1.-|\t", max_size=6)


def read(house, content: str, *, dry_run: bool = False):
    return csv_import.import_file(
        house.session, content.encode(), dry_run=dry_run, actor_id=house.manager.id, now=NOW
    )


def count(house) -> int:
    return house.session.execute(select(func.count(Update.id))).scalar_one()


@given(TEXT, TEXT, TEXT, TEXT)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_rule_and_the_database_know_the_same_updates_again(session, vendor, title, version, kb_number):
    sql = text(
        "SELECT fold(btrim(CAST(:vendor AS text))) || '|' || fold(coalesce(nullif(btrim(CAST(:kb AS text)), ''),"
        " btrim(CAST(:title AS text)))) || '|' || fold(btrim(CAST(:version AS text)))"
    )
    stored = session.execute(sql, {"vendor": vendor, "kb": kb_number, "title": title, "version": version}).scalar()
    assert rules.key(Named(vendor, title, version, kb_number)) == stored


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"vendor": " "}, entering.VendorMissing),
        ({"title": ""}, entering.TitleMissing),
        ({"version": "\t"}, entering.VersionMissing),
        ({"products": ()}, entering.ProductsMissing),
        ({"title": "x" * 201}, entering.FieldTooLong),
        ({"link": "javascript:alert(1)"}, entering.LinkRefused),
        ({"link": "//mozilla.example"}, entering.LinkRefused),
        ({"link": "https://exa mple/"}, entering.LinkRefused),
    ],
)
def test_an_update_has_a_vendor_a_title_a_version_products_and_a_link_that_is_one(house, more, refusal):
    with pytest.raises(refusal):
        house.update(**more)


def test_an_update_that_is_known_is_recognised_however_it_is_spelt(house):
    known = house.update()
    with pytest.raises(entering.UpdateKnown) as refusal:
        house.update(vendor="MOZILLA", title=" mozilla firefox esr ")
    assert refusal.value.update_id == known.id


def test_with_a_kb_number_the_title_does_not_matter(house):
    house.update(kb_number="KB5068861")
    with pytest.raises(entering.UpdateKnown):
        house.update(kb_number="kb5068861", title="Anders genannt")
    house.update("140.5.1", kb_number="KB5068861")


def test_an_update_is_corrected_while_nothing_is_decided(house):
    update = house.update()
    changed = house.entry("140.5.1", severity=Severity.CRITICAL)
    entering.change(house.session, update.id, changed, seen=1, **house.by)
    assert (update.version, update.severity, update.changes_n) == ("140.5.1", "critical", 2)
    with pytest.raises(entering.UpdateChanged):
        entering.change(house.session, update.id, house.entry("140.5.2"), seen=1, **house.by)
    house.start(update)
    with pytest.raises(entering.CheckRuns):
        entering.change(house.session, update.id, house.entry("140.5.3"), seen=2, **house.by)
    with pytest.raises(entering.UpdateDecided):
        entering.change(house.session, house.approved("141.0").id, house.entry("9"), seen=1, **house.by)


def test_a_correction_does_not_turn_one_update_into_another(house):
    house.update("1.0")
    with pytest.raises(entering.UpdateKnown):
        entering.change(house.session, house.update("2.0").id, house.entry("1.0"), seen=1, **house.by)


def test_a_csv_file_is_entered_and_the_same_file_again_changes_nothing(house):
    first = read(house, HEADER + LINE)
    assert (first.ok, first.created, count(house)) == (True, {"updates.csv": 1}, 1)
    update = house.session.execute(select(Update)).scalar_one()
    assert (update.origin, update.severity, update.released_on) == ("csv", "critical", date(2026, 12, 8))
    again = read(house, HEADER + LINE)
    assert (again.ok, again.created, again.unchanged, count(house)) == (
        True,
        {"updates.csv": 0},
        {"updates.csv": 1},
        1,
    )


def test_a_dry_run_writes_nothing(house):
    assert read(house, HEADER + LINE, dry_run=True).created == {"updates.csv": 1}
    assert count(house) == 0


def test_every_error_of_a_csv_file_is_told_at_once_and_nothing_is_written(house):
    wrong = [
        "Mozilla;Firefox;1;urgent;08.12.2026;Firefox ESR;;",
        "Mozilla;Firefox;2;low;2026-13-01;Firefox ESR;;",
        "Mozilla;Firefox;3;low;2026-12-01;Lotus Notes;;",
        "Mozilla;Firefox;4;low;2026-12-01;Firefox ESR;;ftp://x",
        "Mozilla;;5;low;2026-12-01;Firefox ESR;;",
        "Mozilla;Firefox",
    ]
    result = read(house, HEADER + LINE + LINE + "\n".join(wrong))
    assert [(one.row, one.code) for one in result.errors] == [
        (3, "duplicate_key"),
        (4, "unknown_value"),
        (5, "invalid_date"),
        (6, "unknown_product"),
        (7, "invalid_link"),
        (8, "required"),
        (9, "too_few_fields"),
    ]
    assert count(house) == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        ("vendor;title\n".encode("utf-16"), "wrong_encoding"),
        (b"vendor;title;farbe\nMozilla;x;blau\n", "unknown_column"),
        ((HEADER + '"Mozilla').encode(), "malformed_csv"),
    ],
)
def test_a_file_that_is_no_list_of_updates_says_why(house, content, code):
    result = csv_import.import_file(house.session, content, dry_run=False, actor_id=house.manager.id, now=NOW)
    assert code in {one.code for one in result.errors}


def test_a_product_is_in_the_catalogue_once_and_devices_find_it_there(house):
    with pytest.raises(catalogue.ProductKnown):
        house.product("firefox  esr")
    house.covered(2)
    row = next(row for row in catalogue.products(house.session, TODAY) if row.product.id == house.firefox.id)
    assert (row.devices, row.updates, row.plan) == (2, 0, None)


def test_a_test_plan_gets_a_version_with_every_change(house):
    def save(*items: str, seen: int) -> int:
        return catalogue.save_plan(
            house.session, house.firefox.id, items, seen=seen, actor_id=house.manager.id, now=NOW
        )

    assert save("Startet", " ", "Druckt  aus", seen=0) == 1
    assert save("Startet", "Druckt aus", seen=1) == 1
    with pytest.raises(catalogue.PlanChanged):
        save("Startet", seen=0)
    assert save("Startet", seen=1) == 2
    for items, refusal in ((["", " "], ChecklistEmpty), (["Startet", "Startet"], ItemTwice)):
        with pytest.raises(refusal):
            save(*items, seen=2)
    assert [plan.version for plan in catalogue.plans(house.session, house.firefox.id)] == [2, 1, 0]
