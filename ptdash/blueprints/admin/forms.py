"""Forms for accounts."""

from flask_babel import lazy_gettext
from wtforms import EmailField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired

from ptdash.models import Role
from ptdash.web import BaseForm, choices

ROLES = {
    Role.DISPATCHER: lazy_gettext("Dispatcher"),
    Role.TECHNICIAN: lazy_gettext("Technician"),
    Role.MANAGER: lazy_gettext("Manager"),
    Role.ADMIN: lazy_gettext("Administrator"),
}


class AddUserForm(BaseForm):
    name = StringField(lazy_gettext("Name"), [InputRequired(lazy_gettext("Enter a name"))])
    email = EmailField(lazy_gettext("E-mail address"), [InputRequired(lazy_gettext("Enter an e-mail address"))])
    role = SelectField(lazy_gettext("Role"), choices=choices(ROLES))
    language = SelectField(lazy_gettext("Language"), choices=choices({"de": "Deutsch", "en": "English"}))
    password = PasswordField(
        lazy_gettext("First password"), [InputRequired(lazy_gettext("Enter a first password"))]
    )


class RoleForm(BaseForm):
    role = SelectField(lazy_gettext("Role"), choices=choices(ROLES))


class NewPasswordForm(BaseForm):
    password = PasswordField(lazy_gettext("New password"), [InputRequired(lazy_gettext("Enter a new password"))])
