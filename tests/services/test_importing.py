"""Importing as a whole: what is written, what a second time changes, and that an error writes nothing."""

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.db import Base
from ptdash.models import AuditEvent, Contract, ContractDevice, Customer, Price, Setting, TimeEntry, User
from ptdash.services import users
from ptdash.services.importing import import_directory
from tests.conftest import DATA, NOW
from tests.services.import_bundle import ROWS, TODAY, bundle, csv_text, errors, run, warnings

SAMPLE = DATA / "sample"
WRITTEN_AT = {("users", "created_at"), ("tickets", "updated_at")}


def dump(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the audit trail's, without the moment it was written."""
    session.flush()
    return {
        name: sorted(
            session.execute(select(*(c for c in table.c if (name, c.name) not in WRITTEN_AT))).all(),
            key=repr,
        )
        for name, table in Base.metadata.tables.items()
        if not name.startswith("audit")
    }


def test_the_sample_imports_as_a_whole(session: Session) -> None:
    result = import_directory(session, SAMPLE, today=TODAY, actor_id=None, now=NOW)

    assert result.errors == []
    assert result.created["time_entries.csv"] == 567
    assert session.scalar(select(func.count()).select_from(TimeEntry)) == 567
    assert session.scalar(select(Customer.sort_key).where(Customer.number == "10001")) == "backerei grosse"


def test_importing_the_same_files_again_changes_nothing(session: Session) -> None:
    first = import_directory(session, SAMPLE, today=TODAY, actor_id=None, now=NOW)
    before = dump(session)
    again = import_directory(session, SAMPLE, today=TODAY, actor_id=None, now=NOW)

    assert again.ok
    assert again.unchanged == first.created
    assert not any(again.created.values()) and not any(again.updated.values())
    assert dump(session) == before
    assert session.scalar(select(func.count()).select_from(AuditEvent)) == 1


def test_the_answer_has_the_shape_that_programs_rely_on(session: Session, tmp_path: Path) -> None:
    entry = "E3;T1;tim@pt.example;2026-09-04 09:00;2026-09-04 08:00;;package;"
    answer = run(session, tmp_path, bundle(time_entries=[entry])).as_json()

    assert list(answer) == ["ok", "dry_run", "created", "unchanged", "updated", "errors", "warnings"]
    assert answer["ok"] is False
    assert answer["errors"] == [
        {
            "file": "time_entries.csv",
            "row": 4,
            "field": "ended_at",
            "code": "ends_before_start",
            "message": "The end must be after the start.",
        }
    ]


def test_a_dry_run_checks_everything_and_writes_nothing(session: Session, tmp_path: Path) -> None:
    before = dump(session)
    result = run(session, tmp_path, bundle(), dry_run=True)

    assert result.ok and result.dry_run
    assert result.created["customers.csv"] == 2
    assert dump(session) == before
    assert session.scalar(select(func.count()).select_from(AuditEvent)) == 0


def test_one_error_keeps_every_file_from_being_written(session: Session, tmp_path: Path) -> None:
    before = dump(session)
    result = run(session, tmp_path, bundle(materials=["M2;T9;2026-09-03;Toner;2;1"]))

    assert errors(result) == [("materials.csv", 3, "ticket", "unknown_ticket")]
    assert dump(session) == before


def test_every_error_of_every_file_is_in_one_answer(session: Session, tmp_path: Path) -> None:
    files = bundle(
        customers=["K3;Neu;;kein-at;Weg 1;1;Ort;XX;12;vielleicht"],
        contracts=["SV-9;K9;support;M;31.02.2026;6;0;;", "SV-8;K1;support;S;2026-05-01;6;1;;"],
        time_entries=["E3;T9;nobody@pt.example;2026-03-29 02:30;;NaN;lunch;", "E1;T1;tim@pt.example;x;;1;;"],
    )
    result = run(session, tmp_path, files)

    assert errors(result) == [
        ("contracts.csv", 7, "customer", "unknown_customer"),
        ("contracts.csv", 7, "notice_months", "too_small"),
        ("contracts.csv", 7, "starts_on", "invalid_date"),
        ("contracts.csv", 8, "starts_on", "support_overlap"),
        ("customers.csv", 4, "country", "unknown_country"),
        ("customers.csv", 4, "email", "invalid_email"),
        ("customers.csv", 4, "is_consumer", "invalid_boolean"),
        ("customers.csv", 4, "vat_id", "invalid_vat_id"),
        ("time_entries.csv", 4, "minutes", "invalid_number"),
        ("time_entries.csv", 4, "started_at", "nonexistent_time"),
        ("time_entries.csv", 4, "technician", "unknown_user"),
        ("time_entries.csv", 4, "ticket", "unknown_ticket"),
        ("time_entries.csv", 4, "treatment", "unknown_value"),
        ("time_entries.csv", 5, "external_id", "duplicate_key"),
        ("time_entries.csv", 5, "started_at", "invalid_time"),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_leaves_no_trace(session: Session, tmp_path: Path, seed: int) -> None:
    files = {path.name: path.read_text(encoding="utf-8").splitlines() for path in SAMPLE.glob("*.csv")}
    import_directory(session, SAMPLE, today=TODAY, actor_id=None, now=NOW)
    expected = dump(session)
    session.rollback()
    restart_ids(session)

    shuffled = {}
    for name, (header, *rows) in files.items():
        random.Random(seed).shuffle(rows)
        shuffled[name] = "\n".join([header, *rows])
    assert run(session, tmp_path, shuffled).ok
    found = dump(session)

    assert found == expected


def restart_ids(session: Session) -> None:
    """A rollback does not give numbers back."""
    for name, table in Base.metadata.tables.items():
        if "id" in table.columns and (sequence := serial_of(session, name)):
            session.execute(func.setval(sequence, 1, False).select())
    session.commit()


def serial_of(session: Session, table: str) -> str | None:
    return session.scalar(select(func.pg_get_serial_sequence(table, "id")))


def test_changed_rows_are_updated_and_their_ids_stay(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    id_before = session.scalar(select(Customer.id).where(Customer.number == "K1"))
    files = {"customers.csv": bundle()["customers.csv"].replace("Optik Weiß", "Öptik Groß")}
    result = run(session, tmp_path, files)

    assert (result.updated, result.unchanged) == ({"customers.csv": 1}, {"customers.csv": 1})
    row = session.execute(select(Customer).where(Customer.number == "K1")).scalar_one()
    assert (row.id, row.name, row.sort_key) == (id_before, "Öptik Groß", "optik gross")


def test_a_column_that_is_not_there_keeps_what_is_stored(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    result = run(session, tmp_path, {"customers.csv": "number,name\nK2,Jörg Ötting\n"})

    assert result.unchanged == {"customers.csv": 1}
    assert session.scalar(select(Customer.city).where(Customer.number == "K2")) == "Münster"


def test_a_file_alone_may_refer_to_what_is_stored(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    entries = csv_text("time_entries.csv", ["E3;T2;TIM@pt.example;2026-09-05 09:00;;5;;"])

    assert run(session, tmp_path, {"time_entries.csv": entries}).created == {"time_entries.csv": 1}


def test_the_import_leaves_one_audit_event_with_counts_and_a_hash(session: Session, tmp_path: Path) -> None:
    result = run(session, tmp_path, bundle())

    event = session.execute(select(AuditEvent)).scalar_one()
    assert (event.action, event.subject, len(event.subject_id)) == ("import", "import", 64)
    assert event.after is not None and event.after["created"] == result.created


def test_settings_prices_and_people_are_stored(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle(company=["iban;DE02 1203 0000 0000 2020 51", "payment_days;"]))

    settings = dict(session.execute(select(Setting.key, Setting.value)).all())
    assert settings["company.iban"] == "DE02120300000000202051"
    assert settings["company.payment_days"] == "14"
    packages = select(Price.net).where(Price.item == "package_M").order_by(Price.valid_from)
    assert [str(net) for net in session.scalars(packages)] == ["40.0000", "42.0000"]
    assert session.scalar(select(User.language).where(User.email == "mia@pt.example")) == "de"


def test_minutes_and_an_end_say_the_same(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    row = "E2;T2;tim@pt.example;2026-09-01T10:00:00+02:00;2026-09-01 10:15;;;"
    again = run(session, tmp_path, {"time_entries.csv": csv_text("time_entries.csv", [row])})

    assert again.unchanged == {"time_entries.csv": 1}


def test_an_ordinary_notice_ends_the_contract_and_its_devices(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    notice = csv_text("notices.csv", ["WV-1;2026-11-30;ordinary;;letter;"])
    assert run(session, tmp_path, {"notices.csv": notice}).ok

    contract = session.execute(select(Contract).where(Contract.number == "WV-1")).scalar_one()
    ends = select(ContractDevice.ends_before).order_by(ContractDevice.included_from)
    assert contract.ends_before is not None and contract.ends_before.isoformat() == "2027-01-01"
    assert [end.isoformat() for end in session.scalars(ends) if end] == ["2027-01-01", "2026-07-01"]


def test_a_withdrawn_notice_lets_contract_and_devices_run_on(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle(notices=["WV-1;2026-09-01;ordinary;;letter;"]))
    withdrawn = csv_text("notices.csv", ["WV-1;2026-09-01;ordinary;;letter;2026-09-30"])
    assert run(session, tmp_path, {"notices.csv": withdrawn}).ok

    assert session.scalar(select(Contract.ends_before).where(Contract.number == "WV-1")) is None
    ends = session.scalars(select(ContractDevice.ends_before).order_by(ContractDevice.included_from))
    assert [end and end.isoformat() for end in ends] == [None, "2026-07-01"]


def test_a_successor_takes_over_on_the_day_after_the_end(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    files = {
        "notices.csv": csv_text("notices.csv", ["SV-1;2026-11-30;ordinary;;letter;"]),
        "contracts.csv": csv_text("contracts.csv", ["SV-3;K1;support;L;2027-01-01;6;1;;"]),
    }
    assert run(session, tmp_path, files).ok


def test_a_withdrawal_is_refused_where_a_successor_runs(session: Session, tmp_path: Path) -> None:
    notice, successor = "SV-1;2026-11-30;ordinary;;letter;", "SV-3;K1;support;L;2027-01-01;6;1;;"
    run(session, tmp_path, bundle(notices=[notice], contracts=[successor]))
    result = run(session, tmp_path, {"notices.csv": csv_text("notices.csv", [notice + "2026-12-01"])})

    assert errors(result) == [("notices.csv", 2, "starts_on", "support_overlap")]


def test_a_change_that_makes_a_stored_one_impossible_is_refused(session: Session, tmp_path: Path) -> None:
    contract = ["SV-9;K9;support;L;2026-01-15;6;1;;"]
    customer, later = ["K9;Neu GmbH;;;;;;DE;;no"], ["SV-9;2026-07-15;M"]
    first = bundle(customers=customer, contracts=contract, package_changes=later)
    assert run(session, tmp_path, first).ok
    again = {"package_changes.csv": csv_text("package_changes.csv", ["SV-9;2026-01-15;S"])}
    refused = run(session, tmp_path, again)
    assert errors(refused) == [("package_changes.csv", 2, "package", "upgrade_not_on_first")]
    started = csv_text("contracts.csv", ["SV-9;K9;support;S;2026-01-15;6;1;;"])
    refused = run(session, tmp_path, {"contracts.csv": started})
    assert errors(refused) == [("contracts.csv", 2, "package", "upgrade_not_on_first")]


def test_a_consumer_is_recalculated_when_it_becomes_one(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle(notices=["SV-1;2026-09-15;ordinary;;letter;"]))
    assert str(session.scalar(select(Contract.ends_before).where(Contract.number == "SV-1"))) == "2027-01-01"
    changed = bundle()["customers.csv"].replace("DE123456789;no", ";yes")
    assert run(session, tmp_path, {"customers.csv": changed}).ok

    assert str(session.scalar(select(Contract.ends_before).where(Contract.number == "SV-1"))) == "2026-10-16"


def test_a_ticket_takes_its_unposted_time_to_another_customer(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    moved = ROWS["tickets.csv"][0].replace("T1;K1", "T1;K2")
    assert run(session, tmp_path, {"tickets.csv": csv_text("tickets.csv", [moved])}).ok

    owner = select(Customer.number).join(TimeEntry, TimeEntry.customer_id == Customer.id)
    assert session.scalar(owner.where(TimeEntry.external_id == "E1")) == "K2"


def test_odd_things_are_warnings_and_never_refused(session: Session, tmp_path: Path) -> None:
    result = run(
        session,
        tmp_path,
        bundle(
            customers=["K3;;;;;;;;ATU12345675;"],
            acceptances=["D1;2026-12-01;accepted;mia@pt.example;"],
            package_changes=["SV-1;2026-09-01;S"],
            time_entries=[
                "E3;T1;tim@pt.example;2026-09-01 07:30;;10;package;",
                "E4;T1;tim@pt.example;2026-09-01 09:10;;10;package;",
                "E5;T1;tim@pt.example;2026-10-06 09:10;2026-10-07 10:00;;package;",
            ],
        ),
    )

    assert result.ok
    assert warnings(result) == [
        ("acceptances.csv", 4, "inspected_on", "in_the_future"),
        ("customers.csv", 4, "city", "incomplete_address"),
        ("customers.csv", 4, "name", "incomplete_address"),
        ("customers.csv", 4, "postal_code", "incomplete_address"),
        ("customers.csv", 4, "street", "incomplete_address"),
        ("customers.csv", 4, "vat_id", "vat_id_of_other_country"),
        ("package_changes.csv", 4, "package", "same_package"),
        ("time_entries.csv", 4, "started_at", "before_ticket"),
        ("time_entries.csv", 5, "started_at", "overlapping"),
        ("time_entries.csv", 6, "ended_at", "longer_than_a_day"),
        ("time_entries.csv", 6, "started_at", "in_the_future"),
    ]


def test_work_overlaps_with_what_is_stored_already(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    entry = csv_text("time_entries.csv", ["E9;T1;tim@pt.example;2026-09-01 08:55;;10;package;"])
    result = run(session, tmp_path, {"time_entries.csv": entry})

    assert warnings(result) == [("time_entries.csv", 2, "started_at", "overlapping")]


def test_a_role_that_changes_ends_the_sessions(session: Session, tmp_path: Path) -> None:
    run(session, tmp_path, bundle())
    user = session.execute(select(User).where(User.email == "tim@pt.example")).scalar_one()
    token = users.start_session(session, user.id, now=NOW)
    run(session, tmp_path, {"users.csv": csv_text("users.csv", ["tim@pt.example;Tim Ahrens;manager;de"])})

    assert users.load_session(session, token, now=NOW) is None


def test_progress_ends_with_everything_done(session: Session) -> None:
    told: list[tuple[int, int]] = []
    import_directory(
        session,
        SAMPLE,
        today=TODAY,
        actor_id=None,
        now=NOW,
        progress=lambda done, total: told.append((done, total)),
    )

    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
