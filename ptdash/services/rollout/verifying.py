"""The rollout's invariants, verified from the rows alone."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from ptdash.services.rollout.covering import of_covered

# What is on a device, was on it, or broke on it.
INSTALLED = """
    SELECT count(*) FROM rollout_tasks t
    WHERE t.status IN ('installed', 'reboot_pending', 'verified', 'rolled_back')
        OR t.status = 'failed' AND t.installed_at IS NOT NULL
"""
# Each rests on an approval that was in force at that instant, on a passed check of just that version, by somebody
# else where that was asked for, and on the window or an emergency.
UNAPPROVED = """
    SELECT format('device %s of customer %s: %s %s installed %s: %s', d.inventory_number, c.number, u.title,
                  u.version, coalesce(to_char(local.at, 'YYYY-MM-DD HH24:MI'), 'at no known time'), found.why)
    FROM rollout_tasks t
    JOIN devices d ON d.id = t.device_id
    JOIN customers c ON c.id = t.customer_id
    JOIN updates u ON u.id = t.update_id
    JOIN update_approvals a ON a.id = t.approval_id
    JOIN update_checks k ON k.id = a.check_id
    JOIN maintenance_windows w ON w.month = t.window_month
    CROSS JOIN LATERAL (SELECT t.installed_at AT TIME ZONE 'Europe/Berlin' AS at) local
    CROSS JOIN LATERAL (SELECT CASE
        WHEN t.installed_at IS NULL OR t.installed_by_id IS NULL THEN 'nobody says when or by whom'
        WHEN a.update_id <> t.update_id THEN 'the approval is of another update'
        WHEN t.installed_at < a.approved_at THEN 'it was not approved yet'
        WHEN t.installed_at > a.ended_at THEN 'the approval had ended'
        WHEN k.result <> 'passed' OR k.update_id <> t.update_id OR k.version <> u.version
            OR k.finished_at > a.approved_at THEN 'no passed check of this version'
        WHEN a.four_eyes AND k.tester_id = a.approved_by_id THEN 'tested and approved by the same person'
        WHEN t.emergency_by_id IS NOT NULL THEN NULL
        WHEN NOT (local.at::date = ANY (w.days) AND local.at::time >= w.opens_at AND local.at::time < w.closes_at)
            THEN 'outside its window, and no emergency'
        END AS why) found
    WHERE found.why IS NOT NULL AND (t.status IN ('installed', 'reboot_pending', 'verified', 'rolled_back')
        OR t.status = 'failed' AND t.installed_at IS NOT NULL)
    ORDER BY t.id
"""
WITHOUT_ONE = """
    SELECT format('device %s: %s tasks of %s %s', d.inventory_number, coalesce(t.n, 0), u.title, u.version)
    FROM covered v
    JOIN devices d ON d.id = v.device_id
    JOIN updates u ON u.id = v.update_id
    LEFT JOIN (
        SELECT update_id, device_id, count(*) AS n FROM rollout_tasks
        WHERE NOT followed AND stopped_at IS NULL GROUP BY 1, 2
    ) t ON t.update_id = v.update_id AND t.device_id = v.device_id
    WHERE v.allowed AND coalesce(t.n, 0) <> 1
    ORDER BY d.inventory_number, u.id
"""


def unapproved(session: Session) -> tuple[int, list[str]]:
    """How many installations there are, and those that rested on no valid approval at their instant."""
    checked = session.execute(text(INSTALLED)).scalar_one()
    return checked, list(session.execute(text(UNAPPROVED)).scalars())


def without_one_task(session: Session, today: date) -> tuple[int, list[str]]:
    """How many devices are covered by approved updates, and those that have not exactly one task of one."""
    covered = of_covered("SELECT count(*) FROM covered WHERE allowed")
    checked = session.execute(covered, {"today": today}).scalar_one()
    return checked, list(session.execute(of_covered(WITHOUT_ONE), {"today": today}).scalars())
