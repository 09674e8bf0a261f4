"""The rules that XRechnung adds: what we write keeps each of them, and each of them notices what breaks it."""

import re
from decimal import Decimal

import pytest
from lxml import etree

from ptdash.documents import einvoice, xrechnung
from ptdash.documents.validation import validate
from ptdash.domain.einvoices import Preceding
from ptdash.domain.vat import VatCategory
from tests.documents.invoices import BUYER, LEITWEG_ID, SELLER, SEPTEMBER, line, source


def written(**other: object) -> str:
    return einvoice.build(source(**other), "xrechnung").decode()


def broken(xml: str) -> dict[str, bool]:
    """The rules that are broken, and whether that is fatal."""
    return {name: is_fatal for name, _, is_fatal in xrechnung.broken(etree.fromstring(xml.encode()))}


def without(element: str, inside: str = "") -> tuple[str, str]:
    """A pattern that removes an element, the first one inside another one."""
    gone = rf"<ram:{element}\b[^>]*>.*?</ram:{element}>\s*"
    return (rf"(?s)(<ram:{inside}>.*?){gone}", r"\1") if inside else (rf"(?s){gone}", "")


BREAKS = {
    "BR-DE-1": without("SpecifiedTradeSettlementPaymentMeans"),
    "BR-DE-2": without("DefinedTradeContact", "SellerTradeParty"),
    "BR-DE-3": without("CityName", "SellerTradeParty"),
    "BR-DE-4": without("PostcodeCode", "SellerTradeParty"),
    "BR-DE-5": without("PersonName", "SellerTradeParty"),
    "BR-DE-6": without("TelephoneUniversalCommunication", "SellerTradeParty"),
    "BR-DE-7": without("EmailURIUniversalCommunication", "SellerTradeParty"),
    "BR-DE-8": without("CityName", "BuyerTradeParty"),
    "BR-DE-9": without("PostcodeCode", "BuyerTradeParty"),
    "BR-DE-14": (
        r"(?s)(<ram:ApplicableHeaderTradeSettlement>.*)<ram:RateApplicablePercent>19</ram:RateApplicablePercent>",
        r"\1",
    ),
    "BR-DE-15": without("BuyerReference"),
    "BR-DE-16": (r"(?s)<ram:SpecifiedTaxRegistration>.*?</ram:SpecifiedTaxRegistration>", ""),
    "BR-DE-17": ("<ram:TypeCode>380<", "<ram:TypeCode>383<"),
    "BR-DE-18": ("Zahlbar ohne Abzug", "#SKONTO#TAGE=14#"),
    "CII-SR-453": (r"(<ram:Description>Zahlbar[^<]*</ram:Description>)", r"\1\1"),
    "BR-DE-19": ("DE02120300000000202051", "DE03120300000000202051"),
    "BR-DE-23-a": without("PayeePartyCreditorFinancialAccount"),
    "BR-DE-26": ("<ram:TypeCode>380<", "<ram:TypeCode>384<"),
    "BR-DE-27": ("0251 5550100", "ab 12"),
    "BR-DE-28": (">rechnung@pt.example<", ">rechnung@pt@example<"),
    "BR-DE-TMP-32": (
        r"(?s)<ram:BillingSpecifiedPeriod>.*?</ram:BillingSpecifiedPeriod>"
        r"|<ram:ActualDeliverySupplyChainEvent>.*?</ram:ActualDeliverySupplyChainEvent>",
        "",
    ),
    "PEPPOL-EN16931-R001": without("BusinessProcessSpecifiedDocumentContextParameter"),
    "PEPPOL-EN16931-R008": (">Frau Brandt<", "> <"),
    "PEPPOL-EN16931-R010": without("URIUniversalCommunication", "BuyerTradeParty"),
    "PEPPOL-EN16931-R020": without("URIUniversalCommunication", "SellerTradeParty"),
    "PEPPOL-EN16931-R053": (r"(<ram:TaxTotalAmount [^>]*>[^<]*</ram:TaxTotalAmount>)", r"\1\1"),
    "PEPPOL-EN16931-R110": ("20260901", "20260831"),
    "PEPPOL-EN16931-R111": ("20260930", "20261001"),
    "PEPPOL-EN16931-R120": (">1</ram:BilledQuantity>", ">2</ram:BilledQuantity>"),
}
ONLY_WARN = {
    *("BR-DE-17", "BR-DE-19", "BR-DE-26", "BR-DE-27", "BR-DE-28", "BR-DE-TMP-32", "PEPPOL-EN16931-R120"),
}


@pytest.mark.parametrize("rule", [name for name, *_ in xrechnung.RULES])
def test_each_rule_notices_what_breaks_it(rule):
    pattern, instead = BREAKS[rule]
    good = written()
    assert broken(good) == {}
    count = 0 if rule in ("BR-DE-16", "BR-DE-TMP-32") else 1  # all of them, or the first
    bad, changes = re.subn(pattern, instead, good, count=count)
    assert changes
    assert broken(bad).get(rule) is (rule not in ONLY_WARN)


@pytest.mark.parametrize(
    "made",
    [
        source(),
        source(line(), line(2, service_from=SEPTEMBER.replace(month=7), service_until=SEPTEMBER.replace(month=8))),
        source(buyer=BUYER | {"email": "", "contact": ""}),
        source(
            seller={key: value for key, value in SELLER.items() if key not in ("contact", "bic", "tax_number")}
        ),
        source(
            line(vat_category=VatCategory.REVERSE_CHARGE, vat_rate=Decimal(0)),
            buyer=BUYER | {"country": "AT", "city": "Wien", "postal_code": "1070", "vat_id": "ATU12345675"},
        ),
        source(
            line(kind="cancellation", quantity=-line().quantity, net_cents=-4000),
            kind="storno",
            preceding=(Preceding("RE-2026-00001", SEPTEMBER),),
        ),
    ],
    ids=["plain", "months", "no e-mail", "short seller", "reverse charge", "storno"],
)
def test_what_we_write_keeps_every_rule_without_a_warning(made):
    for profile in ("zugferd", "xrechnung"):
        findings = validate(einvoice.build(made, profile))
        assert (findings.fatal, findings.warnings) == ((), ())
    assert broken(einvoice.build(made, "xrechnung").decode()) == {}


def test_the_routing_id_is_reference_and_address():
    xml = written(buyer=BUYER | {"email": ""})
    assert f"<ram:BuyerReference>{LEITWEG_ID}<" in xml
    assert f'<ram:URIID schemeID="0204">{LEITWEG_ID}<' in xml
    assert '<ram:URIID schemeID="EM">rechnung@stadt.example<' in written()


def test_it_is_paid_by_sepa_transfer_to_the_seller():
    xml = written()
    for said in (
        "<ram:TypeCode>58<",
        "<ram:IBANID>DE02120300000000202051<",
        "<ram:AccountName>premium technologies GmbH<",
        "<ram:BICID>BYLADEM1001<",
        "<ram:PaymentReference>RE-2026-00412<",
    ):
        assert said in xml
