"""Acceptances that were signed or revoked here, and what an import may still say about their devices."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import Acceptance
from ptdash.services.acceptances import signing
from ptdash.services.importing import ImportResult, import_directory
from tests.services.acceptances.inspection import TODAY, Bench, day, later


@pytest.fixture
def bench(session: Session) -> Bench:
    return Bench(session)


def imported(session: Session, tmp_path: Path, name: str, header: str, *rows: str) -> ImportResult:
    (tmp_path / name).write_text("\n".join((header, *rows)), encoding="utf-8")
    return import_directory(session, tmp_path, today=day(10), actor_id=None, now=later(10))


def include(bench: Bench, tmp_path: Path, on: date) -> list[str]:
    """The errors of a file that takes the bench's device into its contract on a day."""
    result = imported(
        bench.session,
        tmp_path,
        "contract_devices.csv",
        "contract;device;included_from;included_until;monthly_fee",
        f"{bench.contract.number};{bench.device.inventory_number};{on};;9.00",
    )
    return [f"{problem.code}: {problem.message}" for problem in result.errors]


def test_a_revoked_acceptance_lets_no_row_in(bench: Bench, tmp_path: Path) -> None:
    bench.inspected()
    acceptance = bench.session.execute(select(Acceptance)).scalar_one()
    signing.revoke(
        bench.session, acceptance.id, "Fehler", today=day(5), actor_id=bench.technician.id, now=later(5)
    )
    (error,) = include(bench, tmp_path, day(5))
    assert error.startswith("no_acceptance")
    assert f"revoked on {day(5)}" in error
    assert include(bench, tmp_path, day(4)) == []


def test_what_was_signed_here_is_not_imported_over(bench: Bench, tmp_path: Path) -> None:
    bench.inspected()
    row = f"{bench.device.inventory_number};{TODAY};refused;{bench.technician.email};"
    header = "device;inspected_on;outcome;inspector;note"
    result = imported(bench.session, tmp_path, "acceptances.csv", header, row)
    assert [problem.code for problem in result.errors] == ["already_signed"]
    same = imported(bench.session, tmp_path, "acceptances.csv", header, row.replace("refused", "accepted"))
    assert (same.ok, same.unchanged) == (True, {"acceptances.csv": 1})
