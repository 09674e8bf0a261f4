"""What stands in the books at the end, comparable; and what is wrong with it, whoever wrote it."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from ptdash.services import books, checks

# Left out: what differs from run to run without meaning anything (ids of rows, instants).
ROWS = {
    "settlement": "SELECT to_jsonb(s) - 'id' FROM settlements s",
    "posting": """SELECT to_jsonb(p) - '{run_id,invoice_id}'::text[] || jsonb_build_object('billed', EXISTS (
                      SELECT FROM invoices i WHERE i.id = p.invoice_id AND i.customer_id = p.customer_id))
                  FROM postings p""",
    "invoice": """SELECT to_jsonb(i) - '{id,number,series_number,run_id}'::text[] || jsonb_build_object('lines', (
                      SELECT jsonb_agg(to_jsonb(l) - 'invoice_id' ORDER BY l.pos)
                      FROM invoice_lines l WHERE l.invoice_id = i.id))
                  FROM invoices i""",
    "line": "SELECT to_jsonb(l) - 'invoice_id' FROM invoice_lines l",
    "e-invoice": """SELECT to_jsonb(x) - '{invoice_id,content,sha256,created_at}'::text[]
                           || jsonb_build_object('customer', i.customer_id, 'period', i.period)
                    FROM invoice_xmls x JOIN invoices i ON i.id = x.invoice_id""",
    "e-mail": """SELECT jsonb_build_object('customer', m.customer_id, 'kind', m.kind, 'recipient', m.recipient,
                                           'of an invoice', m.once = 'invoice:' || i.number)
                 FROM outbox_messages m LEFT JOIN invoices i ON i.id = m.invoice_id""",
    "customer's month": "SELECT to_jsonb(m) - 'run_id' FROM customer_months m",
    "period": "SELECT to_jsonb(p) - 'begun_at' FROM periods p",
    "books": "SELECT to_jsonb(b) FROM books b",
    "number series": "SELECT to_jsonb(n) FROM number_series n",
}
NUMBERS = "SELECT customer_id, series_year, series_number, number FROM invoices ORDER BY series_number"
UNFINISHED = "SELECT count(*) FROM runs WHERE finished_at IS NULL"
BEGUN = "SELECT count(*) FROM audit_events WHERE action = 'begin_close'"
RECORDED = "SELECT coalesce(sum((after ->> 'customers')::int), 0) FROM audit_events WHERE action = 'post'"
POSTED = "SELECT count(*) FROM postings"
BOTH = """SELECT count(*) FROM customer_months m JOIN postings p USING (customer_id, month)
          WHERE m.park_code IS NOT NULL"""


@dataclass(frozen=True)
class EndState:
    state: str
    rows: dict[str, Counter[str]]
    numbers: list[tuple[Any, ...]]
    wrong: list[str]

    def differences(self, other: "EndState", *, in_order: bool = True) -> list[str]:
        """How another end state differs from this one; with `in_order` each customer has the same number too."""
        found = list(other.wrong)
        if self.state != other.state:
            found.append(f"the month is {other.state}, not {self.state}")
        for what, rows in self.rows.items():
            found += [f"{what} missing: {row[:300]}" for row in (rows - other.rows[what]).elements()]
            found += [f"{what} too many: {row[:300]}" for row in (other.rows[what] - rows).elements()]
        if in_order and self.numbers != other.numbers:
            found.append("the numbers went to other customers")
        return found


def end_state(session: Session, month: date) -> EndState:
    numbers = [tuple(row) for row in session.execute(text(NUMBERS))]
    return EndState(
        state=books.state(session, month).value,
        rows={what: Counter(map(_plain, session.execute(text(sql)).scalars())) for what, sql in ROWS.items()},
        numbers=numbers,
        wrong=_wrong(session, numbers),
    )


def _wrong(session: Session, numbers: list[tuple[Any, ...]]) -> list[str]:
    """Everything that is wrong by itself, without a state to compare with."""
    verdict = checks.run(session)
    found = [f"{c['name']}: {violation}" for c in verdict["checks"] for violation in c["violations"]]
    drawn = [number for _, _, number, _ in numbers]
    if drawn != list(range(1, len(drawn) + 1)):
        found.append(f"numbers are not 1 to {len(drawn)}: {drawn}")
    if unfinished := session.scalar(text(UNFINISHED)):
        found.append(f"{unfinished} runs are not finished")
    if (begun := session.scalar(text(BEGUN))) != 1:
        found.append(f"the audit trail tells of {begun} beginnings")
    if (recorded := session.scalar(text(RECORDED))) != (posted := session.scalar(text(POSTED))):
        found.append(f"the audit trail tells of {recorded} postings, there are {posted}")
    if both := session.scalar(text(BOTH)):
        found.append(f"{both} customers are parked although they are posted")
    return found


def _plain(row: Any) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False)
