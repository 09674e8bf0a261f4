"""What a posting has taken stays as it is; what becomes known later is let in."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import Contract, Customer, Period, Posting, Run, TimeEntry
from tests.conftest import NOW
from tests.services.import_bundle import ROWS, bundle, csv_text, errors, run, warnings

SEPTEMBER = date(2026, 9, 1)


@pytest.fixture
def posted(session: Session, tmp_path: Path) -> Session:
    """September of customer K1 is posted."""
    assert run(session, tmp_path, bundle()).ok
    session.add(Period(month=SEPTEMBER, begun_at=NOW))
    session.flush()
    order = Run(month=SEPTEMBER, business_day=date(2026, 10, 5), ordered_at=NOW)
    session.add(order)
    session.flush()
    customer = session.execute(select(Customer).where(Customer.number == "K1")).scalar_one()
    session.add(Posting(customer_id=customer.id, month=SEPTEMBER, n=1, run_id=order.id))
    session.flush()
    return session


def changed(name: str, row: int, old: str, new: str) -> dict[str, str]:
    before = ROWS[name][row]
    assert old in before
    return {name: csv_text(name, [before.replace(old, new)])}


def new(name: str, row: str) -> dict[str, str]:
    return {name: csv_text(name, [row])}


@pytest.mark.parametrize(
    ("files", "field", "code"),
    [
        (changed("time_entries.csv", 0, "09:12:30", "09:13:30"), "ended_at", "already_posted"),
        (changed("time_entries.csv", 0, ";package;", ";separate;"), "treatment", "already_posted"),
        (changed("time_entries.csv", 0, "T1", "T2"), "ticket", "already_posted"),
        (changed("materials.csv", 0, ";2;", ";3;"), "quantity", "already_posted"),
        (changed("tickets.csv", 0, "T1;K1", "T1;K2"), "customer", "already_posted"),
        (changed("contracts.csv", 0, ";M;", ";L;"), "package", "already_posted"),
        (changed("contracts.csv", 1, "29.00", "30.00"), "monthly_fee", "already_posted"),
        (changed("contract_devices.csv", 0, "9.90", "9.91"), "monthly_fee", "already_posted"),
        (new("package_changes.csv", "SV-1;2026-09-01;L"), "effective_on", "already_posted"),
        (changed("package_changes.csv", 1, ";S", ";L"), "effective_on", "already_posted"),
        (changed("prices.csv", 0, "1.50", "1.60"), "valid_from", "price_in_use"),
        (new("prices.csv", "separate_minute;2026-09-01;1;"), "valid_from", "price_in_use"),
    ],
)  # fmt: skip
def test_what_is_posted_cannot_change(
    posted: Session, tmp_path: Path, files: dict[str, str], field: str, code: str
) -> None:
    (name,) = files
    result = run(posted, tmp_path, files)

    assert errors(result) == [(name, 2, field, code)]
    if code == "already_posted":
        assert "Storno" in result.errors[0].message


def test_everything_unchanged_is_let_through(posted: Session, tmp_path: Path) -> None:
    result = run(posted, tmp_path, bundle())
    assert result.ok and not any(result.updated.values())


def test_a_price_for_a_month_that_has_not_begun_is_let_in(posted: Session, tmp_path: Path) -> None:
    rows = ["separate_minute;2026-10-01;1.70;", "overage_minute;2026-10-01;1.60;"]
    assert run(posted, tmp_path, {"prices.csv": csv_text("prices.csv", rows)}).ok


def test_a_package_change_after_the_posted_month_is_let_in(posted: Session, tmp_path: Path) -> None:
    rows = ["SV-1;2026-10-01;L"]
    assert run(posted, tmp_path, {"package_changes.csv": csv_text("package_changes.csv", rows)}).ok


def test_a_late_entry_waits_for_the_next_posting(posted: Session, tmp_path: Path) -> None:
    rows = ["E9;T1;mia@pt.example;2026-09-04 09:00;;5;package;"]
    result = run(posted, tmp_path, {"time_entries.csv": csv_text("time_entries.csv", rows)})

    assert warnings(result) == [("time_entries.csv", 2, "ticket", "late")]
    assert posted.scalar(select(TimeEntry.posting_n).where(TimeEntry.external_id == "E9")) == 2


def test_a_late_entry_can_still_be_changed(posted: Session, tmp_path: Path) -> None:
    row = "E9;T1;mia@pt.example;2026-09-04 09:00;;5;package;"
    run(posted, tmp_path, {"time_entries.csv": csv_text("time_entries.csv", [row])})
    again = {"time_entries.csv": csv_text("time_entries.csv", [row.replace(";5;", ";6;")])}

    assert run(posted, tmp_path, again).updated == {"time_entries.csv": 1}


def test_an_end_that_becomes_known_later_is_a_warning(posted: Session, tmp_path: Path) -> None:
    rows = ["SV-1;2026-09-20;extraordinary;2026-09-20;letter;"]
    result = run(posted, tmp_path, {"notices.csv": csv_text("notices.csv", rows)})

    assert warnings(result) == [("notices.csv", 2, "received_on", "reaches_into_posted")]
    assert posted.scalar(select(Contract.ends_before).where(Contract.number == "SV-1")) == date(2026, 9, 21)


def test_a_start_that_becomes_known_later_is_a_warning(posted: Session, tmp_path: Path) -> None:
    rows = ["WV-9;K1;maintenance;;2026-08-01;12;1;;10"]
    result = run(posted, tmp_path, {"contracts.csv": csv_text("contracts.csv", rows)})

    assert warnings(result) == [("contracts.csv", 2, "starts_on", "reaches_into_posted")]


def test_a_device_that_left_earlier_is_a_warning(posted: Session, tmp_path: Path) -> None:
    files = changed("contract_devices.csv", 0, ";;", ";2026-08-31;")
    result = run(posted, tmp_path, files)

    assert warnings(result) == [("contract_devices.csv", 2, "included_until", "reaches_into_posted")]


def test_what_only_the_database_refuses_is_an_error_and_writes_nothing(session: Session, tmp_path: Path) -> None:
    """Two devices that swap their serial numbers: each change alone would be a duplicate."""
    run(session, tmp_path, bundle())
    rows = [ROWS["devices.csv"][0].replace("SN1", "SN2"), ROWS["devices.csv"][1].replace("SN2", "SN1")]
    result = run(session, tmp_path, {"devices.csv": csv_text("devices.csv", rows)})

    assert errors(result) == [("devices.csv", 1, "", "duplicate_key")]
    assert run(session, tmp_path, {"devices.csv": bundle()["devices.csv"]}).unchanged == {"devices.csv": 3}
