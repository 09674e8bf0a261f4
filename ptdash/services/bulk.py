"""Many rows in one statement, however many there are."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    any_,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from ptdash.db import Base


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], **same: Any) -> None:
    """Insert rows (values by column name; all rows name the same columns) with one statement.

    What is the `same` in every row is given, and travels, once.
    They travel as one JSON text that the database reads by its own column types: as fast as COPY, and a
    statement like every other. What holds for a single row holds for each of these: defaults, constraints,
    triggers.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    columns: list[Column[Any]] = [table.c[name] for name in rows[0]]
    shared: list[Column[Any]] = [table.c[name] for name in same]
    payload = cast(literal(json.dumps(rows, default=str), String), JSON)
    source = func.json_to_recordset(payload).table_valued(*(column(c.name, c.type) for c in columns))
    constants = (literal(value, table.c[name].type) for name, value in same.items())
    taken = select(*source.render_derived(with_types=True).c, *constants)
    session.execute(insert(table).from_select(columns + shared, taken))


@contextmanager
def planned_by_values(session: Session) -> Iterator[None]:
    """Have the statements within planned for the values they are given.

    A statement that was run a few times is else planned for any value: of a list it expects ten, of a day that
    few contracts run on it. Of thousands of rows that costs more than a new plan. For reading alone: a trigger
    would plan its statements anew for every row.
    """
    session.execute(select(func.set_config("plan_cache_mode", "force_custom_plan", True)))
    yield
    session.execute(select(func.set_config("plan_cache_mode", "auto", True)))


def among(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ids: Collection[int] | str
) -> ColumnElement[bool]:
    """Whether a column has one of these values: one array, so that the statement stays the same and prepared.

    A name instead of values is a parameter, for a statement that is put together once: a list is given to it.
    """
    values = bindparam(ids, type_=ARRAY(Integer)) if isinstance(ids, str) else literal(list(ids), ARRAY(Integer))
    return column == any_(values)
