"""Mails that remind managers of a contract's deadline, in German."""

from dataclasses import dataclass
from datetime import date

from ptdash.documents.german import day as german_day
from ptdash.documents.german import euros
from ptdash.domain.advice import Advice


@dataclass(frozen=True)
class Mail:
    subject: str
    body: str


def reminder(
    *,
    contract: str,
    customer: str,
    day: date,
    days_left: int,
    renews_itself: bool,
    renews_on: date | None,
    net_cents: int | None,
    advice: Advice | None,
    package: str | None,
) -> Mail:
    """What ends or renews, until when something can be done about it, and which package would be cheaper."""
    when = {0: "heute", 1: "morgen"}.get(days_left, f"in {days_left} Tagen")
    what = "Kündigungstermin" if renews_itself else "Vertragsende"
    lines = [f"Vertrag {contract}, {customer}"]
    if net_cents is not None:
        lines.append(f"{euros(net_cents)} netto im Monat")
    if renews_itself:
        lines.append(f"Spätester Eingang einer Kündigung: {german_day(day)} ({when})")
        if renews_on:
            lines.append(f"Sonst verlängert er sich am {german_day(renews_on)}.")
    else:
        lines.append(f"Er endet am {german_day(day)} ({when}) und verlängert sich nicht.")
        lines.append("Entscheiden Sie unter Verträge: verlängern, ändern oder auslaufen lassen.")
    if advice and package and (saving := advice.saving(package)):
        best = f"Paket {advice.best}" if advice.best else "ohne Paket"
        lines.append(
            f"Paketberatung: In den letzten {advice.months} Monaten wäre {best} um {euros(saving)} netto "
            f"günstiger gewesen als Paket {package}."
        )
    return Mail(f"{what} {when}: {contract} {customer} ({german_day(day)})", "\n".join(lines) + "\n")
