"""Demo data: a working company on the first start, made through the same import and services as real data."""

from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.models import User
from ptdash.services import importing, users
from ptdash.services.demo import acceptances, dispatch, notices, queue, updates
from ptdash.services.demo.bundle import USERS, build, closed_months

# No secret: printed at the start of every demo.
PASSWORD = "ptdash-demo"  # nosec B105
MANAGER = USERS[0][0]
__all__ = ["LOGINS", "MANAGER", "PASSWORD", "closed_months", "dispatch", "is_empty", "seed"]
LOGINS = tuple((email, role) for email, _name, role, _language in USERS)


def is_empty(session: Session) -> bool:
    """Whether nobody can sign in yet, so that nothing is there that demo data could spoil."""
    return not session.execute(select(exists(select(User.id)))).scalar_one()


def seed(session: Session, *, today: date, now: datetime) -> None:
    """Import the demo company's history, let its queue fill up, and give everybody the demo password."""
    with TemporaryDirectory(prefix="ptdash-demo-") as directory:
        build(today).write(Path(directory))
        result = importing.import_directory(session, Path(directory), today=today, actor_id=None, now=now)
    if not result.ok:
        raise RuntimeError(f"the demo data do not pass the import: {result.errors[:3]}")
    dispatch.prepare(session, now=now)
    queue.fill(session, datetime.combine(today, now.astimezone(BERLIN).time(), BERLIN))
    acceptances.seed(session, today=today, now=now)
    notices.seed(session, today=today, now=now, manager_id=users.by_email(session, MANAGER).id)
    updates.seed(session, today=today, now=now)
    _give_passwords(session, now)


def _give_passwords(session: Session, now: datetime) -> None:
    """Everybody has the same one, which is printed: hashed once, because a hash is slow on purpose."""
    first = users.by_email(session, MANAGER)
    users.set_password(session, first.id, PASSWORD, actor_id=None, now=now)
    session.flush()
    session.execute(update(User).where(User.password_hash.is_(None)).values(password_hash=first.password_hash))
