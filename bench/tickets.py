"""The queue and a ticket's page, beside two floors on the same rows, the same server and the same machine.

Floor 1: a bare Flask page with one raw psycopg query of the fifty most pressing tickets. Floor 2: the same with
the ORM and a count of the open ones. Neither signs anybody in, knows roles, tabs, filters or minutes. All of them
answer over HTTP from one gunicorn process, one request at a time.
"""

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from flask_migrate import upgrade
from sqlalchemy import select

from bench.floors import ORM, RAW
from bench.tickets_data import fill
from ptdash import create_app
from ptdash.config import Config, sqlalchemy_url
from ptdash.db import db, transaction
from ptdash.models import Customer, Ticket, User
from ptdash.runtime.postgres import temporary_cluster
from ptdash.services import users
from ptdash.services.tickets import asking, queue
from ptdash.web.access import SESSION_KEY

ROUNDS = 60
WARM = 8
# Tickets, and how many of them are open: a house of that age, and one in which nobody ever closes a ticket.
SIZES = ((1_000, 40), (100_000, 4_000), (1_000_000, 40_000), (100_000, 100_000))

Figures = dict[str, tuple[float, float]]


def main(sizes: tuple[tuple[int, int], ...] = SIZES) -> None:
    measured = {}
    for tickets, opened in sizes:
        measured[tickets, opened] = figures = measure(tickets, opened)
        report(f"{tickets:,} tickets, {opened:,} open", figures, measured.get((100_000, 4_000)))


def measure(tickets: int, opened: int) -> Figures:
    """Milliseconds, p50 and p95, of each page."""
    with TemporaryDirectory(prefix="ptdash-bench-") as directory, temporary_cluster(Path(directory)) as url:
        config = Config(home=Path(directory), database_url=sqlalchemy_url(url), secret_key="bench")
        app = create_app(config)
        with app.app_context():
            upgrade()
            fill(tickets, opened)
            cookies = {
                name: _cookie(app, email) for name, email in (("jana", "d@pt.example"), ("tina", "t1@pt.example"))
            }
            pages = _pages(opened)
            db.session.remove()
            db.engine.dispose()
        with served(config) as connection:
            return _timed(connection, [(name, paths, cookies[who]) for name, who, paths in pages])


def _pages(opened: int) -> list[tuple[str, str, list[str]]]:
    """Name, who asks, and the addresses asked for in turn."""
    asked = asking.Asked()
    ordered = (
        select(*queue.COLUMNS)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
    )
    deep = db.session.execute(
        ordered.where(asking.OPEN).order_by(*asking.direction(asked)).offset(opened * 4 // 5).limit(1)
    ).one()
    numbers = db.session.execute(select(Ticket.number).where(asking.OPEN).limit(500)).scalars().all()
    some = [f"/tickets/{number}" for number in random.Random(1).sample(list(numbers), min(30, len(numbers)))]
    return [
        ("floor: psycopg", "jana", [RAW]),
        ("floor: ORM and count", "jana", [ORM]),
        ("queue, first page", "jana", ["/tickets"]),
        ("queue of a technician", "tina", ["/tickets"]),
        ("filtered", "jana", ["/tickets?status=in_progress&priority=high"]),
        ("of one customer", "jana", ["/tickets?customer=10007"]),
        ("searched, common word", "jana", ["/tickets?q=drucker"]),
        ("searched, two words", "jana", ["/tickets?q=kunde+7+vpn"]),
        ("searched, one number", "jana", [f"/tickets?q={numbers[0]}"]),
        ("searched, misspelled", "jana", ["/tickets?q=etiketendrucker"]),
        ("searched, also closed", "jana", ["/tickets?status=any&q=lexware"]),
        ("deep page", "jana", [f"/tickets?after={asking.key_of(asked, deep)}"]),
        ("a ticket", "jana", some),
    ]


def _timed(connection: HTTPConnection, pages: list[tuple[str, list[str], str]]) -> Figures:
    """Each page in turn, so that what else the machine does falls on all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name, _, _ in pages}
    for place in range(WARM + ROUNDS):
        for name, paths, cookie in pages:
            path = paths[place % len(paths)]
            started = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            body = answer.read()
            if place >= WARM:
                taken[name].append((time.perf_counter() - started) * 1000)
            assert answer.status == 200, (path, answer.status, body[:500])
    return {
        name: (statistics.median(times), statistics.quantiles(times, n=20)[-1]) for name, times in taken.items()
    }


def report(title: str, figures: Figures, at_100k: Figures | None) -> None:
    floor = figures["floor: ORM and count"][0]
    print(f"\n{title:<32} {'p50 ms':>8} {'p95 ms':>8} {'x ORM floor':>12} {'x 100k':>8}")  # noqa: T201
    for name, (median, late) in figures.items():
        grown = f"{median / at_100k[name][0]:8.2f}" if at_100k else ""
        print(f"{name:<32} {median:8.1f} {late:8.1f} {median / floor:12.2f} {grown}")  # noqa: T201
    sys.stdout.flush()


def _cookie(app, email: str) -> str:
    with transaction() as session:
        user = session.execute(select(User).where(User.email == email)).scalar_one()
        token = users.start_session(session, user.id, now=datetime.now(UTC))
    return f"ptdash={app.session_interface.get_signing_serializer(app).dumps({SESSION_KEY: token})}"


@contextmanager
def served(config: Config) -> Iterator[HTTPConnection]:
    """The application and both floors under one gunicorn, as `ptdash web` starts it; a connection to it."""
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": config.database_url or "",
        "PTDASH_HOME": str(config.home),
        "SECRET_KEY": config.secret_key or "",
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread"]
    command += ["--threads", "4", "--keep-alive", "60", "--log-level", "warning", "bench.floors:application()"]
    with subprocess.Popen(command, env=environment) as server:
        try:
            yield _connected(port)
        finally:
            server.terminate()


def _connected(port: int) -> HTTPConnection:
    for _ in range(200):
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.connect()
            return connection
        except ConnectionError:
            time.sleep(0.1)
    raise RuntimeError("gunicorn does not answer")
