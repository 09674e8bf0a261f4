"""The matrix of updates and customers, beside a floor on the same rows, the same server and the same machine.

The floor is a bare Flask page with one raw psycopg query, the tasks of all updates by customer, and a plain table
of the same cells: nobody signed in, no checks, no approvals, no devices that wait, no links.
"""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flask_migrate import upgrade

from bench.floors import MATRIX
from bench.tickets import _cookie, _timed, served
from bench.updates_data import fill
from ptdash import create_app
from ptdash.config import Config, sqlalchemy_url
from ptdash.db import db
from ptdash.domain.matrix import Tab
from ptdash.runtime.postgres import temporary_cluster
from ptdash.services.updates import matrix
from tests.counting import queries

# Updates, customers, devices: 4 of 5 updates are approved, each for a twentieth of the devices.
SIZES = ((20, 20, 400), (200, 200, 2_500))
LIMIT_MS = 150


def main(sizes: tuple[tuple[int, int, int], ...] = SIZES) -> None:
    counted = [measure(*size) for size in sizes]
    print(f"queries a page: {', '.join(map(str, counted))}")  # noqa: T201


def measure(updates: int, customers: int, devices: int) -> int:
    """Prints milliseconds, p50 and p95, of each page; how many queries the matrix takes."""
    with TemporaryDirectory(prefix="ptdash-bench-") as directory, temporary_cluster(Path(directory)) as url:
        config = Config(home=Path(directory), database_url=sqlalchemy_url(url), secret_key="bench")
        app = create_app(config)
        with app.app_context():
            upgrade()
            tasks = fill(updates, customers, devices)
            cookie = _cookie(app, "m@pt.example")
            today = datetime.now(UTC).date()
            with queries() as sent:
                found = matrix.load(db.session(), matrix.Asked(today.replace(day=1)), today)
            assert found.counts[Tab.ALL] == updates
            db.session.remove()
            db.engine.dispose()
        pages = [
            ("floor: psycopg, plain table", [MATRIX], cookie),
            ("matrix, first page", ["/updates"], cookie),
            ("matrix, everything on one page", ["/updates?all=1"], cookie),
            ("heading with errors", ["/updates?tab=failed"], cookie),
            ("search", ["/updates?q=update+1"], cookie),
            ("an update", [f"/updates/{n}" for n in range(1, min(updates, 30))], cookie),
            ("a cell", [f"/updates/{n}/customers/10007" for n in range(1, min(updates, 30))], cookie),
        ]
        with served(config) as connection:
            figures = _timed(connection, pages)
    floor = figures["floor: psycopg, plain table"][0]
    title = f"{updates} updates, {customers} customers, {tasks:,} tasks"
    print(f"\n{title:<44} {'p50 ms':>8} {'p95 ms':>8} {'x floor':>8}")  # noqa: T201
    for name, (median, late) in figures.items():
        over = "  over the limit" if not name.startswith("floor") and median > LIMIT_MS else ""
        print(f"{name:<44} {median:8.1f} {late:8.1f} {median / floor:8.2f}{over}", flush=True)  # noqa: T201
    return len(sent)
