"""What can be told about a message."""

from flask_babel import gettext, lazy_gettext
from wtforms import Field, FileField
from wtforms.validators import ValidationError

from ptdash.web import BaseForm


class BounceForm(BaseForm):
    file = FileField(lazy_gettext("Notification of the mail server (.eml)"))

    def validate_file(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(gettext("Choose the e-mail in which the mail server says that it failed"))
