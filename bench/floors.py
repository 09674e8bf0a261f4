"""The floors of the pages: what their rows cost before anybody is signed in, and the server they share."""

import threading
from typing import Any

import psycopg
from flask import Flask, render_template_string
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from ptdash import create_app
from ptdash.config import Config
from ptdash.db import Base
from ptdash.models import Customer, Ticket, User
from ptdash.services.tickets.asking import OPEN, Asked, direction

RAW, ORM, MATRIX = "/floor/raw", "/floor/orm", "/floor/matrix"
QUERY = """
    SELECT t.number, t.subject, c.name AS customer, t.status, t.priority, u.name AS assignee, t.due_at
    FROM tickets t JOIN customers c ON c.id = t.customer_id LEFT JOIN users u ON u.id = t.assignee_id
    WHERE t.status IN ('new', 'open', 'in_progress', 'scheduled', 'waiting_customer', 'waiting_vendor')
    ORDER BY t.due_key, t.id LIMIT 50
"""
CELLS = """
    SELECT u.title, k.name, count(*) FILTER (WHERE t.verified_at IS NOT NULL) AS done, count(*) AS total
    FROM rollout_tasks t JOIN updates u ON u.id = t.update_id JOIN customers k ON k.id = t.customer_id
    WHERE NOT t.followed AND t.stopped_at IS NULL GROUP BY u.id, k.id ORDER BY u.id, k.id
"""
TABLE = """<!doctype html><title>Updates</title><h1>Updates</h1><table>
{% for title, cells in rows|groupby('title') %}<tr><td>{{ title }}</td>
{% for c in cells %}<td>{{ c.done }}/{{ c.total }}</td>{% endfor %}</tr>{% endfor %}</table>"""
PAGE = """<!doctype html><title>Tickets</title><h1>Tickets {{ count }}</h1><table>
{% for t in rows %}<tr><td><a href="/tickets/{{ t.number }}">{{ t.number }}</a></td><td>{{ t.subject }}</td>
<td>{{ t.customer }}</td><td>{{ t.status }}</td><td>{{ t.priority }}</td><td>{{ t.assignee }}</td>
<td>{{ t.due_at }}</td></tr>{% endfor %}</table>"""


def application() -> Any:
    """ptdash, and beside it under /floor a Flask application with both floors."""
    config = Config.from_env()
    return DispatcherMiddleware(create_app(config), {"/floor": _floors(config.database_url or "")})


def _floors(url: str) -> Flask:
    app = Flask("floors")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    orm = SQLAlchemy(model_class=Base, disable_autonaming=True)
    orm.init_app(app)
    own = threading.local()

    def asked(query: str) -> list[Any]:
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(
                url.replace("+psycopg", ""), autocommit=True, row_factory=psycopg.rows.namedtuple_row
            )
        found: list[Any] = own.connection.execute(query).fetchall()
        return found

    @app.get("/raw")
    def raw() -> str:
        return render_template_string(PAGE, rows=asked(QUERY), count="")

    @app.get("/matrix")
    def matrix() -> str:
        return render_template_string(TABLE, rows=asked(CELLS))

    @app.get("/orm")
    def with_orm() -> str:
        found = (
            select(Ticket, Customer.name.label("customer"), User.name.label("assignee"))
            .join(Customer, Customer.id == Ticket.customer_id)
            .outerjoin(User, User.id == Ticket.assignee_id)
            .where(OPEN)
            .order_by(*direction(Asked()))
            .limit(50)
        )
        rows = [
            {"customer": customer, "assignee": assignee, **{name: getattr(ticket, name) for name in SHOWN}}
            for ticket, customer, assignee in orm.session.execute(found)
        ]
        count = orm.session.execute(select(func.count()).select_from(Ticket).where(OPEN)).scalar_one()
        return render_template_string(PAGE, rows=rows, count=count)

    return app


SHOWN = ("number", "subject", "status", "priority", "due_at")
