"""The words of the customer pages for what services and rules name by code."""

from typing import Any

from flask_babel import gettext, lazy_gettext

from ptdash.blueprints.customers.views import bp
from ptdash.blueprints.tickets.words import PRIORITIES, SHAPES, STATUSES, TREATMENTS
from ptdash.domain.terms import ContractState
from ptdash.services.customer_contracts import ContractRow
from ptdash.services.ledger import LedgerRow
from ptdash.services.ledger_facts import Change
from ptdash.web import formats

# What became of a month without an invoice in force.
MONTH_STATES = {
    "running": lazy_gettext("Preview"),
    "open": lazy_gettext("Preview"),
    "posted": lazy_gettext("no invoice"),
    "parked": lazy_gettext("parked"),
    "set_aside": lazy_gettext("set aside"),
    "not_billed": lazy_gettext("before the books"),
}
CONTRACT_STATES = {
    ContractState.DRAFT: (lazy_gettext("Draft"), "plan"),
    ContractState.ACTIVE: (lazy_gettext("Active"), "done"),
    ContractState.NOTICE_GIVEN: (lazy_gettext("Notice given"), "wait"),
    ContractState.ENDED: (lazy_gettext("Ended"), "plan"),
}
ACTIONS = {
    "change": lazy_gettext("Invoice data changed"),
    "bill_again": lazy_gettext("Month ordered to be billed again"),
    "cancel": lazy_gettext("Invoice cancelled"),
    "add_contact": lazy_gettext("Contact added"),
    "change_contact": lazy_gettext("Contact changed"),
    "deactivate_contact": lazy_gettext("Contact left"),
    "activate_contact": lazy_gettext("Contact is back"),
    "add_note": lazy_gettext("Note added"),
    "change_note": lazy_gettext("Note changed"),
}
FIELDS = {
    "name": lazy_gettext("Name"),
    "contact": lazy_gettext("Contact"),
    "email": lazy_gettext("E-mail address"),
    "phone": lazy_gettext("Telephone"),
    "role": lazy_gettext("Function"),
    "street": lazy_gettext("Street"),
    "postal_code": lazy_gettext("Postal code"),
    "city": lazy_gettext("City"),
    "country": lazy_gettext("Country"),
    "vat_id": lazy_gettext("VAT id"),
    "vat_decision": lazy_gettext("VAT"),
    "vat_reason": lazy_gettext("Reason for the decision"),
    "note": lazy_gettext("Note"),
    "invoice": lazy_gettext("Invoice"),
    "storno": lazy_gettext("Storno"),
    "reason": lazy_gettext("Reason"),
    "month": lazy_gettext("Month"),
}


@bp.context_processor
def _words() -> dict[str, Any]:
    return {
        "treatments": TREATMENTS,
        "statuses": STATUSES,
        "shapes": SHAPES,
        "priorities": PRIORITIES,
        "month_states": MONTH_STATES,
        "contract_states": CONTRACT_STATES,
        "actions": ACTIONS,
        "fields": FIELDS,
        "contract_label": contract_label,
        "contracts_label": contracts_label,
        "change_sentence": change_sentence,
    }


def contract_label(row: ContractRow) -> str:
    """`SV-1019 Support M`, `WV-2007 Wartung`."""
    if row.package:
        return f"{row.number} {gettext('Support %(package)s', package=row.package)}"
    return f"{row.number} {gettext('Maintenance')}"


def contracts_label(rows: list[ContractRow]) -> str:
    """What runs, in short: `Paket M und WV-2007`."""
    names = [gettext("Package %(package)s", package=row.package) if row.package else row.number for row in rows]
    if len(names) < 2:
        return "".join(names)
    return str(gettext("%(first)s and %(last)s", first=", ".join(names[:-1]), last=names[-1]))


def change_sentence(row: LedgerRow, change: Change) -> str:
    """What came to a posted month afterwards, and what it made of the amount."""
    facts = {
        "month": formats.month(row.month),
        "minutes": formats.minutes(abs(change.minutes)),
        "day": formats.day(change.billed_on),
        "cents": formats.signed_eur(change.cents),
        "invoice": change.invoice or "",
    }
    if change.again:
        return str(gettext("%(month)s: billed again on %(day)s with %(invoice)s.", **facts))
    what = _what_came(change, facts)
    if change.billed_on is None:
        return f"{what} {gettext('It stands on the next invoice.')}"
    if not change.invoice:
        return f"{what} {gettext('Settled on %(day)s, difference %(cents)s.', **facts)}"
    return f"{what} {gettext('Settled on %(day)s, difference %(cents)s on %(invoice)s.', **facts)}"


def _what_came(change: Change, facts: dict[str, str]) -> str:
    if change.minutes > 0:
        return str(gettext("%(month)s: %(minutes)s entered later.", **facts))
    if change.minutes < 0:
        return str(gettext("%(month)s: %(minutes)s taken back later.", **facts))
    return str(gettext("%(month)s: changed later, the minutes stay the same.", **facts))
