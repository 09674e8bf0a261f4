"""The maintenance report: once a customer, after the window, from what really happened."""

from datetime import date, datetime, timedelta
from threading import Thread

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from ptdash.db import db, transaction
from ptdash.documents import report as document
from ptdash.domain.rollout import TaskStatus
from ptdash.models import MaintenanceReport, OutboxFile, OutboxMessage, StoredFile
from ptdash.services import settings
from ptdash.services.rollout import reports, sweeping, ticking
from ptdash.services.rollout.ticking import Emergency, Step
from tests.services.rollout.house import FIRST, IN_WINDOW, House, utc

DECEMBER = date(2026, 12, 1)
# The 25th is a holiday, then comes the weekend.
AFTER = utc(date(2026, 12, 28), 8)


def tick(house: House, task, to: str, at: datetime = IN_WINDOW, **more) -> None:
    step = Step(TaskStatus(to), **more)
    ticking.tick(house.session, [task.id], step, actor=house.technician, today=FIRST, now=at)


@pytest.fixture
def worked(house: House) -> House:
    """Four devices: one verified, one failed, one stopped by the withdrawal of its update, one left open."""
    customer, contract, _ = house.customer(3, email="kessler@example.com", name="Autohaus Kessler")
    house.device(customer, contract, product="Firefox")
    house.approved()
    withdrawn = house.approved("Firefox")
    first, second, _, _ = house.tasks()
    tick(house, first, "installed")
    tick(house, first, "verified", IN_WINDOW + timedelta(minutes=12))
    tick(house, second, "failed", reason="Fehler 1603", ticket=True)
    house.withdraw(withdrawn, "Lesezeichen verschwinden", at=utc(FIRST, 11))
    sweeping.sweep(house.session, today=date(2026, 12, 28), now=AFTER)
    return house


def test_nobody_is_told_before_the_working_day_after_the_window(worked: House):
    assert reports.due(worked.session, AFTER - timedelta(minutes=1), 10) == []
    assert len(reports.due(worked.session, AFTER, 10)) == 1


def test_the_report_says_what_was_checked_installed_failed_and_left_open(worked: House):
    ((customer_id, month),) = reports.due(worked.session, AFTER, 10)
    assert reports.write(worked.session, customer_id, month, now=AFTER)
    source = worked.session.execute(select(MaintenanceReport)).scalar_one().source
    assert (source["tasks"], source["done"], source["open"]) == (4, 1, 3)
    windows = next(row for row in source["updates"] if row["title"].startswith("Windows"))
    assert (windows["checked_by"], windows["approved_by"], windows["devices"]) == (
        "Lukas Brenner",
        "Maria Vogt",
        3,
    )
    assert [(row["by"], row["verified_by"]) for row in source["installed"]] == [("Tarek Kaya", "Tarek Kaya")]
    left = {row["status"]: row for row in source["left"]}
    assert left["failed"]["reason"] == "Fehler 1603" and left["failed"]["ticket"]
    assert left["missed"]["again_on"] == left["failed"]["again_on"] == "2027-01-18"
    assert left["stopped"]["reason"] == "Lesezeichen verschwinden" and not left["stopped"]["again_on"]
    assert [(row["by"], row["devices"]) for row in source["work"]] == [("Tarek Kaya", 1)]


def test_the_report_is_written_and_sent_once_and_never_changes(worked: House):
    ((customer_id, month),) = reports.due(worked.session, AFTER, 10)
    assert reports.write(worked.session, customer_id, month, now=AFTER)
    assert not reports.write(worked.session, customer_id, month, now=AFTER)
    assert reports.due(worked.session, AFTER, 10) == []
    message = worked.session.execute(select(OutboxMessage)).scalar_one()
    assert (message.kind, message.recipient, message.state) == ("report", "kessler@example.com", "waiting")
    assert "1 von 4 Aufgaben" in message.body and "3 Aufgaben sind offen" in message.body
    attached = worked.session.execute(select(OutboxFile.file_id)).scalars().all()
    assert attached == [worked.session.execute(select(MaintenanceReport.file_id)).scalar_one()]
    with pytest.raises(DBAPIError), worked.session.begin_nested():
        worked.session.execute(text("UPDATE maintenance_reports SET created_at = now()"))


def test_the_pdf_says_the_same_and_is_set_to_the_same_bytes(worked: House, tmp_path):
    ((customer_id, month),) = reports.due(worked.session, AFTER, 10)
    reports.write(worked.session, customer_id, month, now=AFTER)
    report = worked.session.execute(select(MaintenanceReport)).scalar_one()
    file = reports.pdf(
        worked.session, worked.session.execute(text("SELECT number FROM customers")).scalar_one(), month
    )
    (tmp_path / file.name).write_bytes(file.content)
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(tmp_path / file.name).pages).split())
    for expected in ("Wartungsbericht Dezember 2026", "Autohaus Kessler", "Mo 21.12. bis Do 24.12.2026",
                     "L. Brenner",
                     "Fehler 1603", "Fehlgeschlagen", "Verpasst", "18.01.2027", "T. Kaya"):  # fmt: skip
        assert expected in words, expected
    again = document.letter(report.source, settings.company(worked.session), at=AFTER)
    assert again.content == file.content


def test_an_emergency_names_its_reason_and_the_manager(house: House):
    house.customer(1)
    house.approved()
    emergency = Emergency("Lücke wird ausgenutzt", house.manager.id)
    tick(house, house.tasks()[0], "installed", utc(date(2026, 12, 11), 20), emergency=emergency)
    reports.write(house.session, house.tasks()[0].customer_id, DECEMBER, now=AFTER)
    row = house.session.execute(select(MaintenanceReport)).scalar_one().source["installed"][0]
    assert (row["emergency"], row["allowed_by"]) == ("Lücke wird ausgenutzt", "Maria Vogt")


@pytest.mark.parametrize(
    ("to_do", "expected"),
    [
        ("Zurück auf KB0", "Freigabe widerrufen: Zurück auf KB0"),
        ("", "Freigabe widerrufen"),
        (None, ""),
    ],
)
def test_what_is_installed_and_withdrawn_says_what_is_to_be_done(
    house: House, to_do: str | None, expected: str
) -> None:
    house.customer(1)
    approval = house.approved()
    tick(house, house.tasks()[0], "installed")
    if to_do is not None:
        house.withdraw(approval, at=utc(FIRST, 11), to_do=to_do)
    reports.write(house.session, house.tasks()[0].customer_id, DECEMBER, now=AFTER)
    source = house.session.execute(select(MaintenanceReport)).scalar_one().source
    (row,) = document.data(source, settings.company(house.session), at=AFTER)["installed"]
    assert row[-1] == expected
    source["installed"][0].pop("withdrawn")  # as reports were before there were instructions
    assert document.data(source, settings.company(house.session), at=AFTER)["installed"][0][-1] == ""


def test_a_device_that_left_the_contract_before_anything_was_done_is_not_told_of(house: House):
    customer = house.company.customer()
    contract = house.company.maintenance(customer, ends_before=date(2026, 12, 15))
    house.device(customer, contract)
    house.approved()
    sweeping.sweep(house.session, today=date(2026, 12, 28), now=AFTER)
    assert reports.due(house.session, AFTER, 10) == []


def test_two_workers_at_once_write_one_report(app: Flask):
    with app.app_context():
        with transaction() as session:
            house = House(session)
            house.customer(1)
            house.approved()
        with transaction() as session:
            sweeping.sweep(session, today=date(2026, 12, 28), now=AFTER)
            ((customer_id, month),) = reports.due(session, AFTER, 10)
    wrote: list[bool] = []

    def work() -> None:
        with app.app_context():
            with transaction() as session:
                wrote.append(reports.write(session, customer_id, month, now=AFTER))
            db.session.remove()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False, True]
    with app.app_context():
        assert db.session.execute(select(OutboxMessage)).scalar_one()
        assert len(db.session.execute(select(StoredFile.id)).all()) == 1
