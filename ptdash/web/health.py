"""`GET /healthz`: whether database, queue, workers and migrations are as they should be; no data, no session."""

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, jsonify
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ptdash.db import db
from ptdash.extensions import MIGRATIONS
from ptdash.jobs.queue import connect, live_workers
from ptdash.web.access import access
from ptdash.web.pages import config

OK = "ok"


def init_app(app: Flask) -> None:
    app.add_url_rule("/healthz", "healthz", access.public(healthz), methods=["GET"])


def healthz() -> tuple[Response, int]:
    """200 where all is well, else 503; each part says "ok" or what is wrong with it."""
    parts = {"database": _database(), "queue": _queue(), "workers": _workers(), "migrations": _migrations()}
    return jsonify(parts), 200 if set(parts.values()) == {OK} else 503


def _database() -> str:
    try:
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return "does not answer"
    return OK


def _queue() -> str:
    url = config().redis_url
    if not url:
        return "not configured: set REDIS_URL"
    try:
        connect(url).ping()
    except RedisError:
        return "does not answer"
    return OK


def _workers() -> str:
    url = config().redis_url
    try:
        return OK if url and live_workers(url) else "no worker is running"
    except RedisError:
        return "unknown: the queue does not answer"


def _migrations() -> str:
    wanted = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    try:
        with db.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError:
        return "unknown: the database does not answer"
    return OK if found == wanted else f"the database is at {found}, the program at {wanted}"
