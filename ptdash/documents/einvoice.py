"""The e-invoice: EN 16931 as UN/CEFACT CII. Both profiles say the same and differ in the name of the profile only.

It carries whatever XRechnung 3.0 demands, so that an invoice written as ZUGFeRD can be written as XRechnung, too.
"""

import re
import unicodedata
import xml.etree.ElementTree as ET  # nosec B405: it writes only
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from drafthorse.models.accounting import ApplicableTradeTax
from drafthorse.models.document import Document
from drafthorse.models.note import IncludedNote
from drafthorse.models.party import TaxRegistration, TradeParty
from drafthorse.models.payment import PaymentMeans, PaymentTerms
from drafthorse.models.tradelines import LineItem
from lxml import etree

from ptdash.documents import german
from ptdash.domain.bills import VatShare
from ptdash.domain.einvoices import EMAIL, UNITS, InvoiceSource, SourceLine
from ptdash.domain.vat import VatCategory

GUIDELINES = {
    "zugferd": "urn:cen.eu:en16931:2017",
    "xrechnung": "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
}
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
SEPA_TRANSFER, CLEARING = "58", "97"  # UNTDID 4461
REVERSE_CHARGE = "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge)"
REVERSE_CHARGE_CODE = "VATEX-EU-AE"
EUR = "EUR"


def build(source: InvoiceSource, profile: str) -> bytes:
    """The invoice as XML, the same bytes for the same source; `profile` is `zugferd` or `xrechnung`."""
    document = Document()
    document.context.business_parameter.id = PROCESS
    document.context.guideline_parameter.id = GUIDELINES[profile]
    document.header.id = source.number
    document.header.type_code = source.type_code
    document.header.issue_date_time = source.issued_on
    for text in _notes(source):
        note = IncludedNote()
        note.content = text
        document.header.notes.add(note)
    for line in source.lines:
        document.trade.items.add(_line(line))
    _agree(document.trade.agreement, source)
    document.trade.delivery.event.occurrence = source.service_span[1]
    _settle(document.trade.settlement, source)
    tree = document.to_etree()
    ET.indent(tree)
    written: bytes = ET.tostring(tree, "utf-8", xml_declaration=True)
    return written


def _notes(source: InvoiceSource) -> list[str]:
    named = ", ".join(f"{item.number} vom {german.day(item.issued_on)}" for item in source.preceding)
    what = "Stornorechnung" if source.kind == "storno" else "Rechnungskorrektur"
    notes = [f"{what} zu {named}."] if named else []
    if any(line.vat_category is VatCategory.REVERSE_CHARGE for line in source.lines):
        notes.append(f"{REVERSE_CHARGE}.")
    return notes


def _line(line: SourceLine) -> LineItem:
    item = LineItem()
    item.document.line_id = str(line.pos)
    item.product.name = _text(line.description)
    if line.detail:
        item.product.description = _text(line.detail)
    item.agreement.net.amount = _price(line.price)
    item.delivery.billed_quantity = (_plain(line.billed), UNITS[line.unit])
    item.settlement.trade_tax.type_code = "VAT"
    item.settlement.trade_tax.category_code = line.vat_category.value
    item.settlement.trade_tax.rate_applicable_percent = _plain(line.vat_rate)
    item.settlement.period.start = line.service_from
    item.settlement.period.end = line.service_until
    item.settlement.monetary_summation.total_amount = _amount(line.net_cents)
    return item


def _agree(agreement: Any, source: InvoiceSource) -> None:
    """Who sells to whom, and how they find each other."""
    seller, buyer = source.seller, source.buyer
    agreement.buyer_reference = _text(source.reference)
    _party(agreement.seller, seller, _text(seller.get("email")), EMAIL)
    _contact(agreement.seller, seller.get("contact") or seller["name"], seller.get("phone"), seller.get("email"))
    for scheme, number in (("FC", seller.get("tax_number")), ("VA", _vat_id(seller.get("vat_id")))):
        _register(agreement.seller, scheme, _text(number))
    if not _vat_id(seller.get("vat_id")):
        # Without a VAT id the seller has to be told apart by something else (BR-CO-26).
        agreement.seller.id = _text(seller.get("tax_number"))
    scheme, address = source.electronic_address or (EMAIL, "")
    _party(agreement.buyer, buyer, _text(address), scheme)
    agreement.buyer.id = _text(buyer["number"])
    _contact(agreement.buyer, buyer.get("contact"), None, None)
    _register(agreement.buyer, "VA", _vat_id(buyer.get("vat_id")))


def _party(party: TradeParty, who: Any, electronic_address: str, scheme: str) -> None:
    party.name = _text(who["name"])
    party.address.postcode = _text(who["postal_code"])
    party.address.line_one = _text(who["street"])
    party.address.city_name = _text(who["city"])
    party.address.country_id = _text(who["country"])
    if electronic_address:
        party.electronic_address.uri_ID = (scheme, electronic_address)


def _contact(party: TradeParty, person: str | None, phone: str | None, email: str | None) -> None:
    if _text(person):
        party.contact.person_name = _text(person)
    if _text(phone):
        party.contact.telephone.number = _text(phone)
    if _text(email):
        party.contact.email.address = _text(email)


def _register(party: TradeParty, scheme: str, number: str) -> None:
    if number:
        registration = TaxRegistration()
        registration.id = (scheme, number)
        party.tax_registrations.add(registration)


def _settle(settlement: Any, source: InvoiceSource) -> None:
    """What is to be paid, by when and where to."""
    settlement.payment_reference = source.number
    settlement.currency_code = EUR
    settlement.payment_means.add(_means(source))
    for share in source.shares:
        settlement.trade_tax.add(_tax(share))
    settlement.period.start, settlement.period.end = source.service_span
    settlement.terms.add(_terms(source))
    sums = settlement.monetary_summation
    sums.line_total = _amount(source.net_cents)
    sums.tax_basis_total = (_amount(source.net_cents), None)
    sums.tax_total = (_amount(source.vat_cents), EUR)
    sums.grand_total = (_amount(source.gross_cents), None)
    sums.due_amount = _amount(source.gross_cents)
    if source.preceding:
        # XRechnung's version of CII has room for one; the notes name all.
        newest = source.preceding[-1]
        settlement.invoice_referenced_document.issuer_assigned_id = newest.number
        settlement.invoice_referenced_document.issue_date_time = newest.issued_on


def _means(source: InvoiceSource) -> PaymentMeans:
    """Where to pay; what gives money back is settled between the two."""
    means = PaymentMeans()
    if source.gross_cents <= 0:
        means.type_code = CLEARING
        return means
    means.type_code = SEPA_TRANSFER
    means.payee_account.iban = _text(source.seller["iban"])
    means.payee_account.account_name = _text(source.seller["name"])
    if bic := _text(source.seller.get("bic")):
        means.payee_institution.bic = bic
    return means


def _terms(source: InvoiceSource) -> PaymentTerms:
    terms = PaymentTerms()
    if source.gross_cents <= 0:
        terms.description = (
            "Der Betrag wird verrechnet oder erstattet." if source.gross_cents else "Nichts zu zahlen."
        )
        return terms
    terms.description = f"Zahlbar ohne Abzug bis {german.day(source.due_on)}."
    terms.due = source.due_on
    return terms


def _tax(share: VatShare) -> ApplicableTradeTax:
    tax = ApplicableTradeTax()
    tax.calculated_amount = _amount(share.vat_cents)
    tax.type_code = "VAT"
    tax.basis_amount = _amount(share.net_cents)
    tax.category_code = share.category.value
    tax.rate_applicable_percent = _plain(share.rate)
    if share.category is VatCategory.REVERSE_CHARGE:
        tax.exemption_reason = REVERSE_CHARGE
        tax.exemption_reason_code = REVERSE_CHARGE_CODE
    return tax


def _text(value: str | None) -> str:
    """On one line, without what XML cannot carry: an element is never empty nor unreadable by accident."""
    kept = (" " if unicodedata.category(sign) in ("Cc", "Cs", "Cn") else sign for sign in value or "")
    return " ".join("".join(kept).split())


def _vat_id(value: str | None) -> str:
    return re.sub(r"\s", "", _text(value)).upper()


def _amount(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):.2f}"


def _plain(number: Decimal) -> str:
    """As many decimals as it has: 13, 1.5, 0.25."""
    return f"{number.normalize():f}"


def _price(price: Decimal) -> str:
    """Two decimals, more where it has more: 40.00, 1.6667."""
    cents = price.quantize(Decimal("0.01"))
    return f"{cents:f}" if cents == price else _plain(price)


_NS = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


@dataclass(frozen=True)
class Amounts:
    """What an e-invoice comes to, read back from it. `lines` are (quantity, price, net cents), `shares` (category,
    rate, net cents, VAT cents)."""

    number: str
    type_code: str
    issued_on: date
    lines: tuple[tuple[Decimal, Decimal, int], ...]
    shares: tuple[tuple[str, Decimal, int, int], ...]
    net_cents: int
    vat_cents: int
    gross_cents: int
    due_cents: int


def read(xml: bytes) -> Amounts:
    """Read the amounts of an e-invoice back; raises ValueError where it is not one."""
    try:
        root = etree.fromstring(xml, _PARSER)
        trade = _only(root, "rsm:SupplyChainTradeTransaction")
        settlement = _only(trade, "ram:ApplicableHeaderTradeSettlement")
        sums = _only(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
        return Amounts(
            number=_value(root, "rsm:ExchangedDocument/ram:ID"),
            type_code=_value(root, "rsm:ExchangedDocument/ram:TypeCode"),
            issued_on=_day(_value(root, "rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString")),
            lines=tuple(_read_line(line) for line in _all(trade, "ram:IncludedSupplyChainTradeLineItem")),
            shares=tuple(_read_share(tax) for tax in _all(settlement, "ram:ApplicableTradeTax")),
            net_cents=_cents(sums, "ram:TaxBasisTotalAmount"),
            vat_cents=_cents(sums, "ram:TaxTotalAmount"),
            gross_cents=_cents(sums, "ram:GrandTotalAmount"),
            due_cents=_cents(sums, "ram:DuePayableAmount"),
        )
    except (etree.XMLSyntaxError, ArithmeticError) as error:
        raise ValueError(f"not an e-invoice: {error}") from error


def expected(source: InvoiceSource) -> Amounts:
    """What the e-invoice of a source has to come to, by the ledger."""
    return Amounts(
        number=source.number,
        type_code=source.type_code,
        issued_on=source.issued_on,
        lines=tuple((line.billed, line.price, line.net_cents) for line in source.lines),
        shares=tuple(
            (share.category.value, share.rate, share.net_cents, share.vat_cents) for share in source.shares
        ),
        net_cents=source.net_cents,
        vat_cents=source.vat_cents,
        gross_cents=source.gross_cents,
        due_cents=source.gross_cents,
    )


def differences(xml: bytes, source: InvoiceSource) -> list[str]:
    """Where an e-invoice does not say what the ledger says."""
    try:
        found = read(xml)
    except ValueError as error:
        return [str(error)]
    wanted = expected(source)
    names = Amounts.__dataclass_fields__
    return [
        f"{name}: {getattr(found, name)} instead of {getattr(wanted, name)}"
        for name in names
        if getattr(found, name) != getattr(wanted, name)
    ]


def _read_line(line: Any) -> tuple[Decimal, Decimal, int]:
    return (
        Decimal(_value(line, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity")),
        Decimal(
            _value(line, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount"),
        ),
        _cents(
            line,
            "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
        ),
    )


def _read_share(tax: Any) -> tuple[str, Decimal, int, int]:
    return (
        _value(tax, "ram:CategoryCode"),
        Decimal(_value(tax, "ram:RateApplicablePercent")),
        _cents(tax, "ram:BasisAmount"),
        _cents(tax, "ram:CalculatedAmount"),
    )


def _all(node: Any, path: str) -> list[Any]:
    found: list[Any] = node.findall(path, _NS)
    return found


def _only(node: Any, path: str) -> Any:
    found = _all(node, path)
    if len(found) != 1:
        raise ValueError(f"not an e-invoice: {path} is there {len(found)} times")
    return found[0]


def _value(node: Any, path: str) -> str:
    return str(_only(node, path).text or "")


def _cents(node: Any, path: str) -> int:
    amount = Decimal(_value(node, path)) * 100
    if amount != amount.to_integral_value():
        raise ValueError(f"not an e-invoice: {path} has parts of a cent")
    return int(amount)


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
