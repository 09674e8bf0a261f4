"""Einstellungen: the company's data, its business hours and what it promises."""

from flask import Blueprint, Response, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.admin.settings_form import SettingsForm, shown
from ptdash.db import db, transaction
from ptdash.models import Role
from ptdash.services import settings as service
from ptdash.web import access, now, render_page, see_other, toast

bp = Blueprint("settings", __name__, url_prefix="/admin/settings")
access.blueprint(bp, Role.ADMIN)


@bp.get("")
def index() -> Response:
    stored = service.all_settings(db.session())
    return render_page("admin/settings.html", form=SettingsForm(formdata=None, data=shown(stored)))


@bp.post("")
def save() -> Response:
    form = SettingsForm()
    if form.submitted():
        try:
            with transaction() as session:
                service.change_all(session, form.values, actor_id=current_user.id, now=now())
        except service.SettingsRefused as error:
            for key, refusal in error.refused.items():
                form.refuse_setting(key, refusal)
        else:
            toast(gettext("Settings saved."))
            return see_other(url_for("settings.index"))
    return render_page("admin/settings.html", status=422, form=form)
