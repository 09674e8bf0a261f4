"""The forms of contracts: a notice, a decision."""

from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import (
    BooleanField,
    DateField,
    Field,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional, ValidationError

from ptdash.blueprints.contracts.words import CHANNELS, GIVEN_BY, NOTICE_KINDS
from ptdash.services.notices import Entered
from ptdash.web import BaseForm, choices

NOTE_MOST = 2000


class DayField(DateField):
    """A day, as the browser's own date field sends it."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(gettext("Enter a day, for example 31.05.2026")) from None


class NoticeForm(BaseForm):
    """Receipt, kind and proof of a notice; only an extraordinary one names its last day."""

    received_on = DayField(lazy_gettext("Received on"), validators=[Optional()])
    channel = SelectField(lazy_gettext("How it came"), choices=choices(CHANNELS), validate_choice=False)
    taken_by = SelectField(lazy_gettext("Taken by"), coerce=int, validate_choice=False)
    given_by = SelectField(lazy_gettext("Notice given by"), choices=choices(GIVEN_BY), validate_choice=False)
    kind = RadioField(
        lazy_gettext("Kind"), choices=choices(NOTICE_KINDS), default="ordinary", validate_choice=False
    )
    ends_on = DayField(lazy_gettext("Last day of the contract"), validators=[Optional()])
    reason = StringField(lazy_gettext("Reason"))
    proof = MultipleFileField(lazy_gettext("Files"))
    note = TextAreaField(lazy_gettext("Note (internal)"))
    confirm = BooleanField(lazy_gettext("Confirm"), default=True)

    def validate_received_on(self, field: Field) -> None:
        if field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day on which the notice arrived"))

    def validate_reason(self, field: Field) -> None:
        if len(field.data or "") > NOTE_MOST:
            raise ValidationError(gettext("This is too long"))

    @property
    def entered(self) -> Entered:
        """What was entered, of a form that holds."""
        received_on: date = self.received_on.data
        kind = "extraordinary" if self.kind.data == "extraordinary" else "ordinary"
        return Entered(
            received_on=received_on,
            kind=kind,  # type: ignore[arg-type]
            ends_on=self.ends_on.data if kind == "extraordinary" else None,
            channel=self.channel.data if self.channel.data in CHANNELS else "",
            given_by=self.given_by.data if self.given_by.data in GIVEN_BY else "customer",
            taken_by_id=self.taken_by.data or None,
            reason=self.reason.data or "",
            note=(self.note.data or "")[:NOTE_MOST],
        )

    @property
    def uploads(self) -> list[tuple[str, bytes]]:
        """Names and contents of the files that were sent."""
        sent: list[Any] = [file for file in self.proof.data or [] if getattr(file, "filename", "")]
        return [(file.filename, file.read()) for file in sent]


class WithdrawalForm(BaseForm):
    confirm = BooleanField(lazy_gettext("Confirm"), default=True)


class DecisionForm(BaseForm):
    """What shall happen when the term ends; letting it end needs a reason."""

    decision = RadioField(lazy_gettext("Decision"), validate_choice=False)
    reason = StringField(lazy_gettext("Reason"))


def iso_day(text: str | None) -> date | None:
    """A day in an address; None for anything else."""
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
