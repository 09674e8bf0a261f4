"""What every command shares: its application, its clock, its answer and its refusals."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import click
from flask import Flask
from flask_migrate import upgrade

from ptdash import create_app
from ptdash.config import Config
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.periods import YEARS, parse_month
from ptdash.runtime.attach import attached
from ptdash.runtime.home import secret_key
from ptdash.services import audit

json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document on stdout.")


@dataclass(frozen=True)
class Edge:
    """One command's application and its idea of now, asked once."""

    app: Flask
    config: Config
    now: datetime

    @property
    def today(self) -> date:
        return self.config.business_day(self.now)


@contextmanager
def opened() -> Iterator[Edge]:
    """The application on its database, started for this command where nothing runs; seals the audit chain last."""
    with attached(read_config()) as config:
        app = create_app(replace(config, secret_key=config.secret_key or secret_key(config.home)))
        with app.app_context():
            upgrade()
            yield Edge(app, config, datetime.now(UTC))
            with transaction() as session:
                audit.seal(session)


def read_config() -> Config:
    try:
        return Config.from_env()
    except ValueError:
        raise click.UsageError("PTDASH_TODAY is not a day. Write it as 2026-11-30.") from None


@dataclass(frozen=True)
class Period:
    """A month or a year: the first and the last of its months, by their first days."""

    name: str
    months: tuple[date, date]


def period_argument(context: click.Context, parameter: click.Parameter, value: str) -> Period:
    """`2026-10` or `2026`."""
    if re.fullmatch(r"[0-9]{4}", value) and int(value) in YEARS:
        return Period(value, (date(int(value), 1, 1), date(int(value), 12, 1)))
    month = month_argument(context, parameter, value)
    return Period(value, (month, month))


def month_argument(_ctx: click.Context, _param: click.Parameter, value: str) -> date:
    try:
        return parse_month(value)
    except DomainError as error:
        raise click.BadParameter(str(error)) from None


def day_option(_ctx: click.Context, _param: click.Parameter, value: str | None) -> date | None:
    try:
        day = date.fromisoformat(value) if value else None
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a day. Write it as 2026-11-30.") from None
    if day and day.year not in YEARS:
        raise click.BadParameter(f"{value} is not between the years {YEARS[0]} and {YEARS[-1]}.")
    return day


def answer(document: Any, as_json: bool, in_words: Callable[[], str]) -> None:
    """Print the result: the JSON document, or the same in words."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=1) if as_json else in_words())


def say(message: str) -> None:
    """A message to the person at the terminal; stdout belongs to the answer."""
    click.echo(message, err=True)


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, fed with (done, total); silent where nobody watches."""
    bar: Any = None

    def advance(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = click.progressbar(length=total, label=label, file=sys.stderr, update_min_steps=1)
            bar.__enter__()
        bar.update(done - bar.pos)

    try:
        yield advance
    finally:
        if bar is not None:
            bar.__exit__(None, None, None)
