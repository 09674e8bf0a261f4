"""A small company as import files: valid as it stands, and easy to break."""

from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from ptdash.services.importing import ImportResult, import_directory
from tests.conftest import NOW

TODAY = date(2026, 10, 5)

HEADERS = {
    "company.csv": "key;value",
    "prices.csv": "item;valid_from;net;included_minutes",
    "users.csv": "email;name;role;language",
    "customers.csv": "number;name;contact;email;street;postal_code;city;country;vat_id;is_consumer",
    "devices.csv": "inventory_number;customer;type;name;manufacturer;model;serial_number;purchased_from_us;"
    "purchased_on;warranty_until;guarantee_until;active_station",
    "device_products.csv": "device;product;vendor;version;source",
    "acceptances.csv": "device;inspected_on;outcome;inspector;note",
    "contracts.csv": "number;customer;kind;package;starts_on;term_months;notice_months;renewal_months;monthly_fee",
    "package_changes.csv": "contract;effective_on;package",
    "contract_devices.csv": "contract;device;included_from;included_until;monthly_fee",
    "notices.csv": "contract;received_on;kind;ends_on;channel;withdrawn_on",
    "tickets.csv": "number;customer;channel;category;concern;product;subject;body;device;status;priority;"
    "created_at;assignee",
    "time_entries.csv": "external_id;ticket;technician;started_at;ended_at;minutes;treatment;note",
    "materials.csv": "external_id;ticket;day;description;quantity;net",
}

ROWS = {
    "company.csv": ["name;premium technologies GmbH", "federal_state;NW"],
    "prices.csv": ["overage_minute;2026-01-01;1.50;", "package_M;2026-01-01;42,00;30"],
    "users.csv": ["tim@pt.example;Tim Ahrens;technician;de", "mia@pt.example;Mia Behn;manager;"],
    "customers.csv": [
        "K1;Optik Weiß;;k1@kunde.example;Ringstraße 1;48143;Münster;DE;DE123456789;no",
        "K2;Jörg Ötting;;;Am Markt 2;48143;Münster;DE;;yes",
    ],
    "devices.csv": [
        "D1;K1;server;Server;Dell;R1;SN1;yes;2025-06-15;2027-06-15;;yes",
        "D2;K1;notebook;Laptop;Dell;L1;SN2;no;;;;no",
        "D3;K2;notebook;Laptop;Dell;L1;SN3;yes;;;;no",
    ],
    "device_products.csv": ["D1;Windows Server;Microsoft;2025;ours"],
    "acceptances.csv": [
        "D2;2025-12-01;refused;tim@pt.example;Akku defekt",
        "D2;2025-12-15;accepted;tim@pt.example;",
    ],
    "contracts.csv": [
        "SV-1;K1;support;M;2026-01-01;6;1;;",
        "WV-1;K1;maintenance;;2026-01-01;12;1;;29.00",
        "WV-2;K1;maintenance;;2026-01-01;12;1;none;29,00",
        "SV-2;K2;support;L;2026-02-01;6;1;;",
        "WV-3;K2;maintenance;;2026-02-01;12;1;;0",
    ],
    "package_changes.csv": ["SV-1;2026-04-01;L", "SV-1;2026-07-01;S"],
    "contract_devices.csv": ["WV-1;D1;2026-01-01;;9.90", "WV-1;D2;2026-02-01;2026-06-30;9.90"],
    "notices.csv": ["SV-2;2026-09-01;ordinary;;email;2026-09-15"],
    "tickets.csv": [
        "T1;K1;phone;software;question;VPN;Zugang;;;open;normal;2026-09-01 08:00;tim@pt.example",
        "T2;K2;email;hardware;;;Drucker;;D3;new;;2026-09-01T09:00:00;",
    ],
    "time_entries.csv": [
        "E1;T1;tim@pt.example;2026-09-01 09:00;2026-09-01 09:12:30;;package;Telefonat",
        "E2;T2;tim@pt.example;01.09.2026 10:00;;15;;",
    ],
    "materials.csv": ["M1;T1;2026-09-03;Toner;2;61,19"],
}


def bundle(**more: list[str]) -> dict[str, str]:
    """The small company as texts by file name, with more rows: `bundle(contracts=[…])`."""
    return {name: csv_text(name, ROWS[name] + more.get(name.removesuffix(".csv"), [])) for name in HEADERS}


def csv_text(name: str, rows: list[str]) -> str:
    return "\n".join([HEADERS[name], *rows]) + "\n"


def write(directory: Path, files: dict[str, str] | dict[str, bytes]) -> Path:
    directory.mkdir(exist_ok=True)
    for old in directory.glob("*.csv"):
        old.unlink()
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (directory / name).write_bytes(data)
    return directory


def run(
    session: Session, directory: Path, files: dict[str, str] | dict[str, bytes], *, dry_run: bool = False
) -> ImportResult:
    path = write(directory, files)
    return import_directory(session, path, today=TODAY, actor_id=None, now=NOW, dry_run=dry_run)


def errors(result: ImportResult) -> list[tuple[str, int, str, str]]:
    return [(problem.file, problem.row, problem.field, problem.code) for problem in result.errors]


def warnings(result: ImportResult) -> list[tuple[str, int, str, str]]:
    return [(problem.file, problem.row, problem.field, problem.code) for problem in result.warnings]
