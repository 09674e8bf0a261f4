"""Writes what is new and what has changed, in an order that the database accepts."""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Insert, bindparam, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from ptdash.models import Contract, ContractDevice, Material, Role, TimeEntry
from ptdash.services import users
from ptdash.services.importing.loading import CHUNK, chunks
from ptdash.services.importing.rows.contracts import CONTRACTS
from ptdash.services.importing.rows.inclusions import INCLUSIONS, end_of
from ptdash.services.importing.rows.prices import PRICES
from ptdash.services.importing.rows.time_and_material import TIME_ENTRIES
from ptdash.services.importing.tables import CUSTOMER_OF_TICKET, Ids, Table
from ptdash.services.importing.world import FILES, World

Tick = Callable[[int], None]


def write(session: Session, world: World, now: datetime, tick: Tick) -> None:
    """Flush the files into the database; the rules have been checked, whatever it still refuses raises."""
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    ids: Ids = {file.name: world.tables[file.name].ids for file in FILES}
    for file in FILES:
        world.at_work_on = file.name
        if before := BEFORE.get(file.name):
            before(session, world, ids)
        _write_table(session, world.tables[file.name], _values(world, ids, file.name), tick)
    _end_sessions(session, world, now)
    session.flush()
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.expire_all()


def _values(world: World, ids: Ids, name: str) -> Callable[[Any], dict[str, Any]]:
    file = world.tables[name].file
    if name == CONTRACTS.name:
        return lambda row: {**file.values(row, ids), "ends_before": world.ends[row.number]}
    if name == INCLUSIONS.name:
        return lambda row: {**file.values(row, ids), "ends_before": end_of(world, row)}
    return lambda row: file.values(row, ids)


def _write_table(session: Session, table: Table[Any], values: Callable[[Any], dict[str, Any]], tick: Tick) -> None:
    """Changes first: they may make room for what is new. In the order of keys, so that the order of the rows
    in the file leaves no trace."""
    model: Any = table.file.model
    touched = sorted((table.file.key_of(row) for _, row, _ in table.touched()))
    if table.file is PRICES:
        # A price that is followed by a later one does not count for the months after that one.
        touched.reverse()
    changed = [key for key in touched if key in table.stored]
    new = [key for key in touched if key not in table.stored]
    tick(len(table.rows) - len(touched))
    for keys in chunks(changed, CHUNK):
        rows = [values(table.rows[key]) | _id(table, key) for key in keys]
        session.execute(update(model), rows)
        tick(len(keys))
    for keys in chunks(new, CHUNK):
        _insert(session, table, model, keys, [values(table.rows[key]) for key in keys])
        tick(len(keys))


def _insert(
    session: Session, table: Table[Any], model: Any, keys: Sequence[Hashable], rows: list[dict[str, Any]]
) -> None:
    if any(column.refers_to == table.file.name for file in FILES for column in file.columns.values()):
        ids = session.execute(insert(model).returning(model.id, sort_by_parameter_order=True), rows)
        table.ids.update(zip(keys, ids.scalars(), strict=True))
    else:
        session.execute(_insert_arrays(model, rows))


def _insert_arrays(model: Any, rows: list[dict[str, Any]]) -> Insert:
    """One statement with an array a column: a statement a row takes several times as long."""
    columns = [model.__table__.c[name] for name in rows[0]]
    arrays = [bindparam(None, [row[column.name] for row in rows], ARRAY(column.type)) for column in columns]
    return insert(model).from_select(columns, select(*(func.unnest(array) for array in arrays)))


def _id(table: Table[Any], key: Hashable) -> dict[str, int]:
    return {"id": table.ids[key]} if key in table.ids else {}


def _store_ends(session: Session, world: World, _ids: Ids) -> None:
    """The last days of contracts that are not in the file, but whose notices or customers are: a successor
    needs the room."""
    ends = [
        {"id": world.contracts.ids[number], "ends_before": world.ends[number]}
        for number in sorted(_affected(world))
        if not world.contracts.is_touched(number) and world.ends[number] != world.last_days.get(number)
    ]
    if ends:
        session.execute(update(Contract), ends)


def _end_devices(session: Session, world: World, _ids: Ids) -> None:
    """A contract's end ends its devices, and a withdrawal lets them run on."""
    affected = _affected(world)
    ends = [
        {"id": world.inclusions.ids[row.key], "ends_before": end_of(world, row)}
        for row in sorted(world.inclusions.merged(), key=lambda row: row.key)
        if row.contract in affected
        and row.key in world.inclusions.ids
        and not world.inclusions.is_touched(row.key)
    ]
    if ends:
        session.execute(update(ContractDevice), ends)


def _affected(world: World) -> set[str]:
    """Contracts whose end the files may have moved."""
    customers = {number for number in world.customers.origin if world.customers.is_touched(number)}
    affected = {row.contract for _, row, _ in world.notices.touched()}
    affected |= {row.number for _, row, _ in world.contracts.touched()}
    affected |= {row.number for row in world.contracts.merged() if row.customer in customers}
    return affected & world.ends.keys()


def _move_tickets(session: Session, world: World, ids: Ids) -> None:
    """Time and material that no posting has taken go with their ticket to its new customer."""
    customers = ids["customers.csv"]
    tickets = {row.number: customers[row.customer] for row in world.tickets.merged()}
    ids[CUSTOMER_OF_TICKET] = tickets
    for _, row, old in sorted(world.tickets.touched(), key=lambda touched: touched[1].number):
        if old and old.customer != row.customer:
            for model in (TimeEntry, Material):
                moved = update(model).where(model.ticket_id == world.tickets.ids[row.number])
                session.execute(moved.values(customer_id=customers[row.customer]))


def _end_sessions(session: Session, world: World, now: datetime) -> None:
    """Whoever gets another role signs in again."""
    for _, row, old in world.users.touched():
        if old and Role(old.role) is not Role(row.role):
            users.end_sessions(session, world.users.ids[row.email], now=now)


# What the rows of a file need before they are written.
BEFORE: dict[str, Callable[[Session, World, Ids], None]] = {
    CONTRACTS.name: _store_ends,
    INCLUSIONS.name: _end_devices,
    TIME_ENTRIES.name: _move_tickets,
}
