"""Costs, reasons and oddities as sentences."""

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext

from ptdash.blueprints.tickets.words import TREATMENTS
from ptdash.domain.coverage import Reason, Why
from ptdash.domain.meters import Cost
from ptdash.domain.minutes import Treatment
from ptdash.services.time_entries import Odd, Oddity
from ptdash.web.formats import day, eur, minutes, rate

REASONS = {
    Why.SWAP: lazy_gettext("Swapping hardware on request is not part of maintenance; it is charged separately."),
    Why.FOREIGN_SOFTWARE: lazy_gettext(
        "%(product)s was neither bought from us nor offered by us, and there is no individual agreement."
    ),
    Why.WARRANTY: lazy_gettext("%(device)s was bought from us; its statutory warranty runs until %(until)s."),
    Why.UPKEEP: lazy_gettext("%(device)s is in the maintenance contract %(contract)s."),
    Why.PACKAGE: lazy_gettext("Questions and help count against the support package."),
    Why.NOT_TRIAGED: lazy_gettext("What the ticket is about has not been decided yet."),
    Why.NO_DEVICE: lazy_gettext("The ticket names no device."),
    Why.NOT_BOUGHT_FROM_US: lazy_gettext("%(device)s was not bought from us: no warranty of ours."),
    Why.WARRANTY_UNKNOWN: lazy_gettext("How long the warranty of %(device)s runs is not recorded."),
    Why.WARRANTY_OVER: lazy_gettext("The statutory warranty of %(device)s ended on %(until)s."),
    Why.WARRANTY_NOT_FOR_SOFTWARE: lazy_gettext("The warranty of a device does not cover the software on it."),
    Why.NOT_MAINTAINED: lazy_gettext("%(device)s is in no running maintenance contract."),
    Why.SOURCE_UNKNOWN: lazy_gettext("Whether %(product)s was bought from us is not recorded."),
    Why.INDIVIDUAL_AGREEMENT: lazy_gettext("An individual agreement covers %(product)s."),
    Why.GUARANTEE: lazy_gettext(
        "The manufacturer's guarantee of %(device)s runs until %(until)s; it obliges the manufacturer, not us."
    ),
}
ODDITIES = {
    Odd.OVERLAPS: lazy_gettext("At that time work on #%(ticket)s is booked as well."),
    Odd.NO_MAINTENANCE: lazy_gettext("No maintenance contract of this customer runs on that day."),
}


def reason_words(reason: Reason) -> str:
    return str(REASONS[reason.why]) % _written(reason.params)


def oddity_words(found: Oddity) -> str:
    return str(ODDITIES[found.odd]) % found.params


def cost_words(cost: Cost) -> str:
    """What a booking costs, before it is saved: `13 min, davon 4 aus dem Paket, 9 × 1,50 € = 13,50 €`."""
    if cost.treatment not in (Treatment.PACKAGE, Treatment.SEPARATE):
        facts = {"minutes": minutes(cost.minutes), "treatment": str(TREATMENTS[cost.treatment])}
        return str(gettext("%(minutes)s, not billed (%(treatment)s)", **facts))
    if not cost.charged:
        return str(gettext("%(minutes)s from the package, no extra cost", minutes=minutes(cost.minutes)))
    return f"{_where(cost)}, {_price(cost)}"


def used_up_words(overage: Decimal | None) -> str:
    """What more minutes cost where the package is used up."""
    if overage is None:
        return str(gettext("The package is used up: more minutes are billed."))
    return str(gettext("The package is used up: every further minute costs %(rate)s.", rate=rate(overage)))


def _where(cost: Cost) -> str:
    spent = minutes(cost.minutes)
    if cost.without_package:
        return str(gettext("%(minutes)s on a day without a package, billed as separate", minutes=spent))
    if cost.treatment is Treatment.SEPARATE:
        return str(gettext("%(minutes)s outside the package", minutes=spent))
    if cost.free:
        return str(gettext("%(minutes)s, %(free)s of them from the package", minutes=spent, free=cost.free))
    return str(gettext("%(minutes)s beyond the package", minutes=spent))


def _price(cost: Cost) -> str:
    if cost.cents is None:
        return str(gettext("no price is set for it yet"))
    return f"{cost.charged} × {rate(cost.rate)} = {eur(cost.cents)}"


def _written(params: dict[str, Any]) -> dict[str, Any]:
    return {name: day(value) if isinstance(value, date) else value for name, value in params.items()}
