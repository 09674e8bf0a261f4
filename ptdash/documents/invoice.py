"""The invoice on paper: PDF/A-3 with the e-invoice inside (ZUGFeRD), a time record as its second part."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import segno.helpers

from ptdash.documents import embedding, sheets
from ptdash.documents.evidence import Package, record
from ptdash.documents.german import country, day, euros, month, number, price
from ptdash.documents.invoice_mails import title
from ptdash.documents.time_record import RecordedTime
from ptdash.domain.einvoices import InvoiceSource
from ptdash.domain.vat import VatCategory

UNITS = {
    "minute": ("min", "min"),
    "month": ("Monat", "Monate"),
    "piece": ("Stück", "Stück"),
    "device": ("Gerät", "Geräte"),
}
REVERSE_CHARGE = (
    "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge, Artikel 196 der Richtlinie 2006/112/EG): "
    "Die Umsatzsteuer schuldet der Empfänger, {buyer}. USt-IdNr. des Leistenden: {seller}."
)
EPC_NAME_LIMIT = 70  # EPC069-12


def content(
    source: InvoiceSource,
    explanations: Sequence[Mapping[str, Any]],
    packages: Sequence[Package],
    entries: Sequence[RecordedTime],
) -> dict[str, Any]:
    """Everything that the document says, as text: kept with it, so that it can be set again."""
    name = title(source)
    first, last = source.service_span
    seller, buyer = source.seller, source.buyer
    return {
        "company": {key: seller.get(key, "") for key in COMPANY},
        "title": f"{name} {month(source.period)}",
        "heading": f"{name} {source.number}",
        "attachment": "xrechnung.xml" if source.profile == "xrechnung" else "factur-x.xml",
        "profile": source.profile,
        "number": source.number,
        "address": _address(buyer),
        "facts": [
            [name, source.number],
            [f"{name}sdatum" if name == "Rechnung" else "Datum", day(source.issued_on)],
            [
                "Leistungszeitraum",
                f"{day(first)[:6]}–{day(last)}" if first.year == last.year else f"{day(first)}–{day(last)}",
            ],
            ["Kundennummer", str(buyer["number"])],
            *([["Leitweg-ID", str(buyer["routing_id"])]] if buyer.get("routing_id") else []),
            *([["Ihre USt-IdNr.", str(buyer["vat_id"])]] if buyer.get("vat_id") else []),
            *([["Fällig am", day(source.due_on)]] if source.gross_cents > 0 else []),
            *([["Ansprechpartner", seller["contact"]]] if seller.get("contact") else []),
        ],
        "intro": _intro(source),
        "lines": [
            _line(line, facts, packages, entries) for line, facts in zip(source.lines, explanations, strict=True)
        ],
        "sums": [
            ["Summe netto", euros(source.net_cents)],
            *([_vat_words(s.rate), euros(s.vat_cents)] for s in source.shares),
        ],
        "total": ["Gesamtbetrag", euros(source.gross_cents)],
        "payment": _payment(source),
        "notes": _notes(source),
        "record": record(source, packages, entries) if entries and source.kind == "bill" else None,
    }


COMPANY = (
    *("name", "street", "postal_code", "city", "country", "vat_id", "tax_number", "iban", "bic", "email", "phone"),
    *("management", "register"),
)


def render(said: dict[str, Any], xml: bytes, *, at: datetime) -> bytes:
    """The PDF/A-3b of what `content` says with the XML inside; the same arguments give the same bytes."""
    plain = sheets.render("invoice", said, at=at, xml=xml)
    return embedding.declare(io.BytesIO(plain), said["attachment"], said["profile"])


def _address(buyer: Mapping[str, Any]) -> list[str]:
    lines = [buyer["name"], buyer.get("contact"), buyer["street"], f"{buyer['postal_code']} {buyer['city']}"]
    abroad = [country(buyer["country"]).upper()] if buyer["country"] != "DE" else []
    return [str(line).strip() for line in lines if line and str(line).strip()] + abroad


def _intro(source: InvoiceSource) -> str:
    named = ", ".join(f"{item.number} vom {day(item.issued_on)}" for item in source.preceding)
    if source.kind == "storno":
        return f"Hiermit stornieren wir unsere Rechnung {named}. Sie ist damit gegenstandslos."
    if named:
        return f"Diese Korrektur bezieht sich auf {named}."
    return f"Guten Tag, für Support und Wartung im {month(source.period).partition(' ')[0]} berechnen wir:"


def _line(
    line: Any, facts: Mapping[str, Any], packages: Sequence[Package], entries: Sequence[RecordedTime]
) -> dict[str, Any]:
    strong, comma, rest = line.description.partition(",")
    one, many = UNITS["device" if line.kind == "device_fee" else line.unit]
    quantity = f"{number(line.billed.normalize())} {one if abs(line.billed) == 1 else many}"
    adjusts = line.kind == "adjustment"
    return {
        "pos": line.pos,
        "strong": "" if line.kind in ("device_fee", "material", "cancellation") else strong,
        "rest": line.description if line.kind in ("device_fee", "material", "cancellation") else comma + rest,
        "details": _details(line, facts, packages, entries),
        "quantity": "" if adjusts else quantity,
        "price": "" if adjusts else price(line.price),
        "net": euros(line.net_cents),
    }


def _details(
    line: Any, facts: Mapping[str, Any], packages: Sequence[Package], entries: Sequence[RecordedTime]
) -> list[str]:
    match line.kind:
        case "package_fee":
            return [_package_words(facts)]
        case "overage":
            used, included, over = (facts[f"{key}_minutes"] for key in ("used", "included", "overage"))
            crossing = [e for e in entries if e.left == 0 and e.overage and 0 < e.overage < e.minutes]
            more = [
                f"Am {day(e.started_at)[:6]} endeten die Freiminuten: von {e.minutes} min waren "
                f"{e.minutes - (e.overage or 0)} frei und {e.overage} berechnet."
                for e in crossing[:1]
            ]
            return [f"{used} min gebucht − {included} min frei = {over} min", *more]
        case "separate":
            apart = [e for e in entries if e.left is None and e.amount_cents]
            told = [f"{day(e.started_at)[:6]}: {e.activity}" for e in apart[:3]]
            return told + ([f"und {len(apart) - 3} weitere, siehe Leistungsnachweis"] if len(apart) > 3 else [])
        case "device_fee":
            devices = [device["device"] for device in facts["devices"]]
            return [f"Gerät{'e' if len(devices) > 1 else ''} {', '.join(devices)}"]
        case "adjustment":
            return _adjustment_words(facts)
    return []


def _package_words(facts: Mapping[str, Any]) -> str:
    included, used, expired = (facts[f"{key}_minutes"] for key in ("included", "used", "expired"))
    if not expired:
        return f"{included} Freiminuten, alle verbraucht"
    return f"{included} Freiminuten, {min(used, included)} verbraucht, {expired} verfallen"


def _adjustment_words(facts: Mapping[str, Any]) -> list[str]:
    said = [
        f"Nach heutigem Stand {euros(facts['owed_cents'])} netto, bisher berechnet {euros(facts['issued_cents'])}"
    ]
    for before, after in _paired(facts.get("before", ()), facts.get("after", ())):
        said.append(
            f"{after['used_minutes']} statt {before['used_minutes']} von {after['included_minutes']} Freiminuten, "
            f"{after['overage_minutes']} statt {before['overage_minutes']} Mehrminuten"
        )
    if facts.get("waits_cents"):
        said.append(f"{euros(facts['waits_cents'])} werden mit späteren Rechnungen verrechnet")
    return said


def _paired(before: Iterable[Any], after: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """The minutes of the same contract before and after."""
    earlier = {item["contract"]: item for item in before}
    return [(earlier[item["contract"]], item) for item in after if item["contract"] in earlier]


def _vat_words(rate: Decimal) -> str:
    return f"Umsatzsteuer {number(rate.normalize())} %" if rate else "Umsatzsteuer 0 % (Reverse Charge)"


def _payment(source: InvoiceSource) -> dict[str, Any] | None:
    if source.gross_cents <= 0:
        return None
    iban = source.seller["iban"]
    spaced = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
    return {
        "girocode": _girocode(source),
        "rows": [
            ["Bis", " ohne Abzug", day(source.due_on)],
            ["IBAN", spaced],
            ["Betrag", euros(source.gross_cents)],
            ["Zweck", source.number],
        ],
    }


def _girocode(source: InvoiceSource) -> str:
    """The payment as QR code (EPC069-12), as SVG."""
    code = segno.helpers.make_epc_qr(
        name=source.seller["name"][:EPC_NAME_LIMIT],
        iban=source.seller["iban"],
        amount=Decimal(source.gross_cents) / 100,
        text=source.number,
        bic=source.seller.get("bic") or None,
    )
    target = io.BytesIO()
    code.save(target, kind="svg", border=0, scale=4, xmldecl=False, svgns=True)
    return target.getvalue().decode()


def _notes(source: InvoiceSource) -> list[str]:
    notes = []
    if any(share.category is VatCategory.REVERSE_CHARGE for share in source.shares):
        buyer = f"{source.buyer['name']}, USt-IdNr. {source.buyer.get('vat_id') or '–'}"
        notes.append(REVERSE_CHARGE.format(buyer=buyer, seller=source.seller.get("vat_id") or "–"))
    if source.gross_cents < 0:
        notes.append("Zu zahlen ist nichts; einen bereits gezahlten Betrag verrechnen oder erstatten wir.")
    return notes
