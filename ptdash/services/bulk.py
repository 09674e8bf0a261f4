"""Many rows in one statement, however many there are."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Date,
    Dialect,
    Engine,
    Integer,
    Numeric,
    Table,
    bindparam,
    event,
    func,
    literal,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine, UserDefinedType

from ptdash.db import Base


class _Ids(UserDefinedType[Iterable[int]]):
    """Integers as one parameter, written as PostgreSQL reads an array: the driver would ask each what it is."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "INTEGER[]"

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        return lambda ids: "{" + ",".join(map(str, ids)) + "}"


IDS = _Ids()
# Written with digits and signs only.
PLAIN = (Integer, Numeric, Date)
COPY = "COPY "
NOTHING = "\\N"
_encode = json.JSONEncoder(default=str).encode


@event.listens_for(Engine, "do_execute")
def _copy(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    """COPY takes its rows beside the statement; whether this was one."""
    if not statement.startswith(COPY):
        return False
    with cursor.copy(statement) as out:
        out.write(parameters["rows"])
    return True


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], **same: Any) -> None:
    """Insert rows (values by column name; all rows name the same columns, none of an array type) with COPY.

    What is the `same` in every row is given once. What holds for a single row holds for each of these: defaults,
    constraints, triggers; and for COPY what holds for every statement: its transaction, its errors.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)
    own = [_written(table.c[name].type, [row[name] for row in rows]) for name in rows[0]]
    shared = [repeat(_written(table.c[name].type, [value])[0]) for name, value in same.items()]
    lines = map("\t".join, zip(*own, *shared, strict=False))
    target = f"{table.fullname} ({', '.join([*rows[0], *same])})"
    session.connection().exec_driver_sql(f"{COPY}{target} FROM STDIN", {"rows": "\n".join(lines)})


def _written(kind: TypeEngine[Any], values: Sequence[Any]) -> list[str]:
    """Values as COPY reads them, see "Text Format" of its documentation."""
    if isinstance(kind, PLAIN):
        return [NOTHING if value is None else str(value) for value in values]
    if isinstance(kind, JSON):
        values = [None if value is None else _encode(value) for value in values]
    return [NOTHING if value is None else _escaped(str(value)) for value in values]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


@contextmanager
def planned_by_values(session: Session) -> Iterator[None]:
    """Have the statements within planned for the values they are given.

    A statement that was run a few times is else planned for any value: of a list it expects ten, of a day that
    few contracts run on it. Of thousands of rows that costs more than a new plan. For reading alone: a trigger
    would plan its statements anew for every row.
    """
    session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    yield
    session.execute(text("SET LOCAL plan_cache_mode = auto"))


def among(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ids: Collection[int] | str
) -> ColumnElement[bool]:
    """Whether a column has one of these values: one array, so that the statement stays the same and prepared.

    A name instead of values is a parameter, for a statement that is put together once: integers are given to it.
    """
    values = bindparam(ids, type_=IDS) if isinstance(ids, str) else literal(ids, IDS)
    return column == func.any(values)
