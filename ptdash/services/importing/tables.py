"""What the files say, over what the database holds: one table a file, in the words of the files."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from ptdash.services.importing.cells import BadCell, Column
from ptdash.services.importing.reading import Record, Sheet
from ptdash.services.importing.result import Report, Tell

R = TypeVar("R")
Stored = Select[*tuple[Any, ...]]
Place = tuple[str, int]
# Ids by file name and key.
Ids = dict[str, dict[Any, int]]
UNREADABLE = BadCell("unreadable", "This field cannot be read.")
CUSTOMER_OF_TICKET = "customer of ticket"


def as_it_is(_row: Any, _tell: Tell) -> None:
    """Nothing follows from the other cells of the row."""


@dataclass(frozen=True)
class File(Generic[R]):
    """One import file: what a row is, its columns and its key, and how the database holds it.

    `finish` completes a row from its own cells and tells what does not go together. `stored` selects what the
    database holds: id, the fields of a row, and for tables `by` key also whether a posting has taken it.
    `values` are a row's columns in the table of `model`; the numbers of other rows become their ids.
    """

    name: str
    row: Callable[..., R]
    key: tuple[str, ...]
    columns: dict[str, Column]
    model: type[Any]
    stored: Callable[[], Stored]
    values: Callable[[R, Ids], dict[str, Any]]
    finish: Callable[[R, Tell], None] = as_it_is
    # Set where a table is too large to be read as a whole: only the keys in question are.
    by: InstrumentedAttribute[Any] | None = None
    # Columns of which one is worked out from the other.
    paired: frozenset[str] = frozenset()

    @property
    def key_of(self) -> Callable[[R], Any]:
        return attrgetter(*self.key)


@dataclass
class Table(Generic[R]):
    """The rows of a file by their key (`rows`), where they stand (`origin`), and what is stored.

    A row with an error has an origin and no entry in `rows`: nothing is concluded from it. What it refers to
    (row number, column, key) is kept in `loose`.
    """

    file: File[R]
    given: bool = False
    damaged: bool = False
    absent: frozenset[str] = frozenset()
    rows: dict[Hashable, R] = field(default_factory=dict)
    origin: dict[Hashable, int] = field(default_factory=dict)
    stored: dict[Hashable, R] = field(default_factory=dict)
    ids: dict[Hashable, int] = field(default_factory=dict)
    taken: set[Hashable] = field(default_factory=set)
    loose: list[tuple[int, str, Hashable]] = field(default_factory=list)

    def fill_absent(self) -> None:
        """A column that the file does not have keeps what is stored."""
        if self.absent:
            for key in self.rows.keys() & self.stored.keys():
                kept = {name: getattr(self.stored[key], name) for name in self.absent}
                self.rows[key] = replace(self.rows[key], **kept)  # type: ignore[type-var]

    def knows(self, key: Hashable) -> bool:
        """Whether a reference to this key leads somewhere; in a file that could not be read, anything may."""
        return key in self.origin or key in self.stored or self.damaged

    def get(self, key: Hashable) -> R | None:
        """The row as it will be after the import; None where it is unknown or has an error."""
        return self.rows.get(key) if key in self.origin else self.stored.get(key)

    def merged(self) -> Iterator[R]:
        """Every row as it will be after the import."""
        yield from self.rows.values()
        yield from (row for key, row in self.stored.items() if key not in self.origin)

    def place(self, key: Hashable) -> Place | None:
        """File and row that say something about this key."""
        return (self.file.name, self.origin[key]) if key in self.origin else None

    def touched(self) -> Iterator[tuple[int, R, R | None]]:
        """Row number, row and what was stored before, of the file's rows that are new or change something."""
        for key, row in self.rows.items():
            old = self.stored.get(key)
            if row is not old and row != old:
                yield self.origin[key], row, old

    def is_touched(self, key: Hashable) -> bool:
        return key in self.rows and self.rows[key] != self.stored.get(key)

    def in_doubt(self, column: str) -> set[Hashable]:
        """What rows with an error refer to in a column: what follows for it is not known."""
        return {key for _, name, key in self.loose if name == column}


def read_table(file: File[R], sheet: Sheet, report: Report, tick: Callable[[], None]) -> Table[R]:
    """Parse every row of a sheet; every cell that cannot be read and every key given twice is told."""
    table = Table(file, given=True)
    parser = _RowParser(table, sheet, report)
    for record in sheet.records:
        tick()
        parser.parse(record)
    table.damaged = sheet.damaged or not set(file.key) <= set(sheet.columns)
    return table


class _RowParser(Generic[R]):
    """Turns records into rows. What can be known once a file is worked out once: there may be a million rows."""

    def __init__(self, table: Table[R], sheet: Sheet, report: Report) -> None:
        self.table, self.file, self.report = table, table.file, report
        self.complete = _check_header(table, sheet, report)
        self.names = list(self.file.columns)
        self.blank = [column.empty for column in self.file.columns.values()]
        self.key_positions = [self.names.index(name) for name in self.file.key]
        self.plan = [
            (position, sheet.columns.index(name), column)
            for position, (name, column) in enumerate(self.file.columns.items())
            if name in sheet.columns
        ]

    def parse(self, record: Record) -> None:
        values, sound = list(self.blank), record.sound and self.complete
        for position, at, column in self.plan:
            read = record.cells[at]
            if read is None:
                values[position], sound = UNREADABLE, False
                continue
            try:
                if cell := read.strip():
                    values[position] = column.parse(cell)
                elif column.required:
                    raise BadCell("required", "This field must not be empty.")
            except BadCell as bad:
                values[position], sound = bad, False
                if record.sound:
                    self.tell(record.row, self.names[position], bad.code, str(bad))
        if not self._take(record.row, values, sound):
            self._keep_references(record.row, values)

    def tell(self, row: int, field: str, code: str, message: str) -> None:
        self.report.error(self.file.name, row, field, code, message)

    def _take(self, row: int, values: list[Any], sound: bool) -> bool:
        """Enter the row under its key; False where it has an error."""
        parts = tuple([values[position] for position in self.key_positions])
        if any(part is None or isinstance(part, BadCell) for part in parts):
            return False
        key = parts if len(parts) > 1 else parts[0]
        if key in self.table.origin:
            spelled = ", ".join(map(str, parts))
            message = f"{spelled} stands in row {self.table.origin[key]} already. Remove one of the two."
            self.tell(row, self.file.key[-1], "duplicate_key", message)
            return False
        self.table.origin[key] = row
        if not sound:
            return False
        result, problems = self.file.row(*values), list[tuple[str, str, str]]()
        self.file.finish(result, lambda *problem: problems.append(problem))
        for problem in problems:
            self.tell(row, *problem)
        if not problems:
            self.table.rows[key] = result
        return not problems

    def _keep_references(self, row: int, values: list[Any]) -> None:
        for (name, column), value in zip(self.file.columns.items(), values, strict=True):
            if column.refers_to and isinstance(value, str):
                self.table.loose.append((row, name, value))


def _check_header(table: Table[R], sheet: Sheet, report: Report) -> bool:
    """Tell columns that are unknown, twice there or missing; whether rows can be made of the rest."""
    file, known, complete = table.file, table.file.columns, bool(sheet.columns)
    for column in sorted(set(sheet.columns)):
        if column not in known:
            message = f"There is no column '{column}' here. Known are {', '.join(known)}."
            report.error(file.name, 1, column, "unknown_column", message)
        if sheet.columns.count(column) > 1:
            report.error(file.name, 1, column, "duplicate_column", f"The column '{column}' is there twice.")
    for name, how in known.items():
        if sheet.columns and name not in sheet.columns and (how.required or name in file.key):
            complete = False
            report.error(file.name, 1, name, "missing_column", f"The column '{name}' is missing.")
    table.absent = frozenset(known) - set(sheet.columns) - file.paired
    return complete
