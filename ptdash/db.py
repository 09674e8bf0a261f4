"""The database session and the one place that commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, event
from sqlalchemy.orm import DeclarativeBase, Session, UOWTransaction, registry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
FLUSHED = "ptdash.flushed"


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={datetime: DateTime(timezone=True)},
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False})


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work of an edge (view, job, command): committed as a whole, or not at all."""
    session = db.session()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


def end_reading() -> None:
    """End a transaction that only read with a commit; what was flushed and not committed waits for its rollback.

    With a rollback psycopg forgets its prepared statements: the database would plan each of a page's anew, and of
    the queue's figures that takes longer than counting them.
    """
    session = db.session()
    written = session.new or session.dirty or session.deleted or FLUSHED in session.info
    if session.in_transaction() and not written:
        session.commit()


@event.listens_for(Session, "after_flush")
def _remember(session: Session, _context: UOWTransaction) -> None:
    session.info[FLUSHED] = True


@event.listens_for(Session, "after_commit")
def _forget(session: Session) -> None:
    session.info.pop(FLUSHED, None)
