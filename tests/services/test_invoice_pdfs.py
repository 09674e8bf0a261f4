"""The invoice as PDF: the e-invoice inside byte for byte, the same bytes each time, held back until it is set."""

import io
from datetime import date, timedelta
from hashlib import sha256

import facturx
import pikepdf
import pypdf
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.documents import sheets
from ptdash.models import DocumentFailure, Invoice, InvoicePdf, InvoiceXml, OutboxMessage, Run, Ticket
from ptdash.services import cancellations, checks, invoice_pdfs, releases
from tests.company import Company
from tests.conftest import NOW
from tests.services.test_period_close import SEPTEMBER, close


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def issued(session: Session) -> list[int]:
    close(session)
    return list(session.execute(select(Invoice.id).order_by(Invoice.id)).scalars())


def pdf_of(session: Session, invoice_id: int) -> bytes:
    invoice_pdfs.set_pdf(session, invoice_id, now=NOW)
    return invoice_pdfs.load(session, invoice_id).content


def words(content: bytes) -> str:
    """The text of all pages, white space evened out."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def xml_of(session: Session, invoice_id: int) -> bytes:
    return session.execute(select(InvoiceXml.content).where(InvoiceXml.invoice_id == invoice_id)).scalar_one()


def worked(company: Company, **customer: object) -> None:
    buyer = company.customer(number="10001", **customer)
    company.support(buyer, number="SV-1019")
    for minutes in (8, 15, 12, 9):
        company.entry(buyer, minutes)


@pytest.mark.parametrize(
    ("customer", "name", "level"),
    [
        ({}, "factur-x.xml", "EN 16931"),
        (
            {"invoice_format": "xrechnung", "routing_id": "04011000-1234512345-06", "email": "amt@stadt.example"},
            *("xrechnung.xml", "XRECHNUNG"),
        ),
    ],
)
def test_the_stored_xml_is_inside_byte_for_byte(session, company, customer, name, level):
    worked(company, **customer)
    (invoice_id,) = issued(session)
    content = pdf_of(session, invoice_id)
    stored = xml_of(session, invoice_id)
    with pikepdf.open(io.BytesIO(content)) as document:
        assert document.attachments[name].get_file().read_bytes() == stored
        assert document.Root.AF[0].AFRelationship == "/Alternative"
        metadata = document.Root.Metadata.read_bytes().decode()
    for said in (f"<fx:ConformanceLevel>{level}<", f"<fx:DocumentFileName>{name}<", "<fx:DocumentType>INVOICE<"):
        assert metadata.count(said) == 1
    assert metadata.count("pdfaExtension:schemas>") == 2
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert facturx.get_xml_from_pdf(content, check_xsd=False) == (name, stored)


def test_it_says_what_is_billed_and_why(session, company):
    worked(company, name="Müller & Söhne GmbH", contact="Buchhaltung")
    (invoice_id,) = issued(session)
    said = words(pdf_of(session, invoice_id))
    for part in (
        "Rechnung September 2026",
        "Müller & Söhne GmbH",
        "RE-2026-00001",
        "44 min gebucht − 30 min frei = 14 min",
        "von 12 min waren 7 frei und 5 berechnet",
        "Gesamtbetrag 72,59 €",
        "DE02 1203 0000 0000 2020 51",
        "Leistungsnachweis September 2026",
        "Seite 2 von 2",
    ):
        assert part in said, said


def test_it_is_set_again_to_the_same_bytes_whatever_changed_since(session, company):
    worked(company)
    (invoice_id,) = issued(session)
    content = pdf_of(session, invoice_id)
    session.execute(select(Ticket)).scalars().first().subject = "Ganz anders"
    session.flush()
    assert invoice_pdfs.set_again(session, invoice_id) == content
    assert not invoice_pdfs.set_pdf(session, invoice_id, now=NOW + timedelta(days=1)), "once is enough"


def test_a_reverse_charge_names_who_owes_the_tax(session, company):
    worked(company, country="AT", vat_id="ATU12345678")
    (invoice_id,) = issued(session)
    said = words(pdf_of(session, invoice_id))
    assert "Steuerschuldnerschaft des Leistungsempfängers" in said
    assert "ATU12345678" in said
    assert "ÖSTERREICH" in said


def test_a_storno_refers_to_its_invoice_and_asks_for_no_payment(session, company):
    worked(company)
    issued(session)
    day = date(2026, 10, 6)
    cancellations.cancel(session, "RE-2026-00001", "Falscher Empfänger", actor_id=None, business_day=day, now=NOW)
    storno = session.execute(select(Invoice.id).where(Invoice.kind == "storno")).scalar_one()
    said = words(pdf_of(session, storno))
    assert "Stornorechnung" in said
    assert "RE-2026-00001 vom 05.10.2026" in said
    assert "−72,59 €" in said
    assert "GiroCode" not in said


def test_sixty_devices_and_letters_that_no_font_has_are_set_all_the_same(session, company):
    buyer = company.customer(name="漢字 Łódź GmbH")
    contract = company.maintenance(buyer)
    for n in range(60):
        company.include(contract, company.device(buyer), f"{5 + n}.00")
    (invoice_id,) = issued(session)
    content = pdf_of(session, invoice_id)
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert len(reader.pages) >= 3
    assert all("Einzelpreis" in page.extract_text() for page in reader.pages[:-1]), "the head is repeated"


def test_the_database_keeps_documents_as_they_are(session, company):
    worked(company)
    (invoice_id,) = issued(session)
    pdf_of(session, invoice_id)
    for change in ("UPDATE invoice_pdfs SET sha256 = sha256", "DELETE FROM invoice_xmls", "TRUNCATE invoice_pdfs"):
        with pytest.raises(DBAPIError, match="written once"), session.begin_nested():
            session.execute(text(change))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("UPDATE invoice_pdfs SET content = content || '\\x00'", "RE-2026-00001: its PDF is not what was stored"),
        (
            "UPDATE invoice_pdfs SET (content, sha256) = "
            "(SELECT content, sha256 FROM invoice_pdfs WHERE invoice_id = 2)",
            "RE-2026-00001: its PDF does not carry its XML",
        ),
    ],
)
def test_the_check_finds_a_pdf_that_was_changed_or_exchanged(session, company, damage, told):
    worked(company)
    company.support(company.customer())
    for invoice_id in issued(session):
        pdf_of(session, invoice_id)
    assert not checks.documents_match(session).violations
    first = session.execute(select(func.min(InvoicePdf.invoice_id))).scalar_one()
    session.execute(text("ALTER TABLE invoice_pdfs DROP CONSTRAINT ck_invoice_pdfs_sha256"))
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text(f"{damage.replace('= 2', f'= {first + 1}')} WHERE invoice_id = {first}"))
    assert checks.documents_match(session).violations == [f"invoice {told}"]


def test_the_e_mail_goes_once_the_result_is_released_and_the_pdf_is_there(session, company):
    worked(company, email="buchhaltung@kunde.example")
    (invoice_id,) = issued(session)
    (message,) = session.execute(select(OutboxMessage)).scalars()
    assert (message.state, message.why) == ("held", "not_released")
    releases.release(session, SEPTEMBER, actor_id=company.technician.id, now=NOW)
    session.refresh(message)
    assert (message.state, message.why) == ("held", "no_document")
    pdf_of(session, invoice_id)
    session.refresh(message)
    assert (message.state, message.recipient) == ("waiting", "buchhaltung@kunde.example")
    assert message.message_id == "<RE-2026-00001@pt.example>"


def test_without_an_address_the_e_mail_waits_for_one(session, company):
    worked(company)
    (invoice_id,) = issued(session)
    pdf_of(session, invoice_id)
    releases.release(session, SEPTEMBER, actor_id=company.technician.id, now=NOW)
    (message,) = session.execute(select(OutboxMessage)).scalars()
    assert (message.state, message.why) == ("held", "no_address")


def test_a_failure_is_told_and_tried_again_later_and_later(session, company):
    worked(company)
    (invoice_id,) = issued(session)
    assert list(invoice_pdfs.missing(session, NOW)) == [invoice_id]
    for attempt in (1, 2, 3):
        invoice_pdfs.note_failure(session, invoice_id, "Kein Platz", now=NOW)
        wait = timedelta(minutes=2 ** (attempt - 1))
        assert list(invoice_pdfs.missing(session, NOW + wait - timedelta(seconds=1))) == []
        assert list(invoice_pdfs.missing(session, NOW + wait)) == [invoice_id]
    pdf_of(session, invoice_id)
    assert session.execute(select(DocumentFailure)).first() is None
    stored = session.execute(select(InvoicePdf.sha256)).scalar_one()
    assert stored == sha256(invoice_pdfs.load(session, invoice_id).content).hexdigest()
    assert session.execute(select(Run.id)).scalars().all()


def test_every_letter_of_our_fonts_is_left_as_it_is():
    assert sheets._plain({"a": ["Größe – 5 €", 1, None]}) == {"a": ["Größe – 5 €", 1, None]}
