"""The e-mail that brings an invoice: what it says, in German."""

from datetime import date
from decimal import Decimal

import pytest

from ptdash.documents import invoice_mails
from ptdash.domain.einvoices import Preceding
from tests.documents.invoices import BUYER, SELLER, line, source

PLAIN = BUYER | {"invoice_format": "zugferd", "routing_id": ""}


def test_a_bill_says_what_to_pay_by_when_and_where_to():
    subject, body = invoice_mails.write(source(buyer=PLAIN))
    assert subject == "Rechnung RE-2026-00412 für September 2026"
    assert body.startswith("Guten Tag Frau Brandt,\n\n")
    said = body.replace("\xa0", " ")
    assert "vom 05.10.2026 für September 2026 über 47,60 €" in said
    assert "bis zum 19.10.2026 auf das Konto DE02120300000000202051" in said
    assert "Verwendungszweck RE-2026-00412" in said


def test_it_ends_with_what_a_company_has_to_say_in_letters():
    seller = SELLER | {
        "management": "Geschäftsführerin: Miriam Vogt",
        "register": "Amtsgericht Münster, HRB 12345",
    }
    _, body = invoice_mails.write(source(seller=seller))
    assert body.rstrip().endswith(
        "Mit freundlichen Grüßen\nMiriam Vogt\npremium technologies GmbH\nHafenweg 12, 48155 Münster\n"
        "0251 5550100\n"
        "Geschäftsführerin: Miriam Vogt\nAmtsgericht Münster, HRB 12345"
    )


@pytest.mark.parametrize(
    ("buyer", "said"),
    [
        (BUYER, "Als XRechnung liegt sie zudem einzeln bei."),
        (PLAIN | {"wants_xml": True}, "einzeln als XML-Datei"),
    ],
)
def test_who_gets_the_xml_by_itself_is_told(buyer, said):
    assert said in invoice_mails.write(source(buyer=buyer))[1]
    assert "einzeln" not in invoice_mails.write(source(buyer=PLAIN))[1]


def test_a_storno_names_its_invoice_and_asks_for_nothing():
    turned = line(kind="cancellation", quantity=Decimal(-1), net_cents=-4000)
    storno = source(turned, kind="storno", preceding=(Preceding("RE-2026-00311", date(2026, 9, 4)),))
    subject, body = invoice_mails.write(storno)
    assert subject.startswith("Stornorechnung RE-2026-00412")
    assert "Sie bezieht sich auf RE-2026-00311. Zu zahlen ist nichts" in body
    assert "überweisen" not in body
