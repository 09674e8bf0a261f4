"""The e-invoice says what the ledger says, whatever that is, and whatever people call things."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from ptdash.documents import einvoice, validation
from ptdash.domain.einvoices import PROFILES
from ptdash.domain.money import line_cents
from ptdash.domain.vat import VatCategory
from tests.documents.invoices import BUYER, SELLER, line, source

AMOUNTS = st.tuples(
    st.decimals(Decimal("-999.99"), Decimal("999.99"), places=2).filter(bool),
    st.decimals(Decimal("-999.9999"), Decimal("999.9999"), places=4).filter(bool),
    st.sampled_from(["month", "minute", "piece"]),
    st.booleans(),
)


def lines(amounts):
    return [
        line(
            pos,
            quantity=quantity,
            unit=unit,
            unit_price=price,
            net_cents=line_cents(quantity, price),
            vat_category=VatCategory.REVERSE_CHARGE if abroad else VatCategory.STANDARD,
            vat_rate=Decimal(0) if abroad else Decimal("19.00"),
        )
        for pos, (quantity, price, unit, abroad) in enumerate(amounts, start=1)
    ]


@given(st.lists(AMOUNTS, min_size=1, max_size=8), st.sampled_from(PROFILES))
@settings(deadline=None)
def test_amounts_read_back_are_those_of_the_ledger(amounts, profile):
    made = source(*lines(amounts))
    xml = einvoice.build(made, profile)
    assert einvoice.differences(xml, made) == []
    assert einvoice.build(made, profile) == xml


@given(st.text(min_size=1, max_size=80).filter(lambda text: text.strip(" \x00\t\n")))
@settings(deadline=None)
def test_whatever_people_call_things_is_xml_that_keeps_the_schema(text):
    made = source(
        line(description=f"x{text}"), buyer=BUYER | {"name": f"x{text}", "contact": text, "street": f"x{text}"}
    )
    xml = einvoice.build(made, "xrechnung")
    assert validation._schema().validate(etree.fromstring(xml)), text


@pytest.mark.parametrize(
    ("said", "instead", "told"),
    [
        ("<ram:LineTotalAmount>40.00", "<ram:LineTotalAmount>40.01", "lines"),
        ("<ram:GrandTotalAmount>47.60", "<ram:GrandTotalAmount>47.61", "gross_cents"),
        ("<ram:DuePayableAmount>47.60", "<ram:DuePayableAmount>47.605", "parts of a cent"),
        ("<ram:TypeCode>380", "<ram:TypeCode>384", "type_code"),
        ("<ram:ID>RE-2026-00412", "<ram:ID>RE-2026-00413", "number"),
        ("</ram:ApplicableTradeTax>", "", "not an e-invoice"),
    ],
)
def test_where_it_says_something_else_the_difference_is_named(said, instead, told):
    made = source()
    xml = einvoice.build(made, "zugferd").decode()
    assert said in xml
    (difference, *_) = einvoice.differences(xml.replace(said, instead, 1).encode(), made)
    assert told in difference


def test_what_is_needed_to_pay_and_to_book_stands_in_it():
    xml = einvoice.build(source(), "zugferd").decode()
    for said in (
        f'<ram:ID schemeID="VA">{SELLER["vat_id"]}<',
        f'<ram:ID schemeID="FC">{SELLER["tax_number"]}<',
        '<udt:DateTimeString format="102">20261019<',
        '<ram:BilledQuantity unitCode="MON">1<',
        '<ram:TaxTotalAmount currencyID="EUR">7.60<',
    ):
        assert said in xml
