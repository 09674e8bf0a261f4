"""The next free number of a contract."""

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.models import Contract

NUMBERING_LOCK = 7_367_009
PREFIX = {"support": "SV-", "maintenance": "WV-"}
FIRST = {"support": 1001, "maintenance": 2001}


def following(session: Session, kind: str) -> str:
    """The number after the highest one of its kind; who numbers meanwhile waits until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(NUMBERING_LOCK)))
    prefix = PREFIX[kind]
    taken = session.execute(select(Contract.number).where(Contract.number.startswith(prefix))).scalars()
    found = [int(match[1]) for number in taken if (match := re.fullmatch(rf"{prefix}(\d{{1,9}})", number))]
    return f"{prefix}{max([FIRST[kind] - 1, *found]) + 1}"
