"""Which devices get which approved updates, from the facts of a day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ARRAY, Date, TextClause, bindparam, text
from sqlalchemy.orm import Session

from ptdash.services.bulk import planned_by_values

# A device is covered by an approved update while it is in a running maintenance contract, runs an affected
# product, and may get it: bought from us or offered by us, or the contract says what was agreed on the product.
COVERED = """
    SELECT a.update_id, a.id AS approval_id, d.id AS device_id, c.id AS contract_id, c.customer_id,
           bool_or(dp.source = 'ours' OR p.offered_by_us OR EXISTS (
               SELECT FROM software_agreements s WHERE s.contract_id = c.id AND fold(btrim(s.product)) = p.key
           )) AS allowed
    FROM update_approvals a
    JOIN update_products up ON up.update_id = a.update_id
    JOIN products p ON p.id = up.product_id
    JOIN device_products dp ON dp.product_id = up.product_id
    JOIN devices d ON d.id = dp.device_id AND (d.retired_on IS NULL OR d.retired_on > :today)
    JOIN contract_devices cd ON cd.device_id = d.id AND cd.life @> CAST(:today AS date)
    JOIN contracts c ON c.id = cd.contract_id AND c.kind = 'maintenance' AND c.life @> CAST(:today AS date)
    WHERE a.ended_at IS NULL
    GROUP BY a.update_id, a.id, d.id, c.id
"""
# Of an update and a device one task is not followed and not stopped.
MISSING = """
    SELECT v.*, NULL::integer AS follows_id FROM covered v
    WHERE v.allowed AND NOT EXISTS (
        SELECT FROM rollout_tasks t WHERE t.update_id = v.update_id AND t.device_id = v.device_id
            AND NOT t.followed AND t.stopped_at IS NULL)
"""
UNCOVERED = """
    SELECT t.id FROM rollout_tasks t
    WHERE t.status = 'planned' AND t.stopped_at IS NULL AND NOT EXISTS (
        SELECT FROM covered v WHERE v.approval_id = t.approval_id AND v.device_id = t.device_id
            AND v.contract_id = t.contract_id AND v.allowed)
    ORDER BY t.id
"""
# Missed, skipped or failed in a window that is over, and still to be installed.
UNFINISHED = """
    SELECT v.*, t.id AS follows_id FROM rollout_tasks t
    JOIN covered v ON v.approval_id = t.approval_id AND v.device_id = t.device_id AND v.allowed
    WHERE t.status IN ('missed', 'skipped', 'failed') AND NOT t.followed AND t.stopped_at IS NULL
        AND t.window_month = ANY (:months)
    ORDER BY t.id
"""


@dataclass(frozen=True)
class New:
    """A task to be made; `follows_id`: the one of an earlier window that it takes up again."""

    update_id: int
    approval_id: int
    device_id: int
    contract_id: int
    customer_id: int
    follows_id: int | None = None


def missing(session: Session, today: date, approval_id: int | None = None) -> list[New]:
    """Covered devices that have no task of an approved update."""
    which, given = "", {}
    if approval_id is not None:
        which, given = " AND v.approval_id = :approval", {"approval": approval_id}
    return _new(session, MISSING + which + " ORDER BY v.approval_id, v.device_id", today, **given)


def unfinished(session: Session, today: date, months: Collection[date]) -> list[New]:
    """What windows that are over left undone on devices that are still covered."""
    return _new(session, UNFINISHED, today, months=list(months)) if months else []


def uncovered(session: Session, today: date) -> list[int]:
    """Planned tasks of devices that are covered no longer, or now by another contract."""
    with planned_by_values(session):
        return list(session.execute(of_covered(UNCOVERED), {"today": today}).scalars())


def not_allowed(session: Session, today: date, approval_id: int) -> list[int]:
    """Devices in running contracts that run an affected product, but software of which nothing was agreed."""
    found = "SELECT device_id FROM covered WHERE NOT allowed AND approval_id = :approval"
    with planned_by_values(session):
        return list(session.execute(of_covered(found), {"today": today, "approval": approval_id}).scalars())


def _new(session: Session, statement: str, today: date, **given: object) -> list[New]:
    with planned_by_values(session):
        rows: Sequence[object] = session.execute(of_covered(statement), {"today": today, **given}).all()
    return [
        New(row.update_id, row.approval_id, row.device_id, row.contract_id, row.customer_id, row.follows_id)  # type: ignore[attr-defined]
        for row in rows
    ]


def of_covered(statement: str) -> TextClause:
    """A statement that reads `covered`."""
    whole = text("WITH covered AS (" + COVERED + ") " + statement).bindparams(bindparam("today", type_=Date()))
    return whole.bindparams(bindparam("months", type_=ARRAY(Date()))) if ":months" in statement else whole
