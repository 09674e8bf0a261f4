"""Forms of signing in and of one's own account."""

from flask_babel import lazy_gettext
from wtforms import BooleanField, EmailField, HiddenField, PasswordField, RadioField
from wtforms.validators import EqualTo, InputRequired

from ptdash.web import BaseForm, choices


class LoginForm(BaseForm):
    email = EmailField(lazy_gettext("E-mail address"), [InputRequired(lazy_gettext("Enter your e-mail address"))])
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Enter your password"))])
    next = HiddenField()


class PasswordForm(BaseForm):
    present = PasswordField(
        lazy_gettext("Present password"), [InputRequired(lazy_gettext("Enter your present password"))]
    )
    new = PasswordField(lazy_gettext("New password"), [InputRequired(lazy_gettext("Enter a new password"))])
    repeated = PasswordField(
        lazy_gettext("Repeat the new password"),
        [EqualTo("new", lazy_gettext("The two new passwords differ. Enter the same one twice"))],
    )


class PreferencesForm(BaseForm):
    language = RadioField(lazy_gettext("Language"), choices=choices({"de": "Deutsch", "en": "English"}))
    theme = RadioField(
        lazy_gettext("Design"),
        choices=choices(
            {
                "system": lazy_gettext("As on this device"),
                "light": lazy_gettext("Light"),
                "dark": lazy_gettext("Dark"),
            }
        ),
    )
    shortcuts = BooleanField(lazy_gettext("Single-key shortcuts"))
