"""People who sign in: accounts, passwords, sessions, preferences."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Select, and_, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.models import Role, Ticket, TimeEntry, User, UserSession
from ptdash.services import audit
from ptdash.services.timers import RUNNING, Running

LANGUAGES = ("de", "en")
THEMES = ("system", "light", "dark")
PASSWORD_CHARACTERS = 10
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=30)
SEEN_STEP = timedelta(minutes=1)

_hasher = PasswordHasher()
# Verified where there is no account, so that the time of the answer gives no hint; nobody knows its password.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$yOgtuP/fQKNjb836pa3Grw$jQ2pLxZhkpc5IWZ6dHWLlf/6gt6tVLm7bg/xEGeAy0A"


class UserNotFound(NotFound):
    message = "There is no user %(user)s."


class EmailTaken(Conflict):
    message = "There is already a user with the e-mail address %(email)s."


class EmailInvalid(Invalid):
    message = "%(email)s is not an e-mail address. Enter one like name@example.com."


class NameMissing(Invalid):
    message = "Enter a name."


class RoleUnknown(Invalid):
    message = "%(role)s is not a role. Choose dispatcher, technician, manager or admin."


class ChoiceUnknown(Invalid):
    message = "%(value)s is not possible for %(key)s."


class PasswordTooShort(Invalid):
    message = "Choose a password of at least %(characters)s characters."


class PasswordWrong(Invalid):
    message = "This is not your present password."


class LoginRefused(Invalid):
    message = "E-mail address or password is wrong."


class LastAdmin(Conflict):
    message = "%(name)s is the last active administrator. Make somebody else an administrator first."


def add(
    session: Session,
    email: str,
    name: str,
    role: str,
    *,
    actor_id: int | None,
    now: datetime,
    language: str = "de",
    password: str | None = None,
) -> User:
    """A new account; without a password nobody can sign in to it yet.

    Raises EmailInvalid, EmailTaken, NameMissing, RoleUnknown, ChoiceUnknown, PasswordTooShort.
    """
    address = _clean_email(email)
    if not name.strip():
        raise NameMissing()
    if session.scalar(select(User.id).where(func.lower(User.email) == address.lower())):
        raise EmailTaken(email=address)
    user = User(
        email=address,
        name=name.strip(),
        role=_clean_role(role),
        language=_choice("language", language, LANGUAGES),
        password_hash=_hash(password) if password is not None else None,
    )
    session.add(user)
    session.flush()
    facts = {"email": user.email, "name": user.name, "role": user.role, "language": user.language}
    audit.record(session, "create", "user", user.id, actor_id=actor_id, now=now, after=facts)
    return user


def everybody(session: Session) -> list[User]:
    """All accounts: active ones first, by name."""
    return list(session.scalars(select(User).order_by(User.active.desc(), func.lower(User.name), User.id)))


def get(session: Session, user_id: int) -> User:
    """One account; raises UserNotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFound(user=user_id)
    return user


def by_email(session: Session, email: str) -> User:
    """The account of an e-mail address, whatever its case; raises UserNotFound."""
    user: User | None = session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    if user is None:
        raise UserNotFound(user=email)
    return user


def set_password(session: Session, user_id: int, password: str, *, actor_id: int | None, now: datetime) -> None:
    """A new password ends every session of the account; raises UserNotFound, PasswordTooShort."""
    user = get(session, user_id)
    user.password_hash = _hash(password)
    end_sessions(session, user_id, now=now)
    audit.record(session, "set_password", "user", user_id, actor_id=actor_id, now=now)


def change_own_password(session: Session, user_id: int, present: str, new: str, *, now: datetime) -> None:
    """The owner names the present password first; raises PasswordWrong, PasswordTooShort."""
    if not _verify(get(session, user_id).password_hash, present):
        raise PasswordWrong()
    set_password(session, user_id, new, actor_id=user_id, now=now)


def disable(session: Session, user_id: int, *, actor_id: int | None, now: datetime) -> None:
    """The account stays for the history, nobody can use it; raises UserNotFound, LastAdmin."""
    user = get(session, user_id)
    if user.active:
        _keep_an_admin(session, user)
        end_sessions(session, user_id, now=now)
        _change(session, user, {"active": False}, actor_id=actor_id, now=now)


def enable(session: Session, user_id: int, *, actor_id: int | None, now: datetime) -> None:
    """The account can be used again with its old password; raises UserNotFound."""
    _change(session, get(session, user_id), {"active": True}, actor_id=actor_id, now=now)


def change_role(session: Session, user_id: int, role: str, *, actor_id: int | None, now: datetime) -> None:
    """Another role from now on, at the next sign-in; raises UserNotFound, RoleUnknown, LastAdmin."""
    user, role = get(session, user_id), _clean_role(role)
    if role == user.role:
        return
    _keep_an_admin(session, user)
    end_sessions(session, user_id, now=now)
    _change(session, user, {"role": role}, actor_id=actor_id, now=now)


def set_preferences(
    session: Session,
    user_id: int,
    *,
    now: datetime,
    language: str | None = None,
    theme: str | None = None,
    shortcuts: bool | None = None,
) -> None:
    """What the owner of an account prefers to see; None leaves a value. Raises ChoiceUnknown."""
    wanted: dict[str, Any] = {}
    if language is not None:
        wanted["language"] = _choice("language", language, LANGUAGES)
    if theme is not None:
        wanted["theme"] = _choice("theme", theme, THEMES)
    if shortcuts is not None:
        wanted["shortcuts"] = shortcuts
    _change(session, get(session, user_id), wanted, actor_id=user_id, now=now)


def authenticate(session: Session, email: str, password: str) -> User:
    """The active account with this password; raises LoginRefused, the same for every reason and as slowly."""
    user: User | None = session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))
    right = _verify(user.password_hash if user else None, password)
    if user is None or not right or not user.active:
        raise LoginRefused()
    if user.password_hash and _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    return user


def start_session(session: Session, user_id: int, *, now: datetime) -> str:
    """A session of 30 days at most, 12 hours without use; returns its token, of which only a hash is kept."""
    session.execute(delete(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at <= now))
    token = secrets.token_urlsafe(32)
    row = UserSession(
        token_hash=_token_hash(token), user_id=user_id, created_at=now, last_seen_at=now, expires_at=now + ABSOLUTE
    )
    session.add(row)
    audit.record(session, "login", "user", user_id, actor_id=user_id, now=now)
    session.flush()
    return token


def load_session(session: Session, token: str, *, now: datetime) -> User | None:
    """Whose session this is; None once it has ended, expired, lain idle, or its account was disabled."""
    found = signed_in(session, token, now=now)
    return found[0] if found else None


def signed_in(session: Session, token: str, *, now: datetime) -> tuple[User, Running | None] | None:
    """As `load_session`, with the person's running timer, which every page shows: one query for both."""
    values = {"token": _token_hash(token), "at": now, "idle_since": now - IDLE}
    found = session.execute(_signed_in(), values).one_or_none()
    if found is None:
        return None
    user: User = found[0]
    row: UserSession = found[1]
    if row.last_seen_at <= now - SEEN_STEP:
        row.last_seen_at = now
    return user, Running(*found[2:]) if found[2] is not None else None


@cache
def _signed_in() -> Select[*tuple[Any, ...]]:
    return (
        select(User, UserSession, *RUNNING)
        .join(UserSession, UserSession.user_id == User.id)
        .outerjoin(TimeEntry, and_(TimeEntry.technician_id == User.id, TimeEntry.ended_at.is_(None)))
        .outerjoin(Ticket, Ticket.id == TimeEntry.ticket_id)
        .where(
            UserSession.token_hash == bindparam("token"),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > bindparam("at"),
            UserSession.last_seen_at > bindparam("idle_since"),
            User.active,
        )
    )


def end_session(session: Session, token: str, *, now: datetime) -> None:
    """Signing out ends one session; nothing happens where it had ended already."""
    ended = session.execute(
        update(UserSession)
        .where(UserSession.token_hash == _token_hash(token), UserSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(UserSession.user_id)
    ).scalar_one_or_none()
    if ended is not None:
        audit.record(session, "logout", "user", ended, actor_id=ended, now=now)


def end_sessions(session: Session, user_id: int, *, now: datetime) -> None:
    """Every session of an account ends, on all devices."""
    session.execute(
        update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def _change(session: Session, user: User, wanted: dict[str, Any], *, actor_id: int | None, now: datetime) -> None:
    """Set what differs and record it; nothing where nothing differs."""
    before = {key: getattr(user, key) for key, value in wanted.items() if getattr(user, key) != value}
    if not before:
        return
    after = {key: wanted[key] for key in before}
    for key, value in after.items():
        setattr(user, key, value)
    session.flush()
    audit.record(session, "change", "user", user.id, actor_id=actor_id, now=now, before=before, after=after)


def _keep_an_admin(session: Session, user: User) -> None:
    """The admins' rows stay locked until the transaction ends: two of them cannot remove each other."""
    admins = session.scalars(
        select(User.id).where(User.role == Role.ADMIN, User.active).order_by(User.id).with_for_update()
    ).all()
    if list(admins) == [user.id]:
        raise LastAdmin(name=user.name)


def _hash(password: str) -> str:
    if len(password) < PASSWORD_CHARACTERS:
        raise PasswordTooShort(characters=PASSWORD_CHARACTERS)
    return _hasher.hash(password)


def _verify(password_hash: str | None, password: str) -> bool:
    try:
        return _hasher.verify(password_hash or NOBODY, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _clean_email(email: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email.strip()):
        raise EmailInvalid(email=email)
    return email.strip()


def _clean_role(role: str) -> str:
    try:
        return Role(role).value
    except ValueError:
        raise RoleUnknown(role=role) from None


def _choice(key: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ChoiceUnknown(key=key, value=value)
    return value
