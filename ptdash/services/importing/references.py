"""Whoever is referred to must be there: in the files, or in the database."""

from typing import Any

from ptdash.services.importing.tables import Table
from ptdash.services.importing.world import World

NOUNS = {
    "customers.csv": "customer",
    "users.csv": "user",
    "devices.csv": "device",
    "contracts.csv": "contract",
    "tickets.csv": "ticket",
}


def check(world: World) -> None:
    """Tell every reference that leads nowhere, also of rows with another error."""
    for table in world.tables.values():
        for name, column in table.file.columns.items():
            if column.refers_to:
                _check_column(world, table, name, world.tables[column.refers_to])


def _check_column(world: World, table: Table[Any], name: str, target: Table[Any]) -> None:
    noun, file = NOUNS[target.file.name], table.file.name
    references = [(table.origin[key], getattr(row, name)) for key, row in table.rows.items()]
    references += [(row, key) for row, loose, key in table.loose if loose == name]
    unknown = {key for _, key in references if key is not None and not target.knows(key)}
    for row, key in references:
        if key in unknown:
            message = f"There is no {noun} '{key}', neither in {target.file.name} nor in ptdash."
            world.report.error(file, row, name, f"unknown_{noun}", message)
