"""`ptdash import`: the files of a directory into the database, as a whole or not at all."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.services import audit, thresholds
from ptdash.services.importing import loading, references, writing
from ptdash.services.importing.reading import open_sheet
from ptdash.services.importing.refusals import refusal
from ptdash.services.importing.result import ImportResult, Problem, Report
from ptdash.services.importing.rows import (
    contracts,
    customers,
    devices,
    inclusions,
    notices,
    package_changes,
    prices,
    tickets,
    time_and_material,
    users,
)
from ptdash.services.importing.tables import Table, read_table
from ptdash.services.importing.world import FILES, World

__all__ = ["ImportResult", "Problem", "import_directory"]

Progress = Callable[[int, int], None]
RULES = (
    prices,
    users,
    customers,
    devices,
    contracts,
    notices,
    package_changes,
    inclusions,
    tickets,
    time_and_material,
)
TELL_EVERY = 1000


def import_directory(
    session: Session,
    directory: Path,
    *,
    today: date,
    actor_id: int | None,
    now: datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Read every known CSV file of a directory, check all of its rows, and write what is new or changed.

    With any error, and with `dry_run`, nothing stays written; every error is in the answer. `progress` is told
    how much of how much is done. The caller commits.
    """
    report = Report()
    contents = _read(directory, report)
    steps = _Steps(contents, progress)
    world = World(_tables(contents, report, steps), report, today)
    with session.no_autoflush:
        loading.lock(session, world)
        loading.load(session, world)
        references.check(world)
        for rules in RULES:
            rules.check(world)
    result = _result(world, dry_run)
    if result.ok:
        result = _write(session, world, result, contents, steps, actor_id=actor_id, now=now)
        if result.ok and not dry_run:
            thresholds.catch_up(session, today, now)
    steps.finish()
    return result


def _read(directory: Path, report: Report) -> dict[str, bytes]:
    """The known files of the directory, in the order in which they are written."""
    known = [file.name for file in FILES]
    try:
        found = sorted(path for path in directory.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
        contents = {path.name: path.read_bytes() for path in found if path.name in known}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        report.error(directory.name, 1, "", "unreadable", f"{directory} cannot be read: {reason}.")
        return {}
    for path in found:
        if path.name not in known:
            name = path.name.encode(errors="replace").decode()
            report.warn(
                name, 1, "", "unknown_file", f"No import file has this name. Known are {', '.join(known)}."
            )
    if not contents:
        report.error(directory.name, 1, "", "no_files", f"{directory} has none of {', '.join(known)}.")
    return {name: contents[name] for name in known if name in contents}


def _tables(contents: dict[str, bytes], report: Report, steps: "_Steps") -> dict[str, Table[Any]]:
    tables = {}
    for file in FILES:
        if file.name in contents:
            sheet = open_sheet(file.name, contents[file.name], report)
            tables[file.name] = read_table(file, sheet, report, steps.one)
        else:
            tables[file.name] = Table(file)
    return tables


def _result(world: World, dry_run: bool) -> ImportResult:
    """What was done, or would be: counts by file, for the files that are there."""
    given = {name: table for name, table in world.tables.items() if table.given}
    created = {name: sum(key not in table.stored for key in table.rows) for name, table in given.items()}
    updated = {name: len(list(table.touched())) - created[name] for name, table in given.items()}
    unchanged = {name: len(table.rows) - created[name] - updated[name] for name, table in given.items()}
    return ImportResult(
        dry_run=dry_run,
        created=created,
        unchanged=unchanged,
        updated=updated,
        errors=sorted(world.report.errors),
        warnings=world.report.all_warnings(),
    )


def _write(
    session: Session,
    world: World,
    result: ImportResult,
    contents: dict[str, bytes],
    steps: "_Steps",
    *,
    actor_id: int | None,
    now: datetime,
) -> ImportResult:
    """Write inside a savepoint; take it back where nothing is to stay, or where the database refuses."""
    savepoint = session.begin_nested()
    try:
        writing.write(session, world, now, steps.more)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        savepoint.rollback()
        return replace(result, errors=[refusal(world.at_work_on, error)])
    if result.dry_run:
        savepoint.rollback()
        return result
    if any(result.created.values()) or any(result.updated.values()):
        after = {"created": result.created, "updated": result.updated, "unchanged": result.unchanged}
        audit.record(session, "import", "import", _fingerprint(contents), actor_id=actor_id, now=now, after=after)
    savepoint.commit()
    return result


def _fingerprint(contents: dict[str, bytes]) -> str:
    """One hash over the names and the contents of all files."""
    digest = hashlib.sha256()
    for name, data in sorted(contents.items()):
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


class _Steps:
    """Counts rows twice, once when they are read and once when they are written."""

    def __init__(self, contents: dict[str, bytes], progress: Progress | None) -> None:
        self.total = 2 * sum(max(data.count(b"\n"), 1) for data in contents.values())
        self.done, self.told, self.progress = 0, 0, progress

    def one(self) -> None:
        self.more(1)

    def more(self, steps: int) -> None:
        self.done = min(self.done + steps, self.total)
        if self.progress and self.done - self.told >= TELL_EVERY:
            self.told = self.done
            self.progress(self.done, self.total)

    def finish(self) -> None:
        if self.progress:
            self.progress(self.total, self.total)
