"""Runs the migrations on the application's own engine (Flask-Migrate)."""

from alembic import context
from flask import current_app

import ptdash.models  # noqa: F401  (fills the metadata)
from ptdash.db import Base

# One transaction-level advisory lock, so that two starting processes do not migrate at once.
MIGRATION_LOCK = 7_367_001


def run_migrations() -> None:
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()


run_migrations()
