"""Calendar feeds, read by a strict reader of RFC 5545 of our own and by another library than the writing one."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import vobject
from sqlalchemy import select

from ptdash.config import BERLIN
from ptdash.documents import calendar
from ptdash.models import AuditEvent, CalendarFeed, User
from ptdash.services import calendars, contracts, users
from tests.company import Company
from tests.conftest import NOW

TODAY = date(2026, 11, 17)
NAME = r"[A-Za-z0-9-]+"
PARAMETER = re.compile(rf'({NAME})=("[^"]*"|[^";:,]*)')
LINE = re.compile(rf'(?P<name>{NAME})(?P<params>(?:;{NAME}=(?:"[^"]*"|[^";:,]*))*):(?P<value>.*)')
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP"}


@dataclass
class Read:
    """An event as the strict reader understood it."""

    uid: str
    title: str
    starts: date | datetime
    ends: date | datetime
    stamp: datetime


def read(content: bytes) -> list[Read]:
    """Every event of a calendar; an assertion fails where RFC 5545 is not kept."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    physical = content[:-2].split(b"\r\n")
    assert all(0 < len(line) <= 75 for line in physical)
    lines: list[bytes] = []
    for line in physical:
        if line[:1] in (b" ", b"\t"):
            lines[-1] += line[1:]
        else:
            lines.append(line)
    return _events([_line(line.decode("utf-8")) for line in lines])


def _line(text: str) -> tuple[str, dict[str, str], str]:
    found = LINE.fullmatch(text)
    assert found, text
    params = {name.upper(): value.strip('"') for name, value in PARAMETER.findall(found["params"])}
    return found["name"].upper(), params, found["value"]


def _events(lines: list[tuple[str, dict[str, str], str]]) -> list[Read]:
    assert lines[0] == ("BEGIN", {}, "VCALENDAR")
    assert lines[-1] == ("END", {}, "VCALENDAR")
    head = [name for name, _, _ in lines[: next((i for i, x in enumerate(lines) if i and x[0] == "BEGIN"), -1)]]
    assert head.count("VERSION") == head.count("PRODID") == 1
    assert ("VERSION", {}, "2.0") in lines
    events, inside = [], None
    for name, params, value in lines[1:-1]:
        if (name, value) == ("BEGIN", "VEVENT"):
            assert inside is None
            inside = {}
        elif (name, value) == ("END", "VEVENT"):
            events.append(_event(inside))
            inside = None
        elif inside is not None:
            assert name in ONCE
            assert name not in inside, name
            inside[name] = (params, value)
    assert inside is None
    assert len({event.uid for event in events}) == len(events)
    return events


def _event(found: dict) -> Read:
    starts, ends = _when(*found["DTSTART"]), _when(*found["DTEND"])
    assert type(starts) is type(ends)
    assert ends > starts
    stamp = _when(*found["DTSTAMP"])
    assert isinstance(stamp, datetime)
    return Read(found["UID"][1], _text(found["SUMMARY"][1]), starts, ends, stamp)


def _when(params: dict[str, str], value: str) -> date | datetime:
    """A day, or an instant in UTC; a local time would need its zone beside it."""
    if params.get("VALUE") == "DATE":
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()
    assert not params
    assert re.fullmatch(r"\d{8}T\d{6}Z", value)
    return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _text(value: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*[,;]", value), f"unescaped: {value}"
    return re.sub(r"\\([\\,;nN])", lambda found: "\n" if found[1] in "nN" else found[1], value)


@pytest.fixture
def company(session):
    company = Company(session)
    company.manager = company.add(User(email="m@pt.example", name="Miriam Vogt", role="manager"))
    return company


def feed(session, user, today=TODAY, now=NOW):
    token = calendars.open_feed(session, user.id, now=now)
    return read(calendars.feed(session, token, today=today, now=now))


def test_long_and_odd_titles_survive():
    title = "Kündigungstermin; SV-1, „Müller & Söhne“ \\ Straßenbau " * 4 + "\nzweite Zeile"
    day, instant = date(2028, 2, 29), datetime(2026, 3, 29, 1, 59, tzinfo=BERLIN)
    events = read(
        calendar.render(
            "Ä,B;C",
            [
                calendar.AllDay("a", title, day, "x" * 200),
                calendar.Timed("b", "Fenster", instant, instant.astimezone(UTC) + timedelta(minutes=2)),
            ],
            at=NOW,
        )
    )
    assert (events[0].title, events[0].starts, events[0].ends) == (title, day, date(2028, 3, 1))
    assert events[1].starts == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert events[0].stamp == NOW.replace(microsecond=0)


def test_an_empty_calendar_is_one(session, company):
    admin = company.add(User(email="a@pt.example", name="Admin", role="admin"))
    token = calendars.open_feed(session, admin.id, now=NOW)
    assert b"BEGIN:VEVENT" not in calendars.feed(session, token, today=TODAY, now=NOW)


def test_managers_see_deadlines_ends_and_windows(session, company):
    brandt = company.customer(name="Kanzlei Brandt & Partner, Köln; Büro")
    company.support(brandt, number="SV-1")
    ending = company.maintenance(brandt, number="WV-1", renewal_months=None)
    contracts.store_ends(session, [ending.id])
    company.support(company.customer(), ends_before=date(2026, 3, 1), number="SV-9")
    events = feed(session, company.manager)
    days = [(event.title, event.starts, event.ends) for event in events if not isinstance(event.starts, datetime)]
    name = "Kanzlei Brandt & Partner, Köln; Büro"
    assert days == [
        (f"Kündigungstermin SV-1 {name}", date(2026, 11, 30), date(2026, 12, 1)),
        (f"Laufzeit endet, verlängert sich: SV-1 {name}", date(2026, 12, 31), date(2027, 1, 1)),
        (f"Vertragsende WV-1 {name}", date(2026, 12, 31), date(2027, 1, 1)),
    ]


def test_another_library_reads_the_same(session, company):
    company.support(company.customer(name="Kanzlei Brandt & Partner, Köln; Büro"), number="SV-1")
    token = calendars.open_feed(session, company.manager.id, now=NOW)
    written = calendars.feed(session, token, today=TODAY, now=NOW)
    events = vobject.readOne(written.decode()).vevent_list
    theirs = {(event.uid.value, event.summary.value, event.dtstart.value, event.dtend.value) for event in events}
    assert theirs == {(event.uid, event.title, event.starts, event.ends) for event in read(written)}


def test_windows_are_from_seven_to_three_in_summer_and_winter(session, company):
    windows = [event for event in feed(session, company.manager) if event.title == "Wartungsfenster"]
    assert len(windows) > 20
    for event in windows:
        starts, ends = event.starts.astimezone(BERLIN), event.ends.astimezone(BERLIN)
        assert (starts.hour, ends.hour, starts.date()) == (7, 15, ends.date())
    assert {event.starts.hour for event in windows} == {5, 6}


def test_technicians_see_windows_only(session, company):
    company.support(company.customer(), number="SV-1")
    assert {event.title for event in feed(session, company.technician)} == {"Wartungsfenster"}


def test_an_events_name_stays_from_day_to_day(session, company):
    company.support(company.customer(), number="SV-1")
    first = {event.uid for event in feed(session, company.manager)}
    later = {event.uid for event in feed(session, company.manager, TODAY + timedelta(days=1))}
    assert len(first & later) >= len(first) - 1


def test_only_a_hash_of_the_address_is_kept(session, company):
    token = calendars.open_feed(session, company.manager.id, now=NOW)
    assert token not in repr(session.execute(select(CalendarFeed.token_hash)).scalars().all())
    session.flush()
    events = session.execute(select(AuditEvent.after, AuditEvent.before)).all()
    assert token not in repr(events)
    assert calendars.present(session, company.manager.id).created_at == NOW


def test_a_new_address_and_a_revocation_end_the_old_one(session, company):
    def works(token):
        return calendars.feed(session, token, today=TODAY, now=NOW) is not None

    first = calendars.open_feed(session, company.manager.id, now=NOW)
    assert works(first)
    second = calendars.open_feed(session, company.manager.id, now=NOW)
    assert (works(first), works(second)) == (False, True)
    calendars.revoke(session, company.manager.id, now=NOW)
    assert not works(second)
    assert calendars.present(session, company.manager.id) is None
    assert not works("guessed")


def test_an_account_that_was_disabled_has_no_calendar(session, company):
    token = calendars.open_feed(session, company.manager.id, now=NOW)
    users.disable(session, company.manager.id, actor_id=None, now=NOW)
    assert calendars.feed(session, token, today=TODAY, now=NOW) is None
