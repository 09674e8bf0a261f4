"""Migrations on a database that is in use: what was there is there afterwards, and knows what is new."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import Connection

from ptdash.db import db, transaction
from ptdash.domain.searching import fold
from ptdash.extensions import migrate
from ptdash.jobs import documents, originals
from ptdash.models import Ticket
from ptdash.services import deadlines, invoice_originals, invoice_pdfs
from ptdash.services.tickets import changing

WITHDRAWN_BEFORE_INSTRUCTIONS = """
SET session_replication_role = replica;
INSERT INTO updates (vendor, title, version, severity, released_on, state, reason, created_at)
    VALUES ('Mozilla', 'Firefox', '1', 'low', '2026-11-01', 'withdrawn', 'Bug', '2026-11-01');
INSERT INTO update_approvals (update_id, check_id, approved_at, approved_by_id, four_eyes, ended_at, ended_by,
                              end_reason)
    VALUES (1, 1, '2026-11-02', 1, true, '2026-11-03', 'withdrawn', 'Bug'),
           (1, 1, '2026-11-04', 1, true, NULL, NULL, '');
SET session_replication_role = origin;
"""
INSTALLED_BEFORE_THE_CATALOGUE = """
INSERT INTO devices (inventory_number, customer_id, type, name, purchased_from_us) VALUES
    ('G-1', 1, 'notebook', 'Kasse', true), ('G-2', 2, 'server', 'Ablage', true);
INSERT INTO device_products (device_id, product, vendor, version, source) VALUES
    (1, 'Windows 11', 'Microsoft', '24H2', 'ours'), (2, 'windows 11 ', '', '23H2', 'foreign'),
    (2, 'Bürosoftware', '', '', 'ours');
"""
BEFORE_THE_QUEUE = """
INSERT INTO settings VALUES ('company.name', 'premium technologies'), ('company.federal_state', 'NW');
INSERT INTO users (email, name, role) VALUES ('t@pt.example', 'Tarek Kaya', 'technician');
INSERT INTO customers (number, name, sort_key, city) VALUES
    ('10001', 'Bäckerei Große', 'backerei grosse', 'Köln'),
    ('10002', 'Müller & Söhne', 'muller & sohne', 'Münster');
INSERT INTO contracts (number, customer_id, kind, package, starts_on, term_months, notice_months, renewal_months)
    VALUES ('SV-1', 1, 'support', 'M', '2026-01-01', 6, 1, 6);
INSERT INTO tickets (number, customer_id, channel, category, product, subject, status, priority, created_at,
                     assignee_id) VALUES
    ('4711', 1, 'phone', 'software', 'Outlook', 'Übertragung hängt', 'new', 'urgent', '2026-11-17 09:00+01', NULL),
    ('T-9', 2, 'email', 'hardware', '', 'Drucker', 'waiting_customer', 'normal', '2026-11-16 09:00+01', 1),
    ('2609', 2, 'portal', 'software', '', 'VPN', 'closed', 'low', '2026-09-01 09:00+02', 1),
    ('99999999999999999999', 1, 'phone', 'software', '', 'x', 'closed', 'low', '2026-09-01 09:00+02', 1);
INSERT INTO time_entries (ticket_id, customer_id, technician_id, started_at, ended_at, treatment, note)
    VALUES (1, 1, 1, '2026-11-17 09:05+01', '2026-11-17 09:12+01', 'package', 'Fernwartung');
"""

ISSUED_BEFORE_E_INVOICES = """
SET session_replication_role = replica;
INSERT INTO periods VALUES ('2026-09-01', '2026-10-05 08:00+02');
INSERT INTO runs (month, business_day, ordered_at, finished_at)
    VALUES ('2026-09-01', '2026-10-05', '2026-10-05 08:00+02', '2026-10-05 08:01+02');
INSERT INTO number_series VALUES (2026, 1);
INSERT INTO invoices (number, series_year, series_number, customer_id, period, kind, revision, run_id, issued_on,
                      due_on, seller, buyer, net_cents, vat_cents, gross_cents) VALUES
    ('RE-2026-00001', 2026, 1, 1, '2026-09-01', 'bill', 1, 1, '2026-10-05', '2026-10-19',
     '{"name": "premium technologies", "street": "Hafenweg 12", "postal_code": "48155", "city": "Münster",
       "country": "DE", "vat_id": "DE123456789", "iban": "DE02120300000000202051", "payment_days": "14"}',
     '{"number": "10001", "name": "Bäckerei Große", "contact": "", "street": "Ringstraße 1",
       "postal_code": "48143", "city": "Münster", "country": "DE", "vat_id": "", "is_consumer": false}',
     4000, 760, 4760);
INSERT INTO invoice_lines (invoice_id, pos, service_month, kind, contract_id, description, quantity, unit,
                           unit_price, net_cents, vat_category, vat_rate, service_from, service_until,
                           explanation) VALUES
    (1, 1, '2026-09-01', 'package_fee', 1, 'Support-Paket M, SV-1', 1, 'month', 40, 4000, 'S', 19, '2026-09-01',
     '2026-09-30', '{"included_minutes": 30, "used_minutes": 0, "overage_minutes": 0, "expired_minutes": 30}');
SET session_replication_role = origin;
"""


@pytest.fixture
def used(database_url: str) -> Iterator[Flask]:
    """An application on a database as migration 0004 left it, with a company that works with it."""
    server = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS upgraded"))
        connection.execute(text("CREATE DATABASE upgraded"))
    app = Flask("upgraded")
    app.config["SQLALCHEMY_DATABASE_URI"] = server.url.set(database="upgraded")
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        try:
            upgrade(revision="0004")
            with db.engine.begin() as connection:
                connection.execute(text(BEFORE_THE_QUEUE))
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()
    server.dispose()


@pytest.fixture
def connection(used: Flask) -> Iterator[Connection]:
    """The same database with every migration."""
    upgrade()
    with db.engine.connect() as connection:
        yield connection


def test_what_was_there_is_found_however_it_is_spelled(connection: Connection) -> None:
    for table, typed, number in (
        ("tickets", "uebertragung hangt outlook", "4711"),
        ("customers", "Backerei Grosse", "10001"),
        ("customers", "mueller", "10002"),
        ("customers", "Koeln", "10001"),
    ):
        words = " AND ".join(f"search LIKE '%{fold(word)}%'" for word in typed.split())
        found = connection.execute(text(f"SELECT number FROM {table} WHERE {words}")).scalars().all()
        assert found == [number], typed


def test_new_tickets_are_numbered_after_the_highest_number(connection: Connection) -> None:
    """Numbers that are no numbers, and those of other houses that no counter reaches, are passed over."""
    assert connection.execute(text("SELECT nextval('ticket_numbers')")).scalar_one() == 4712


def test_a_ticket_was_last_changed_when_it_came_in_and_is_in_its_first_version(connection: Connection) -> None:
    rows = connection.execute(text("SELECT created_at, updated_at, version FROM tickets")).all()
    assert all(row.created_at == row.updated_at and row.version == 1 for row in rows)


def test_deadlines_of_what_was_there_are_computed_afterwards(used: Flask) -> None:
    upgrade()
    with transaction() as session:
        assert deadlines.refresh_unknown(session) == 4
        found = dict(session.execute(select(Ticket.number, Ticket.due_at)).all())
    assert str(found["4711"]) == "2026-11-17 08:30:00+00:00"
    assert found["T-9"] is None
    assert found["2609"] is None


def test_what_was_there_can_be_changed(used: Flask) -> None:
    upgrade()
    with transaction() as session:
        ticket = session.execute(select(Ticket).where(Ticket.number == "T-9")).scalar_one()
        now = ticket.created_at.replace(day=18)
        changed = changing.change(session, ticket.id, {"status": "in_progress"}, actor_id=None, now=now)
        assert changed.due_at and changed.due_at > now


def test_an_empty_house_begins_with_ticket_1001(session: None, app: Flask) -> None:
    with db.engine.connect() as connection:
        start = "SELECT start_value FROM pg_sequences WHERE sequencename = 'ticket_numbers'"
        assert connection.execute(text(start)).scalar_one() == 1001


def test_invoices_from_before_e_invoices_get_their_documents(used: Flask) -> None:
    upgrade(revision="0008")
    with db.engine.begin() as connection:
        connection.execute(text(ISSUED_BEFORE_E_INVOICES))
    upgrade()
    originals.make_missing()
    documents.render_all()
    with transaction() as session:
        found = invoice_pdfs.documents_of(session, "RE-2026-00001")
        assert (found.has_xml, found.has_pdf, found.failure, found.message_id) == (True, True, None, None)
        assert list(invoice_originals.violations(session)) == []


def test_what_devices_ran_before_the_catalogue_is_in_it_once(used: Flask) -> None:
    upgrade(revision="0009")
    with db.engine.begin() as connection:
        connection.execute(text(INSTALLED_BEFORE_THE_CATALOGUE))
    upgrade()
    with db.engine.connect() as connection:
        of_device = connection.execute(text("SELECT product, product_id FROM device_products ORDER BY id")).all()
        products = connection.execute(text("SELECT id, name, vendor FROM products ORDER BY id")).all()
    assert [tuple(product[1:]) for product in products] == [("Windows 11", "Microsoft"), ("Bürosoftware", "")]
    assert [product_id for _, product_id in of_device] == [products[0].id, products[0].id, products[1].id]


def test_the_words_of_what_was_there_are_known(connection: Connection) -> None:
    known = connection.execute(text("SELECT word FROM search_words ORDER BY word")).scalars().all()
    of_tickets = {"drucker", "hangt", "outlook", "ubertragung", "vpn"}
    assert set(known) == of_tickets | {"backerei", "grosse", "koln", "muller", "munster", "sohne"}
    assert len(known) == len(set(known))
    near = connection.execute(text("SELECT near_words('druker')")).scalar_one()
    assert near == ["%druker%", "%drucker%"]


def test_approvals_withdrawn_before_there_were_instructions_have_none(used: Flask) -> None:
    upgrade(revision="0010")
    with db.engine.begin() as connection:
        connection.execute(text(WITHDRAWN_BEFORE_INSTRUCTIONS))
    upgrade()
    with db.engine.connect() as connection:
        found = connection.execute(text("SELECT end_instruction FROM update_approvals")).scalars().all()
    assert found == ["", ""]
