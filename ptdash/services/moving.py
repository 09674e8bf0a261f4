"""What a database has to be told when it stands in another cluster than the one that wrote it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

OWN_TRANSACTION = """
ALTER TABLE audit_events DISABLE TRIGGER USER;
UPDATE audit_events SET xact = pg_current_xact_id()
    WHERE NOT EXISTS (SELECT FROM audit_seals WHERE audit_seals.event_id = audit_events.id);
ALTER TABLE audit_events ENABLE TRIGGER USER;
"""


def settle_in(session: Session) -> None:
    """Events that were not sealed yet count as this transaction's.

    Transactions are numbered by the cluster: a number of the old one would lie in the new one's future, and the
    sealer would wait for it, perhaps for years.
    """
    for statement in OWN_TRANSACTION.strip().split(";\n"):
        session.execute(text(statement.rstrip(";")))
