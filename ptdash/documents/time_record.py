"""The time record of one customer's month as a CSV file, in German, for spreadsheets and for the customer."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import StringIO

from ptdash.domain.minutes import Treatment
from ptdash.domain.money import euros
from ptdash.domain.periods import BERLIN

COLUMNS = (
    "Datum",
    "Von",
    "Bis",
    "Techniker",
    "Ticket",
    "Tätigkeit",
    "Minuten",
    "Abrechnungsart",
    "Freiminuten danach",
    "Mehrminuten danach",
    "Betrag netto EUR",
)
TREATMENTS = {
    Treatment.PACKAGE: "Paket",
    Treatment.MAINTENANCE: "Wartung",
    Treatment.WARRANTY: "Gewährleistung",
    Treatment.SEPARATE: "Gesondert",
    Treatment.GOODWILL: "Kulanz",
}
# A cell that begins so would be run as a formula by a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class RecordedTime:
    """An entry that counts. `left` and `overage`: the state after it, None where it drew no package minutes."""

    started_at: datetime
    ended_at: datetime
    technician: str
    ticket: str
    activity: str
    minutes: int
    treatment: Treatment
    left: int | None
    overage: int | None
    amount_cents: int


def activity(subject: str, note: str) -> str:
    """What was done: the ticket's subject and the entry's note, where that does not repeat it."""
    return note if not subject or note.startswith(subject) else ": ".join(part for part in (subject, note) if part)


def render(entries: Iterable[RecordedTime]) -> bytes:
    """UTF-8 with byte order mark, semicolons, CRLF, German dates and decimals; no cell runs as a formula."""
    text = StringIO(newline="")
    rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
    rows.writerow(COLUMNS)
    rows.writerows(_row(entry) for entry in entries)
    return text.getvalue().encode("utf-8-sig")


def _row(entry: RecordedTime) -> list[str]:
    start, end = entry.started_at.astimezone(BERLIN), entry.ended_at.astimezone(BERLIN)
    return [
        f"{start:%d.%m.%Y}",
        f"{start:%H:%M}",
        f"{end:%H:%M}",
        _text(entry.technician),
        _text(entry.ticket),
        _text(entry.activity),
        str(entry.minutes),
        TREATMENTS[entry.treatment],
        "" if entry.left is None else str(entry.left),
        "" if entry.overage is None else str(entry.overage),
        _decimal(euros(entry.amount_cents)),
    ]


def _text(value: str) -> str:
    """What people typed, on one line, with an apostrophe before what a spreadsheet would take for a formula."""
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(FORMULA) else line


def _decimal(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")
