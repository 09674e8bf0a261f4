"""Letters about contracts, in German: the confirmation of a notice and of its withdrawal, as PDF and as mail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ptdash.documents import sheets
from ptdash.documents.german import day, euros
from ptdash.domain.notices import Step, StepKind

CHANNELS = {
    "email": "per E-Mail",
    "letter": "per Brief",
    "portal": "über das Kundenportal",
    "phone": "telefonisch, danach schriftlich",
    "fax": "per Fax",
    "in_person": "persönlich übergeben",
}


def _receipt(days_late: int) -> str:
    late = {-1: "", 0: ", letzter Tag der Frist", 1: ", einen Tag nach der Frist"}
    return "Eingang der Kündigung" + late.get(days_late, f", {days_late} Tage nach der Frist")


def _months(count: int) -> str:
    return f"{count} Monat{'' if count == 1 else 'e'}"


STEPS: dict[StepKind, Callable[[int], str]] = {
    StepKind.START: lambda months: f"Vertragsbeginn, Laufzeit {_months(months)}",
    StepKind.TERM: lambda number: f"{number}. Laufzeit endet",
    StepKind.DEADLINE: lambda months: f"Frist {_months(months)}: spätester Eingang",
    StepKind.RECEIPT: _receipt,
    StepKind.FIRST_TERM_OVER: lambda _: "Erste Laufzeit endete, seitdem unbefristet",
    StepKind.MONTH_LATER: lambda months: f"{_months(months)} nach dem Eingang",
    StepKind.ONLY_TERM: lambda _: "Laufzeit endet ohne Verlängerung",
    StepKind.NAMED_END: lambda _: "Ende aus wichtigem Grund",
    StepKind.EARLIER: lambda _: "Ende durch eine frühere Kündigung",
}


@dataclass(frozen=True)
class Buyer:
    """Whom a letter goes to."""

    number: str
    name: str
    contact: str
    street: str
    postal_code: str
    city: str
    country: str

    @property
    def address(self) -> list[str]:
        lines = [self.name, self.contact, self.street, f"{self.postal_code} {self.city}".strip()]
        abroad = [self.country] if self.country not in ("", "DE") else []
        return [line for line in lines if line.strip()] + abroad


@dataclass(frozen=True)
class Confirmed:
    """What a confirmation says about a notice."""

    contract: str
    what: str
    received_on: date
    channel: str
    by_us: bool
    extraordinary: bool
    ends_on: date
    steps: Sequence[Step]
    last_month_net_cents: int | None = None


@dataclass(frozen=True)
class Letter:
    """A letter as PDF with its name, and the mail that carries it."""

    name: str
    content: bytes
    subject: str
    body: str


def confirmation(
    company: Mapping[str, str], buyer: Buyer, notice: Confirmed, *, signed_by: str, on: date, at: datetime
) -> Letter:
    """Confirms that a notice arrived, when the contract ends, and how that day is reckoned."""
    end = day(notice.ends_on)
    title = f"{'Unsere Kündigung' if notice.by_us else 'Bestätigung Ihrer Kündigung'}: Vertrag {notice.contract}"
    paragraphs = [_received(notice), f"Der Vertrag endet zum {end}."]
    if notice.last_month_net_cents is not None:
        paragraphs.append(
            f"Bis dahin gilt er unverändert weiter. Der letzte Monat kostet "
            f"{euros(notice.last_month_net_cents)} netto, zuzüglich Mehrminuten und Umsatzsteuer."
        )
    steps = [(STEPS[step.kind](step.count), day(step.day)) for step in notice.steps]
    closing = "Haben Sie Fragen zum Ende des Vertrags, rufen Sie uns an oder antworten Sie auf diese Nachricht."
    return _letter(
        company,
        buyer,
        name=f"Kuendigung-{notice.contract}.pdf",
        title=title,
        facts=[("Vertrag", notice.contract), ("Eingang", day(notice.received_on)), ("Vertragsende", end)],
        paragraphs=paragraphs,
        steps=steps,
        closing=closing,
        signed_by=signed_by,
        on=on,
        at=at,
    )


def withdrawal(
    company: Mapping[str, str],
    buyer: Buyer,
    contract: str,
    what: str,
    received_on: date,
    ends_on: date | None,
    *,
    signed_by: str,
    on: date,
    at: datetime,
) -> Letter:
    """Confirms that a notice was withdrawn, and what holds now."""
    now = (
        f"Er endet zum {day(ends_on)}."
        if ends_on
        else "Der Vertrag läuft weiter, als wäre nicht gekündigt worden."
    )
    return _letter(
        company,
        buyer,
        name=f"Ruecknahme-{contract}.pdf",
        title=f"Rücknahme der Kündigung: Vertrag {contract}",
        facts=[("Vertrag", contract), ("Rücknahme", day(on))],
        paragraphs=[
            f"die Kündigung des Vertrags {contract} ({what}), eingegangen am {day(received_on)}, "
            f"ist am {day(on)} im Einvernehmen zurückgenommen worden.",
            now,
        ],
        steps=[],
        closing="Vielen Dank für Ihr Vertrauen.",
        signed_by=signed_by,
        on=on,
        at=at,
    )


def _received(notice: Confirmed) -> str:
    kind = "außerordentlich " if notice.extraordinary else ""
    what, arrived = f"den Vertrag {notice.contract} ({notice.what})", day(notice.received_on)
    if notice.by_us:
        return f"wir haben {what} {kind}gekündigt. Unsere Kündigung ist Ihnen am {arrived} zugegangen."
    way = f"{CHANNELS[notice.channel]} " if notice.channel in CHANNELS else ""
    return f"Sie haben {what} {kind}gekündigt. Ihre Kündigung ist uns am {arrived} {way}zugegangen."


def _letter(
    company: Mapping[str, str],
    buyer: Buyer,
    *,
    name: str,
    title: str,
    facts: Sequence[tuple[str, str]],
    paragraphs: Sequence[str],
    steps: Sequence[tuple[str, str]],
    closing: str,
    signed_by: str,
    on: date,
    at: datetime,
) -> Letter:
    salutation = "Sehr geehrte Damen und Herren,"
    signature = [signed_by, company["name"]]
    data = {
        "company": dict(company),
        "title": title,
        "address": buyer.address,
        "facts": [("Kundennummer", buyer.number), *facts, ("Datum", day(on))],
        "salutation": salutation,
        "paragraphs": list(paragraphs),
        "steps": [list(step) for step in steps],
        "closing": closing,
        "signature": signature,
    }
    body = "\n\n".join([salutation, *paragraphs, closing, "Mit freundlichen Grüßen\n" + "\n".join(signature)])
    return Letter(name, sheets.render("notice", data, at=at), title, body + "\n")
