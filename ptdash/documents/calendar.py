"""Calendar feeds as RFC 5545 has them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import icalendar

PRODUCT = "-//ptdash//calendar//DE"
DOMAIN = "calendar.ptdash.invalid"
REFRESH = timedelta(hours=6)


@dataclass(frozen=True)
class AllDay:
    """Something that happens on a day; `uid` names it for ever."""

    uid: str
    title: str
    day: date
    note: str = ""


@dataclass(frozen=True)
class Timed:
    """Something between two instants."""

    uid: str
    title: str
    starts_at: datetime
    ends_at: datetime
    note: str = ""


Event = AllDay | Timed


def render(name: str, events: Iterable[Event], *, at: datetime) -> bytes:
    """The calendar as bytes. Days end on the next one (exclusive), instants are in UTC; `at` stamps the events."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    for event in events:
        calendar.add_component(_component(event, at))
    rendered: bytes = calendar.to_ical()
    return rendered


def _component(event: Event, at: datetime) -> icalendar.Event:
    component = icalendar.Event()
    component.add("uid", f"{event.uid}@{DOMAIN}")
    component.add("dtstamp", at.astimezone(UTC).replace(microsecond=0))
    component.add("summary", event.title)
    if isinstance(event, AllDay):
        component.add("dtstart", event.day)
        component.add("dtend", event.day + timedelta(days=1))
        component.add("transp", "TRANSPARENT")
    else:
        component.add("dtstart", event.starts_at.astimezone(UTC))
        component.add("dtend", event.ends_at.astimezone(UTC))
    if event.note:
        component.add("description", event.note)
    return component
