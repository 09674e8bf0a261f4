"""What an e-invoice says: routing ids, signs, periods, who is reached where."""

import string
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.einvoices import RoutingIdWrong, clean_routing_id, named_invoices
from ptdash.domain.money import line_cents
from tests.documents.invoices import BUYER, LEITWEG_ID, SEPTEMBER, line, source

COARSE = st.text("0123456789", min_size=2, max_size=12)
FINE = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=30)


def checked(coarse: str, fine: str) -> str:
    """A routing id with the check digits that belong to it (ISO 7064, MOD 97-10)."""
    plain = int("".join(str(int(sign, 36)) for sign in coarse + fine))
    digits = 98 - plain * 100 % 97
    return "-".join(part for part in (coarse, fine, f"{digits:02d}") if part)


@given(COARSE, FINE | st.just(""))
def test_a_routing_id_with_its_check_digits_is_right_however_it_is_typed(coarse, fine):
    routing_id = checked(coarse, fine)
    assert clean_routing_id(routing_id) == routing_id
    assert clean_routing_id(f"  {routing_id.lower()} ") == routing_id


@given(COARSE, FINE, st.data())
def test_a_wrong_digit_or_two_that_changed_places_are_noticed(coarse, fine, data):
    routing_id = checked(coarse, fine)
    places = [i for i, sign in enumerate(routing_id) if sign.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([sign for sign in string.digits if sign != routing_id[place]]))
    with pytest.raises(RoutingIdWrong):
        clean_routing_id(routing_id[:place] + digit + routing_id[place + 1 :])
    first, second = coarse[:1], coarse[1:2]
    if first != second:
        with pytest.raises(RoutingIdWrong):
            clean_routing_id(second + first + routing_id[2:])


@pytest.mark.parametrize(
    "text", ["1-A-06", "04011000_1-06", "04011000-1234512345", "0401100012345-" + "A" * 31 + "-06"]
)
def test_what_has_not_its_form_is_refused(text):
    with pytest.raises(RoutingIdWrong, match="has the form"):
        clean_routing_id(text)


def test_no_routing_id_stays_none():
    assert clean_routing_id("  ") == ""
    assert clean_routing_id(LEITWEG_ID) == LEITWEG_ID


@given(
    st.decimals(-1000, 1000, places=2).filter(bool),
    st.decimals(-1000, 1000, places=4).filter(bool),
)
def test_a_price_is_never_negative_and_quantity_times_price_stays_the_amount(quantity, price):
    made = line(quantity=quantity, unit_price=price)
    assert made.price > 0
    assert made.billed * made.price == quantity * price
    assert line_cents(made.billed, made.price) == line_cents(quantity, price)


@given(st.lists(st.tuples(st.integers(-900, 0), st.integers(0, 30)), min_size=1, max_size=6))
def test_the_period_of_an_invoice_spans_its_month_and_its_lines(spans):
    lines = []
    for pos, (back, days) in enumerate(spans, start=1):
        first = SEPTEMBER + timedelta(days=back)
        lines.append(
            line(pos, service_from=first, service_until=min(first + timedelta(days=days), date(2026, 9, 30)))
        )
    first, last = source(*lines).service_span
    assert first <= SEPTEMBER and last == date(2026, 9, 30)
    assert all(first <= row.service_from <= row.service_until <= last for row in lines)


@pytest.mark.parametrize(
    ("buyer", "address"),
    [
        ({}, ("EM", "rechnung@stadt.example")),
        ({"email": " "}, ("0204", LEITWEG_ID)),
        ({"email": "", "routing_id": "", "vat_id": "de 167760436"}, ("9930", "DE167760436")),
        ({"email": "", "routing_id": "", "vat_id": "CHE-1"}, None),
        ({"email": "", "routing_id": ""}, None),
    ],
)
def test_a_buyer_is_reached_by_e_mail_routing_id_or_vat_id_in_this_order(buyer, address):
    assert source(buyer=BUYER | buyer).electronic_address == address


def test_only_what_gives_money_back_names_the_invoices_that_it_corrects():
    facts = [{"invoices": ["RE-2026-00007", "RE-2026-00002"]}, {}, {"invoices": ["RE-2026-00002"]}]
    assert named_invoices(-1, facts) == ["RE-2026-00002", "RE-2026-00007"]
    assert named_invoices(0, facts) == []


def test_a_minute_at_eighty_euros_an_hour_keeps_its_decimals():
    assert line_cents(Decimal(13), Decimal("1.3333")) == 1733
    assert line(unit_price=Decimal("1.3333")).price == Decimal("1.3333")
