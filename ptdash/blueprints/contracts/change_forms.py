"""The forms that make and change contracts."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, Field, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional, ValidationError

from ptdash.blueprints.contracts.forms import DayField
from ptdash.domain.packages import MAINTENANCE, PROMISED, SUPPORT
from ptdash.services.contract_changes.creating import NewContract
from ptdash.services.posted import Confirmed
from ptdash.web import BaseForm
from ptdash.web.numbers import read_decimal, read_whole


class ChangeForm(BaseForm):
    """A change that may reach into posted months: `confirmed` is what the person saw of it and says about it."""

    reason = StringField(lazy_gettext("Why only now"))

    @property
    def confirmed(self) -> Confirmed:
        return Confirmed(request.form.get("seen_cents", type=int), self.reason.data or "")

    def has(self, *names: str) -> bool:
        """Whether enough was typed to say what it would do."""
        return all(self[name].data for name in names)


class NewForm(ChangeForm):
    """A contract of one kind, its terms prefilled from the promise."""

    customer = SelectField(lazy_gettext("Customer"), validate_choice=False)
    starts_on = DayField(lazy_gettext("Starts on"), validators=[Optional()])
    package = RadioField(lazy_gettext("Package"), validate_choice=False)
    monthly_fee = StringField(lazy_gettext("Monthly fee net"))
    term_months = StringField(lazy_gettext("First term, months"))
    notice_months = StringField(lazy_gettext("Notice, months"))
    renews = BooleanField(lazy_gettext("Renews itself"), default=True)
    renewal_months = StringField(lazy_gettext("Renewed by, months"))
    active_station_procedure = TextAreaField(lazy_gettext("Stations in active use"))
    takes_over = BooleanField(lazy_gettext("Take over the devices and agreements"), default=True)

    def promise(self, kind: str) -> None:
        promised = PROMISED[kind]
        self.term_months.data = str(promised.term_months)
        self.notice_months.data = str(promised.notice_months)
        self.renewal_months.data = str(promised.renewal_months)

    def validate_customer(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(gettext("Choose the customer"))

    def validate_monthly_fee(self, field: Field) -> None:
        _check_amount(field)

    def entered(self, kind: str, follows: str | None) -> NewContract:
        return NewContract(
            customer=self.customer.data or "",
            kind=kind,
            starts_on=self.starts_on.data,
            term_months=read_whole(self.term_months.data),
            notice_months=read_whole(self.notice_months.data),
            # Nothing readable is refused by the rule, "none" is not nothing.
            renewal_months=(read_whole(self.renewal_months.data) or 0) if self.renews.data else None,
            package=self.package.data if kind == SUPPORT else None,
            monthly_fee=read_decimal(self.monthly_fee.data) if kind == MAINTENANCE else None,
            active_station_procedure=self.active_station_procedure.data or "",
            follows=follows,
            takes_over=bool(follows and kind == MAINTENANCE and self.takes_over.data),
        )


class PackageForm(ChangeForm):
    """Another package; without a day from the earliest on."""

    package = RadioField(lazy_gettext("New package"), validate_choice=False)
    effective_on = DayField(lazy_gettext("From"), validators=[Optional()])


class FeeForm(ChangeForm):
    monthly_fee = StringField(lazy_gettext("New monthly fee net"))
    effective_on = SelectField(lazy_gettext("From"), validate_choice=False)

    def validate_monthly_fee(self, field: Field) -> None:
        _check_amount(field)


class TermsForm(ChangeForm):
    term_months = StringField(lazy_gettext("First term, months"))
    notice_months = StringField(lazy_gettext("Notice, months"))
    renews = BooleanField(lazy_gettext("Renews itself"))
    renewal_months = StringField(lazy_gettext("Renewed by, months"))

    @property
    def months(self) -> dict[str, int | None]:
        return {
            "term_months": read_whole(self.term_months.data) if self.term_months.data else None,
            "notice_months": read_whole(self.notice_months.data),
            "renewal_months": (read_whole(self.renewal_months.data) or 0) if self.renews.data else None,
        }


class ProcedureForm(ChangeForm):
    text = TextAreaField(lazy_gettext("How we proceed at stations in active use"))


class AgreementForm(ChangeForm):
    product = StringField(lazy_gettext("Software"))
    agreement = TextAreaField(lazy_gettext("What was agreed"))


class IncludeForm(ChangeForm):
    device = SelectField(lazy_gettext("Device"), validate_choice=False)
    included_from = DayField(lazy_gettext("In the contract from"), validators=[Optional()])
    monthly_fee = StringField(lazy_gettext("Monthly fee net"))

    def validate_device(self, field: Field) -> None:
        if not field.data:
            raise ValidationError(gettext("Choose the device"))

    def validate_included_from(self, field: Field) -> None:
        _check_day(field)

    def validate_monthly_fee(self, field: Field) -> None:
        if read_decimal(field.data) is None:
            raise ValidationError(AMOUNT)

    @property
    def fee(self) -> Decimal | None:
        return read_decimal(self.monthly_fee.data)


class RemoveForm(ChangeForm):
    """Without a day the device stays as long as the contract runs."""

    included_until = DayField(lazy_gettext("Last day in the contract"), validators=[Optional()])

    def validate_included_until(self, field: Field) -> None:
        _check_day(field)


AMOUNT: Any = lazy_gettext("Enter an amount in euros, for example 29,00")


def select_from(field: SelectField, rows: Iterable[tuple[str, str]], empty: str | None = None) -> None:
    field.choices = ([("", empty)] if empty else []) + list(rows)


def amount(value: Decimal | None) -> str:
    """As people type it."""
    return "" if value is None else f"{value:.2f}".replace(".", ",")


def _check_amount(field: Field) -> None:
    if field.data and read_decimal(field.data) is None:
        raise ValidationError(AMOUNT)


def _check_day(field: Field) -> None:
    if field.data is None and not field.errors:
        raise ValidationError(gettext("Enter a day, for example 31.05.2026"))
