"""The floor of the close: one process that aggregates, computes and COPYs the same rows, and nothing else.

It writes them into the same tables, in a copy of the database: once without foreign keys and triggers, once with
everything by which the database guards its books. It takes no lock, asks nothing about what is posted already,
keeps nothing of how it came to a figure, and knows one kind of customer.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg

SELLER = dict.fromkeys(
    ("name", "street", "postal_code", "city", "country", "vat_id", "tax_number", "iban", "bic", "email", "phone"),
    "Bench",
)
EXPLANATION = {"package": "M", "package_price": "40.0000", "covered_days": 30, "month_days": 30}
YEAR = 2026


def copy_database(url: str, name: str) -> None:
    """Copy the database under another name; nobody else may be connected to it."""
    with psycopg.connect(url) as connection:
        own = connection.info.dbname
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {own}")
    with psycopg.connect(url, dbname=name) as connection:
        connection.execute("SELECT sum(minutes) FROM time_entries")  # in memory, as the close will find them


def write_bare(url: str, name: str, customers: int, month: date, batch: int, *, guarded: bool) -> None:
    with psycopg.connect(url, dbname=name) as connection:
        if not guarded:
            connection.execute("SET session_replication_role = replica")
        connection.execute("INSERT INTO periods VALUES (%s, now())", (month,))
        connection.execute(
            "INSERT INTO runs (id, month, business_day, ordered_at) VALUES (1, %s, %s, now())", (month, month)
        )
        connection.execute(
            "INSERT INTO customer_months (customer_id, month, run_id) SELECT id, %s, 1 FROM customers", (month,)
        )
        connection.commit()
        for first in range(1, customers + 1, batch):
            rows = connection.execute(
                "SELECT customer_id, sum(minutes) FROM time_entries WHERE customer_id BETWEEN %s AND %s "
                "AND service_month = %s AND treatment = 'package' GROUP BY customer_id ORDER BY customer_id",
                (first, first + batch - 1, month),
            ).fetchall()
            _write_batch(connection, month, [(customer, int(used)) for customer, used in rows])
            connection.commit()


def _write_batch(connection: psycopg.Connection, month: date, rows: list[tuple[int, int]]) -> None:
    now = datetime.now(UTC)
    lines, sums = [], {}
    for customer, used in rows:
        over = max(0, used - 30)
        minutes = {"included_minutes": 30, "used_minutes": used, "covered_minutes": min(used, 30)}
        minutes |= {"overage_minutes": over, "expired_minutes": 30 - min(used, 30)}
        explanation = json.dumps(EXPLANATION | minutes)
        net = 0
        for pos, kind, text, quantity, unit, price in (
            (1, "package_fee", f"Support-Paket M, SV-{customer}", Decimal(1), "month", Decimal(40)),
            (2, "overage", f"Mehrminuten, SV-{customer}", Decimal(over), "minute", Decimal("1.5")),
        ):
            cents = int(quantity * price * 100)
            net += cents
            line = (customer, pos, month, kind, customer, text, quantity, unit, price, cents)
            lines.append((*line, "S", Decimal(19), month, month, explanation))
        sums[customer] = (over, net, net * 19 // 100)
    _draw_numbers(connection, rows[-1][0])
    _copy_invoices(connection, month, rows, sums, now)
    _copy_books(connection, month, rows, sums)
    _copy(
        connection,
        "invoice_lines (invoice_id, pos, service_month, kind, contract_id, description, quantity, unit, "
        "unit_price, net_cents, vat_category, vat_rate, service_from, service_until, explanation)",
        lines,
    )
    event = (rows[0][0], 1, now, "post", "period", "2026-09")
    _copy(connection, "audit_events (id, xact, at, action, subject, subject_id)", [event])


def _draw_numbers(connection: psycopg.Connection, last: int) -> None:
    connection.execute(
        "INSERT INTO number_series (year, last) VALUES (%s, %s) "
        "ON CONFLICT (year) DO UPDATE SET last = excluded.last",
        (YEAR, last),
    )


def _copy_books(
    connection: psycopg.Connection, month: date, rows: list[tuple[int, int]], sums: dict[int, tuple[int, int, int]]
) -> None:
    _copy(
        connection,
        "postings (customer_id, month, n, run_id, invoice_id, owed_cents, vat_category, vat_rate)",
        [(c, month, 1, 1, c, sums[c][1], "S", Decimal(19)) for c, _ in rows],
    )
    fixed = ("M", Decimal(40), Decimal("1.5"), month, 30, 30, 30)
    _copy(
        connection,
        "settlements (contract_id, month, n, customer_id, package, package_price, overage_rate, covered_from, "
        "covered_days, month_days, included_minutes, used_minutes, covered_minutes, overage_minutes, "
        "expired_minutes, base_cents, overage_cents)",
        [
            (c, month, 1, c, *fixed, used, min(used, 30), sums[c][0], 30 - min(used, 30), 4000, sums[c][1] - 4000)
            for c, used in rows
        ],
    )


def _copy_invoices(
    connection: psycopg.Connection,
    month: date,
    rows: list[tuple[int, int]],
    sums: dict[int, tuple[int, int, int]],
    now: datetime,
) -> None:
    seller = json.dumps(SELLER)
    blank = {
        "contact": "",
        "email": "",
        "street": "s",
        "postal_code": "1",
        "city": "c",
        "country": "DE",
        "vat_id": "",
    }
    invoices = []
    for customer, _ in rows:
        _over, net, vat = sums[customer]
        buyer = json.dumps({"number": str(customer), "name": f"Kunde {customer}"} | blank)
        number = (customer, f"RE-{YEAR}-{customer:05d}", YEAR, customer, customer, month, "bill", 1, 1)
        invoices.append((*number, now, now, seller, buyer, net, vat, net + vat))
    _copy(
        connection,
        "invoices (id, number, series_year, series_number, customer_id, period, kind, revision, run_id, "
        "issued_on, due_on, seller, buyer, net_cents, vat_cents, gross_cents)",
        invoices,
    )


def _copy(connection: psycopg.Connection, target: str, rows: Sequence[tuple]) -> None:
    with connection.cursor().copy(f"COPY {target} FROM STDIN") as out:
        for row in rows:
            out.write_row(row)
