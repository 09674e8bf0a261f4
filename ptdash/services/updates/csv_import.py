"""Updates from a CSV file: all of its rows, or with any error none; what is known already changes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ptdash.domain import updates as rules
from ptdash.domain.errors import DomainError
from ptdash.domain.searching import fold
from ptdash.domain.updates import Severity
from ptdash.services.importing import ImportResult
from ptdash.services.importing.cells import BadCell, Column, day, one_of, text, words
from ptdash.services.importing.reading import Record, Sheet, open_sheet
from ptdash.services.importing.result import Report
from ptdash.services.updates import catalogue, entering
from ptdash.services.updates.entering import MOST, Entry

FILE = "updates.csv"
COLUMNS: Mapping[str, Column] = {
    "vendor": Column(text(MOST["vendor"]), required=True),
    "title": Column(text(MOST["title"]), required=True),
    "version": Column(text(MOST["version"]), required=True),
    "severity": Column(one_of(*Severity), required=True),
    "released_on": Column(day, required=True),
    "products": Column(text(2000), required=True),
    "kb_number": words(MOST["kb_number"]),
    "link": words(MOST["link"]),
    "description": words(MOST["description"]),
}
REQUIRED = [name for name, column in COLUMNS.items() if column.required]
BETWEEN = "|"


def import_file(session: Session, content: bytes, *, dry_run: bool, actor_id: int, now: datetime) -> ImportResult:
    """Enter the updates of a file; products are named as in the catalogue, several of them with | in between.

    With `dry_run`, and with any error, nothing is written.
    """
    report = Report()
    sheet = open_sheet(FILE, content, report)
    _check_header(sheet, report)
    entries = _entries(session, sheet, report) if not report.errors else {}
    new = _new(session, entries, report)
    if not report.errors and not dry_run:
        for entry in new:
            entering.enter(session, entry, origin="csv", actor_id=actor_id, now=now)
    ok = not report.errors
    return ImportResult(
        dry_run=dry_run,
        created={FILE: len(new)} if ok else {},
        unchanged={FILE: len(entries) - len(new)} if ok else {},
        updated={FILE: 0} if ok else {},
        errors=sorted(report.errors),
        warnings=report.all_warnings(),
    )


def _check_header(sheet: Sheet, report: Report) -> None:
    for name in sheet.columns:
        if name not in COLUMNS:
            known = ", ".join(COLUMNS)
            report.error(FILE, 1, name, "unknown_column", f"There is no column '{name}'. Known are {known}.")
        elif sheet.columns.count(name) > 1:
            report.error(FILE, 1, name, "duplicate_column", f"The column '{name}' is there twice.")
    for name in REQUIRED:
        if sheet.columns and name not in sheet.columns:
            report.error(FILE, 1, name, "missing_column", f"The column '{name}' is missing.")


def _entries(session: Session, sheet: Sheet, report: Report) -> dict[str, tuple[int, Entry]]:
    """The rows by their key, each with its row in the file."""
    read = [(record.row, _cells(sheet, record, report)) for record in sheet.records]
    names = {name for _, cells in read for name in _names(cells.get("products"))}
    products = catalogue.by_names(session, names)
    entries: dict[str, tuple[int, Entry]] = {}
    for row, cells in read:
        unknown = [name for name in _names(cells.get("products")) if fold(name) not in products]
        for name in unknown:
            message = f"There is no product '{name}' in the catalogue. Add it first."
            report.error(FILE, row, "products", "unknown_product", message)
        entry = None if unknown else _entry(row, cells, products, report)
        if entry is None:
            continue
        key = rules.key(entering.named(entry))
        if key in entries:
            message = f"This update stands in row {entries[key][0]} already."
            report.error(FILE, row, "version", "duplicate_key", message)
        else:
            entries[key] = (row, entry)
    return entries


def _cells(sheet: Sheet, record: Record, report: Report) -> dict[str, Any]:
    """The row's values by column; without those that could not be read, which are told."""
    values: dict[str, Any] = {name: column.empty for name, column in COLUMNS.items() if not column.required}
    if not record.sound:
        return {}
    for name, cell in zip(sheet.columns, record.cells, strict=True):
        column = COLUMNS[name]
        plain = (cell or "").strip()
        if cell is None or (not plain and not column.required):
            continue
        try:
            if not plain:
                raise BadCell("required", "This field must not be empty.")
            values[name] = column.parse(plain)
        except BadCell as error:
            report.error(FILE, record.row, name, error.code, str(error))
    return values


def _entry(row: int, cells: dict[str, Any], products: dict[str, int], report: Report) -> Entry | None:
    if not all(cells.get(name) for name in REQUIRED):
        return None
    ids = tuple(products[fold(name)] for name in _names(cells["products"]))
    try:
        return entering.checked(Entry(**cells | {"products": ids, "severity": Severity(cells["severity"])}))
    except entering.LinkRefused as error:
        report.error(FILE, row, "link", "invalid_link", str(error))
    except entering.ProductsMissing as error:
        report.error(FILE, row, "products", "required", str(error))
    except DomainError as error:
        report.error(FILE, row, "", error.code, str(error))
    return None


def _new(session: Session, entries: dict[str, tuple[int, Entry]], report: Report) -> list[Entry]:
    """The entries that are not known yet, in the order of the file."""
    if report.errors:
        return []
    known = entering.known_keys(session, list(entries))
    return [entry for key, (_, entry) in entries.items() if key not in known]


def _names(products: str | None) -> list[str]:
    return [name.strip() for name in (products or "").split(BETWEEN) if name.strip()]
