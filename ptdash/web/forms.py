"""The form every other form is made from."""

from collections.abc import Mapping
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field
from wtforms.fields.choices import SelectChoice

from ptdash.domain.errors import DomainError
from ptdash.web.formats import sentence


class BaseForm(FlaskForm):
    """A form with a CSRF token; `problems()` is what its error summary lists."""

    class Meta(FlaskForm.Meta):
        locales = False  # our own messages say what to do; WTForms' built-in ones are never shown

    def submitted(self) -> bool:
        """Whether this request sent the form, with values that hold."""
        return request.method == "POST" and self.validate()

    def refuse(self, error: DomainError, field: str | None = None) -> None:
        """Show what a rule refused at the field it concerns, or in the summary alone."""
        if field:
            self[field].errors = [*self[field].errors, sentence(error)]
        else:
            self.form_errors.append(sentence(error))

    def problems(self) -> list[tuple[str | None, str]]:
        """Pairs of a field's element id (None for the whole form) and the sentence about it."""
        whole = [(None, str(sentence)) for sentence in self.form_errors]
        return whole + [(_target(field), str(sentence)) for field in self for sentence in field.errors]


def choices(labels: Mapping[Any, Any]) -> list[SelectChoice]:
    """What a select or a group of radios offers: value -> label, in this order."""
    return [SelectChoice(value, label) for value, label in labels.items()]


def _target(field: Field) -> str:
    """Where the summary's link leads: a group of radios has no element of its own but the first choice."""
    return f"{field.id}-0" if field.type == "RadioField" else str(field.id)
