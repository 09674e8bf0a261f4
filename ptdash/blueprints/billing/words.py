"""The words of the billing pages for what services and rules name by code."""

import re
from datetime import date

from flask import url_for
from flask_babel import lazy_gettext

from ptdash.domain.bills import DuplicatedFee, EarlierMonthBlocked, RunningTimer
from ptdash.domain.errors import DomainError
from ptdash.domain.periods import parse_month
from ptdash.web import formats
from ptdash.web.formats import day, month

TREATMENTS = {
    "package": lazy_gettext("Package"),
    "maintenance": lazy_gettext("Maintenance"),
    "warranty": lazy_gettext("Warranty"),
    "separate": lazy_gettext("Separate"),
    "goodwill": lazy_gettext("Goodwill"),
}
LINE_UNITS = {
    "month": lazy_gettext("month"),
    "minute": lazy_gettext("min"),
    "piece": lazy_gettext("pcs"),
}
# The items of the price list, and what their price is for.
ITEMS = {
    "package_S": lazy_gettext("Package S"),
    "package_M": lazy_gettext("Package M"),
    "package_L": lazy_gettext("Package L"),
    "overage_minute": lazy_gettext("Overage minute"),
    "separate_minute": lazy_gettext("Separate minute"),
    "vat_standard": lazy_gettext("Standard VAT rate"),
}
MONTHLY_OR_BY_THE_MINUTE = {
    "package_S": lazy_gettext("a month"),
    "package_M": lazy_gettext("a month"),
    "package_L": lazy_gettext("a month"),
    "overage_minute": lazy_gettext("a minute"),
    "separate_minute": lazy_gettext("a minute"),
}
# The checks of the books: what each is called, and when it holds.
CHECKS = {
    "minutes_conserved": (
        lazy_gettext("Minutes"),
        lazy_gettext("Every minute of a posted month is settled, billed, free by its treatment, or late."),
    ),
    "settlement_sums": (
        lazy_gettext("Settlements"),
        lazy_gettext("Used minutes are covered plus overage, included ones covered plus expired."),
    ),
    "invoice_numbers": (
        lazy_gettext("Invoice numbers"),
        lazy_gettext("Each once, from 1 on without a gap in every year."),
    ),
    "invoice_sums": (
        lazy_gettext("Invoice sums"),
        lazy_gettext("The lines add up to the net amount, VAT is rounded once on the sum of a rate."),
    ),
    "owed_is_issued": (
        lazy_gettext("Owed and issued"),
        lazy_gettext("What a posted month owes stands on its issued lines; only a negative rest may wait."),
    ),
    "nothing_unapproved_installed": (
        lazy_gettext("Updates"),
        lazy_gettext("Nothing is installed that was not approved."),
    ),
    "one_task_a_covered_device": (
        lazy_gettext("Rollout"),
        lazy_gettext("Every covered device has exactly one task of an approved update."),
    ),
    "only_accepted_devices_in_contracts": (
        lazy_gettext("Devices in contracts"),
        lazy_gettext("Whatever was not bought from us had a valid acceptance when it entered the contract."),
    ),
    "contract_ends": (
        lazy_gettext("Ends of contracts"),
        lazy_gettext("The stored end is the one that terms and notices give."),
    ),
    "audit_chain": (
        lazy_gettext("Audit trail"),
        lazy_gettext("The chain is whole, and nothing older than five minutes is unsealed."),
    ),
    "documents_match": (
        lazy_gettext("Stored documents"),
        lazy_gettext("Every file is as it was stored, and every e-invoice says what the books say."),
    ),
}
# What a reason may name: price items, and fields of customers and of the company.
NAMED = {
    "package_S": lazy_gettext("package S"),
    "package_M": lazy_gettext("package M"),
    "package_L": lazy_gettext("package L"),
    "overage_minute": lazy_gettext("overage minutes"),
    "separate_minute": lazy_gettext("separate minutes"),
    "vat_standard": lazy_gettext("the standard VAT rate"),
    "name": lazy_gettext("name"),
    "street": lazy_gettext("street"),
    "postal_code": lazy_gettext("postal code"),
    "city": lazy_gettext("city"),
    "country": lazy_gettext("country"),
    "iban": lazy_gettext("IBAN"),
    "vat_id": lazy_gettext("VAT id or tax number"),
}

# What to do about a reason, where no page mends it.
MENDING = {
    "posting_failed": lazy_gettext("Try again; where it fails once more, look the reference up in the log."),
}
# The page of the customer that mends a reason.
MENDED_AT = {
    "missing_treatment": "customers.triage",
    "missing_address": "customers.invoice_data",
    "unclear_vat": "customers.invoice_data",
    "missing_vat_id": "customers.invoice_data",
    "invalid_invoice": "customers.invoice_data",
}

# The rules of e-invoices that what people enter can break, and what to do; any other one speaks for itself.
E_INVOICE_RULES = {
    "BR-CO-09": lazy_gettext("A VAT id has to begin with the code of its country, for example DE."),
    "BR-CL-14": lazy_gettext("The country's code does not exist."),
    "BR-AE-02": lazy_gettext("Reverse charge needs the VAT ids of the company and of the customer."),
    "BR-S-02": lazy_gettext("The company's VAT id or tax number is missing in the settings."),
    "BR-DE-3": lazy_gettext("The company's town is missing in the settings."),
    "BR-DE-4": lazy_gettext("The company's postal code is missing in the settings."),
    "BR-DE-6": lazy_gettext("An XRechnung needs the company's telephone number. Enter it in the settings."),
    "BR-DE-7": lazy_gettext("An XRechnung needs the company's e-mail address. Enter it in the settings."),
    "BR-DE-8": lazy_gettext("The customer's town is missing."),
    "BR-DE-9": lazy_gettext("The customer's postal code is missing."),
    "BR-DE-15": lazy_gettext("An XRechnung needs the customer's routing id (Leitweg-ID)."),
    "PEPPOL-EN16931-R010": lazy_gettext("An XRechnung needs an e-mail address or routing id of the customer."),
    "PEPPOL-EN16931-R020": lazy_gettext(
        "An XRechnung needs the company's e-mail address. Enter it in the settings."
    ),
    "LEDGER": lazy_gettext("The e-invoice would not say what the ledger says."),
}
FINDING = re.compile(r"(?<!\S)((?:BR|PEPPOL|CII|XSD|XML|LEDGER)[A-Za-z0-9-]*): ")


def mend_url(reason: DomainError, customer: str, here: str) -> str | None:
    """Where the reason why a customer is parked is mended."""
    if page := MENDED_AT.get(reason.code):
        return url_for(page, number=customer, next=here)
    if isinstance(reason, RunningTimer):
        return url_for("tickets.show", number=reason.params["ticket"])
    if isinstance(reason, DuplicatedFee):
        return url_for("contracts.show", number=reason.params["contract"])
    if isinstance(reason, EarlierMonthBlocked):
        if reason.blocked_by and (page := mend_url(reason.blocked_by, customer, here)):
            return page
        return url_for("billing.customer", month=parse_month(str(reason.params["month"])), customer=customer)
    return None


def sentence(error: DomainError) -> str:
    """A refusal or a reason in the language of the page."""
    said = formats.sentence(error, lambda name, value: (_findings if name == "findings" else named)(str(value)))
    if isinstance(error, EarlierMonthBlocked) and error.blocked_by:
        said += f" {sentence(error.blocked_by)}"
    return said


def _findings(text: str) -> str:
    """Findings in words, once each, with the names of their rules behind them."""
    _, *parts = FINDING.split(text)
    words: dict[str, list[str]] = {}
    for rule, told in zip(parts[::2], parts[1::2], strict=True):
        words.setdefault(str(E_INVOICE_RULES.get(rule, told.strip())), []).append(rule)
    return " ".join(f"{said} ({', '.join(dict.fromkeys(rules))})" for said, rules in words.items()) or text


def named(value: object) -> str:
    """A parameter as people read it: months and days in words, items and fields by their names."""
    text = str(value)
    if re.fullmatch(r"\d{4}-\d{2}", text):
        return month(parse_month(text))
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return day(date.fromisoformat(text))
    return ", ".join(str(NAMED.get(part, part)) for part in text.split(", "))
