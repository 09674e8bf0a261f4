"""The rules that XRechnung 3.0 adds to EN 16931, as far as our invoices can break them.

Names and severity are those of KoSIT's rules 2.2 to 2.5 for XRechnung 3.0.2. We never write delivery addresses,
attachments, cards, direct debits, allowances or sub-lines; the rules about those (BR-DE-10, 11, 20, 22, 24, 25,
30, 31, BR-DEX, PEPPOL R040 to R046, R061, R101, R121, R130) have nothing to look at.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from schwifty import IBAN

_NS = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
TRADE = "rsm:SupplyChainTradeTransaction"
AGREEMENT = f"{TRADE}/ram:ApplicableHeaderTradeAgreement"
SETTLEMENT = f"{TRADE}/ram:ApplicableHeaderTradeSettlement"
SELLER, BUYER = f"{AGREEMENT}/ram:SellerTradeParty", f"{AGREEMENT}/ram:BuyerTradeParty"
CONTACT = f"{SELLER}/ram:DefinedTradeContact"
MEANS = f"{SETTLEMENT}/ram:SpecifiedTradeSettlementPaymentMeans"
LINE = f"{TRADE}/ram:IncludedSupplyChainTradeLineItem"
SLACK = Decimal("0.02")

EMAIL = re.compile(r"[^@\s]+@([^@.\s]+\.)+[^@.\s]+")
SKONTO = re.compile(r"#(SKONTO)#TAGE=([0-9]+#PROZENT=[0-9]+\.[0-9]{2})(#BASISBETRAG=-?[0-9]+\.[0-9]{2})?#")

Rule = tuple[str, str, bool, Callable[[Any], bool]]


def broken(root: Any) -> Iterator[tuple[str, str, bool]]:
    """The rules that an invoice does not keep: name, what they demand, whether they forbid the issue."""
    for name, demand, is_fatal, holds in RULES:
        if not holds(root):
            yield name, demand, is_fatal


def _has(path: str) -> Callable[[Any], bool]:
    return lambda root: any((found.text or "").strip() for found in _find(root, path))


def _is_there(path: str) -> Callable[[Any], bool]:
    return lambda root: bool(_find(root, path))


def _find(root: Any, path: str) -> list[Any]:
    found: list[Any] = root.findall(path, _NS)
    return found


def _texts(root: Any, path: str) -> list[str]:
    return [(found.text or "").strip() for found in _find(root, path)]


def _terms_are_plain(root: Any) -> bool:
    """A line that begins with # is read by programs, and has its own grammar."""
    lines = [
        line.strip() for text in _texts(root, f"{SETTLEMENT}/*/ram:Description") for line in text.splitlines()
    ]
    return all(SKONTO.fullmatch(line) for line in lines if line.startswith("#"))


def _names_what_it_corrects(root: Any) -> bool:
    corrects = "384" in _texts(root, "rsm:ExchangedDocument/ram:TypeCode")
    return not corrects or bool(_find(root, f"{SETTLEMENT}/ram:InvoiceReferencedDocument"))


def _transfers_name_an_account(root: Any) -> bool:
    account = "ram:PayeePartyCreditorFinancialAccount/ram:IBANID"
    transfers = [means for means in _find(root, MEANS) if means.findtext("ram:TypeCode", "", _NS) in ("30", "58")]
    return all((means.findtext(account, "", _NS)).strip() for means in transfers)


def _ibans_are_right(root: Any) -> bool:
    return all(IBAN(text, allow_invalid=True).is_valid for text in _texts(root, f"{MEANS}/*/ram:IBANID"))


def _phone_has_digits(root: Any) -> bool:
    numbers = _texts(root, f"{CONTACT}/ram:TelephoneUniversalCommunication/ram:CompleteNumber")
    return all(len(re.findall("[0-9]", number)) >= 3 for number in numbers)


def _mail_is_an_address(root: Any) -> bool:
    addresses = _texts(root, f"{CONTACT}/ram:EmailURIUniversalCommunication/ram:URIID")
    return all(EMAIL.fullmatch(address) for address in addresses)


def _nothing_is_empty(root: Any) -> bool:
    return all(len(node) or (node.text or "").strip() for node in root.iter())


def _lines_begin_in_the_period(root: Any) -> bool:
    whole, lines = _days(root, "Start")
    return all(day >= first for first in whole for day in lines)


def _lines_end_in_the_period(root: Any) -> bool:
    whole, lines = _days(root, "End")
    return all(day <= last for last in whole for day in lines)


def _days(root: Any, which: str) -> tuple[list[str], list[str]]:
    """The invoice's day, and those of its lines."""
    path = f"ram:BillingSpecifiedPeriod/ram:{which}DateTime/*"
    return _texts(root, f"{SETTLEMENT}/{path}"), _texts(root, f"{LINE}/ram:SpecifiedLineTradeSettlement/{path}")


def _one_tax_total(root: Any) -> bool:
    totals = _find(root, f"{SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:TaxTotalAmount")
    currency = _texts(root, f"{SETTLEMENT}/ram:InvoiceCurrencyCode")
    return [total.get("currencyID") for total in totals] == currency


def _says_when(root: Any) -> bool:
    """The day of delivery, the invoice's period, or a period of every line."""
    lines = _find(root, f"{LINE}/ram:SpecifiedLineTradeSettlement/ram:BillingSpecifiedPeriod")
    return bool(
        _find(root, f"{TRADE}/ram:ApplicableHeaderTradeDelivery/ram:ActualDeliverySupplyChainEvent")
        or _find(root, f"{SETTLEMENT}/ram:BillingSpecifiedPeriod")
        or len(lines) == len(_find(root, LINE))
    )


def _lines_are_what_they_cost(root: Any) -> bool:
    for line in _find(root, LINE):
        quantity = Decimal(line.findtext("ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", "0", _NS))
        price = line.find("ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice", _NS)
        each = Decimal(price.findtext("ram:ChargeAmount", "0", _NS))
        base = Decimal(price.findtext("ram:BasisQuantity", "1", _NS))
        net = Decimal(line.findtext("ram:SpecifiedLineTradeSettlement/*/ram:LineTotalAmount", "0", _NS))
        if abs(quantity * each / base - net) > SLACK:
            return False
    return True


ADDRESS, MAILBOX = "ram:PostalTradeAddress", "ram:URIUniversalCommunication/ram:URIID"
PHONE, MAIL = (
    "ram:TelephoneUniversalCommunication/ram:CompleteNumber",
    "ram:EmailURIUniversalCommunication/ram:URIID",
)

RULES: tuple[Rule, ...] = (
    ("BR-DE-1", "Payment instructions (BG-16) are missing.", True, _is_there(MEANS)),
    ("BR-DE-2", "The seller's contact (BG-6) is missing.", True, _is_there(CONTACT)),
    ("BR-DE-3", "The seller's city (BT-37) is missing.", True, _has(f"{SELLER}/{ADDRESS}/ram:CityName")),
    (
        "BR-DE-4",
        "The seller's postal code (BT-38) is missing.",
        True,
        _has(f"{SELLER}/{ADDRESS}/ram:PostcodeCode"),
    ),
    ("BR-DE-5", "The seller's contact person (BT-41) is missing.", True, _has(f"{CONTACT}/ram:PersonName")),
    ("BR-DE-6", "The seller's telephone number (BT-42) is missing.", True, _has(f"{CONTACT}/{PHONE}")),
    ("BR-DE-7", "The seller's e-mail address (BT-43) is missing.", True, _has(f"{CONTACT}/{MAIL}")),
    ("BR-DE-8", "The buyer's city (BT-52) is missing.", True, _has(f"{BUYER}/{ADDRESS}/ram:CityName")),
    ("BR-DE-9", "The buyer's postal code (BT-53) is missing.", True, _has(f"{BUYER}/{ADDRESS}/ram:PostcodeCode")),
    (
        "BR-DE-14",
        "A VAT rate (BT-119) is missing.",
        True,
        lambda root: (
            len(_find(root, f"{SETTLEMENT}/ram:ApplicableTradeTax"))
            == len(
                [t for t in _texts(root, f"{SETTLEMENT}/ram:ApplicableTradeTax/ram:RateApplicablePercent") if t]
            )
        ),
    ),
    ("BR-DE-15", "The buyer reference (BT-10) is missing.", True, _has(f"{AGREEMENT}/ram:BuyerReference")),
    (
        "BR-DE-16",
        "The seller's VAT id (BT-31) or tax number (BT-32) is missing.",
        True,
        _has(f"{SELLER}/ram:SpecifiedTaxRegistration/ram:ID"),
    ),
    (
        "BR-DE-17",
        "The invoice type (BT-3) is not one of those agreed.",
        False,
        lambda root: _texts(root, "rsm:ExchangedDocument/ram:TypeCode")[0] in ("326", "380", "381", "384", "389"),
    ),
    ("BR-DE-18", "The payment terms (BT-20) have a line with # that is no discount.", True, _terms_are_plain),
    (
        "CII-SR-453",
        "The payment terms (BT-20) have to be given once.",
        True,
        lambda root: len(_find(root, f"{SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:Description")) == 1,
    ),
    ("BR-DE-19", "The IBAN (BT-84) is wrong.", False, _ibans_are_right),
    ("BR-DE-23-a", "A transfer needs an account (BG-17).", True, _transfers_name_an_account),
    ("BR-DE-26", "A correction has to name the invoice that it corrects (BG-3).", False, _names_what_it_corrects),
    ("BR-DE-27", "The seller's telephone number (BT-42) has fewer than three digits.", False, _phone_has_digits),
    ("BR-DE-28", "The seller's e-mail address (BT-43) is not one.", False, _mail_is_an_address),
    (
        "BR-DE-TMP-32",
        "The day of delivery (BT-72) or the period (BG-14, BG-26) is missing.",
        False,
        _says_when,
    ),
    (
        "PEPPOL-EN16931-R001",
        "The business process (BT-23) is missing.",
        True,
        _has("rsm:ExchangedDocumentContext/ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
    ),
    ("PEPPOL-EN16931-R008", "An element is empty.", True, _nothing_is_empty),
    (
        "PEPPOL-EN16931-R010",
        "The buyer's electronic address (BT-49) is missing.",
        True,
        _has(f"{BUYER}/{MAILBOX}"),
    ),
    (
        "PEPPOL-EN16931-R020",
        "The seller's electronic address (BT-34) is missing.",
        True,
        _has(f"{SELLER}/{MAILBOX}"),
    ),
    ("PEPPOL-EN16931-R053", "The VAT total (BT-110) has to be given once.", True, _one_tax_total),
    ("PEPPOL-EN16931-R110", "A line begins before the invoice's period.", True, _lines_begin_in_the_period),
    ("PEPPOL-EN16931-R111", "A line ends after the invoice's period.", True, _lines_end_in_the_period),
    ("PEPPOL-EN16931-R120", "A line is not its quantity times its price.", False, _lines_are_what_they_cost),
)
