"""Company data and switches: which keys there are, what they accept, and their defaults."""

import re
from collections.abc import Callable, Mapping
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
from ptdash.services.countries import clean_country, clean_vat_id

ENDS_TOO_EARLY = "the day has to end after it begins."
MORE_THAN_A_YEAR = "this is more than a year of business hours."
WEEKDAYS = "mon tue wed thu fri sat sun"
# Stands for a stored secret where it is shown; sent back, it leaves the secret as it is.
KEPT_SECRET = "••••••••"  # nosec B105


class UnknownSetting(NotFound):
    message = "There is no setting '%(key)s'. Known are: %(known)s."


class SettingRefused(Invalid):
    message = "'%(value)s' is not possible for %(key)s: %(why)s"


class SettingsRefused(Invalid):
    """Of several settings changed at once, each that is not possible: `refused` by its key."""

    message = "Some of these settings are not possible."

    def __init__(self, refused: "Mapping[str, SettingRefused]") -> None:
        self.refused = refused
        super().__init__()


@dataclass(frozen=True)
class Spec:
    """What a setting accepts: `clean` returns the stored form or raises ValueError or Invalid with the reason."""

    clean: Callable[[str], str]
    default: str = ""
    secret: bool = False


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


def _whole(least: int, most: int) -> Callable[[str], str]:
    def clean(value: str) -> str:
        if not value.strip().isdecimal() or not least <= int(value) <= most:
            raise ValueError(f"give a whole number from {least} to {most}.")
        return str(int(value))

    return clean


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", value.strip()):
        raise ValueError("give the name of a server, for example mail.firma.de.")
    return value.strip()


def _account(value: str) -> str:
    if not re.fullmatch(r"\d{4,9}", value.strip()):
        raise ValueError("an account has 4 to 9 digits, for example 8400.")
    return value.strip()


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
    "company.country": Spec(clean_country),
    "company.vat_id": Spec(clean_vat_id),
    "company.tax_number": Spec(_text),
    "company.iban": Spec(_iban),
    "company.bic": Spec(_bic),
    "company.email": Spec(_email),
    "company.phone": Spec(_text),
    "company.contact": Spec(_text),
    "company.management": Spec(_text),
    "company.register": Spec(_text),
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
    "four_eyes": Spec(_one_of("yes", "no"), "yes"),
    "rollout.per_day": Spec(_whole(1, 500), "20"),
    "smtp.host": Spec(_host),
    "smtp.port": Spec(_whole(1, 65535)),
    "smtp.security": Spec(_one_of("starttls", "tls", "none"), "starttls"),
    "smtp.user": Spec(_text),
    "smtp.password": Spec(_text, secret=True),
    "smtp.from": Spec(_email),
    "datev.consultant": Spec(_whole(1001, 9999999)),
    "datev.client": Spec(_whole(1, 99999)),
    "datev.year_begins": Spec(_whole(1, 12), "1"),
    "datev.account_length": Spec(_whole(4, 8), "4"),
    "datev.revenue": Spec(_account, "8400"),
    "datev.revenue_reverse_charge": Spec(_account, "8336"),
    "datev.debtor": Spec(_account),
}


def all_settings(session: Session) -> dict[str, str]:
    """Every known key with its stored value; with its default where none is stored, or where it was cleared."""
    stored = {row.key: row.value for row in session.execute(select(Setting.key, Setting.value))}
    return {key: stored.get(key) or spec.default for key, spec in SETTINGS.items()}


def get(session: Session, key: str) -> str:
    """The value of one setting, its default where none is stored; raises UnknownSetting."""
    spec = _spec(key)
    return session.execute(select(Setting.value).where(Setting.key == key)).scalar() or spec.default


def clean(key: str, value: str) -> str:
    """The form in which a value is stored; an empty value clears it. Raises UnknownSetting, SettingRefused."""
    spec = _spec(key)
    if not value.strip():
        return ""
    try:
        return spec.clean(value)
    except (ValueError, Invalid) as error:
        raise SettingRefused(key=key, value=value, why=str(error)) from None


def change(session: Session, key: str, value: str, *, actor_id: int | None, now: datetime) -> str:
    """Store one setting and return its stored form; raises UnknownSetting, SettingRefused."""
    try:
        return change_all(session, {key: value}, actor_id=actor_id, now=now)[key]
    except SettingsRefused as error:
        raise next(iter(error.refused.values())) from None


def change_all(
    session: Session, values: Mapping[str, str], *, actor_id: int | None, now: datetime
) -> dict[str, str]:
    """Store several settings, all or none, and return their stored forms. An empty value goes back to the default.

    Raises UnknownSetting, SettingsRefused with every one that is not possible.
    """
    new, refused = {}, {}
    for key, value in values.items():
        try:
            new[key] = clean(key, value)
        except SettingRefused as error:
            refused[key] = error
    old = all_settings(session)
    refused = refused or _refused_together(old, new)
    if refused:
        raise SettingsRefused(refused)
    for key in (key for key, value in new.items() if (value or SETTINGS[key].default) != old[key]):
        if SETTINGS[key].secret and new[key] == KEPT_SECRET:
            continue
        statement = insert(Setting).values(key=key, value=new[key])
        session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": new[key]}))
        sides = {"before": {"value": shown(key, old[key])}, "after": {"value": shown(key, new[key])}}
        audit.record(session, "change", "setting", key, actor_id=actor_id, now=now, **sides)
    return new


def _refused_together(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, SettingRefused]:
    """What is possible by itself but not with the others: without business hours no deadline could be met."""
    if not any(key.startswith(("hours.", "target.")) for key in new):
        return {}
    values = {key: new.get(key, value) or SETTINGS[key].default for key, value in old.items()}
    opens, closes = (time.fromisoformat(values[key]) for key in ("hours.from", "hours.until"))
    daily = (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
    if daily <= 0:
        key = "hours.until" if "hours.until" in new else "hours.from"
        return {key: SettingRefused(key=key, value=values[key], why=ENDS_TOO_EARLY)}
    year = daily * len(values["hours.days"].split(",")) * 50
    targets = [key for key in SETTINGS if key.startswith("target.")]
    late = [key for key in targets if int(values[key].split("/")[1]) > year]
    return {key: SettingRefused(key=key, value=values[key], why=MORE_THAN_A_YEAR) for key in late}


def shown(key: str, value: str) -> str:
    """A setting as people may read it: a secret only as that it is there."""
    return KEPT_SECRET if value and SETTINGS[key].secret else value


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
