"""DATEV-Format, read back field by field."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ptdash.config import BERLIN
from ptdash.documents import datev
from ptdash.documents.datev import Batch, Booking

BATCH = Batch("29098", "55003", date(2026, 1, 1), 4, date(2026, 10, 1), date(2026, 10, 31), "Rechnungen 10/2026")
AT = datetime(2026, 11, 3, 8, 5, 9, tzinfo=BERLIN)


def booking(**other: object) -> Booking:
    row = {
        "gross_cents": 42305,
        "debtor": "10005",
        "revenue": "8400",
        "document": "RE-2026-00412",
        "booked_on": date(2026, 11, 3),
        "text": "Autohaus Kessler KG",
        "service_until": date(2026, 10, 31),
        "due_on": date(2026, 11, 17),
    }
    return Booking(**row | other)


def read(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """The header's fields, and each booking by the names of its columns."""
    text = content.decode("cp1252")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    header, names, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert len(names) == 125
    assert len(set(names)) == 125
    assert all(len(row) == 125 for row in rows)
    return header, [dict(zip(names, row, strict=True)) for row in rows]


def test_the_header_names_format_client_year_and_span():
    header, rows = read(datev.write(BATCH, [], AT)[0])
    assert rows == []
    assert len(header) == 31
    assert header[:6] == ["EXTF", "700", "21", "Buchungsstapel", "13", "20261103080509000"]
    assert header[10:16] == ["29098", "55003", "20260101", "4", "20261001", "20261031"]
    assert header[16:22] == ["Rechnungen 10/2026", "", "1", "0", "1", "EUR"]


def test_a_bill_is_a_debit_of_its_debtor_at_the_revenue():
    (row,) = read(datev.write(BATCH, [booking()], AT)[0])[1]
    assert {name: value for name, value in row.items() if value} == {
        "Umsatz (ohne Soll/Haben-Kz)": "423,05",
        "Soll/Haben-Kennzeichen": "S",
        "WKZ Umsatz": "EUR",
        "Konto": "10005",
        "Gegenkonto (ohne BU-Schlüssel)": "8400",
        "Belegdatum": "0311",
        "Belegfeld 1": "RE-2026-00412",
        "Buchungstext": "Autohaus Kessler KG",
        "Festschreibung": "1",
        "Leistungsdatum": "31102026",
        "Datum Zuord. Steuerperiode": "31102026",
        "Fälligkeit": "17112026",
    }


def test_a_storno_is_the_credit_of_the_same_amount_and_is_never_due():
    (row,) = read(datev.write(BATCH, [booking(gross_cents=-42305)], AT)[0])[1]
    assert (row["Umsatz (ohne Soll/Haben-Kz)"], row["Soll/Haben-Kennzeichen"]) == ("423,05", "H")
    assert row["Fälligkeit"] == ""


def test_a_reverse_charge_names_the_buyers_vat_id():
    (row,) = read(datev.write(BATCH, [booking(eu_vat_id="ATU12345678")], AT)[0])[1]
    assert row["EU-Land u. UStID (Bestimmung)"] == "ATU12345678"


def test_characters_outside_windows_1252_are_written_as_their_nearest_and_told():
    texts = ["Łukasz Žižek", "Bäckerei Größe – €", "漢字 GmbH", 'Zum "Löwen"; Inh. Müller\nMeier', "ẞ"]
    content, replaced = datev.write(BATCH, [booking(text=text) for text in texts], AT)
    assert [row["Buchungstext"] for row in read(content)[1]] == [
        *("Lukasz Žižek", "Bäckerei Größe – €", "?? GmbH", 'Zum "Löwen"; Inh. Müller Meier', "SS")
    ]
    assert replaced == ["Łukasz Žižek", "漢字 GmbH", "ẞ"]


@given(
    st.lists(
        st.builds(
            booking,
            gross_cents=st.integers(-(10**11), 10**11).filter(bool),
            text=st.text(max_size=200),
            booked_on=st.dates(date(2026, 10, 1), date(2026, 10, 31)),
        ),
        max_size=5,
    )
)
def test_whatever_is_booked_reads_back_to_the_cent(bookings):
    rows = read(datev.write(BATCH, bookings, AT)[0])[1]
    assert len(rows) == len(bookings)
    for row, given_booking in zip(rows, bookings, strict=True):
        amount = Decimal(row["Umsatz (ohne Soll/Haben-Kz)"].replace(",", "."))
        sign = 1 if row["Soll/Haben-Kennzeichen"] == "S" else -1
        assert amount > 0
        assert sign * amount * 100 == given_booking.gross_cents
        assert row["Belegdatum"] == f"{given_booking.booked_on:%d%m}"
        assert len(row["Buchungstext"]) <= 60 * 2
