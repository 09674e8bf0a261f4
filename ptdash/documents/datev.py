"""DATEV-Format (EXTF 700), category 21 Buchungsstapel, version 13: issued invoices as bookings.

Windows-1252, CRLF, decimal comma. One booking for each VAT rate of an invoice: the debtor at the revenue account,
gross, because the revenue accounts are automatic ones that split the tax off themselves. The day of the service
decides in which tax period the VAT falls (UStG 13 (1) no. 1 a), so both days are given.
Source: DATEV-Format for developers, Buchungsstapel and Kopfsatz.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from ptdash.documents.characters import ENCODING, nearest

HEADER_FIELDS = 31
TEXT_LIMIT = 60
COLUMNS = (
    *("Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz"),
    *("WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum"),
    *("Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext", "Postensperre", "Diverse Adressnummer"),
    *("Geschäftspartnerbank", "Sachverhalt", "Zinssperre", "Beleglink"),
    *(f"Beleginfo - {part} {n}" for n in range(1, 9) for part in ("Art", "Inhalt")),
    *("KOST1 - Kostenstelle", "KOST2 - Kostenstelle", "Kost-Menge", "EU-Land u. UStID (Bestimmung)"),
    *("EU-Steuersatz (Bestimmung)", "Abw. Versteuerungsart", "Sachverhalt L+L", "Funktionsergänzung L+L"),
    *("BU 49 Hauptfunktionstyp", "BU 49 Hauptfunktionsnummer", "BU 49 Funktionsergänzung"),
    *(f"Zusatzinformation - {part} {n}" for n in range(1, 21) for part in ("Art", "Inhalt")),
    *("Stück", "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr", "Zugeordnete Fälligkeit", "Skontotyp"),
    *("Auftragsnummer", "Buchungstyp", "USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)"),
    *("Sachverhalt L+L (Anzahlungen)", "EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz"),
    *("Buchungs GUID", "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre", "Gesellschaftername"),
    *("Beteiligtennummer", "Identifikationsnummer", "Zeichnernummer", "Postensperre bis"),
    *("Bezeichnung SoBil-Sachverhalt", "Kennzeichen SoBil-Buchung", "Festschreibung", "Leistungsdatum"),
    *("Datum Zuord. Steuerperiode", "Fälligkeit", "Generalumkehr (GU)", "Steuersatz", "Land"),
    *("Abrechnungsreferenz", "BVV-Position", "EU-Land u. UStID (Ursprung)", "EU-Steuersatz (Ursprung)"),
    "Abw. Skontokonto",
)


@dataclass(frozen=True)
class Batch:
    """What all bookings have in common; `account_length` is that of general ledger accounts."""

    consultant: str
    client: str
    year_begins: date
    account_length: int
    since: date
    until: date
    title: str


@dataclass(frozen=True)
class Booking:
    """An amount in cents (negative: the other way round) that a debtor owes for a revenue."""

    gross_cents: int
    debtor: str
    revenue: str
    document: str
    booked_on: date
    text: str
    service_until: date
    due_on: date
    eu_vat_id: str = ""


def write(batch: Batch, bookings: Iterable[Booking], at: datetime) -> tuple[bytes, list[str]]:
    """The file, and the texts with characters that Windows-1252 does not know and that were written otherwise."""
    rows, replaced = [_header(batch, at), ";".join(COLUMNS)], []
    for booking in bookings:
        if nearest(booking.text) != booking.text:
            replaced.append(booking.text)
        rows.append(_booking(booking))
    return "".join(f"{row}\r\n" for row in rows).encode(ENCODING), replaced


def _header(batch: Batch, at: datetime) -> str:
    fields = [
        *(_text("EXTF"), "700", "21", _text("Buchungsstapel"), "13", f"{at:%Y%m%d%H%M%S}000", ""),
        *(_text("RE"), _text(""), _text(""), batch.consultant, batch.client, _day(batch.year_begins)),
        *(str(batch.account_length), _day(batch.since), _day(batch.until), _text(batch.title[:30]), _text("")),
        *("1", "0", "1", _text("EUR"), "", _text(""), "", "", _text(""), "", "", _text(""), _text("")),
    ]
    return ";".join(fields)


def _booking(booking: Booking) -> str:
    row = dict.fromkeys(COLUMNS, "")
    row |= {
        "Umsatz (ohne Soll/Haben-Kz)": f"{abs(booking.gross_cents) // 100},{abs(booking.gross_cents) % 100:02d}",
        "Soll/Haben-Kennzeichen": _text("S" if booking.gross_cents > 0 else "H"),
        "WKZ Umsatz": _text("EUR"),
        "Konto": booking.debtor,
        "Gegenkonto (ohne BU-Schlüssel)": booking.revenue,
        "Belegdatum": f"{booking.booked_on:%d%m}",
        "Belegfeld 1": _text(booking.document),
        "Buchungstext": _text(booking.text[:TEXT_LIMIT]),
        "EU-Land u. UStID (Bestimmung)": _text(booking.eu_vat_id) if booking.eu_vat_id else "",
        "Festschreibung": "1",
        "Leistungsdatum": f"{booking.service_until:%d%m%Y}",
        "Datum Zuord. Steuerperiode": f"{booking.service_until:%d%m%Y}",
        "Fälligkeit": f"{booking.due_on:%d%m%Y}" if booking.gross_cents > 0 else "",
    }
    return ";".join(row.values())


def _text(value: str) -> str:
    """Quoted; a quote inside is doubled, a control character is a blank."""
    plain = "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in nearest(value))
    return '"' + plain.replace('"', '""') + '"'


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
