"""The time record that goes with an invoice: every entry, what it drew, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ptdash.config import BERLIN
from ptdash.documents.german import euros, month, price
from ptdash.documents.time_record import TREATMENTS, RecordedTime
from ptdash.domain.einvoices import InvoiceSource
from ptdash.domain.minutes import Treatment

DAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
NOT_BILLED = (Treatment.GOODWILL, Treatment.MAINTENANCE, Treatment.WARRANTY)
READING = (
    "Jede Buchung zählt in angefangenen Minuten. Freiminuten werden in der Reihenfolge der Buchungen verbraucht "
    "und verfallen am Monatsende. „Stand“ zeigt den Rest der Freiminuten nach der Buchung, mit + die bis dahin "
    "angefallenen Mehrminuten. Wartung ist mit der Gebühr des Wartungsvertrags abgegolten; Kulanz und "
    "Gewährleistung berechnen wir nicht."
)


@dataclass(frozen=True)
class Package:
    """The minutes of a support contract in the invoice's month."""

    contract: str
    included: int
    used: int
    overage: int
    expired: int
    overage_rate: Decimal


def record(source: InvoiceSource, packages: Sequence[Package], entries: Sequence[RecordedTime]) -> dict[str, Any]:
    """The time record as text: every entry of the month with the state after it, and what it cost."""
    billed = sum(entry.amount_cents for entry in entries)
    return {
        "of": f"Anlage zu {source.number}",
        "title": f"Leistungsnachweis {month(source.period)}",
        "intro": f"{source.buyer['name']}, Kundennummer {source.buyer['number']}",
        "entries": [_entry(entry) for entry in entries],
        "sums": _sums(packages, entries),
        "total": ["Aus Zeit berechnet, netto", euros(billed)],
        "reading": READING,
    }


def _entry(entry: RecordedTime) -> dict[str, Any]:
    start, end = entry.started_at.astimezone(BERLIN), entry.ended_at.astimezone(BERLIN)
    drawn = entry.left is not None
    state = f"+{entry.overage}" if entry.overage else f"Rest {entry.left}"
    crossing = drawn and entry.overage and entry.overage < entry.minutes and entry.left == 0
    return {
        "day": f"{DAYS[start.weekday()]} {start:%d.%m.}",
        "time": f"{start:%H:%M}–{end:%H:%M}",
        "activity": entry.activity,
        "ticket": f"Ticket {entry.ticket}",
        "who": _short(entry.technician),
        "treatment": TREATMENTS[entry.treatment],
        "minutes": str(entry.minutes),
        "state": state if drawn else "–",
        "net": euros(entry.amount_cents),
        "drawn": drawn,
        "split": [f"{entry.minutes - (entry.overage or 0)} min frei", f"{entry.overage} min berechnet"]
        if crossing
        else [],
    }


def _short(name: str) -> str:
    first, _, last = name.strip().rpartition(" ")
    return f"{first[0]}. {last}" if first else last


def _sums(packages: Sequence[Package], entries: Sequence[RecordedTime]) -> list[list[str]]:
    rows = []
    for package in packages:
        rows.append(
            [f"Paket {package.contract}: {package.used} min, davon frei", f"{package.used - package.overage} min"]
        )
        if package.overage:
            charged = sum(e.amount_cents for e in entries if e.left is not None) if len(packages) == 1 else None
            rows.append(
                [
                    f"Mehrminuten, {package.overage} × {price(package.overage_rate)}",
                    euros(charged) if charged is not None else f"{package.overage} min",
                ]
            )
    apart = [entry for entry in entries if entry.left is None and entry.amount_cents]
    if apart:
        rows.append([f"Gesondert, {sum(e.minutes for e in apart)} min", euros(sum(e.amount_cents for e in apart))])
    minutes = {t: sum(e.minutes for e in entries if e.treatment is t) for t in NOT_BILLED}
    named = ", ".join(f"{TREATMENTS[t]} ({count} min)" for t, count in minutes.items() if count)
    return [*rows, *([[named, euros(0)]] if named else [])]
