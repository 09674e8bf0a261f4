"""Invoices to write documents from, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

from ptdash.domain.einvoices import InvoiceSource, SourceLine
from ptdash.domain.vat import VatCategory

LEITWEG_ID = "04011000-1234512345-06"
SELLER = {
    "name": "premium technologies GmbH",
    "street": "Hafenweg 12",
    "postal_code": "48155",
    "city": "Münster",
    "country": "DE",
    "vat_id": "DE123456789",
    "tax_number": "336/5901/0123",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "email": "rechnung@pt.example",
    "phone": "0251 5550100",
    "contact": "Miriam Vogt",
    "payment_days": "14",
}
BUYER = {
    "number": "10005",
    "name": "Stadt Münster",
    "contact": "Frau Brandt",
    "street": "Klemensstraße 10",
    "postal_code": "48143",
    "city": "Münster",
    "country": "DE",
    "email": "rechnung@stadt.example",
    "vat_id": "",
    "invoice_format": "xrechnung",
    "routing_id": LEITWEG_ID,
}
SEPTEMBER = date(2026, 9, 1)


def line(pos: int = 1, **other: Any) -> SourceLine:
    row: dict[str, Any] = {
        "pos": pos,
        "kind": "package_fee",
        "description": "Support-Paket M, SV-1019",
        "detail": "",
        "quantity": Decimal(1),
        "unit": "month",
        "unit_price": Decimal("40.0000"),
        "net_cents": 4000,
        "vat_category": VatCategory.STANDARD,
        "vat_rate": Decimal("19.00"),
        "service_from": SEPTEMBER,
        "service_until": date(2026, 9, 30),
    }
    return SourceLine(**row | other)


def source(*lines: SourceLine, **other: Any) -> InvoiceSource:
    """An XRechnung of September over these lines; its sums are theirs."""
    lines = lines or (line(),)
    shares = InvoiceSource("", "", *[SEPTEMBER] * 3, {}, {}, lines, 0, 0, 0).shares
    net, vat = sum(row.net_cents for row in lines), sum(share.vat_cents for share in shares)
    row: dict[str, Any] = {
        "number": "RE-2026-00412",
        "kind": "bill",
        "issued_on": date(2026, 10, 5),
        "due_on": date(2026, 10, 19),
        "period": SEPTEMBER,
        "seller": SELLER,
        "buyer": BUYER,
        "lines": tuple(lines),
        "net_cents": net,
        "vat_cents": vat,
        "gross_cents": net + vat,
    }
    return InvoiceSource(**row | other)
