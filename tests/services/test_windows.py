"""The maintenance window with the company's settings and public holidays."""

from datetime import UTC, date, datetime

from ptdash.services import settings
from ptdash.services.windows import window

NOW = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)


def set_to(session, **values):
    for key, value in values.items():
        settings.change(session, key.replace("company_", "company."), value, actor_id=None, now=NOW)


def test_december_2026_as_the_interface_shows_it(session):
    set_to(session, company_federal_state="NW")
    assert window(session, date(2026, 12, 1)) == {
        "month": "2026-12",
        "days": ["2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24"],
        "from": "07:00",
        "until": "15:00",
        "left_out": [{"day": "2026-12-25", "reason": "Erster Weihnachtstag"}],
    }


def test_the_holidays_are_those_of_the_federal_state(session):
    set_to(session, company_federal_state="SN")  # Repentance Day is a holiday in Saxony alone
    assert window(session, date(2026, 11, 1))["left_out"] == [{"day": "2026-11-18", "reason": "Buß- und Bettag"}]
    set_to(session, company_federal_state="NW")
    assert window(session, date(2026, 11, 1))["left_out"] == []


def test_without_a_federal_state_the_holidays_of_all_germany_count(session):
    assert [day["day"] for day in window(session, date(2025, 4, 1))["left_out"]] == ["2025-04-21"]
    assert window(session, date(2025, 6, 1))["left_out"] == []


def test_the_rule_is_a_setting(session):
    assert window(session, date(2026, 9, 1))["days"][0] == "2026-09-21"
    set_to(session, window_rule="week_of_15th")
    assert window(session, date(2026, 9, 1))["days"][0] == "2026-09-14"
    set_to(session, window_rule="")
    assert window(session, date(2026, 9, 1))["days"][0] == "2026-09-21"
