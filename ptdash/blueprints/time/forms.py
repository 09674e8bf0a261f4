"""Forms about time. A field that cannot be read keeps what was typed."""

import re
from datetime import datetime, time, timedelta
from typing import Any

from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateField, SelectField, StringField, TextAreaField
from wtforms.validators import ValidationError

from ptdash.blueprints.tickets.words import TREATMENTS
from ptdash.domain import walltime
from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import BERLIN
from ptdash.models import TimeEntry
from ptdash.services import time_entries
from ptdash.services.time_entries import Work
from ptdash.web import BaseForm, choices
from ptdash.web.numbers import read_whole

CLOCK = re.compile(r"([01]?\d|2[0-3])(?:[:.]?([0-5]\d))?(?:\s*uhr)?", re.IGNORECASE | re.ASCII)
WHICH = {
    "": "",
    "first": lazy_gettext("the first, summer time"),
    "second": lazy_gettext("the second, winter time"),
}
FIELD_OF = {
    walltime.WorkTimeMissing: "minutes",
    walltime.StartMissing: "start",
    walltime.EndGivenTwice: "minutes",
    walltime.EndBeforeStart: "end",
    walltime.WorkInFuture: "start",
    walltime.WallTimeNever: "start",
    walltime.WallTimeTwice: "which",
    walltime.LongerThanADay: "long",
    time_entries.GoodwillWithoutReason: "note",
    time_entries.NobodyToBookFor: "technician",
}


class DayField(DateField):
    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(label, format=["%Y-%m-%d", "%d.%m.%Y"], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(gettext("Enter the day, for example 17.11.2026")) from None


class BookForm(BaseForm):
    minutes = StringField(lazy_gettext("Minutes"), id="book-minutes")
    day = DayField(lazy_gettext("Date"), id="book-day")
    start = StringField(lazy_gettext("Start"), id="book-start")
    end = StringField(lazy_gettext("End"), id="book-end")
    which = SelectField(
        lazy_gettext("Which of the two times"), id="book-which", choices=choices(WHICH), validate_choice=False
    )
    long = BooleanField(lazy_gettext("Longer than 24 hours is meant"), id="book-long")
    treatment = SelectField(lazy_gettext("Treatment"), id="book-treatment", choices=choices(TREATMENTS))
    technician = SelectField(
        lazy_gettext("Worked by"), id="book-technician", coerce=int, choices=[], validate_choice=False
    )
    note = TextAreaField(lazy_gettext("Activity"), id="book-note")

    def validate_minutes(self, field: StringField) -> None:
        if (field.data or "").strip() and read_whole(field.data) in (None, 0):
            raise ValidationError(gettext("Enter the minutes as a whole number, for example 30"))

    def validate_day(self, field: DayField) -> None:
        if field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day, for example 17.11.2026"))

    def validate_start(self, field: StringField) -> None:
        _check_clock(field)

    def validate_end(self, field: StringField) -> None:
        _check_clock(field)

    def work(self, now: datetime, entry: TimeEntry | None = None) -> Work:
        """What was entered, of a form that holds. Raises what `walltime.work_span` does.

        What the form shows of an entry and nobody touched stays as it is, to the second.
        """
        assert self.day.data is not None
        second = {"first": False, "second": True}.get(self.which.data or "")
        start, end, minutes = (
            read_clock(self.start.data),
            read_clock(self.end.data),
            read_whole(self.minutes.data),
        )
        if entry and entry.ended_at and not end and minutes and self._shows_start_of(entry):
            started_at = entry.started_at
            ended_at = entry.ended_at if minutes == entry.minutes else started_at + timedelta(minutes=minutes)
        else:
            started_at, ended_at = walltime.work_span(self.day.data, start, end, minutes, now=now, second=second)
        return Work(
            started_at=started_at,
            ended_at=ended_at,
            treatment=Treatment(self.treatment.data),
            note=(self.note.data or "").strip(),
            technician_id=self.technician.data or None,
            long_confirmed=bool(self.long.data),
        )

    def _shows_start_of(self, entry: TimeEntry) -> bool:
        began = entry.started_at.astimezone(BERLIN)
        return (self.day.data, read_clock(self.start.data)) == (began.date(), time(began.hour, began.minute))

    def show(self, entry: TimeEntry) -> None:
        """Fill in an entry as it stands."""
        started_at = entry.started_at.astimezone(BERLIN)
        self.day.data, self.start.data = started_at.date(), f"{started_at:%H:%M}"
        self.minutes.data = "" if entry.minutes is None else str(entry.minutes)
        self.treatment.data, self.note.data = entry.treatment or Treatment.PACKAGE.value, entry.note
        self.technician.data = entry.technician_id


class CorrectForm(BookForm):
    reason = StringField(lazy_gettext("Reason for the correction"))


class StopForm(BaseForm):
    end = StringField(lazy_gettext("It ended at"))

    def validate_end(self, field: StringField) -> None:
        _check_clock(field)


def asked(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """What an address fills in: a click on so many minutes (`quick`) beats what stands in the field."""
    filled = MultiDict(args)
    if quick := filled.pop("quick", None):
        filled.setlist("minutes", [quick])
    return filled


def read_clock(text: str | None) -> time | None:
    """A time of day as people type it: 9, 930, 9:30, 09.30, 9:30 Uhr; None where it is none."""
    found = CLOCK.fullmatch((text or "").strip())
    return time(int(found[1]), int(found[2] or 0)) if found else None


def _check_clock(field: StringField) -> None:
    if (field.data or "").strip() and read_clock(field.data) is None:
        raise ValidationError(gettext("Enter the time of day, for example 09:30"))
