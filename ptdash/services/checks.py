"""The invariants of the books, each verified from the rows alone; a violation names the row a person can find."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from ptdash.domain.bills import vat_shares
from ptdash.domain.periods import berlin_day
from ptdash.domain.vat import VatCategory
from ptdash.models import AuditEvent, AuditSeal
from ptdash.services import contracts, invoice_originals
from ptdash.services.audit import GENESIS, HASHED, link
from ptdash.services.rollout import verifying

SEALED_WITHIN = timedelta(minutes=5)
SHOWN = 50


@dataclass(frozen=True)
class Verdict:
    checked: int
    violations: list[str]


def run(session: Session) -> dict[str, Any]:
    """Every check with how many rows it looked at and what violates it (the first 50 each)."""
    # Each reads whole tables. Joining them row by row would never end, whatever the planner expects to find.
    session.execute(text("SET LOCAL enable_nestloop = off"))
    results = []
    for check in CHECKS:
        verdict = check(session)
        results.append(
            {
                "name": check.__name__,
                "ok": not verdict.violations,
                "checked": verdict.checked,
                "violations": verdict.violations[:SHOWN],
            }
        )
    return {"ok": all(result["ok"] for result in results), "checks": results}


def minutes_conserved(session: Session) -> Verdict:
    """Every entry of a posted month is in a settlement, in a posted line, not billed by its treatment, or late.

    Recomputed per customer and month: the package minutes on the settled days are the settlements' used
    minutes, and what is left over together with the separate minutes is what the separate lines bill.
    """
    rows = session.execute(text(_MINUTES)).all()
    return Verdict(
        checked=sum(row.entries for row in rows),
        violations=[
            f"customer {row.customer}, {row.month:%Y-%m}: {row.package} package minutes on settled days, "
            f"{row.used} settled; {row.separate} minutes to bill separately, {row.billed} billed"
            for row in rows
            if row.package != row.used or row.separate != row.billed
        ],
    )


def owed_is_issued(session: Session) -> Verdict:
    """What a posted month owes stands on its issued lines; only a negative rest may wait for lines to cover it."""
    return _from_sql(
        session,
        "SELECT count(*) FROM (SELECT DISTINCT customer_id, month FROM postings) AS months",
        """SELECT format('customer %s, %s: owes %s cents, issued %s', c.number, to_char(p.month, 'YYYY-MM'),
                         p.owed_cents, coalesce(l.issued, 0))
           FROM (SELECT DISTINCT ON (customer_id, month) * FROM postings ORDER BY customer_id, month, n DESC) p
           JOIN customers c ON c.id = p.customer_id
           LEFT JOIN (SELECT i.customer_id, l.service_month, sum(l.net_cents) AS issued
                      FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id GROUP BY 1, 2) l
               ON l.customer_id = p.customer_id AND l.service_month = p.month
           -- CASE, so that the function is asked about the few rows only that differ.
           WHERE CASE WHEN coalesce(l.issued, 0) < p.owed_cents THEN month_is_held(p.customer_id, p.month) END""",
    )


def settlement_sums(session: Session) -> Verdict:
    """used = covered + overage and included = covered + expired, in every settlement."""
    return _from_sql(
        session,
        "SELECT count(*) FROM settlements",
        """SELECT format('contract %s, %s, posting %s', c.number, to_char(s.month, 'YYYY-MM'), s.n)
           FROM settlements s JOIN contracts c ON c.id = s.contract_id
           WHERE s.used_minutes <> s.covered_minutes + s.overage_minutes
              OR s.included_minutes <> s.covered_minutes + s.expired_minutes
              OR s.covered_minutes <> least(s.used_minutes, s.included_minutes)""",
    )


def invoice_numbers(session: Session) -> Verdict:
    """Unique and gapless from 1 in every year, and the series stands where the last invoice is."""
    return _from_sql(
        session,
        "SELECT count(*) FROM invoices",
        """SELECT format('%s: %s invoices, numbers %s to %s, series at %s', coalesce(n.year, i.year), i.count,
                         i.first, i.highest, n.last)
           FROM number_series n FULL JOIN (
               SELECT series_year AS year, count(*), min(series_number) AS first, max(series_number) AS highest
               FROM invoices GROUP BY series_year) i USING (year)
           WHERE i.count IS DISTINCT FROM n.last OR i.first <> 1 OR i.highest IS DISTINCT FROM n.last""",
    )


def invoice_sums(session: Session) -> Verdict:
    """The lines add up to the net amount, VAT is rounded once on each rate's sum, gross is both."""
    rows = session.execute(
        text(
            """SELECT i.number, i.net_cents, i.vat_cents, i.gross_cents, l.vat_category, l.vat_rate,
                      sum(l.net_cents) AS lines
               FROM invoices i LEFT JOIN invoice_lines l ON l.invoice_id = i.id
               GROUP BY i.id, l.vat_category, l.vat_rate ORDER BY i.id"""
        )
    ).all()
    sums: dict[str, list[Any]] = {}
    for row in rows:
        sums.setdefault(row.number, []).append(row)
    violations = []
    for number, parts in sums.items():
        shares = vat_shares(
            (VatCategory(p.vat_category), p.vat_rate, int(p.lines)) for p in parts if p.vat_category
        )
        net, vat = sum(s.net_cents for s in shares), sum(s.vat_cents for s in shares)
        if (parts[0].net_cents, parts[0].vat_cents, parts[0].gross_cents) != (net, vat, net + vat) or not shares:
            violations.append(f"invoice {number}: lines give {net} net and {vat} VAT (cents)")
    return Verdict(len(sums), violations)


def nothing_unapproved_installed(session: Session) -> Verdict:
    """Every installed update was approved at that instant, on a passed check, in its window or as an emergency."""
    return Verdict(*verifying.unapproved(session))


def one_task_a_covered_device(session: Session) -> Verdict:
    """Every device that was covered by an approved update yesterday and still is has exactly one task of it."""
    today = berlin_day(session.execute(select(func.now())).scalar_one())
    checked, violations = verifying.without_one_task(session, today)
    _, before = verifying.without_one_task(session, today - timedelta(days=1))
    return Verdict(checked, [row for row in violations if row in before])


def only_accepted_devices_in_contracts(session: Session) -> Verdict:
    """A device that was not bought from us had a valid acceptance on the day it entered its contract."""
    return _from_sql(
        session,
        "SELECT count(*) FROM contract_devices",
        """SELECT format('device %s in contract %s from %s', d.inventory_number, c.number, x.included_from)
           FROM contract_devices x JOIN devices d ON d.id = x.device_id JOIN contracts c ON c.id = x.contract_id
           WHERE NOT may_enter_contract(x.device_id, x.included_from)""",
    )


def contract_ends(session: Session) -> Verdict:
    """The stored last day of every contract is the one its terms and notices give; its devices end with it."""
    violations = []
    checked = 0
    for contract, derived in contracts.derived_ends(session):
        checked += 1
        if contract.ends_before != derived:
            violations.append(f"contract {contract.number}: stored {contract.ends_before}, derived {derived}")
    devices = text(
        """SELECT format('device %s in contract %s: ends before %s', d.inventory_number, c.number, x.ends_before)
           FROM contract_devices x JOIN devices d ON d.id = x.device_id JOIN contracts c ON c.id = x.contract_id
           WHERE x.ends_before IS DISTINCT FROM least(x.included_until + 1, c.ends_before)"""
    )
    return Verdict(checked, violations + list(session.execute(devices).scalars()))


def audit_chain(session: Session) -> Verdict:
    """The sealed part is intact, link by link, and nothing older than five minutes is unsealed."""
    violations: list[str] = []
    head, seq = GENESIS, 0
    sealed = select(AuditSeal.seq, AuditSeal.hash, *HASHED).join(AuditEvent, AuditEvent.id == AuditSeal.event_id)
    for place, stored, *event in session.execute(sealed.order_by(AuditSeal.seq).execution_options(yield_per=1000)):
        seq, head = seq + 1, link(head, event)
        if (place, stored) != (seq, head):
            violations.append(f"audit event {event[0]}: the chain is broken at link {place}")
            seq, head = place, stored
    unsealed = session.execute(
        select(AuditEvent.id)
        .where(~select(AuditSeal).where(AuditSeal.event_id == AuditEvent.id).exists())
        .where(AuditEvent.at < func.now() - SEALED_WITHIN)
    ).scalars()
    violations += [f"audit event {event_id}: not sealed after five minutes" for event_id in unsealed]
    return Verdict(session.execute(select(func.count()).select_from(AuditEvent)).scalar_one(), violations)


def documents_match(session: Session) -> Verdict:
    """Stored files have the hash they were stored with; every invoice has its XML, which says what the ledger
    says, and its PDF carries it."""
    files = _from_sql(
        session,
        "SELECT count(*) FROM stored_files",
        """SELECT 'file ' || id || ' (' || name || '): its content is not what was stored' FROM stored_files
           WHERE sha256 <> encode(sha256(content), 'hex') ORDER BY id""",
    )
    documents = list(invoice_originals.violations(session))
    return Verdict(files.checked + invoice_originals.count(session), files.violations + documents)


CHECKS: tuple[Callable[[Session], Verdict], ...] = (
    minutes_conserved,
    owed_is_issued,
    settlement_sums,
    invoice_numbers,
    invoice_sums,
    nothing_unapproved_installed,
    one_task_a_covered_device,
    only_accepted_devices_in_contracts,
    contract_ends,
    audit_chain,
    documents_match,
)


def _from_sql(session: Session, count: str, violations: str) -> Verdict:
    found: Iterable[str] = session.execute(text(violations)).scalars()
    return Verdict(session.execute(text(count)).scalar_one(), list(found))


_MINUTES = """
WITH newest AS (
    SELECT DISTINCT ON (customer_id, month) customer_id, month, n, separate_minutes
    FROM postings ORDER BY customer_id, month, n DESC
), entry AS (
    SELECT e.customer_id, e.service_month AS month, e.treatment, e.minutes,
           (e.started_at AT TIME ZONE 'Europe/Berlin')::date AS day
    FROM time_entries e JOIN newest p ON p.customer_id = e.customer_id AND p.month = e.service_month
    WHERE e.posting_n <= p.n AND e.reverses_id IS NULL
      AND NOT EXISTS (SELECT FROM time_entries r
                      WHERE r.reverses_id IS NOT NULL AND r.reverses_id = e.id AND r.posting_n <= p.n)
), settled AS (
    SELECT s.* FROM settlements s JOIN newest p USING (customer_id, month, n)
), drawn AS (
    SELECT e.customer_id, e.month, count(*) AS entries,
           coalesce(sum(e.minutes) FILTER (WHERE e.treatment = 'package'
                                           AND s.contract_id IS NOT NULL), 0) AS package,
           coalesce(sum(e.minutes) FILTER (WHERE e.treatment = 'separate'
                                           OR e.treatment = 'package' AND s.contract_id IS NULL), 0) AS separate
    FROM entry e LEFT JOIN settled s ON s.customer_id = e.customer_id AND s.month = e.month
         AND e.day >= s.covered_from AND e.day < s.covered_from + s.covered_days
    GROUP BY e.customer_id, e.month
), used AS (
    SELECT customer_id, month, sum(used_minutes) AS used FROM settled GROUP BY customer_id, month
)
SELECT c.number AS customer, p.month, coalesce(d.entries, 0) AS entries, coalesce(d.package, 0) AS package,
       coalesce(u.used, 0) AS used, coalesce(d.separate, 0) AS separate, p.separate_minutes AS billed
FROM newest p
JOIN customers c ON c.id = p.customer_id
LEFT JOIN drawn d USING (customer_id, month)
LEFT JOIN used u USING (customer_id, month)
"""
