"""Commands that serve: everything at once, or web, worker and scheduler each on its own."""

import os
import signal
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import partial
from threading import Thread

import click
from flask_migrate import upgrade
from redis import RedisError

from ptdash import create_app
from ptdash.cli.edge import read_config, say
from ptdash.config import BERLIN, Config
from ptdash.db import transaction
from ptdash.documents import schematron
from ptdash.domain.periods import next_month
from ptdash.jobs import closing
from ptdash.jobs.queue import TICK, enqueue, make_worker
from ptdash.runtime import children, home
from ptdash.runtime.up import up as run_up
from ptdash.services import audit, books, demo, releases, users

TICK_SECONDS = 10


@click.command()
@click.option("--demo", "with_demo", is_flag=True, help="A believable company to try things with.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
def up(with_demo: bool, host: str, port: int, workers: int) -> None:
    """Start database, queue, web, workers and scheduler, and keep them running until Ctrl-C."""
    os.environ["PTDASH_DEMO"] = "1" if with_demo else "0"
    now = datetime.now(UTC)
    run_up(read_config(), host=host, port=port, workers=workers, prepare=partial(prepare, now=now), now=now)


def prepare(config: Config, *, now: datetime) -> None:
    """Bring the database up to date; a demo gets its company, anybody else is told how to begin."""
    with create_app(config).app_context():
        upgrade()
        with transaction() as session:
            empty = demo.is_empty(session)
            if empty and config.demo:
                # The rules of e-invoices compile in a program of their own while the company is made.
                Thread(target=schematron.report, args=(b"<warm-up/>",), daemon=True).start()
                demo.seed(session, today=config.business_day(now), now=now)
        if empty and config.demo:
            _close_the_demo_months(config, now)
            with transaction() as session:
                audit.seal(session)
    if config.demo:
        logins = "".join(f"  {email:<28} {role}\n" for email, role in demo.LOGINS)
        say("The demo assumes 1.50 EUR for an overage and a separate minute; your own rates are set by a person.")
        say(f"Sign in with the password {demo.PASSWORD} as\n{logins.rstrip()}")
    elif empty:
        say("Nobody can sign in yet. Add the first person with:")
        say("  ptdash user add EMAIL --name NAME --role manager")


def _close_the_demo_months(config: Config, now: datetime) -> None:
    """Each with what became of its e-mails; the PDFs are left to the workers, so that nobody waits for them."""
    *past, newest = demo.closed_months(config.business_day(now))
    for month in past:
        _close(month, now)
        with transaction() as session:
            demo.dispatch.arrived(session, month, at=_noon(next_month(month).replace(day=4)))
    _close(newest, now)
    with transaction() as session:
        demo.dispatch.seed(session, newest, now=datetime.now(UTC))


def _close(month: date, now: datetime) -> None:
    """Close and release a demo's month, ordered on the third of the next one."""
    with transaction() as session:
        run, _ = books.begin(session, month, next_month(month).replace(day=3), actor_id=None, now=now)
        waiting = books.pending(session, run.id) if run else []
    if run:
        closing.post_batch(run.id, waiting)
        with transaction() as session:
            releases.release(session, month, actor_id=users.by_email(session, demo.MANAGER).id, now=now)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), BERLIN)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def web(host: str, port: int) -> None:
    """Serve the pages, on the database and queue that DATABASE_URL and REDIS_URL name."""
    config = _on_servers()
    argv = children.web_argv(host, port)
    os.execve(argv[0], argv, children.environment(config))  # nosec B606


@click.command()
def worker() -> None:
    """Work off the queue."""
    config = _on_servers()
    schematron.start()
    with create_app(config).app_context():
        make_worker(config.redis_url or "").work(logging_level="WARNING")


@click.command()
def scheduler() -> None:
    """Ask a worker every ten seconds to look for what is due."""
    redis_url = _on_servers().redis_url or ""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        try:
            enqueue(redis_url, TICK)
        except RedisError as error:
            say(f"The queue does not answer ({error}). Trying again in {TICK_SECONDS} seconds.")
        stopped.wait(TICK_SECONDS)


def _on_servers() -> Config:
    """The configuration of a program that runs on its own: both servers are named, or it says which is not."""
    config = read_config()
    missing = [n for n, v in (("DATABASE_URL", config.database_url), ("REDIS_URL", config.redis_url)) if not v]
    if missing:
        raise click.UsageError(f"Set {' and '.join(missing)}, or start everything with `ptdash up`.")
    return replace(config, secret_key=config.secret_key or home.secret_key(config.home))


COMMANDS = (up, web, worker, scheduler)
