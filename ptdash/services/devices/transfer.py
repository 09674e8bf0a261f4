"""Devices as CSV: what the list shows, in the columns that can be imported again; and such files read in."""

import csv
from collections.abc import Iterable
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import Device, DeviceProduct
from ptdash.services import importing
from ptdash.services.bulk import among
from ptdash.services.devices.listing import Row
from ptdash.services.importing import ImportResult
from ptdash.services.importing.rows.devices import DEVICES, PRODUCTS

FILES = (DEVICES.name, PRODUCTS.name)


def devices_csv(rows: Iterable[Row]) -> bytes:
    """The devices of a list, with the columns of devices.csv."""
    return _written(
        DEVICES.columns,
        (
            [row.customer.number if name == "customer" else getattr(row.device, name) for name in DEVICES.columns]
            for row in rows
        ),
    )


def products_csv(session: Session, rows: Iterable[Row]) -> bytes:
    """What runs on the devices of a list, with the columns of device_products.csv."""
    ids = [row.device.id for row in rows]
    found = session.execute(
        select(Device.inventory_number, DeviceProduct)
        .join(Device, Device.id == DeviceProduct.device_id)
        .where(among(DeviceProduct.device_id, ids))
        .order_by(Device.inventory_number, DeviceProduct.product)
    )
    return _written(
        PRODUCTS.columns,
        (
            [device if name == "device" else getattr(product, name) for name in PRODUCTS.columns]
            for device, product in found
        ),
    )


def import_files(
    session: Session,
    contents: dict[str, bytes],
    *,
    dry_run: bool,
    today: date,
    actor_id: int,
    now: datetime,
) -> ImportResult:
    """Read in devices.csv and device_products.csv, or one of them: all of it, or with any error nothing.

    With `dry_run` nothing is written, and the answer says what would be.
    """
    with TemporaryDirectory(prefix="ptdash-devices-") as directory:
        for name in FILES:
            if name in contents:
                (Path(directory) / name).write_bytes(contents[name])
        return importing.import_directory(
            session, Path(directory), today=today, actor_id=actor_id, now=now, dry_run=dry_run
        )


def _written(columns: Iterable[str], rows: Iterable[list[Any]]) -> bytes:
    """UTF-8 with byte order mark, semicolons, CRLF: spreadsheets open it, the import reads it."""
    text = StringIO(newline="")
    out = csv.writer(text, delimiter=";", lineterminator="\r\n")
    out.writerow(columns)
    out.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
