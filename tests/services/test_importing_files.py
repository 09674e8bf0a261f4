"""Reading the files themselves: encodings, delimiters, quotes, headers; and whatever else somebody hands in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.db import db
from ptdash.models import Customer, Ticket
from ptdash.services.importing import import_directory
from tests.conftest import NOW, empty
from tests.services.import_bundle import HEADERS, ROWS, TODAY, bundle, errors, run, warnings

CUSTOMERS = bundle()["customers.csv"]


@pytest.fixture(scope="module")
def first_day(migrated_app: Flask) -> Iterator[Session]:
    with migrated_app.app_context():
        empty(migrated_app)
        yield db.session()
        db.session.rollback()
        db.session.remove()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(CUSTOMERS.encode(), id="UTF-8"),
        pytest.param(CUSTOMERS.encode("utf-8-sig"), id="UTF-8 with BOM"),
        pytest.param(CUSTOMERS.replace(";", ",").encode(), id="commas"),
        pytest.param(CUSTOMERS.replace("\n", "\r\n").encode(), id="Windows line ends"),
        pytest.param(CUSTOMERS.replace("\n", "\r").encode(), id="old Mac line ends"),
        pytest.param(CUSTOMERS.rstrip("\n").encode(), id="no last line end"),
        pytest.param((CUSTOMERS + "\n\n;;;;;;;;;\n  \n").encode(), id="blank rows at the end"),
        pytest.param(CUSTOMERS.replace("Münster", '"Münster"').encode(), id="quotes"),
        pytest.param(CUSTOMERS.replace("Münster", " Münster ").encode(), id="spaces around"),
    ],
)
def test_the_same_customers_in_other_spellings(first_day: Session, tmp_path: Path, data: bytes) -> None:
    result = run(first_day, tmp_path, {"customers.csv": data})
    cities = list(first_day.scalars(select(Customer.city)))
    first_day.rollback()

    assert errors(result) == []
    assert cities == ["Münster", "Münster"]


def test_quoted_cells_hold_delimiters_quotes_and_line_ends(first_day: Session, tmp_path: Path) -> None:
    row = 'T9;K1;phone;software;;;"a;b ""c""";"one\r\ntwo";;;;2026-09-01 08:00;'
    result = run(first_day, tmp_path, bundle(tickets=[row, "T9;K1"]))
    # The embedded line end does not count: the next record is row 5.
    assert errors(result) == [
        ("tickets.csv", 5, "", "too_few_fields"),
        ("tickets.csv", 5, "number", "duplicate_key"),
    ]

    assert run(first_day, tmp_path, bundle(tickets=[row])).ok
    ticket = first_day.execute(select(Ticket.subject, Ticket.body).where(Ticket.number == "T9")).one()
    first_day.rollback()
    assert tuple(ticket) == ('a;b "c"', "one\r\ntwo")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(CUSTOMERS.encode("latin-1"), [(2, "name"), (2, "street"), (2, "city")], id="Latin-1"),
        pytest.param(CUSTOMERS.replace("K2;J\u00f6rg", "K2;J\0rg").encode(), [(3, "name")], id="NUL"),
        pytest.param(CUSTOMERS.encode("utf-16"), [(1, "")], id="UTF-16"),
        pytest.param(b"", [(1, "")], id="nothing"),
        pytest.param(b"\n\n", [(1, "")], id="blank lines only"),
        pytest.param(b"\xff;\x00\nK3;x\n", [(1, "")], id="a header that is not text"),
    ],
)
def test_what_is_no_text_is_told_by_row_and_field(
    first_day: Session, tmp_path: Path, data: bytes, expected: list[tuple[int, str]]
) -> None:
    result = run(first_day, tmp_path, {"customers.csv": data})
    places = [(problem.row, problem.field) for problem in result.errors]

    assert set(expected) <= set(places)
    assert {problem.code for problem in result.errors} & {"wrong_encoding", "nul_byte", "empty_file"}
    assert first_day.scalar(select(func.count()).select_from(Customer)) == 0


def test_a_directory_that_is_not_there_is_an_error(first_day: Session, tmp_path: Path) -> None:
    result = import_directory(first_day, tmp_path / "nowhere", today=TODAY, actor_id=None, now=NOW)
    assert errors(result) == [("nowhere", 1, "", "unreadable")]


def test_a_directory_without_known_files_is_an_error(first_day: Session, tmp_path: Path) -> None:
    result = run(first_day, tmp_path, {"custmers.csv": CUSTOMERS})

    assert [problem.code for problem in result.errors] == ["no_files"]
    assert warnings(result) == [("custmers.csv", 1, "", "unknown_file")]


def test_an_unknown_file_beside_known_ones_is_a_warning(first_day: Session, tmp_path: Path) -> None:
    result = run(first_day, tmp_path, bundle() | {"notes.csv": "x"}, dry_run=True)
    assert result.ok and warnings(result) == [("notes.csv", 1, "", "unknown_file")]


CELLS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "0", "-1", "1.234,5", "NaN", "1e9", "9" * 30, "2026-02-30", "9999-12-31", "31.12.2200", "none", "K2"]
    ),
    st.sampled_from(
        ["2026-03-29 02:30", "2026-10-25T02:30", "2200-12-31 23:59", "yes", "extraordinary", "support"]
    ),
    st.sampled_from(["1900-01-01", "2026-10-31", "600", "SV-1", "T2", "WV-2", "D2", "goodwill", '"', "١", "\x0b"]),
)
PATIENT = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@PATIENT
@given(data=st.data())
def test_no_cell_whatever_it_holds_breaks_the_import(
    first_day: Session, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    files = {name: [line.split(";") for line in [HEADERS[name], *ROWS[name]]] for name in HEADERS}
    for _ in range(data.draw(st.integers(1, 4))):
        rows = files[data.draw(st.sampled_from(sorted(files)))]
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(CELLS)
    texts = {name: "\n".join(";".join(row) for row in rows) for name, rows in files.items()}

    check_survives(
        first_day, tmp_path_factory, {name: text.encode(errors="replace") for name, text in texts.items()}
    )


@PATIENT
@given(data=st.data())
def test_no_bytes_break_the_import(
    first_day: Session, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    contents = {name: text.encode() for name, text in bundle().items()}
    name = data.draw(st.sampled_from(sorted(contents)))
    at = data.draw(st.integers(0, len(contents[name])))
    junk, gone = data.draw(st.binary(max_size=30)), data.draw(st.integers(0, 5))
    contents[name] = contents[name][:at] + junk + contents[name][at + gone :]

    check_survives(first_day, tmp_path_factory, contents)


def check_survives(session: Session, directories: pytest.TempPathFactory, contents: dict[str, bytes]) -> None:
    """No exception, a well-formed answer, and nothing written where there is an error; the database refuses
    nothing that the rules let through."""
    result = run(session, directories.mktemp("fuzz"), contents)
    written = session.scalar(select(func.count()).select_from(Customer))
    session.rollback()

    assert "The database refuses" not in " ".join(problem.message for problem in result.errors)
    assert result.ok or written == 0
    for problem in (*result.errors, *result.warnings):
        assert problem.message and problem.code and problem.row >= 1
        str(problem.as_json()).encode()
