"""What is still to be billed for months that were posted: owed by the facts minus all issued lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

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


def take(found: Sequence[Adjustment], lines: Amounts, *, month: date, correction: bool) -> list[Adjustment]:
    """What of the differences goes on the invoice of `month` whose own lines come to `lines` by VAT.

    Positive ones whole. Negative ones as far as the lines of their VAT cover them, oldest month first; the
    rest waits. So does what a credit among the lines takes too much: a line of `month` holds it back. On a
    correction invoice (the customer's contracts are over) everything is taken.
    """
    room = dict(lines)
    taken = []
    for item in found:
        if item.cents > 0:
            room[item.vat] = room.get(item.vat, 0) + item.cents
            taken.append(item)
    if not correction:
        for vat, cents in room.items():
            if cents < 0:
                taken.append(Adjustment(month, vat, -cents, waits=cents))
        room = {vat: max(0, cents) for vat, cents in room.items()}
    for item in sorted((item for item in found if item.cents < 0), key=_oldest_first):
        covered = item.cents if correction else max(item.cents, -room.get(item.vat, 0))
        room[item.vat] = room.get(item.vat, 0) + covered
        taken.append(Adjustment(item.month, item.vat, covered, item.cents - covered))
    return sorted(taken, key=_oldest_first)


def _oldest_first(item: Adjustment) -> tuple[date, str, Decimal]:
    return item.month, item.vat.category, item.vat.rate
