"""company.csv: the company's own data, kept as settings."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, null, select

from ptdash.models import Setting
from ptdash.services import settings
from ptdash.services.importing.cells import key, words
from ptdash.services.importing.result import Tell
from ptdash.services.importing.tables import File, Ids, Stored

PREFIX = "company."


@dataclass(slots=True)
class CompanyRow:
    key: str
    value: str


def finish(row: CompanyRow, tell: Tell) -> None:
    """The value in its stored form; an empty one is the default."""
    try:
        cleaned = settings.clean(PREFIX + row.key, row.value)
    except settings.UnknownSetting:
        known = ", ".join(name.removeprefix(PREFIX) for name in settings.SETTINGS if name.startswith(PREFIX))
        tell("key", "unknown_key", f"'{row.key}' is not known. Known are {known}.")
    except settings.SettingRefused as refused:
        tell("value", "invalid_value", str(refused).replace(PREFIX, "", 1))
    else:
        row.value = cleaned or settings.SETTINGS[PREFIX + row.key].default


def _stored() -> Stored:
    name = func.substr(Setting.key, len(PREFIX) + 1)
    return select(null(), name, Setting.value).where(Setting.key.startswith(PREFIX, autoescape=True))


def _values(row: CompanyRow, _ids: Ids) -> dict[str, Any]:
    return {**asdict(row), "key": PREFIX + row.key}


COMPANY = File(
    name="company.csv",
    row=CompanyRow,
    key=("key",),
    columns={"key": key(), "value": words()},
    finish=finish,
    model=Setting,
    stored=_stored,
    values=_values,
)
