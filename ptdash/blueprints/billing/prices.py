"""Preise: the dated price list; a new price shows what it touches before it is saved."""

from datetime import date
from decimal import Decimal

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from wtforms import Field, SelectField, StringField
from wtforms.validators import ValidationError

from ptdash.blueprints.billing.views import bp
from ptdash.blueprints.billing.words import ITEMS, MONTHLY_OR_BY_THE_MINUTE, sentence
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.periods import format_month, month_of, next_month, parse_month
from ptdash.services import prices
from ptdash.web import BaseForm, choices, now, render_page, see_other, toast, today
from ptdash.web.formats import month as month_in_words
from ptdash.web.numbers import read_decimal, read_whole

MONTHS_AHEAD = 24
MONTHS_BACK = 12
FIELD_OF = {
    prices.PriceInUse: "valid_from",
    prices.PriceWithinMonth: "valid_from",
    prices.MinutesMissing: "included_minutes",
    prices.MinutesNotAllowed: "included_minutes",
    prices.UnknownItem: "item",
}


class PriceForm(BaseForm):
    item = SelectField(lazy_gettext("Item"), choices=choices(ITEMS), validate_choice=False)
    valid_from = SelectField(lazy_gettext("Valid from"), validate_choice=False)
    net = StringField(lazy_gettext("Net price"))
    included_minutes = StringField(lazy_gettext("Included minutes"))

    def validate_valid_from(self, field: Field) -> None:
        try:
            parse_month(field.data or "")
        except DomainError as error:
            raise ValidationError(sentence(error)) from None

    def validate_net(self, field: Field) -> None:
        if read_decimal(field.data) is None:
            raise ValidationError(gettext("Enter the price with a decimal comma, for example 1,50"))

    def validate_included_minutes(self, field: Field) -> None:
        if field.data and read_whole(field.data) is None:
            raise ValidationError(gettext("Enter the minutes as a whole number, for example 30"))

    @property
    def price(self) -> tuple[str, date, Decimal, int | None]:
        """Item, month, net and included minutes of a form that holds."""
        net = read_decimal(self.net.data)
        assert net is not None
        return self.item.data, parse_month(self.valid_from.data), net, read_whole(self.included_minutes.data)


@bp.get("/prices")
def price_list() -> Response:
    return _list_page(_form())


@bp.post("/prices")
def change_price() -> Response:
    """First what the price touches; saved when that is confirmed."""
    form = _form()
    if request.form.get("back") or not form.submitted():
        return _list_page(form)
    item, valid_from, net, included = form.price
    try:
        if request.form.get("confirmed"):
            with transaction() as session:
                prices.change(session, item, valid_from, net, included, actor_id=current_user.id, now=now())
            toast(
                gettext(
                    "Price saved: %(item)s from %(month)s.", item=ITEMS[item], month=month_in_words(valid_from)
                )
            )
            return see_other(url_for("billing.price_list"))
        with transaction() as session:
            prices.check(session, item, valid_from, net, included)
            touched = prices.touched(session, item, valid_from)
            before = prices.valid_on(session, valid_from).items.get(item)
            if before:
                session.expunge(before)
    except DomainError as error:
        form[FIELD_OF.get(type(error), "net")].errors = [sentence(error)]
        return _list_page(form)
    return render_page(
        "billing/price_confirm.html",
        form=form,
        item=item,
        valid_from=valid_from,
        net=net,
        included=included,
        touched=touched,
        before=before,
        words=ITEMS,
        units=MONTHLY_OR_BY_THE_MINUTE,
    )


def _form() -> PriceForm:
    form = PriceForm()
    with transaction() as session:
        first = prices.last_begun(session)
    day = today()
    month = next_month(first) if first else date(day.year - MONTHS_BACK // 12, day.month, 1)
    last = date(day.year + MONTHS_AHEAD // 12, day.month, 1)
    months = {}
    while month <= max(last, next_month(first or day)):
        months[format_month(month)] = month_in_words(month)
        month = next_month(month)
    form.valid_from.choices = choices(months)
    if not form.valid_from.data:
        upcoming = format_month(next_month(month_of(day)))
        form.valid_from.data = upcoming if upcoming in months else next(iter(months))
    return form


def _list_page(form: PriceForm) -> Response:
    with transaction() as session:
        rows = prices.listed(session, today())
    return render_page(
        "billing/prices.html",
        status=422 if form.problems() else 200,
        form=form,
        rows=rows,
        words=ITEMS,
        units=MONTHLY_OR_BY_THE_MINUTE,
    )
