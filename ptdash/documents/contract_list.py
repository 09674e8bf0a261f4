"""The list of contracts as a CSV file, in German, for spreadsheets."""

import csv
from collections.abc import Iterable
from datetime import date
from io import StringIO

from ptdash.documents.german import day
from ptdash.domain.money import euros
from ptdash.domain.terms import ContractState
from ptdash.services.contracts import ContractOnDay
from ptdash.services.renewals import Row

COLUMNS = (
    "Vertrag",
    "Kundennummer",
    "Kunde",
    "Art",
    "Paket",
    "Status",
    "Beginn",
    "Laufzeit bis",
    "Kündbar bis",
    "Verlängert sich am",
    "Endet am",
    "Monat netto EUR",
)
KINDS = {"support": "Support", "maintenance": "Wartung"}
STATES = {
    ContractState.DRAFT: "Entwurf",
    ContractState.ACTIVE: "Aktiv",
    ContractState.NOTICE_GIVEN: "Gekündigt",
    ContractState.ENDED: "Beendet",
}
# A cell that begins so would be run as a formula by a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(rows: Iterable[Row]) -> bytes:
    """UTF-8 with byte order mark, semicolons, CRLF, German dates and decimals; no cell runs as a formula."""
    text = StringIO(newline="")
    lines = csv.writer(text, delimiter=";", lineterminator="\r\n")
    lines.writerow(COLUMNS)
    lines.writerows(_line(row.known) for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _line(row: ContractOnDay) -> list[str]:
    net, life = row.monthly_net_cents, row.life
    return [
        _text(row.contract.number),
        _text(row.customer.number),
        _text(row.customer.name),
        KINDS[row.contract.kind],
        row.package or "",
        STATES[life.state],
        day(row.contract.starts_on),
        _day(life.term_ends_on),
        _day(life.notice_deadline),
        _day(life.renews_on),
        _day(life.ends_on),
        "" if net is None else f"{euros(net):.2f}".replace(".", ","),
    ]


def _day(value: date | None) -> str:
    return "" if value is None else day(value)


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value
