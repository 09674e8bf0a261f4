"""Import, preview, close and settlements against a second reading of the rules that knows only the files."""

import json
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from flask import Flask

from tests.cli.close_oracle import Files, Oracle, months_later, not_billed
from tests.cli.companies import Company
from tests.cli.test_commands import Outcome, here

KEPT = (
    "kind",
    "contract",
    "quantity",
    "unit",
    "unit_price",
    "net_cents",
    "vat_rate",
    "service_from",
    "service_until",
)
Run = Callable[..., Outcome]


@pytest.fixture
def ptdash(app: Flask, database_url: str, tmp_path: Path) -> Run:
    def run(today: date, *arguments: str) -> Outcome:
        day = today.isoformat()
        return here(tmp_path, *arguments, "--json", DATABASE_URL=database_url, PTDASH_TODAY=day)

    return run


def told(document: dict) -> dict:
    """The command's answer, with numbers as numbers and without what is free text."""
    invoices = [
        {
            **{k: i[k] for k in ("period", "customer", "net_cents", "vat_cents", "gross_cents")},
            "lines": in_order([told_line(row) for row in i["lines"]]),
        }
        for i in document["invoices"]
    ]
    return {
        "settlements": document["settlements"],
        "invoices": sorted(invoices, key=lambda i: (i["customer"], i["period"])),
        "totals": document["totals"],
        "parked": [(p["customer"], p["code"]) for p in document["parked"]],
    }


def told_line(row: dict) -> dict:
    assert row["description"]
    assert set(row) == {*KEPT, "description"}
    assert row["unit_price"] == f"{Decimal(row['unit_price']):.4f}"
    return {k: row[k] for k in KEPT} | {k: Fraction(row[k]) for k in ("quantity", "unit_price", "vat_rate")}


def in_order(lines: list[dict]) -> list[dict]:
    return sorted(lines, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def expected(document: dict) -> dict:
    invoices = [
        i
        | {
            "lines": in_order(
                [{k: v for k, v in row.items() if k != "vat"} | {"vat_rate": row["vat"][1]} for row in i["lines"]]
            )
        }
        for i in document["invoices"]
    ]
    return document | {"invoices": invoices}


@pytest.mark.parametrize("seed", range(2))
def test_any_company_closes_to_the_cent(ptdash: Run, tmp_path: Path, seed: int):
    close_everything(ptdash, tmp_path / "bundle", Company(random.Random(seed), buyers=8))


def close_everything(ptdash: Run, directory: Path, company: Company) -> None:
    """Three months: imported, previewed, closed, mended, closed again, with news between them."""
    oracle = Oracle()
    for at, month in enumerate(company.months):
        today = months_later(month, 1)
        if at:
            company.late(company.months[:at], directory)
        files = imported(ptdash, today, company, directory)
        document = closed(ptdash, today, month, oracle, files)
        while document["parked"]:
            for parked in document["parked"]:
                company.mend(parked["customer"])
            files = imported(ptdash, today, company, directory)
            document = closed(ptdash, today, month, oracle, files)
        assert document["state"] == "closed"
        assert document["not_billed"] == ([] if at else not_billed(files, month))
        again = ptdash(today, "close", f"{month:%Y-%m}")
        assert (again.returncode, json.loads(again.stdout)) == (0, document)
        for earlier in company.months[: at + 1]:
            answer = json.loads(ptdash(today, "settlements", f"{earlier:%Y-%m}").stdout)
            same(told(answer), expected(oracle.document(earlier) | {"parked": []}))
    checked = ptdash(today, "check")
    assert checked.returncode == 0, checked.stdout


def imported(ptdash: Run, today: date, company: Company, directory: Path) -> Files:
    """The files imported, and again: then nothing changes."""
    company.written(directory)
    done = ptdash(today, "import", str(directory))
    assert done.returncode == 0, json.loads(done.stdout)["errors"]
    again = json.loads(ptdash(today, "import", str(directory)).stdout)
    assert set(again["created"].values()) == set(again["updated"].values()) == {0}
    assert again["unchanged"] == {name: len(rows) for name, rows in company.files.items()}
    return Files(directory)


def closed(ptdash: Run, today: date, month: date, oracle: Oracle, files: Files) -> dict:
    """Previewed and closed: the same but for state and numbers, and what the files say."""
    preview = json.loads(ptdash(today, "close", f"{month:%Y-%m}", "--preview").stdout)
    assert preview["blockers"] == []
    done = ptdash(today, "close", f"{month:%Y-%m}")
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    same(told(document), expected(oracle.close(files, month)))
    assert nameless(preview) == nameless(document)
    assert done.returncode == (1 if document["parked"] else 0)
    assert (document["state"] == "closing") == bool(document["parked"])
    return document


def same(answer: dict, wanted: dict) -> None:
    """Equal; where not, only what differs is shown."""
    for part in ("settlements", "invoices", "parked"):
        only_told = [row for row in answer[part] if row not in wanted[part]]
        assert only_told == [row for row in wanted[part] if row not in answer[part]], part
    assert answer == wanted


def nameless(document: dict) -> dict:
    return document | {"state": "", "invoices": [i | {"number": None} for i in document["invoices"]]}
