"""Issued invoices as files: what stands in them is what was issued."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.documents import validation
from ptdash.models import Invoice
from ptdash.services import books, cancellations, exporting, settings
from ptdash.services.exporting import NoDebtorAccount
from tests.company import Company
from tests.conftest import NOW
from tests.documents.test_datev import read
from tests.services.test_period_close import close

SEPTEMBER, OCTOBER, DECEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 12, 1)


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def worked(company: Company, minutes: int = 43, **customer: object) -> None:
    """A customer who used that many minutes of package M in September."""
    buyer = company.customer(**customer)
    company.support(buyer)
    company.entry(buyer, minutes)


def set_up(session: Session, **more: str) -> None:
    values = {"datev.consultant": "29098", "datev.client": "55003"}
    settings.change_all(session, values | more, actor_id=None, now=NOW)


def exported(session: Session, form: str, month: date = SEPTEMBER) -> list:
    return list(exporting.files(session, exporting.issued(session, month, month), form, at=NOW))


def rows(session: Session, month: date = SEPTEMBER) -> list[dict[str, str]]:
    return [row for file in exported(session, "datev", month) for row in read(file.content)[1]]


def test_bookings_add_up_to_the_invoices(session, company):
    for number, minutes in (("10001", 43), ("10002", 5), ("10003", 300)):
        worked(company, minutes, number=number)
    close(session)
    set_up(session)
    invoices = session.execute(select(Invoice).order_by(Invoice.number)).scalars().all()
    found = rows(session)
    assert [row["Belegfeld 1"] for row in found] == [invoice.number for invoice in invoices]
    booked = [Decimal(row["Umsatz (ohne Soll/Haben-Kz)"].replace(",", ".")) * 100 for row in found]
    assert booked == [invoice.gross_cents for invoice in invoices]
    assert {row["Gegenkonto (ohne BU-Schlüssel)"] for row in found} == {"8400"}
    assert [row["Konto"] for row in found] == ["10001", "10002", "10003"]
    assert {row["Leistungsdatum"] for row in found} == {"30092026"}


def test_reverse_charge_has_its_own_account_and_the_vat_id(session, company):
    worked(company, number="10001", country="AT", vat_id="ATU12345678")
    close(session)
    set_up(session)
    (row,) = rows(session)
    assert row["Gegenkonto (ohne BU-Schlüssel)"] == "8336"
    assert row["EU-Land u. UStID (Bestimmung)"] == "ATU12345678"


def test_a_storno_takes_back_what_its_invoice_booked(session, company):
    worked(company, number="10001")
    close(session)
    set_up(session)
    day = date(2026, 10, 6)
    storno = cancellations.cancel(session, "RE-2026-00001", "Irrtum", business_day=day, actor_id=None, now=NOW)
    bill, back = rows(session)
    assert (bill["Soll/Haben-Kennzeichen"], back["Soll/Haben-Kennzeichen"]) == ("S", "H")
    assert (back["Belegfeld 1"], back["Belegdatum"], back["Fälligkeit"]) == (storno, "0610", "")
    same = ("Umsatz (ohne Soll/Haben-Kz)", "Konto", "Gegenkonto (ohne BU-Schlüssel)", "Leistungsdatum")
    assert [bill[name] for name in same] == [back[name] for name in same]


def test_without_the_advisers_numbers_placeholders_stand_for_them_and_it_is_told(session, company):
    worked(company, number="10001")
    close(session)
    (file,) = exported(session, "datev")
    header = file.content.decode("cp1252").splitlines()[0].split(";")
    assert (header[10], header[11]) == ("1001", "1")
    assert [note.split()[0] for note in file.notes] == ["datev.consultant", "datev.client"]
    set_up(session)
    (file,) = exported(session, "datev")
    assert file.notes == ()


def test_customer_numbers_that_are_no_accounts_need_a_collective_one(session, company):
    worked(company, number="K-7")
    close(session)
    set_up(session)
    with pytest.raises(NoDebtorAccount, match="K-7"):
        rows(session)
    set_up(session, **{"datev.debtor": "14000"})
    assert [row["Konto"] for row in rows(session)] == ["14000"]


def test_each_financial_year_has_a_file_of_its_own(session, company):
    worked(company, number="10001")
    close(session)
    set_up(session, **{"datev.year_begins": "10"})
    (file,) = exported(session, "datev")
    assert read(file.content)[0][12] == "20261001"
    assert exporting.year_begin(date(2026, 9, 30), 10) == date(2025, 10, 1)
    assert exporting.year_begin(date(2026, 1, 1), 1) == date(2026, 1, 1)


def test_every_invoice_can_be_written_as_an_xrechnung(session, company):
    worked(company, number="10001")
    close(session)
    (file,) = exported(session, "xrechnung")
    assert file.name == "RE-2026-00001.xml"
    assert b"xrechnung_3.0" in file.content
    assert [finding.rule for finding in validation.validate(file.content).fatal] == ["PEPPOL-EN16931-R010"]
    assert file.notes == (f"{file.name}: {exporting.NO_ADDRESS}",), "who has no address cannot get one"


def test_an_xrechnung_finds_its_buyer_by_e_mail_routing_id_or_vat_id(session, company):
    worked(company, number="10001", email="buchhaltung@kunde.example")
    worked(company, number="10002", vat_id="DE 167760436")
    worked(company, number="10003", vat_id="ATU12345675", country="AT")
    worked(company, number="10004", invoice_format="xrechnung", routing_id="04011000-1234512345-06")
    close(session)
    found = exported(session, "xrechnung")
    for file, address in zip(
        found,
        (
            'schemeID="EM">buchhaltung@kunde.example',
            'schemeID="9930">DE167760436',
            'schemeID="9914">ATU12345675',
            'schemeID="0204">04011000-1234512345-06',
        ),
        strict=True,
    ):
        assert address in file.content.decode()
        assert not validation.validate(file.content).fatal
        assert not file.notes


def test_an_invoice_whose_pdf_is_not_there_yet_is_named(session, company):
    worked(company, number="10001")
    close(session)
    assert exported(session, "zugferd") == [exporting.Missing("RE-2026-00001")]


def test_a_month_without_invoices_gives_no_file(session, company):
    set_up(session)
    assert [exported(session, form, OCTOBER) for form in exporting.FORMATS] == [[], [], [], []]
    assert books.pending(session, 0) == []
