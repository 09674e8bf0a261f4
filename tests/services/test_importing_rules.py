"""Every rule of the rows, broken once on top of a small valid company: file, row, field and code are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from ptdash.db import db
from tests.conftest import empty
from tests.services.import_bundle import HEADERS, ROWS, bundle, errors, run


@pytest.fixture(scope="module")
def first_day(migrated_app: Flask) -> Iterator[Session]:
    """An empty database that no test of this module writes to: what is refused leaves nothing behind."""
    with migrated_app.app_context():
        empty(migrated_app)
        yield db.session()
        db.session.rollback()
        db.session.remove()


def test_the_small_company_is_valid(first_day: Session, tmp_path: Path) -> None:
    result = run(first_day, tmp_path, bundle(), dry_run=True)
    assert result.errors == [] and result.warnings == []


LONG = "x" * 101
RULES = {
    "company": [
        ("colour;red", "key", "unknown_key"),
        (";x", "key", "required"),
        ("iban;DE02120300000000202052", "value", "invalid_value"),
        ("bic;X", "value", "invalid_value"),
        ("country;Germany", "value", "invalid_value"),
        ("country;XX", "value", "invalid_value"),
        ("vat_id;123456789", "value", "invalid_value"),
        ("email;nobody", "value", "invalid_value"),
        ("federal_state;XX", "key", "duplicate_key"),
        ("payment_days;soon", "value", "invalid_value"),
    ],
    "prices": [
        ("package_X;2026-01-01;1;1", "item", "unknown_value"),
        ("overage_minute;2026-02-02;1;", "valid_from", "not_first_of_month"),
        ("overage_minute;2026-02-01;;", "net", "required"),
        ("overage_minute;2026-02-01;-1;", "net", "too_small"),
        ("overage_minute;2026-02-01;NaN;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;Infinity;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;1e3;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;1,234.5;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;1.23.456,7;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;1.234.567;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;١;", "net", "invalid_number"),
        ("overage_minute;2026-02-01;1.23456;", "net", "too_many_decimals"),
        ("overage_minute;2026-02-01;1000000,01;", "net", "too_large"),
        ("overage_minute;2026-02-01;1;5", "included_minutes", "minutes_not_allowed"),
        ("package_S;2026-02-01;1;", "included_minutes", "required"),
        ("package_S;2026-02-01;1;-1", "included_minutes", "too_small"),
        ("package_S;2026-02-01;1;1.5", "included_minutes", "invalid_number"),
        ("vat_standard;2026-02-01;101;", "net", "too_large"),
        ("vat_standard;2026-02-01;19.123;", "net", "too_many_decimals"),
        ("overage_minute;01.01.2026;1;", "valid_from", "duplicate_key"),
    ],
    "users": [
        (";Ann;manager;de", "email", "required"),
        ("nobody;Ann;manager;de", "email", "invalid_email"),
        ("ann@pt.example;;manager;de", "name", "required"),
        ("ann@pt.example;Ann;boss;de", "role", "unknown_value"),
        ("ann@pt.example;Ann;;de", "role", "required"),
        ("ann@pt.example;Ann;manager;fr", "language", "unknown_value"),
        ("TIM@pt.example;Tim;manager;de", "email", "duplicate_key"),
    ],
    "customers": [
        (";Neu;;;;;;DE;;no", "number", "required"),
        (f"{LONG};Neu;;;;;;DE;;no", "number", "too_long"),
        ("K3;Neu;;x;;;;DE;;no", "email", "invalid_email"),
        ("K3;Neu;;;;;;XX;;no", "country", "unknown_country"),
        ("K3;Neu;;;;;;Deutschland;;no", "country", "unknown_country"),
        ("K3;Neu;;;;;;DE;123456789;no", "vat_id", "invalid_vat_id"),
        ("K3;Neu;;;;;;DE;QQ123456789;no", "vat_id", "invalid_vat_id"),
        ("K3;Neu;;;;;;DE;;true", "is_consumer", "invalid_boolean"),
        ("K1;Neu;;;;;;DE;;no", "number", "duplicate_key"),
    ],
    "devices": [
        (";K1;server;x;;;;yes;;;;", "inventory_number", "required"),
        ("D9;K9;server;x;;;;yes;;;;", "customer", "unknown_customer"),
        ("D9;;server;x;;;;yes;;;;", "customer", "required"),
        ("D9;K1;;x;;;;yes;;;;", "type", "required"),
        ("D9;K1;server;;;;;yes;;;;", "name", "required"),
        ("D9;K1;server;x;;;;;;;;", "purchased_from_us", "required"),
        ("D9;K1;server;x;;;;2;;;;", "purchased_from_us", "invalid_boolean"),
        ("D9;K1;server;x;Dell;;SN1;yes;;;;", "serial_number", "duplicate_serial_number"),
        ("D9;K1;server;x;;;;yes;2026-02-30;;;", "purchased_on", "invalid_date"),
        ("D9;K1;server;x;;;;yes;;30.2.2026;;", "warranty_until", "invalid_date"),
        ("D9;K1;server;x;;;;yes;;;1899-12-31;", "guarantee_until", "invalid_date"),
        ("D9;K1;server;x;;;;yes;;;;maybe", "active_station", "invalid_boolean"),
        ("D1;K1;server;x;;;;yes;;;;", "inventory_number", "duplicate_key"),
    ],
    "device_products": [
        ("D9;Word;;;ours", "device", "unknown_device"),
        ("D1;;;;ours", "product", "required"),
        ("D1;Word;;;theirs", "source", "unknown_value"),
        ("D1;Windows Server;;;ours", "product", "duplicate_key"),
    ],
    "acceptances": [
        ("D9;2026-01-01;accepted;tim@pt.example;", "device", "unknown_device"),
        ("D1;2026-13-01;accepted;tim@pt.example;", "inspected_on", "invalid_date"),
        ("D1;2026-01-01;fine;tim@pt.example;", "outcome", "unknown_value"),
        ("D1;2026-01-01;accepted;ann@pt.example;", "inspector", "unknown_user"),
        ("D1;2026-01-01;accepted;;", "inspector", "required"),
        ("D2;2025-12-15;refused;tim@pt.example;", "inspected_on", "duplicate_key"),
    ],
    "contracts": [
        (";K1;maintenance;;2026-01-01;12;1;;1", "number", "required"),
        ("C9;K9;maintenance;;2026-01-01;12;1;;1", "customer", "unknown_customer"),
        ("C9;K1;lease;;2026-01-01;12;1;;1", "kind", "unknown_value"),
        ("C9;K1;maintenance;S;2026-01-01;12;1;;1", "package", "package_not_allowed"),
        ("C9;K1;maintenance;;;12;1;;1", "starts_on", "required"),
        ("C9;K1;maintenance;;01/02/2026;12;1;;1", "starts_on", "invalid_date"),
        ("C9;K1;maintenance;;2026-01-01;0;1;;1", "term_months", "too_small"),
        ("C9;K1;maintenance;;2026-01-01;;1;;1", "term_months", "required"),
        ("C9;K1;maintenance;;2026-01-01;1.5;1;;1", "term_months", "invalid_number"),
        ("C9;K1;maintenance;;2026-01-01;9999;1;;1", "term_months", "too_large"),
        ("C9;K1;maintenance;;2026-01-01;12;0;;1", "notice_months", "too_small"),
        ("C9;K2;maintenance;;2026-01-01;12;2;;1", "notice_months", "consumer_notice_months"),
        ("C9;K1;maintenance;;2026-01-01;12;1;0;1", "renewal_months", "too_small"),
        ("C9;K1;maintenance;;2026-01-01;12;1;never;1", "renewal_months", "invalid_number"),
        ("C9;K1;maintenance;;2026-01-01;12;1;;", "monthly_fee", "required"),
        ("C9;K1;maintenance;;2026-01-01;12;1;;-1", "monthly_fee", "too_small"),
        ("C9;K1;maintenance;;2026-01-01;12;1;;1.234", "monthly_fee", "too_many_decimals"),
        ("C9;K1;support;;2025-01-01;6;1;none;", "package", "required"),
        ("C9;K1;support;X;2025-01-01;6;1;none;", "package", "unknown_value"),
        ("C9;K1;support;S;2025-01-01;6;1;none;5", "monthly_fee", "fee_not_allowed"),
        ("C9;K1;support;S;2026-07-01;6;1;;", "starts_on", "support_overlap"),
        ("C9;K1;support;S;2025-08-01;6;1;none;", "starts_on", "support_overlap"),
        ("WV-1;K1;maintenance;;2026-01-01;12;1;;1", "number", "duplicate_key"),
    ],
    "package_changes": [
        ("C9;2026-08-01;M", "contract", "unknown_contract"),
        ("WV-1;2026-08-01;M", "contract", "not_a_support_contract"),
        ("SV-1;2026-08-01;XL", "package", "unknown_value"),
        ("SV-1;2025-12-01;L", "effective_on", "outside_contract"),
        ("SV-1;2026-08-15;L", "effective_on", "upgrade_not_on_first"),
        ("SV-1;2026-05-01;S", "effective_on", "downgrade_inside_term"),
        ("SV-2;2026-07-01;S", "effective_on", "downgrade_inside_term"),
        ("SV-1;2026-07-01;M", "effective_on", "duplicate_key"),
    ],
    "contract_devices": [
        ("C9;D1;2026-02-01;;1", "contract", "unknown_contract"),
        ("WV-1;D9;2026-02-01;;1", "device", "unknown_device"),
        ("SV-2;D3;2026-02-01;;1", "contract", "not_a_maintenance_contract"),
        ("WV-1;D3;2026-02-01;;1", "device", "other_customer"),
        ("WV-3;D3;2026-01-31;;1", "included_from", "outside_contract"),
        ("WV-2;D2;2027-01-01;;1", "included_from", "outside_contract"),
        ("WV-2;D2;2026-12-01;2027-01-01;1", "included_until", "outside_contract"),
        ("WV-2;D2;2026-12-01;2026-11-30;1", "included_until", "ends_before_start"),
        ("WV-2;D1;2026-12-01;;1", "included_from", "device_overlap"),
        ("WV-1;D2;2026-06-30;;1", "included_from", "device_overlap"),
        ("WV-3;D3;2026-02-01;;", "monthly_fee", "required"),
        ("WV-3;D3;2026-02-01;;-0,01", "monthly_fee", "too_small"),
        ("WV-1;D2;2026-02-01;;1", "included_from", "duplicate_key"),
    ],
    "notices": [
        ("C9;2026-09-01;ordinary;;;", "contract", "unknown_contract"),
        ("SV-1;2026-09-01;polite;;;", "kind", "unknown_value"),
        ("SV-1;;ordinary;;;", "received_on", "required"),
        ("SV-1;2026-09-01;ordinary;2026-10-01;;", "ends_on", "ends_on_not_allowed"),
        ("SV-1;2026-09-01;extraordinary;;;", "ends_on", "required"),
        ("SV-1;2026-09-01;extraordinary;2026-08-31;;", "ends_on", "ends_before_received"),
        ("SV-1;2025-09-01;extraordinary;2025-12-31;;", "ends_on", "ends_before_contract"),
        ("SV-1;2026-09-01;ordinary;;;2026-08-31", "withdrawn_on", "withdrawn_before_received"),
        ("SV-1;2026-05-01;ordinary;;;2026-07-01", "withdrawn_on", "withdrawn_after_end"),
        ("SV-2;2026-09-01;ordinary;;;", "received_on", "duplicate_key"),
    ],
    "tickets": [
        (";K1;phone;software;;;x;;;;;2026-09-01 08:00;", "number", "required"),
        ("T9;K9;phone;software;;;x;;;;;2026-09-01 08:00;", "customer", "unknown_customer"),
        ("T9;K1;fax;software;;;x;;;;;2026-09-01 08:00;", "channel", "unknown_value"),
        ("T9;K1;phone;paper;;;x;;;;;2026-09-01 08:00;", "category", "unknown_value"),
        ("T9;K1;phone;software;chat;;x;;;;;2026-09-01 08:00;", "concern", "unknown_value"),
        ("T9;K1;phone;software;;;;;;;;2026-09-01 08:00;", "subject", "required"),
        ("T9;K1;phone;software;;;x;;D9;;;2026-09-01 08:00;", "device", "unknown_device"),
        ("T9;K1;phone;software;;;x;;D3;;;2026-09-01 08:00;", "device", "other_customer"),
        ("T9;K1;phone;software;;;x;;;done;;2026-09-01 08:00;", "status", "unknown_value"),
        ("T9;K1;phone;software;;;x;;;;top;2026-09-01 08:00;", "priority", "unknown_value"),
        ("T9;K1;phone;software;;;x;;;;;2026-09-01;", "created_at", "invalid_time"),
        ("T9;K1;phone;software;;;x;;;;;;", "created_at", "required"),
        ("T9;K1;phone;software;;;x;;;;;2026-09-01 08:00;x@pt.example", "assignee", "unknown_user"),
        ("T1;K1;phone;software;;;x;;;;;2026-09-01 08:00;", "number", "duplicate_key"),
    ],
    "time_entries": [
        (";T1;tim@pt.example;2026-09-01 08:00;;5;;", "external_id", "required"),
        ("E9;T9;tim@pt.example;2026-09-01 08:00;;5;;", "ticket", "unknown_ticket"),
        ("E9;T1;x@pt.example;2026-09-01 08:00;;5;;", "technician", "unknown_user"),
        ("E9;T1;;2026-09-01 08:00;;5;;", "technician", "required"),
        ("E9;T1;tim@pt.example;;;5;;", "started_at", "required"),
        ("E9;T1;tim@pt.example;2026-09-01 24:00;;5;;", "started_at", "invalid_time"),
        ("E9;T1;tim@pt.example;2026-09-01 08:60;;5;;", "started_at", "invalid_time"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00+25:00;;5;;", "started_at", "invalid_time"),
        ("E9;T1;tim@pt.example;2026-03-29 02:30;;5;;", "started_at", "nonexistent_time"),
        ("E9;T1;tim@pt.example;25.10.2026 02:00;;5;;", "started_at", "ambiguous_time"),
        ("E9;T1;tim@pt.example;2026-10-25 01:00;2026-10-25T02:59:59;;;", "ended_at", "ambiguous_time"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;2026-09-01 08:00;;;", "ended_at", "ends_before_start"),
        ("E9;T1;tim@pt.example;2026-10-25T02:30+01:00;2026-10-25T02:40+02:00;;;", "ended_at", "ends_before_start"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;;;;", "ended_at", "end_missing"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;2026-09-01 08:05;5;;", "minutes", "end_given_twice"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;;0;;", "minutes", "too_small"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;;-5;;", "minutes", "too_small"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;;1,5;;", "minutes", "invalid_number"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;;5;free;", "treatment", "unknown_value"),
        ("E9;T1;tim@pt.example;2026-09-01 08:00;;5;goodwill; ", "note", "goodwill_without_reason"),
        ("E1;T1;tim@pt.example;2026-09-01 08:00;;5;;", "external_id", "duplicate_key"),
    ],
    "materials": [
        (";T1;2026-09-01;Toner;1;1", "external_id", "required"),
        ("M9;T9;2026-09-01;Toner;1;1", "ticket", "unknown_ticket"),
        ("M9;T1;2026-09-31;Toner;1;1", "day", "invalid_date"),
        ("M9;T1;2026-09-01;;1;1", "description", "required"),
        ("M9;T1;2026-09-01;Toner;0;1", "quantity", "quantity_not_positive"),
        ("M9;T1;2026-09-01;Toner;-1;1", "quantity", "quantity_not_positive"),
        ("M9;T1;2026-09-01;Toner;1.0001;1", "quantity", "too_many_decimals"),
        ("M9;T1;2026-09-01;Toner;1;-1", "net", "negative_price"),
        ("M9;T1;2026-09-01;Toner;1;a lot", "net", "invalid_number"),
        ("M9;T1;2026-09-01;Toner;1;", "net", "required"),
        ("M9;T1;2026-09-01;Toner;1000000;1000000", "net", "too_large"),
        ("M1;T1;2026-09-01;Toner;1;1", "external_id", "duplicate_key"),
    ],
}
CASES = [(name, *case) for name, cases in RULES.items() for case in cases]


@pytest.mark.parametrize(("name", "row", "field", "code"), CASES)
def test_the_row_is_refused(
    first_day: Session, tmp_path: Path, name: str, row: str, field: str, code: str
) -> None:
    file = f"{name}.csv"
    result = run(first_day, tmp_path, bundle(**{name: [row]}))

    assert errors(result) == [(file, len(ROWS[file]) + 2, field, code)]
    assert all(problem.message.endswith((".", "?")) for problem in result.errors)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"acceptances.csv": ("accepted;", "refused;")},
            [("contract_devices.csv", 3, "device", "no_acceptance")],
            id="a foreign device whose newest acceptance was refused",
        ),
        pytest.param(
            {"acceptances.csv": ("2025-12-15", "2026-02-02")},
            [("contract_devices.csv", 3, "device", "no_acceptance")],
            id="a foreign device that is accepted a day late",
        ),
        pytest.param(
            {"devices.csv": ("D1;K1", "D1;K2")},
            [("contract_devices.csv", 2, "device", "other_customer")],
            id="a device of another customer",
        ),
        pytest.param(
            {"customers.csv": ("no\n", "yes\n"), "contracts.csv": (";12;1;;29", ";12;3;;29")},
            [("contracts.csv", 3, "notice_months", "consumer_notice_months")],
            id="a consumer with three months of notice",
        ),
        pytest.param(
            {"time_entries.csv": ("external_id;ticket", "external_id;colour")},
            [
                ("time_entries.csv", 1, "colour", "unknown_column"),
                ("time_entries.csv", 1, "ticket", "missing_column"),
            ],
            id="an unknown column in place of a known one",
        ),
        pytest.param(
            {"users.csv": ("role;language", "role;role")},
            [("users.csv", 1, "role", "duplicate_column")],
            id="a column twice",
        ),
        pytest.param(
            {"materials.csv": ("M1;T1", '"M1;T1')},
            [("materials.csv", 2, "", "malformed_csv")],
            id="a quote that is never closed",
        ),
        pytest.param(
            {"materials.csv": ("M1;T1", "M1;")},
            [("materials.csv", 2, "ticket", "required")],
            id="a reference that is empty",
        ),
        pytest.param(
            {"customers.csv": ("K1;Optik", "K1;more;Optik")},
            [("customers.csv", 2, "", "too_many_fields")],
            id="a row with a field too many",
        ),
        pytest.param(
            {"customers.csv": (";DE;;yes", "")},
            [("customers.csv", 3, "", "too_few_fields")],
            id="a row with fields too few",
        ),
        pytest.param(
            {"notices.csv": ("email;2026-09-15", "email;")},
            [],
            id="a notice that is not withdrawn",
        ),
    ],
)
def test_what_does_not_go_together_is_told_where_it_stands(
    first_day: Session,
    tmp_path: Path,
    changes: dict[str, tuple[str, str]],
    expected: list[tuple[str, int, str, str]],
) -> None:
    files = bundle()
    for name, (old, new) in changes.items():
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)

    assert errors(run(first_day, tmp_path, files, dry_run=True)) == expected


def test_an_error_does_not_drag_others_behind_it(first_day: Session, tmp_path: Path) -> None:
    """What refers to a row with an error is not accused of it."""
    files = bundle()
    files["customers.csv"] = files["customers.csv"].replace(";DE;DE123456789", ";XX;DE123456789")
    files["tickets.csv"] = files["tickets.csv"].replace("T1;K1;phone", "T1;K1;fax")

    assert errors(run(first_day, tmp_path, files)) == [
        ("customers.csv", 2, "country", "unknown_country"),
        ("tickets.csv", 2, "channel", "unknown_value"),
    ]


@pytest.mark.parametrize("name", HEADERS)
def test_a_file_without_rows_is_fine(first_day: Session, tmp_path: Path, name: str) -> None:
    result = run(first_day, tmp_path, {name: HEADERS[name] + "\n"}, dry_run=True)

    assert result.ok and result.created == {name: 0}
