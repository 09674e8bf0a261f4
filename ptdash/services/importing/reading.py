"""From a file's bytes to its records. Every record counts as a row; row 1 is the header."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ptdash.services.importing.result import Report

SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Record:
    """One row's cells, one a column; None is a cell with characters that cannot be stored. That, and why a
    record is not `sound`, is told already."""

    row: int
    cells: list[str | None]
    sound: bool = True


@dataclass
class Sheet:
    """An opened file: its columns, and its records as they are read.

    `damaged` is set where reading stops before the end; what other files say about its rows is not judged then.
    """

    name: str
    columns: list[str]
    records: Iterator[Record]
    damaged: bool = False


def open_sheet(name: str, data: bytes, report: Report) -> Sheet:
    """Read the header. Quoting is that of RFC 4180; the header tells whether ; or , separates the cells."""
    sheet = Sheet(name, [], iter(()))
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        sheet.damaged = True
        report.error(name, 1, "", "wrong_encoding", "This file is UTF-16. Save it as UTF-8.")
        return sheet
    rows = _rows(sheet, data, report)
    header = next(rows, None)
    if header is not None:
        sheet.columns = [_column(name, cell, report) for cell in header[1]]
        sheet.records = _records(sheet, rows, suspect=b"\0" in data or not _is_utf8(data), report=report)
    elif not sheet.damaged:
        sheet.damaged = True
        report.error(name, 1, "", "empty_file", "This file is empty. Its first row names the columns.")
    return sheet


def _rows(sheet: Sheet, data: bytes, report: Report) -> Iterator[tuple[int, list[str]]]:
    # Bytes that are not UTF-8 become lone surrogates, so that every cell that holds one can be told.
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", errors="surrogateescape", newline="")
    header = re.split(rb"[\r\n]", data[:10_000].lstrip(), maxsplit=1)[0]
    reader = csv.reader(stream, delimiter=";" if b";" in header else ",", strict=True)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sheet.damaged = True
            message = f"From here on the file cannot be read: {error}. Check the quotes of this row."
            report.error(sheet.name, row, "", "malformed_csv", message)
            return
        if any(cell and not cell.isspace() for cell in cells):
            yield row, cells


def _column(name: str, cell: str, report: Report) -> str:
    if "\0" in cell or SURROGATE.search(cell):
        report.error(name, 1, "", "wrong_encoding", "The header is not UTF-8. Save the file with that encoding.")
    return SURROGATE.sub("?", cell.replace("\0", "?")).strip()[:100]


def _records(
    sheet: Sheet, rows: Iterator[tuple[int, list[str]]], *, suspect: bool, report: Report
) -> Iterator[Record]:
    """A record with a cell for every column is sound."""
    width = len(sheet.columns)
    for row, read in rows:
        cells: list[str | None] = [*read]
        if suspect:
            cells = [_storable(sheet, row, at, cell, report) for at, cell in enumerate(read)]
        if len(cells) != width:
            code = "too_few_fields" if len(cells) < width else "too_many_fields"
            message = f"This row has {len(cells)} fields, the header has {width}."
            report.error(sheet.name, row, "", code, message)
            yield Record(row, (cells + [""] * width)[:width], sound=False)
        else:
            yield Record(row, cells)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _storable(sheet: Sheet, row: int, at: int, cell: str, report: Report) -> str | None:
    column = sheet.columns[at] if at < len(sheet.columns) else ""
    if "\0" in cell:
        report.error(sheet.name, row, column, "nul_byte", "This field holds a NUL byte. Remove it.")
        return None
    if SURROGATE.search(cell):
        message = "This field is not UTF-8. Save the file with that encoding."
        report.error(sheet.name, row, column, "wrong_encoding", message)
        return None
    return cell
