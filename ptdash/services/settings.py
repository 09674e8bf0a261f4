"""Company data and switches: which keys there are, what they accept, and their defaults."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time

from holidays import country_holidays
from schwifty import BIC, IBAN
from schwifty.exceptions import SchwiftyException
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain.errors import Invalid, NotFound
from ptdash.models import Setting
from ptdash.services import audit

WEEKDAYS = "mon tue wed thu fri sat sun"


class UnknownSetting(NotFound):
    message = "There is no setting '%(key)s'. Known are: %(known)s."


class SettingRefused(Invalid):
    message = "'%(value)s' is not possible for %(key)s: %(why)s"


@dataclass(frozen=True)
class Spec:
    """What a setting accepts: `clean` returns the stored form or raises ValueError with the reason."""

    clean: Callable[[str], str]
    default: str = ""


def _text(value: str) -> str:
    return value.strip()


def _iban(value: str) -> str:
    try:
        return str(IBAN(value.replace(" ", "")))
    except SchwiftyException:
        raise ValueError("the check digits or the length of this IBAN are wrong.") from None


def _bic(value: str) -> str:
    try:
        return str(BIC(value.strip()))
    except SchwiftyException:
        raise ValueError("a BIC has 8 or 11 characters, for example BYLADEM1001.") from None


def _country(value: str) -> str:
    if not re.fullmatch("[A-Za-z]{2}", value.strip()):
        raise ValueError("give the country as two letters, for example DE.")
    return value.strip().upper()


def _state(value: str) -> str:
    known = country_holidays("DE").subdivisions
    if value.strip().upper() not in known:
        raise ValueError(f"give one of {', '.join(known)}.")
    return value.strip().upper()


def _email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value.strip()):
        raise ValueError("this is not an e-mail address.")
    return value.strip()


def _days(value: str) -> str:
    if not value.strip().isdecimal() or not 0 <= int(value) <= 365:
        raise ValueError("give a whole number of days from 0 to 365.")
    return str(int(value))


def _one_of(*choices: str) -> Callable[[str], str]:
    def clean(value: str) -> str:
        if value.strip().lower() not in choices:
            raise ValueError(f"give one of {', '.join(choices)}.")
        return value.strip().lower()

    return clean


def _time(value: str) -> str:
    try:
        return time.fromisoformat(value.strip()).isoformat("minutes")
    except ValueError:
        raise ValueError("give a time of day, for example 08:00.") from None


def _weekdays(value: str) -> str:
    days = sorted({day.strip().lower() for day in value.split(",")}, key=WEEKDAYS.find)
    if not all(day in WEEKDAYS.split() for day in days):
        raise ValueError(f"give days of {', '.join(WEEKDAYS.split())}, separated by commas.")
    return ",".join(days)


def _target(value: str) -> str:
    """Business minutes until the first reply and until the solution, as `60/480`."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*/\s*(\d{1,5})\s*", value)
    if not found or not 0 < int(found[1]) <= int(found[2]):
        raise ValueError("give minutes until the reply and until the solution, for example 60/480.")
    return f"{int(found[1])}/{int(found[2])}"


SETTINGS: dict[str, Spec] = {
    "company.name": Spec(_text),
    "company.street": Spec(_text),
    "company.postal_code": Spec(_text),
    "company.city": Spec(_text),
    "company.country": Spec(_country),
    "company.vat_id": Spec(_text),
    "company.tax_number": Spec(_text),
    "company.iban": Spec(_iban),
    "company.bic": Spec(_bic),
    "company.email": Spec(_email),
    "company.phone": Spec(_text),
    "company.federal_state": Spec(_state),
    "company.payment_days": Spec(_days, "14"),
    "window_rule": Spec(_one_of("third_monday", "week_of_15th"), "third_monday"),
    "hours.days": Spec(_weekdays, "mon,tue,wed,thu,fri"),
    "hours.from": Spec(_time, "08:00"),
    "hours.until": Spec(_time, "17:00"),
    "target.urgent": Spec(_target, "30/240"),
    "target.high": Spec(_target, "60/540"),
    "target.normal": Spec(_target, "240/1620"),
    "target.low": Spec(_target, "540/2700"),
}


def all_settings(session: Session) -> dict[str, str]:
    """Every known key with its stored value or its default."""
    stored = {row.key: row.value for row in session.execute(select(Setting)).scalars()}
    return {key: stored.get(key, spec.default) for key, spec in SETTINGS.items()}


def get(session: Session, key: str) -> str:
    """The value of one setting, its default where none is stored; raises UnknownSetting."""
    spec = _spec(key)
    row = session.get(Setting, key)
    return row.value if row else spec.default


def clean(key: str, value: str) -> str:
    """The form in which a value is stored; an empty value clears it. Raises UnknownSetting, SettingRefused."""
    spec = _spec(key)
    if not value.strip():
        return ""
    try:
        return spec.clean(value)
    except ValueError as error:
        raise SettingRefused(key=key, value=value, why=str(error)) from None


def change(session: Session, key: str, value: str, *, actor_id: int | None, now: datetime) -> str:
    """Store one setting and return its stored form; raises UnknownSetting, SettingRefused."""
    new, old = clean(key, value), get(session, key)
    if new != old:
        statement = insert(Setting).values(key=key, value=new)
        session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": new}))
        session.expire_all()
        values = {"before": {"value": old}, "after": {"value": new}}
        audit.record(session, "change", "setting", key, actor_id=actor_id, now=now, **values)
    return new


def company(session: Session) -> dict[str, str]:
    """The company's data by their short names (`name`, `street`, …)."""
    return {
        key.removeprefix("company."): value
        for key, value in all_settings(session).items()
        if key.startswith("company.")
    }


def _spec(key: str) -> Spec:
    if key not in SETTINGS:
        raise UnknownSetting(key=key, known=", ".join(SETTINGS))
    return SETTINGS[key]
