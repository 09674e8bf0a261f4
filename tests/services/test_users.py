"""Accounts and sessions, on the real database."""

from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import AuditEvent, Role, User, UserSession
from ptdash.services import users
from tests.conftest import NOW

PASSWORD = "correct horse battery"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user(session: Session) -> User:
    return users.add(
        session, "Petra@example.com", "Petra Person", Role.TECHNICIAN, password=PASSWORD, actor_id=None, now=NOW
    )


def whose(session: Session, token: str, at: datetime) -> User | None:
    return users.load_session(session, token, now=at)


def used_until(session: Session, token: str, start: datetime, end: datetime) -> None:
    """Somebody at work: a request every eleven hours."""
    at = start
    while at < end:
        assert whose(session, token, at)
        at += 11 * HOUR


def test_a_session_ends_after_twelve_idle_hours(session: Session, user: User) -> None:
    token = users.start_session(session, user.id, now=NOW)
    assert whose(session, token, NOW + 12 * HOUR - MINUTE)
    assert whose(session, token, NOW + 24 * HOUR - 2 * MINUTE)
    assert whose(session, token, NOW + 37 * HOUR) is None


def test_a_session_ends_after_thirty_days_however_busy(session: Session, user: User) -> None:
    token = users.start_session(session, user.id, now=NOW)
    used_until(session, token, NOW, NOW + 30 * DAY)
    assert whose(session, token, NOW + 30 * DAY) is None


def test_use_is_noted_once_a_minute(session: Session, user: User) -> None:
    token = users.start_session(session, user.id, now=NOW)
    row = session.scalars(select(UserSession)).one()
    whose(session, token, NOW + MINUTE / 2)
    assert row.last_seen_at == NOW
    whose(session, token, NOW + MINUTE)
    assert row.last_seen_at == NOW + MINUTE


def test_an_invented_token_is_nobodys(session: Session, user: User) -> None:
    users.start_session(session, user.id, now=NOW)
    assert whose(session, "invented", NOW) is None
    assert whose(session, "", NOW) is None


def test_signing_out_on_one_device_leaves_the_others(session: Session, user: User) -> None:
    here, there = (users.start_session(session, user.id, now=NOW) for _ in range(2))
    users.end_session(session, here, now=NOW)
    assert whose(session, here, NOW) is None
    assert whose(session, there, NOW)


@pytest.mark.parametrize("change", ["password", "role", "disable"])
def test_a_change_of_the_account_ends_every_session(session: Session, user: User, change: str) -> None:
    tokens = [users.start_session(session, user.id, now=NOW) for _ in range(2)]
    if change == "password":
        users.set_password(session, user.id, "another long one", actor_id=None, now=NOW)
    elif change == "role":
        users.change_role(session, user.id, Role.MANAGER, actor_id=None, now=NOW)
    else:
        users.disable(session, user.id, actor_id=None, now=NOW)
    assert [whose(session, token, NOW) for token in tokens] == [None, None]


def test_a_session_of_a_disabled_account_is_no_session_even_if_it_was_not_ended(
    session: Session, user: User
) -> None:
    token = users.start_session(session, user.id, now=NOW)
    user.active = False
    session.flush()
    assert whose(session, token, NOW) is None


def test_expired_sessions_are_cleared_away_at_the_next_sign_in(session: Session, user: User) -> None:
    users.start_session(session, user.id, now=NOW)
    users.start_session(session, user.id, now=NOW + 31 * DAY)
    assert len(session.scalars(select(UserSession)).all()) == 1


def test_a_password_is_kept_as_argon2_and_renewed_when_its_parameters_change(session: Session, user: User) -> None:
    user.password_hash = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    weak = user.password_hash
    assert users.authenticate(session, "petra@EXAMPLE.com", PASSWORD) is user
    assert user.password_hash is not None
    assert user.password_hash != weak
    assert user.password_hash.startswith("$argon2id$")
    assert users.authenticate(session, "petra@example.com", PASSWORD) is user


@pytest.mark.parametrize("stored", [None, "", "not a hash"])
def test_an_account_without_a_usable_hash_lets_nobody_in(session: Session, user: User, stored: str | None) -> None:
    user.password_hash = stored
    session.flush()
    for password in ("", PASSWORD):
        with pytest.raises(users.LoginRefused):
            users.authenticate(session, "petra@example.com", password)


def test_a_wrong_password_costs_as_much_without_an_account_as_with_one() -> None:
    assert not PasswordHasher().check_needs_rehash(users.NOBODY)


def test_one_address_has_one_account_whatever_its_case(session: Session, user: User) -> None:
    with pytest.raises(users.EmailTaken):
        users.add(session, "PETRA@example.com", "Another", Role.ADMIN, actor_id=None, now=NOW)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "petra"}, users.EmailInvalid),
        ({"name": "  "}, users.NameMissing),
        ({"role": "king"}, users.RoleUnknown),
        ({"language": "fr"}, users.ChoiceUnknown),
        ({"password": "short"}, users.PasswordTooShort),
    ],
)
def test_an_account_that_does_not_fit_is_refused(
    session: Session, change: dict[str, str], error: type[Exception]
) -> None:
    facts = {"email": "new@example.com", "name": "New", "role": "manager", **change}
    with pytest.raises(error):
        users.add(session, **facts, actor_id=None, now=NOW)


def test_the_last_active_administrator_stays(session: Session) -> None:
    first, second = (
        users.add(session, f"{name}@example.com", name, Role.ADMIN, actor_id=None, now=NOW) for name in "ab"
    )
    users.disable(session, first.id, actor_id=second.id, now=NOW)
    for change in (users.disable, lambda *a, **k: users.change_role(*a, "manager", **k)):
        with pytest.raises(users.LastAdmin):
            change(session, second.id, actor_id=second.id, now=NOW)
    users.enable(session, first.id, actor_id=second.id, now=NOW)
    users.disable(session, second.id, actor_id=first.id, now=NOW)


def test_every_change_leaves_an_event_and_no_change_leaves_none(session: Session, user: User) -> None:
    users.change_role(session, user.id, Role.TECHNICIAN, actor_id=None, now=NOW)
    users.enable(session, user.id, actor_id=None, now=NOW)
    users.set_preferences(session, user.id, theme="system", now=NOW)
    users.change_role(session, user.id, Role.MANAGER, actor_id=None, now=NOW)
    users.set_preferences(session, user.id, theme="dark", now=NOW)
    users.set_password(session, user.id, "another long one", actor_id=user.id, now=NOW)
    session.flush()
    events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(event.action, event.before, event.after) for event in events[1:]] == [
        ("change", {"role": "technician"}, {"role": "manager"}),
        ("change", {"theme": "system"}, {"theme": "dark"}),
        ("set_password", None, None),
    ]
