"""Settings: what each accepts, what fits together, and that a change is remembered."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.models import AuditEvent
from ptdash.services import settings
from ptdash.services.settings import SETTINGS, SettingRefused, SettingsRefused, UnknownSetting

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)


def change(session: Session, **values: str) -> dict[str, str]:
    """`hours__from='09:00'` is the setting `hours.from`."""
    named = {key.replace("__", "."): value for key, value in values.items()}
    return settings.change_all(session, named, actor_id=None, now=NOW)


def test_what_is_not_set_has_its_default(session: Session) -> None:
    assert settings.all_settings(session) == {key: spec.default for key, spec in SETTINGS.items()}


def test_a_cleared_setting_goes_back_to_its_default(session: Session) -> None:
    change(session, hours__from="09:00", company__payment_days="30")
    change(session, hours__from="", company__payment_days=" ")
    assert settings.get(session, "hours.from") == "08:00"
    assert settings.company(session)["payment_days"] == "14"


def test_only_what_changed_is_recorded(session: Session) -> None:
    change(session, hours__from="09:00", hours__until="17:00", company__name="")
    (event,) = session.execute(select(AuditEvent)).scalars()
    assert (event.subject, event.subject_id) == ("setting", "hours.from")
    assert (event.before, event.after) == ({"value": "08:00"}, {"value": "09:00"})


def test_all_are_stored_or_none_and_each_refusal_is_named(session: Session) -> None:
    with pytest.raises(SettingsRefused) as refused:
        change(session, company__name="Neu", company__iban="DE00", hours__from="late", target__low="9/3")
    assert set(refused.value.refused) == {"company.iban", "hours.from", "target.low"}
    assert settings.get(session, "company.name") == ""


def test_an_unknown_setting_is_named_with_the_known_ones(session: Session) -> None:
    with pytest.raises(UnknownSetting, match="window_rule"):
        settings.change(session, "colour", "red", actor_id=None, now=NOW)


@pytest.mark.parametrize(("opens", "closes"), [("17:00", "08:00"), ("08:00", "08:00")])
def test_a_day_ends_after_it_begins(session: Session, opens: str, closes: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        change(session, hours__from=opens, hours__until=closes)
    assert set(refused.value.refused) == {"hours.until"}
    with pytest.raises(SettingRefused, match="the day has to end after it begins"):
        settings.change(session, "hours.from", "18:00", actor_id=None, now=NOW)


def test_a_target_that_takes_more_than_a_year_of_business_hours_is_refused(session: Session) -> None:
    settings.change(session, "hours.days", "mon", actor_id=None, now=NOW)
    with pytest.raises(SettingRefused, match="more than a year"):
        settings.change(session, "target.low", "60/99999", actor_id=None, now=NOW)
    with pytest.raises(SettingsRefused) as refused:
        change(session, hours__until="08:10")
    assert set(refused.value.refused) == {"target.high", "target.normal", "target.low"}


def test_a_secret_is_stored_but_never_shown_nor_written_into_the_audit(session):
    settings.change(session, "smtp.password", "geheim", actor_id=None, now=NOW)
    assert settings.get(session, "smtp.password") == "geheim"
    assert settings.shown("smtp.password", "geheim") == settings.KEPT_SECRET
    settings.change(session, "smtp.password", settings.KEPT_SECRET, actor_id=None, now=NOW)
    assert settings.get(session, "smtp.password") == "geheim"
    events = session.execute(select(AuditEvent).where(AuditEvent.subject_id == "smtp.password")).scalars().all()
    assert len(events) == 1
    assert "geheim" not in f"{events[0].before} {events[0].after}"
