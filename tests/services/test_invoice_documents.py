"""Every issued invoice is a legal e-invoice that says what the ledger says; one that is not is not issued."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from ptdash.documents import einvoice
from ptdash.documents.validation import validate
from ptdash.domain.bills import InvalidInvoice
from ptdash.domain.einvoices import PROFILES, InvoiceSource
from ptdash.models import (
    AuditEvent,
    DocumentFailure,
    Invoice,
    InvoiceXml,
    NumberSeries,
    OutboxMessage,
    Setting,
)
from ptdash.services import (
    books,
    cancellations,
    checks,
    invoice_originals,
    invoice_pdfs,
    invoice_sources,
    period_close,
    settings,
)
from ptdash.services.importing import import_directory
from tests.company import Company
from tests.conftest import DATA, NOW
from tests.services.test_period_close import OCTOBER, SEPTEMBER, TODAY, close, parked

LEITWEG_ID = "04011000-1234512345-06"


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


def sources(session: Session) -> list[InvoiceSource]:
    ids = session.execute(select(Invoice.id).order_by(Invoice.id)).scalars().all()
    return list(invoice_sources.of_invoices(session, ids).values())


def originals(session: Session) -> dict[str, bytes]:
    found = select(Invoice.number, InvoiceXml.content).join(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
    return dict(session.execute(found).all())


def is_legal(session: Session) -> list[InvoiceSource]:
    """Every invoice has an original, built again it is the same, both profiles keep every rule; the sources."""
    found, kept = sources(session), originals(session)
    assert set(kept) == {source.number for source in found}
    for source in found:
        assert einvoice.build(source, source.profile) == kept[source.number]
        # Whoever has no electronic address cannot get an XRechnung.
        for profile in PROFILES if source.electronic_address else PROFILES[:1]:
            xml = einvoice.build(source, profile)
            findings = validate(xml)
            assert (findings.fatal, einvoice.differences(xml, source)) == ((), []), source.number
    verdict = checks.documents_match(session)
    assert not verdict.violations
    return found


# Every kind of invoice --------------------------------------------------------------------------------


def test_every_invoice_of_the_sample_is_a_legal_e_invoice(session):
    assert import_directory(session, DATA / "sample", today=TODAY, actor_id=None, now=NOW).ok
    session.commit()
    months = [(SEPTEMBER, TODAY), (OCTOBER, date(2026, 11, 4)), (date(2026, 11, 1), date(2026, 12, 3))]
    for month, today in months:
        close(session, month, today)
    number = session.execute(select(Invoice.number).order_by(Invoice.id.desc()).limit(1)).scalar_one()
    cancellations.cancel(session, number, "Irrtum", business_day=date(2026, 12, 4), actor_id=None, now=NOW)
    for invoice_id in session.execute(select(Invoice.id)).scalars().all():
        assert invoice_pdfs.set_pdf(session, invoice_id, now=NOW)
        assert invoice_pdfs.set_again(session, invoice_id) == invoice_pdfs.load(session, invoice_id).content
    found = is_legal(session)
    assert invoice_originals.count(session) == 2 * len(found)
    assert len({source.period for source in found}) == len(months)
    assert {source.type_code for source in found} == {"380", "384"}
    reverse = [s for s in found if s.buyer["country"] == "AT"]
    assert all(b"VATEX-EU-AE" in originals(session)[source.number] for source in reverse)


def test_a_consumer_a_long_name_sixty_devices_and_minutes_with_four_decimals(session, company):
    company.support(company.customer(name="Änne Öztürk", is_consumer=True), "S")
    name = "Gesellschaft für Öffentlichkeitsarbeit, Straßenbau und Überlandversorgung " * 4
    long = company.customer(name=name.strip(), contact="Frau Dr. Müller-Lüdenscheidt", email="a@b.example")
    contract = company.maintenance(long)
    for cents in range(60):
        company.include(contract, company.device(long), f"9.{cents:02d}")
    company.entry(long, 13, "separate")
    close(session)
    found = is_legal(session)
    lines = next(source.lines for source in found if source.buyer["number"] == long.number)
    assert len(lines) == 62
    separate = next(line for line in lines if line.kind == "separate")
    assert b">1.6667</ram:ChargeAmount>" in originals(session)[found[-1].number]
    assert separate.net_cents == 2167


def test_reverse_charge_says_so_and_names_both_vat_ids(session, company):
    company.support(company.customer(country="AT", vat_id="ATU 1234 5675"))
    close(session)
    is_legal(session)
    (xml,) = originals(session).values()
    for said in (b"VATEX-EU-AE", "Steuerschuldnerschaft des Leistungsempfängers".encode(), b"ATU12345675"):
        assert said in xml
    assert b'schemeID="VA">DE123456789' in xml


def test_a_credit_has_a_negative_quantity_and_never_a_negative_price(session, company):
    customer = company.customer()
    company.support(customer)
    company.material(customer, "-12.3400", "2", reason="Kulanz")
    close(session)
    is_legal(session)
    (xml,) = originals(session).values()
    assert b">-2</ram:BilledQuantity>" in xml and b">12.34</ram:ChargeAmount>" in xml
    assert b"<ram:ChargeAmount>-" not in xml


def test_adjustments_up_and_down_and_a_correction_that_names_what_it_corrects(session, company):
    up, down, gone = (company.customer() for _ in range(3))
    company.support(up)
    company.support(down)
    company.support(gone, ends_before=OCTOBER)
    close(session)
    company.entry(up, 40)
    for customer in (down, gone):
        company.material(customer, "-5", reason="Kulanz")
    close(session, OCTOBER, date(2026, 11, 4))
    found = {s.buyer["number"]: s for s in is_legal(session) if s.period == OCTOBER}
    adjusted = {number: [x.net_cents for x in s.lines if x.kind == "adjustment"] for number, s in found.items()}
    assert adjusted == {up.number: [1500], down.number: [-500], gone.number: [-500]}
    correction = found[gone.number]
    assert (correction.gross_cents, correction.type_code) == (-595, "384")
    assert [item.number for item in correction.preceding] == ["RE-2026-00003"]
    assert b"<ram:InvoiceReferencedDocument>" in originals(session)[correction.number]


def test_a_storno_refers_to_its_original_with_negative_quantities(session, company):
    company.support(company.customer())
    close(session)
    storno = cancellations.cancel(
        session, "RE-2026-00001", "Falsches Paket", business_day=TODAY, actor_id=None, now=NOW
    )
    is_legal(session)
    xml = originals(session)[storno]
    assert b"<ram:TypeCode>384</ram:TypeCode>" in xml
    assert b"<ram:IssuerAssignedID>RE-2026-00001</ram:IssuerAssignedID>" in xml
    assert b">-1</ram:BilledQuantity>" in xml
    assert b"Stornorechnung zu RE-2026-00001 vom 05.10.2026." in xml


def test_signs_that_xml_cannot_carry_stop_no_invoice(session, company):
    company.support(company.customer(name="Kling\x0bklang \ufffe & <Söhne>\n GmbH"))
    close(session)
    (source,) = is_legal(session)
    assert "Kling klang &amp; &lt;Söhne&gt; GmbH".encode() in originals(session)[source.number]


# Which form ------------------------------------------------------------------------------------------


def test_a_public_buyer_gets_an_xrechnung_with_its_routing_id(session, company):
    company.support(company.customer(invoice_format="xrechnung", routing_id=LEITWEG_ID))
    close(session)
    is_legal(session)
    (xml,) = originals(session).values()
    assert b"urn:xeinkauf.de:kosit:xrechnung_3.0" in xml
    assert f"<ram:BuyerReference>{LEITWEG_ID}</ram:BuyerReference>".encode() in xml
    assert f'<ram:URIID schemeID="0204">{LEITWEG_ID}</ram:URIID>'.encode() in xml
    assert session.execute(select(InvoiceXml.profile)).scalar_one() == "xrechnung"


def test_both_forms_differ_in_the_name_of_their_profile_only(session, company):
    company.support(company.customer())
    close(session)
    (source,) = sources(session)
    zugferd, xrechnung = (einvoice.build(source, profile) for profile in PROFILES)
    names = [einvoice.GUIDELINES[profile].encode() for profile in PROFILES]
    assert xrechnung.replace(names[1], names[0]) == zugferd


def test_the_rules_are_kept_with_the_original(session, company):
    company.support(company.customer())
    close(session)
    kept = session.execute(select(InvoiceXml)).scalar_one()
    assert kept.rules.startswith("EN 16931, Factur-X 1.")
    assert len(kept.rules_sha256) == 64
    assert kept.warnings == []


# A broken rule ---------------------------------------------------------------------------------------


def test_a_broken_rule_parks_its_customer_and_uses_no_number(session, company):
    wrong = company.customer(vat_id="17", country="DE")
    right = company.customer()
    for customer in (wrong, right):
        company.support(customer)
    document = close(session)
    assert parked(document) == {wrong.number: "invalid_invoice"}
    assert "BR-CO-09" in document["parked"][0]["message"]
    assert session.execute(select(Invoice.number)).scalars().all() == ["RE-2026-00001"]
    wrong.vat_id = "DE167760436"
    session.flush()
    close(session)
    assert session.execute(select(NumberSeries.last)).scalar_one() == 2
    assert len(is_legal(session)) == 2


def test_an_xrechnung_needs_the_companys_telephone_a_zugferd_invoice_does_not(session, company):
    session.delete(session.get_one(Setting, "company.phone"))
    public = company.customer(invoice_format="xrechnung", routing_id=LEITWEG_ID)
    for customer in (public, company.customer()):
        company.support(customer)
    document = close(session)
    assert parked(document) == {public.number: "invalid_invoice"}
    assert "BR-DE-6" in document["parked"][0]["message"]


def test_a_storno_that_breaks_a_rule_is_refused_whole(session, company):
    company.support(company.customer())
    close(session)
    with session.begin_nested():
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("""UPDATE invoices SET buyer = buyer || '{"vat_id": "17"}'"""))
        session.execute(text("SET LOCAL session_replication_role = origin"))
    session.expire_all()
    with pytest.raises(InvalidInvoice, match="BR-CO-09"):
        cancellations.cancel(session, "RE-2026-00001", "Irrtum", business_day=TODAY, actor_id=None, now=NOW)
    assert session.execute(select(func.count()).select_from(Invoice)).scalar_one() == 1


# Checked before the posting ---------------------------------------------------------------------------


def begin(session: Session) -> int:
    run, blockers = books.begin(session, SEPTEMBER, TODAY, actor_id=None, now=NOW)
    assert run and not blockers
    return run.id


def drafted(session: Session, run_id: int) -> dict[int, period_close.Draft]:
    """Drafted in a transaction of its own, as the job does it."""
    everybody = list(books.pending(session, run_id))
    session.commit()
    drafts = period_close.draft(session, run_id, everybody)
    session.commit()
    return drafts


def test_whose_facts_changed_after_the_check_stays_undecided_and_nobody_else(session, company):
    steady, busy = company.customer(), company.customer()
    for customer in (steady, busy):
        company.support(customer)
    run_id = begin(session)
    checked = {customer_id: made.check() for customer_id, made in drafted(session, run_id).items()}
    company.entry(busy, 90)
    assert period_close.post(session, run_id, [steady.id, busy.id], now=NOW, checked=checked) == 1
    assert books.pending(session, run_id) == [busy.id]
    assert period_close.post(session, run_id, [steady.id, busy.id], now=NOW) == 1
    assert [len(source.lines) for source in is_legal(session)] == [1, 2]


def test_nothing_is_issued_with_a_seller_that_is_no_longer_the_one_that_was_checked(session, company):
    customer = company.customer()
    company.support(customer)
    run_id = begin(session)
    checked = {customer_id: made.check() for customer_id, made in drafted(session, run_id).items()}
    settings.change(session, "company.name", "Premium Technologies GmbH", actor_id=None, now=NOW)
    assert period_close.post(session, run_id, [customer.id], now=NOW, checked=checked) == 0
    assert period_close.post(session, run_id, [customer.id], now=NOW) == 1
    assert session.execute(select(Invoice)).scalar_one().seller["name"] == "Premium Technologies GmbH"


def test_a_draft_writes_nothing(session, company):
    company.support(company.customer())
    run_id = begin(session)
    events = session.execute(select(func.count()).select_from(AuditEvent)).scalar_one()
    (made,) = drafted(session, run_id).values()
    assert [source.number for source in made.sources] == [invoice_sources.PROVISIONAL]
    assert session.execute(select(func.count()).select_from(AuditEvent)).scalar_one() == events


# The e-mail ------------------------------------------------------------------------------------------


def test_every_invoice_has_its_e_mail_that_is_held_until_the_result_is_released(session, company):
    company.support(company.customer(email=" buchhaltung@kunde.example ", contact="Frau Brandt"))
    close(session)
    message = session.execute(select(OutboxMessage)).scalar_one()
    assert (message.state, message.why, message.kind) == ("held", "not_released", "invoice")
    assert message.recipient == "buchhaltung@kunde.example"
    assert message.message_id == "<RE-2026-00001@pt.example>"
    assert message.subject == "Rechnung RE-2026-00001 für September 2026"
    assert "Guten Tag Frau Brandt," in message.body
    assert "bis zum 19.10.2026" in message.body and "47,60\xa0€" in message.body.replace(" ", "\xa0")


# Invoices from before -------------------------------------------------------------------------------


def forget_originals(session: Session) -> None:
    """As if the invoices had been issued before there were e-invoices."""
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text("DELETE FROM outbox_messages"))
    session.execute(text("DELETE FROM invoice_xmls"))
    session.execute(text("SET LOCAL session_replication_role = origin"))


def test_invoices_from_before_get_their_original_later(session, company):
    company.support(company.customer())
    close(session)
    before = originals(session)
    forget_originals(session)
    assert not checks.documents_match(session).violations
    ids = invoice_originals.without(session, NOW, 10)
    assert invoice_originals.make(session, ids, now=NOW) == 1
    assert originals(session) == before
    assert invoice_originals.make(session, ids, now=NOW) == 0
    assert not invoice_originals.without(session, NOW, 10)


def test_one_that_breaks_a_rule_says_so_and_is_asked_again_a_day_later(session, company):
    company.support(company.customer())
    close(session)
    forget_originals(session)
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text("""UPDATE invoices SET buyer = buyer || '{"vat_id": "17"}'"""))
    session.execute(text("SET LOCAL session_replication_role = origin"))
    ids = invoice_originals.without(session, NOW, 10)
    assert invoice_originals.make(session, ids, now=NOW) == 0
    assert "BR-CO-09" in session.execute(select(DocumentFailure.why)).scalar_one()
    assert not invoice_originals.without(session, NOW, 10)
    assert invoice_originals.without(session, NOW + timedelta(days=2), 10) == ids


# The check ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM invoice_xmls", "has no XML"),
        (
            """UPDATE invoice_xmls SET content = convert_to(replace(convert_from(content, 'UTF8'),
               '<ram:LineTotalAmount>40.00', '<ram:LineTotalAmount>41.00'), 'UTF8')""",
            "not what was stored",
        ),
        ("UPDATE invoices SET vat_cents = 761, gross_cents = 4761", "differs from the ledger, vat_cents: 760"),
    ],
)
def test_the_check_finds_an_original_that_is_gone_changed_or_differs(session, company, damage, told):
    company.support(company.customer())
    close(session)
    session.execute(text("ALTER TABLE invoice_xmls DROP CONSTRAINT ck_invoice_xmls_sha256"))
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text(damage))
    assert told in " ".join(checks.documents_match(session).violations)


def test_an_original_is_never_changed_or_deleted(session, company):
    company.support(company.customer())
    close(session)
    for change in ("UPDATE invoice_xmls SET rules = ''", "DELETE FROM invoice_xmls"):
        with pytest.raises(Exception, match="invoice_xmls"), session.begin_nested():
            session.execute(text(change))
