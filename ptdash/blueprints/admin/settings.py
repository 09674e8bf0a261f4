"""Einstellungen: the company's data, its business hours and what it promises."""

from flask import Blueprint, Response, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.admin.settings_form import SettingsForm, shown
from ptdash.blueprints.contracts.words import MESSAGE_STATES
from ptdash.db import db, transaction
from ptdash.models import Role
from ptdash.services import delivery, outbox
from ptdash.services import settings as service
from ptdash.web import access, now, render_page, see_other, toast

bp = Blueprint("settings", __name__, url_prefix="/admin/settings")
access.blueprint(bp, Role.ADMIN)


@bp.get("")
def index() -> Response:
    return _page(SettingsForm(formdata=None, data=shown(service.all_settings(db.session()))))


def _page(form: SettingsForm, status: int = 200) -> Response:
    session = db.session()
    test = outbox.newest_test(session)
    attempts = delivery.attempts(session, [test.id]).get(test.id, []) if test else []
    return render_page(
        "admin/settings.html",
        status=status,
        form=form,
        server=delivery.mail_server(session),
        test=test,
        attempts=attempts,
        message_states=MESSAGE_STATES,
    )


@bp.post("/test-message")
def send_test() -> Response:
    with transaction() as session:
        outbox.write_test(session, current_user.email, actor_id=current_user.id, now=now())
    toast(gettext("The test message is on its way to %(address)s.", address=current_user.email))
    return see_other(url_for("settings.index", _anchor="smtp"))


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
    return _page(form, 422)
