"""A close as one writes it without thinking of anything that dies: the same calculation and the same statements,
but each committed for itself, without locks, without asking what is done already, on tables that refuse nothing.

Undisturbed it gives the right result. The checker has to find what becomes of it when something dies.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import text

from ptdash.db import db, transaction
from ptdash.services import books, period_close
from tests.faults.house import House

CONSTRAINTS = """
SELECT format('ALTER TABLE %I DROP CONSTRAINT %I CASCADE', r.relname, c.conname)
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
WHERE r.relname IN ('postings', 'settlements') AND c.contype IN ('p', 'u')
   OR r.relname = 'invoices' AND c.contype = 'u'
"""


def weaken(house: House) -> None:
    """Take from the house's database what it refuses."""
    house.close = post_batch
    with house.open():
        with transaction() as session:
            for statement in session.execute(text(CONSTRAINTS)).scalars().all():
                session.execute(text(statement))
            name = session.scalar(text("SELECT current_database()"))
            session.execute(text(f"ALTER DATABASE {name} SET session_replication_role = replica"))
        db.session.remove()
        db.engine.dispose()


def post_batch(run_id: int, customer_ids: Sequence[int]) -> None:
    """Post whom the job names; what is left is nobody's question."""
    ask = books.pending
    try:
        books.pending = lambda *_: list(customer_ids)  # type: ignore[assignment]
        with transaction() as session:
            session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            period_close.post(session, run_id, customer_ids, now=datetime.now(UTC))
    finally:
        books.pending = ask
    with transaction() as session:
        books.finish(session, run_id, now=datetime.now(UTC))


def lose_the_queue(house: House, run_id: int, point: int) -> None:
    """It knows what is left to do from its queue alone: what is no longer there, nobody does."""
    run_id = run_id or house.order()
    everybody = house.everybody(run_id)
    for customer_id in everybody[: point % len(everybody)]:
        house.close(run_id, [customer_id])
    house.sweeps = 0
