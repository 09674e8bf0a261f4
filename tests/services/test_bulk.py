"""Many rows in one statement: every type arrives as it left."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from ptdash.db import db
from ptdash.models import AuditEvent, Customer, Price
from ptdash.services.bulk import insert_rows
from tests.company import Company
from tests.services.test_period_close import close


def test_numbers_days_and_empty_values_arrive_exactly(session):
    rows = [
        {
            "item": "overage_minute",
            "valid_from": date(2030, 1, 1),
            "net": Decimal("1.2345"),
            "included_minutes": None,
        },
        {"item": "package_S", "valid_from": date(2030, 2, 1), "net": Decimal("0.1"), "included_minutes": 7},
    ]
    insert_rows(session, Price, rows)
    stored = session.execute(
        select(Price).where(Price.valid_from >= date(2030, 1, 1)).order_by(Price.item)
    ).scalars()
    assert [{name: getattr(row, name) for name in rows[0]} for row in stored] == rows


def test_instants_and_json_arrive_exactly(session):
    at = datetime(2026, 9, 30, 23, 59, 59, 123456, UTC) + timedelta(hours=1)
    after = {"text": 'Grüße: "a\\b"\n\t:c %(d)s', "list": [1, None, {"x": "1.50"}]}
    event = {"at": at, "action": "a", "subject": "s", "subject_id": "1", "before": None, "after": after}
    insert_rows(session, AuditEvent, [event])
    stored = session.execute(select(AuditEvent)).scalar_one()
    assert (stored.at, stored.before, stored.after) == (at, None, after)
    assert session.execute(text("SELECT before IS NULL FROM audit_events")).scalar_one()


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9), min_size=1)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_arrives_exactly(session, texts):
    numbers = [str(n) for n in range(len(texts))]
    with session.begin_nested() as attempt:
        insert_rows(
            session,
            Customer,
            [{"number": n, "name": text, "sort_key": n} for n, text in zip(numbers, texts, strict=True)],
        )
        stored = session.execute(select(Customer.number, Customer.name).where(Customer.number.in_(numbers))).all()
        attempt.rollback()
    assert dict(map(tuple, stored)) == dict(zip(numbers, texts, strict=True))


@pytest.mark.parametrize("text", ["", "NULL", "{}", '{"a",b}', "\\", '\\"', " a ", "\n"])
def test_what_an_array_could_take_for_its_own_signs_arrives_exactly(session, text):
    insert_rows(session, Customer, [{"number": "1", "name": text, "sort_key": "a"}])
    assert session.execute(select(Customer.name)).scalar_one() == text


def test_columns_that_no_row_names_keep_their_defaults(session):
    insert_rows(session, Customer, [{"number": "1", "name": "a", "sort_key": "a"}])
    assert session.execute(select(Customer.country)).scalar_one() == "DE"


def test_each_row_meets_the_triggers(session):
    Company(session)
    close(session)
    price = {"item": "overage_minute", "net": Decimal(2)}
    with pytest.raises(DBAPIError, match="has begun"):
        insert_rows(session, Price, [price | {"valid_from": date(2026, month, 1)} for month in (10, 9)])


def test_no_rows_are_no_statement(session):
    before = session.query(Price).count()
    insert_rows(session, Price, [])
    assert session.query(Price).count() == before


def test_a_connection_lost_meanwhile_is_told_like_of_every_statement(session):
    with Session(db.engine) as own:
        pid = own.execute(text("SELECT pg_backend_pid()")).scalar_one()
        session.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(OperationalError) as lost:
            insert_rows(own, Customer, [{"number": "1", "name": "a", "sort_key": "a"}])
        assert lost.value.connection_invalidated
