"""What is still to be billed for months that were posted: owed by the facts minus all issued lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ptdash.domain.vat import Vat

Amounts = Mapping[Vat, int]


@dataclass(frozen=True)
class Adjustment:
    """A difference of one service month and VAT, in cents: how much of it is taken now, and what waits."""

    month: date
    vat: Vat
    cents: int
    waits: int = 0


def differences(month: date, owed: Amounts, issued: Amounts) -> list[Adjustment]:
    """Owed minus issued of one service month by VAT, zero left out.

    `issued` counts every issued line of the month, Stornos included.
    """
    rates = sorted({*owed, *issued}, key=lambda vat: (vat.category, vat.rate))
    found = [(vat, owed.get(vat, 0) - issued.get(vat, 0)) for vat in rates]
    return [Adjustment(month, vat, cents) for vat, cents in found if cents]


def take(found: Iterable[Adjustment], lines: Amounts, *, correction: bool) -> list[Adjustment]:
    """What of the differences goes on an invoice whose own lines come to `lines` by VAT.

    Positive ones whole. Negative ones as far as the lines of their VAT cover them, oldest month first; the
    rest waits. On a correction invoice (the customer's contracts are over) everything is taken.
    """
    room = dict(lines)
    taken = []
    ordered = sorted(found, key=lambda item: (item.cents < 0, item.month, item.vat.category, item.vat.rate))
    for item in ordered:
        covered = item.cents if correction else max(item.cents, -max(0, room.get(item.vat, 0)))
        if item.cents > 0:
            covered = item.cents
        room[item.vat] = room.get(item.vat, 0) + covered
        taken.append(Adjustment(item.month, item.vat, covered, item.cents - covered))
    return sorted(taken, key=lambda item: (item.month, item.vat.category, item.vat.rate))
