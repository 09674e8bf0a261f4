"""Bundles at the edge of what files may say: what the preview promises is closed, set as PDF and exported."""

import csv
import json
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.companies import COMPANY
from tests.cli.test_close_oracle import Run, nameless, ptdash
from tests.services.import_bundle import HEADERS, write

__all__ = ["ptdash"]
TODAY = date(2026, 10, 5)
BUYERS = (
    *(("DE", "", "no"), ("DE", "DE12", "yes"), ("DE", "EL123456789", "no"), ("FR", "FR1+*.", "no")),
    *(("FR", "DE123456789", "no"), ("AT", "atu 123 456 78", "no"), ("GR", "GR123456789", "no")),
)
TEXTS = (
    *(
        "Vert\x0bTab",
        "Esc\x1b[31m",
        "Form\x0cFeed",
        "Bell\x07",
        "No\ufffechar",
        "Right \u202e left",
        "C1 \x85\x9f",
    ),
    *(
        "Smile 😀 ☎",
        "<b>&amp;\"'",
        "A" * 200,
        "# = [ ] * _ $ @ \\ `code` //",
        "two\r\nlines",
        "日本語 العربية",
        "=1+1",
    ),
)


def bundle(company: dict[str, str]) -> dict[str, str]:
    """Every buyer and every text on an invoice, with amounts from a fraction of a cent to millions."""
    rows: dict[str, list[list[str]]] = {name: [header.split(";")] for name, header in HEADERS.items()}
    rows["company.csv"] += [[key, value] for key, value in company.items()]
    rows["prices.csv"] += [[f"{item}_minute", "2024-01-01", "1,5", ""] for item in ("overage", "separate")]
    rows["users.csv"].append(["tim@pt.example", "Tim", "technician", "de"])
    for n, words in enumerate(TEXTS):
        number, buyer = f"K{n:02}", BUYERS[n % len(BUYERS)]
        rows["customers.csv"].append([number, words, words[:50], "", words, "48143", words[:50], *buyer])
        rows["contracts.csv"].append(["S" * 90 + str(n), number, "support", "M", "2026-01-01", "6", "1", "", ""])
        ticket = [f"T{n}", number, "phone", "software", "", "", words, *[""] * 4, "2026-08-01 08:00", ""]
        rows["tickets.csv"].append(ticket)
        work = [f"E{n}", f"T{n}", "tim@pt.example", "2026-09-30 23:59", "", "100000", "separate", words]
        rows["time_entries.csv"].append(work)
        rows["materials.csv"].append([f"M{n}", f"T{n}", "2026-09-01", words * 2, "1000", "9.999,9999"])
        rows["materials.csv"].append([f"N{n}", f"T{n}", "30.09.2026", words, "0,001", "5"])
    return {name: table(lines) for name, lines in rows.items()}


def table(lines: list[list[str]]) -> str:
    out = StringIO()
    csv.writer(out, delimiter=";").writerows(lines)
    return out.getvalue()


@pytest.mark.parametrize("without", ["vat_id", "tax_number"])
def test_what_the_preview_promises_is_closed_and_exported(ptdash: Run, tmp_path: Path, without: str):
    directory = write(tmp_path / "in", bundle(COMPANY | {without: "", "email": "", "phone": ""}))
    done = ptdash(TODAY, "import", str(directory))
    assert done.returncode == 0, done.stdout
    preview = json.loads(ptdash(TODAY, "close", "2026-09", "--preview").stdout)
    closed = ptdash(TODAY, "close", "2026-09")
    document = json.loads(closed.stdout)
    assert (closed.returncode, document["state"], document["parked"]) == (0, "closed", [])
    assert nameless(preview) == nameless(document)
    assert len(document["invoices"]) == len(TEXTS)
    for form, endings in (("zugferd", {".pdf", ".xml"}), ("json", {".json"})):
        written = ptdash(TODAY, "export", "2026-09", "--format", form, "--out", str(tmp_path / form))
        assert written.returncode == 0, written.stdout
        assert {path.suffix for path in (tmp_path / form).iterdir()} == endings
    assert ptdash(TODAY, "check").returncode == 0
