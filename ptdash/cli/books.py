"""Commands of the books: import, close, settlements, export, check."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click
from redis import RedisError

from ptdash.cli.edge import (
    Edge,
    Period,
    answer,
    json_option,
    month_argument,
    opened,
    period_argument,
    progress_bar,
    say,
)
from ptdash.config import Config
from ptdash.db import transaction
from ptdash.domain.periods import format_month
from ptdash.jobs import closing, documents, rollout
from ptdash.jobs.queue import live_workers
from ptdash.services import books, checks, close_document, deadlines, exporting, importing

WARNINGS_SHOWN = 10


@click.command("import")
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
def import_command(directory: Path, dry_run: bool, as_json: bool) -> None:
    """Import the CSV files of DIRECTORY, all in one transaction: any error, and nothing is written."""
    with opened() as edge:
        with progress_bar("Importing") as progress, transaction() as session:
            result = importing.import_directory(
                session,
                directory,
                today=edge.today,
                actor_id=None,
                now=edge.now,
                dry_run=dry_run,
                progress=progress,
            )
            if not result.ok or dry_run:
                session.rollback()
        if result.ok and not dry_run:
            _look_after_what_came(edge)
    document = result.as_json()
    answer(document, as_json, lambda: _import_in_words(document))
    sys.exit(0 if result.ok else 1)


def _look_after_what_came(edge: Edge) -> None:
    """Deadlines of new tickets, updates for new devices: what the heartbeat does, which may not be there.

    A day that is only assumed plans no updates.
    """
    while _some_deadlines():
        continue
    if edge.config.today is None:
        rollout.look(edge.config, edge.now)


def _some_deadlines() -> int:
    with transaction() as session:
        return deadlines.refresh_unknown(session)


@click.command("close")
@click.argument("month", callback=month_argument, metavar="YYYY-MM")
@click.option("--preview", is_flag=True, help="Show what closing would give; write nothing.")
@click.option("--wait", is_flag=True, help="Work it off in this process instead of handing it to the workers.")
@json_option
def close(month: date, preview: bool, wait: bool, as_json: bool) -> None:
    """Preview or close a month: settle every customer's minutes and issue the invoices."""
    with opened() as edge:
        document = _preview(edge, month) if preview else _close(edge, month, wait)
    answer(document, as_json, lambda: _in_words(document))
    sys.exit(1 if document["blockers"] or document["parked"] else 0)


def _preview(edge: Edge, month: date) -> dict[str, Any]:
    with transaction() as session:
        return close_document.preview(session, month, edge.today)


def _close(edge: Edge, month: date, wait: bool) -> dict[str, Any]:
    with transaction() as session:
        run, blockers = books.begin(session, month, edge.today, actor_id=None, now=edge.now)
        if blockers:
            return close_document.refused(session, month, edge.today)
    if run is not None and not wait and (redis_url := _queue_with_workers(edge.config)):
        closing.enqueue_run(redis_url, run.id)
        say(f"{format_month(month)} is being closed by the workers. See how far with: ptdash settlements")
    elif run is not None:
        with progress_bar(f"Closing {format_month(month)}") as progress:
            closing.work_off(run.id, progress)
        with progress_bar("Setting the PDFs") as progress:
            documents.render_all(progress)
    with transaction() as session:
        return close_document.posted(session, month)


def _queue_with_workers(config: Config) -> str | None:
    """The queue's address where a worker listens to it."""
    try:
        return config.redis_url if config.redis_url and live_workers(config.redis_url) else None
    except RedisError:
        return None


@click.command()
@click.argument("month", callback=month_argument, metavar="YYYY-MM")
@json_option
def settlements(month: date, as_json: bool) -> None:
    """The posted settlements and invoices of a month."""
    with opened(), transaction() as session:
        document = close_document.posted(session, month)
    answer(document, as_json, lambda: _in_words(document))


@click.command()
@click.argument("period", callback=period_argument, metavar="YYYY-MM|YYYY")
@click.option("--format", "form", type=click.Choice(exporting.FORMATS), required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@json_option
def export(period: Period, form: str, out: Path, as_json: bool) -> None:
    """Write the issued invoices of a month, or of a year, as files. A file that is there and says something else
    is never overwritten."""
    written: list[str] = []
    missing: list[str] = []
    different: list[str] = []
    notes: list[str] = []
    with opened() as edge, transaction() as session:
        out.mkdir(parents=True, exist_ok=True)
        for item in exporting.files(session, exporting.issued(session, *period.months), form, at=edge.now):
            if isinstance(item, exporting.Missing):
                missing.append(item.number)
            elif _write(out / item.name, item.content):
                written.append(item.name)
                notes += item.notes
            else:
                different.append(item.name)
    document = {
        "period": period.name,
        "files": written,
        "missing": missing,
        "different": different,
        "notes": notes,
    }
    answer(document, as_json, lambda: _export_in_words(document, out))
    sys.exit(1 if missing or different else 0)


def _write(path: Path, content: bytes) -> bool:
    """Whether the file is there now with just this content."""
    if path.exists():
        return path.read_bytes() == content
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return True


def _export_in_words(document: dict[str, Any], out: Path) -> str:
    lines = [f"{len(document['files'])} files in {out}", *document["notes"]]
    if document["missing"]:
        lines.append(f"Not there yet, the workers are still setting them: {', '.join(document['missing'])}")
    if document["different"]:
        lines.append(f"Not overwritten, other content stands there: {', '.join(document['different'])}")
    return "\n".join(lines)


@click.command()
@json_option
def check(as_json: bool) -> None:
    """Verify the books: every invariant with what violates it."""
    with opened(), transaction() as session:
        report = checks.run(session)
    answer(report, as_json, lambda: _checks_in_words(report))
    sys.exit(0 if report["ok"] else 1)


def _import_in_words(document: dict[str, Any]) -> str:
    lines = [_finding("error", row) for row in document["errors"]]
    lines += [_finding("warning", row) for row in document["warnings"][:WARNINGS_SHOWN]]
    if (more := len(document["warnings"]) - WARNINGS_SHOWN) > 0:
        lines.append(f"… and {more} more warnings; --json lists them all.")
    for file, created in document["created"].items():
        updated, unchanged = document["updated"][file], document["unchanged"][file]
        lines.append(f"{file:<22} {created:>7} new  {updated:>7} changed  {unchanged:>7} unchanged")
    if document["errors"]:
        lines.append("Nothing was written.")
    return "\n".join(lines)


def _finding(kind: str, row: dict[str, Any]) -> str:
    place = ", ".join(str(part) for part in (row["file"], f"row {row['row']}", row["field"]) if part)
    return f"{kind}: {place}: {row['message']}"


def _checks_in_words(report: dict[str, Any]) -> str:
    lines = []
    for result in report["checks"]:
        lines.append(f"{'ok ' if result['ok'] else 'BAD'}  {result['name']:<38} {result['checked']:>9} checked")
        lines += [f"       {violation}" for violation in result["violations"]]
    return "\n".join(lines)


def _in_words(document: dict[str, Any]) -> str:
    lines = [f"{document['period']}: {document['state']}"]
    lines += [f"  refused: {blocker['message']}" for blocker in document["blockers"]]
    lines += [f"  parked:  {parked['customer']}: {parked['message']}" for parked in document["parked"]]
    for row in document["settlements"]:
        minutes = f"{row['used_minutes']:>5} of {row['included_minutes']:>3} min used"
        more = f"{row['overage_minutes']:>5} over, {row['expired_minutes']:>3} expired"
        lines.append(f"  {row['contract']:<12} {row['package']}  {minutes}, {more}")
    for invoice in document["invoices"]:
        number = invoice["number"] or "(no number yet)"
        lines.append(f"  {number:<15} customer {invoice['customer']:<10} {_euros(invoice['gross_cents']):>14} EUR")
    net, vat, gross = (_euros(document["totals"][name]) for name in close_document.MONEY)
    lines.append(f"  net {net}, VAT {vat}, gross {gross} EUR")
    return "\n".join(lines)


def _euros(cents: int) -> str:
    return f"{cents / 100:,.2f}"


COMMANDS = (import_command, close, settlements, export, check)
