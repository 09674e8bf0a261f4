"""Real servers for the tests: every test process has a PostgreSQL and a Valkey of its own."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from ptdash import create_app
from ptdash.config import Config, sqlalchemy_url
from ptdash.db import Base, db
from ptdash.models import Price
from ptdash.runtime.postgres import temporary_cluster
from ptdash.runtime.valkey import temporary_valkey

# An hour ahead, so that no event of a test is ever old enough to have to be sealed.
NOW = datetime.now(UTC) + timedelta(hours=1)
DATA = Path(__file__).parent / "data"
# Which tables hold rows, and whether they have grown: to truncate one costs more than to delete a few rows.
USED_TABLES = text(
    " UNION ALL ".join(
        f"SELECT '{name}', pg_total_relation_size('{name}') > 1000000 WHERE EXISTS (SELECT FROM {name})"
        for name in Base.metadata.tables
    )
)
REWIND_SEQUENCES = text(
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) "
    "FROM pg_sequences WHERE last_value IS NOT NULL"
)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a test waits for its servers and its browser a third of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database with every migration."""
    with temporary_cluster(tmp_path_factory.mktemp("postgres")) as url:
        yield sqlalchemy_url(url) or ""


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporary_valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_app(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    config = Config(
        home=tmp_path_factory.mktemp("home"),
        database_url=database_url,
        redis_url=redis_url,
        secret_key="tests only",
        demo=True,
    )
    app = create_app(config)
    with app.app_context():
        upgrade()
        app.extensions["built_in_prices"] = [
            {column.name: getattr(price, column.name) for column in Price.__table__.columns}
            for price in db.session.execute(select(Price)).scalars()
        ]
        db.session.remove()
    return app


@pytest.fixture
def app(migrated_app: Flask) -> Flask:
    """The application on its database as it is on the first day."""
    with migrated_app.app_context():
        empty(migrated_app)
    return migrated_app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session on an empty database."""
    with app.app_context():
        yield db.session()
        db.session.rollback()
        db.session.remove()


def empty(app: Flask) -> None:
    """Back to the first day: no rows but those that the migrations bring. Needs an application context.

    Only what a test has used is emptied: to truncate every table costs more than most tests.
    """
    db.session.rollback()
    with db.engine.begin() as connection:
        # What is issued refuses to go; a replica's session does not fire those triggers.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        used = connection.execute(USED_TABLES).all()
        if grown := [name for name, has_grown in used if has_grown]:
            connection.execute(text(f"TRUNCATE {', '.join(grown)} CASCADE"))
        if small := [name for name, has_grown in used if not has_grown]:
            connection.execute(text("; ".join(f"DELETE FROM {name}" for name in small)))
        connection.execute(REWIND_SEQUENCES)
        connection.execute(text("INSERT INTO books (id) VALUES (1)"))
        connection.execute(insert(Price), app.extensions["built_in_prices"])
    db.session.remove()
