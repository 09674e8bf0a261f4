"""Every component with its macro call, so that a page can be put together from what is there."""

from datetime import date

from flask import Blueprint, Response, url_for
from flask_babel import gettext, lazy_gettext
from wtforms import RadioField, SelectField, StringField, TextAreaField

from ptdash.web import BaseForm, access, choices, now, render_page, see_other, toast, wants_fragment

bp = Blueprint("components", __name__)


class SpecimenForm(BaseForm):
    minutes = StringField(lazy_gettext("Minutes"))
    day = StringField(lazy_gettext("Day"))
    treatment = SelectField(
        lazy_gettext("Treatment"),
        choices=choices({"package": lazy_gettext("Package"), "goodwill": lazy_gettext("Goodwill")}),
    )
    channel = RadioField(
        lazy_gettext("Channel"),
        choices=choices({"phone": lazy_gettext("Telephone"), "email": lazy_gettext("E-mail")}),
    )
    note = TextAreaField(lazy_gettext("Note"))


@bp.get("/components")
@access.any_user
def index() -> Response:
    values = {"minutes": "1,5 h", "day": "17.11.2026", "treatment": "goodwill", "channel": "phone"}
    form = SpecimenForm(formdata=None, data=values)
    form.minutes.errors = [lazy_gettext("Enter the minutes as a whole number, for example 30")]
    form.note.errors = [lazy_gettext("Goodwill needs a reason")]
    window = {
        "days": [date(2026, 12, day) for day in range(21, 25)],
        "left_out": [{"day": date(2026, 12, 25), "reason": "1. Weihnachtstag"}],
    }
    return render_page(
        "components/index.html",
        form=form,
        window=window,
        today=date(2026, 12, 22),
        now=now(),
        first=date(2026, 10, 1),
    )


@bp.post("/components/toast")
@access.any_user
def show_toast() -> Response:
    toast(gettext("This is a toast."))
    if wants_fragment():
        return render_page("components/index.html", fragment="components/_toast_shown.html")
    return see_other(url_for("components.index"))
