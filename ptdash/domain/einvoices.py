"""What an e-invoice says (EN 16931), whichever way it is written down; and the routing id of public buyers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ptdash.domain.bills import VatShare, vat_shares
from ptdash.domain.errors import Invalid
from ptdash.domain.periods import last_day
from ptdash.domain.vat import VatCategory

PROFILES = ("zugferd", "xrechnung")

BILL, CORRECTION = "380", "384"  # UNTDID 1001, BT-3

# Schemes of electronic addresses (EAS): e-mail, Leitweg-ID, and VAT ids by country.
EMAIL, LEITWEG_ID = "EM", "0204"
VAT_IDS = {
    **{"AT": "9914", "BE": "9925", "BG": "9926", "CY": "9928", "CZ": "9929", "DE": "9930", "EE": "9931"},
    **{"EL": "9933", "ES": "9920", "FR": "9957", "HR": "9934", "HU": "9910", "IE": "9935", "LT": "9937"},
    **{"LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "PL": "9945", "PT": "9946", "RO": "9947"},
    **{"SI": "9949", "SK": "9950"},
}

UNITS = {"minute": "MIN", "month": "MON", "piece": "C62"}  # UN/ECE recommendation 20, BT-130


@dataclass(frozen=True)
class Preceding:
    """An invoice that this one takes back or corrects (BG-3)."""

    number: str
    issued_on: date


@dataclass(frozen=True)
class SourceLine:
    """A line as the ledger has it; `detail` says in words what is in it."""

    pos: int
    kind: str
    description: str
    detail: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    net_cents: int
    vat_category: VatCategory
    vat_rate: Decimal
    service_from: date
    service_until: date

    @property
    def price(self) -> Decimal:
        """Never negative (BR-27)."""
        return abs(self.unit_price)

    @property
    def billed(self) -> Decimal:
        """The quantity; it carries the sign of the line, where the price had it."""
        return -self.quantity if self.unit_price < 0 else self.quantity


@dataclass(frozen=True)
class InvoiceSource:
    """All that an e-invoice is written from: before its issue from what will be issued, later from the ledger."""

    number: str
    kind: str
    issued_on: date
    due_on: date
    period: date
    seller: Mapping[str, str]
    buyer: Mapping[str, Any]
    lines: tuple[SourceLine, ...]
    net_cents: int
    vat_cents: int
    gross_cents: int
    preceding: tuple[Preceding, ...] = ()

    @property
    def profile(self) -> str:
        return str(self.buyer.get("invoice_format") or PROFILES[0])

    @property
    def type_code(self) -> str:
        """A Storno and an invoice that gives money back correct others; everything else is a bill."""
        return CORRECTION if self.kind == "storno" or self.gross_cents < 0 else BILL

    @property
    def shares(self) -> list[VatShare]:
        return vat_shares((line.vat_category, line.vat_rate, line.net_cents) for line in self.lines)

    @property
    def reference(self) -> str:
        """What the buyer finds it by (BT-10): the routing id, or the customer number."""
        return str(self.buyer.get("routing_id") or self.buyer["number"])

    @property
    def electronic_address(self) -> tuple[str, str] | None:
        """Where the buyer is reached (BT-49): scheme and e-mail address, else the routing id, else the VAT id."""
        email, routing_id = (str(self.buyer.get(key) or "").strip() for key in ("email", "routing_id"))
        vat_id = re.sub(r"\s", "", str(self.buyer.get("vat_id") or "")).upper()
        if email:
            return EMAIL, email
        if is_routing_id(routing_id):
            return LEITWEG_ID, routing_id
        return (VAT_IDS[vat_id[:2]], vat_id) if vat_id[:2] in VAT_IDS else None

    @property
    def service_span(self) -> tuple[date, date]:
        """The month, and the earlier months that its adjustments are for (PEPPOL-EN16931-R110, R111)."""
        first = min([self.period, *(line.service_from for line in self.lines)])
        return first, max([last_day(self.period), *(line.service_until for line in self.lines)])


def detail(kind: str, facts: Mapping[str, Any]) -> str:
    """What a line's explanation tells the buyer in a sentence; German, like every document."""
    if kind in ("package_fee", "overage"):
        return (
            f"Freiminuten {facts['included_minutes']}, verbraucht {facts['used_minutes']}, "
            f"Mehrminuten {facts['overage_minutes']}, verfallen {facts['expired_minutes']}"
        )
    if kind == "device_fee":
        return "Geräte: " + ", ".join(device["device"] for device in facts["devices"])
    return ""


def named_invoices(gross_cents: int, explanations: Sequence[Mapping[str, Any]]) -> list[str]:
    """The invoices that an invoice giving money back corrects: those that its adjustments name, in order."""
    if gross_cents >= 0:
        return []
    return sorted({number for facts in explanations for number in facts.get("invoices", ())})


class RoutingIdWrong(Invalid):
    message = "'%(routing_id)s' is not a Leitweg-ID: %(why)s"


def clean_routing_id(text: str) -> str:
    """A Leitweg-ID in its written form (`04011000-1234512345-06`): coarse address of 2 to 12 digits, a fine
    address of up to 30 letters and digits where there is one, two check digits (ISO 7064 MOD 97-10).
    Raises RoutingIdWrong; empty stays empty.
    """
    routing_id = re.sub(r"\s", "", text).upper()
    if not routing_id:
        return ""
    found = re.fullmatch(r"([0-9]{2,12})(?:-([A-Z0-9]{1,30}))?-([0-9]{2})", routing_id)
    if not found:
        raise RoutingIdWrong(routing_id=text.strip(), why="it has the form 04011000-1234512345-06.")
    coarse, fine, check = found.groups()
    value = int("".join(str(int(sign, 36)) for sign in coarse + (fine or "")) + check)
    if value % 97 != 1:
        raise RoutingIdWrong(
            routing_id=text.strip(), why="its check digits do not fit. Compare it letter by letter."
        )
    return routing_id


def is_routing_id(text: str) -> bool:
    """Whether a text is a Leitweg-ID."""
    try:
        return bool(clean_routing_id(text))
    except RoutingIdWrong:
        return False
