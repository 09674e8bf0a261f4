"""Many rows in one statement, however many there are."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Dialect,
    Integer,
    Table,
    bindparam,
    column,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine, UserDefinedType

from ptdash.db import Base


class ArrayOf(UserDefinedType[Iterable[Any]]):
    """Values as one parameter, written as PostgreSQL reads an array: the driver would ask each what it is."""

    cache_ok = True
    render_bind_cast = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        self.item = item

    def get_col_spec(self, **_: Any) -> str:
        return f"{self.item.compile(dialect=POSTGRESQL)}[]"

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        return _json_array if isinstance(self.item, JSON) else _array


POSTGRESQL = postgresql.dialect()
IDS = ArrayOf(Integer())


def _array(values: Iterable[Any]) -> str:
    return "{" + ",".join(["NULL" if value is None else _quoted(str(value)) for value in values]) + "}"


def _json_array(values: Iterable[Any]) -> str:
    return _array(None if value is None else json.dumps(value, default=str) for value in values)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], **same: Any) -> None:
    """Insert rows (values by column name; all rows name the same columns, none of an array type) with one
    statement.

    What is the `same` in every row is given, and travels, once.
    They travel as one array a column: nearly as fast as COPY, and a statement like every other. What holds for a
    single row holds for each of these: defaults, constraints, triggers.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    columns: list[Column[Any]] = [table.c[name] for name in rows[0]]
    shared: list[Column[Any]] = [table.c[name] for name in same]
    arrays = (literal([row[c.name] for row in rows], ArrayOf(c.type)) for c in columns)
    source = func.unnest(*arrays).table_valued(*(column(c.name, c.type) for c in columns))
    constants = (literal(value, table.c[name].type) for name, value in same.items())
    taken = select(*source.render_derived().c, *constants)
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

    A name instead of values is a parameter, for a statement that is put together once: integers are given to it.
    """
    values = bindparam(ids, type_=IDS) if isinstance(ids, str) else literal(ids, IDS)
    return column == func.any(values)
