"""Commands about contracts: renewals and the maintenance window."""

from datetime import date

import click

from ptdash.cli.edge import answer, day_option, json_option, month_argument, opened
from ptdash.db import transaction
from ptdash.services import contracts, windows


@click.command()
@click.option(
    "--on", "day", callback=day_option, metavar="YYYY-MM-DD", help="The day to look at; today by default."
)
@json_option
def renewals(day: date | None, as_json: bool) -> None:
    """Every contract's state, term and notice deadline on a day."""
    with opened() as edge, transaction() as session:
        rows = contracts.renewals(session, day or edge.today)
    answer(rows, as_json, lambda: "\n".join(_line(row) for row in rows))


def _line(row: dict[str, object]) -> str:
    until = f"to {row['term_ends_on'] or 'indefinite'}"
    deadline = f"notice by {row['notice_deadline']}" if row["notice_deadline"] else "notice at any time"
    goes_on = f"renews {row['renews_on']}" if row["renews_on"] else "runs on"
    then = f"ends {row['ends_on']}" if row["ends_on"] else goes_on
    return f"{row['contract']:<12} {row['state']:<13} {until:<14} {deadline:<22} {then}"


@click.command()
@click.argument("month", callback=month_argument, metavar="YYYY-MM")
@json_option
def window(month: date, as_json: bool) -> None:
    """The maintenance window of a month."""
    with opened(), transaction() as session:
        found = windows.window(session, month)
    left_out = "".join(f"\n  not {day['day']}: {day['reason']}" for day in found["left_out"])
    days = ", ".join(found["days"])
    answer(found, as_json, lambda: f"{found['month']}: {days}, {found['from']}-{found['until']}{left_out}")


COMMANDS = (renewals, window)
