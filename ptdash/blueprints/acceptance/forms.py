"""What is entered to sign, to remedy and to revoke."""

from collections.abc import Iterable

from flask_babel import lazy_gettext
from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from ptdash.blueprints.devices.words import OUTCOMES
from ptdash.domain.acceptance import Outcome
from ptdash.web import BaseForm


class SignForm(BaseForm):
    outcome = RadioField(
        lazy_gettext("Result"), [InputRequired(lazy_gettext("Choose a result"))], validate_choice=False
    )
    note = TextAreaField(lazy_gettext("Note on the result"), [Length(max=2000)])

    def offer(self, outcomes: Iterable[Outcome]) -> None:
        self.outcome.choices = [(outcome.value, str(OUTCOMES[outcome][0])) for outcome in outcomes]


class RemedyForm(BaseForm):
    how = StringField(
        lazy_gettext("How was it remedied?"), [InputRequired(lazy_gettext("Say how the fault was remedied"))]
    )


class RevokeForm(BaseForm):
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(lazy_gettext("Say why it is revoked"))])
