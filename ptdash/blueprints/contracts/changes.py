"""Changing a contract: package, fee, terms, procedure, agreements. Each has its own address."""

from datetime import date
from typing import Any

from flask import Response, request
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.contracts import bp
from ptdash.blueprints.contracts.change_forms import (
    AgreementForm,
    ChangeForm,
    FeeForm,
    PackageForm,
    ProcedureForm,
    TermsForm,
    amount,
)
from ptdash.blueprints.contracts.forms import iso_day
from ptdash.blueprints.contracts.words import contract_href
from ptdash.db import transaction
from ptdash.domain import packages
from ptdash.domain.errors import DomainError, NotFound
from ptdash.domain.periods import next_month
from ptdash.services import contract_page, renewals
from ptdash.services.contract_changes import agreed, contract, creating, prices
from ptdash.web import now, render_page, see_other, toast, today
from ptdash.web.formats import day
from ptdash.web.numbers import read_decimal

MONTHS_AHEAD = 24
FIELD_OF: dict[type[DomainError], str] = {
    prices.PackageUnknown: "package",
    packages.SamePackage: "package",
    packages.UpgradeNotOnFirst: "effective_on",
    packages.DowngradeInsideTerm: "effective_on",
    packages.ChangeBeforeStart: "effective_on",
    packages.ChangeAfterEnd: "effective_on",
    prices.LaterChangeInTheWay: "effective_on",
    prices.FeeNotOnFirst: "effective_on",
    contract.PostedAlready: "effective_on",
    contract.FeeUnreadable: "monthly_fee",
    prices.SameFee: "monthly_fee",
    agreed.ProductMissing: "product",
    agreed.AgreementMissing: "agreement",
    creating.ConsumerNotice: "notice_months",
    agreed.DeadlinePassed: "notice_months",
    agreed.TermBegun: "term_months",
}


@bp.route("/<number>/package", methods=["GET", "POST"])
def package(number: str) -> Response:
    form = PackageForm()
    with transaction() as session:
        row = renewals.one(session, number, today())
        if row.contract.package is None:
            raise contract.NotSupport(contract=number)
        options = contract_page.package_options(session, row)
    form.package.choices = [(option.package, option.package) for option in options]
    earliest = {option.package: option.earliest for option in options}
    if form.submitted():
        chosen = form.package.data or ""
        effective_on = form.effective_on.data or earliest.get(chosen)
        try:
            if effective_on is None:
                raise prices.PackageUnknown()
            with transaction() as session:
                prices.change_package(session, number, chosen, effective_on, actor_id=current_user.id, now=now())
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("Package %(package)s from %(day)s.", package=chosen, day=day(effective_on)))
            return see_other(contract_href(number))
    return _render("contracts/package.html", form, number, row=row, options=options)


@bp.post("/<number>/package/<effective_on>/take-back")
def take_back_package(number: str, effective_on: str) -> Response:
    which = _day_of(number, effective_on)
    with transaction() as session:
        prices.take_back_package(session, number, which, actor_id=current_user.id, now=now())
    toast(gettext("The change of %(day)s is taken back.", day=day(which)))
    return see_other(contract_href(number))


@bp.route("/<number>/fee", methods=["GET", "POST"])
def fee(number: str) -> Response:
    form = FeeForm()
    with transaction() as session:
        row = renewals.one(session, number, today())
        if row.contract.monthly_fee is None:
            raise contract.NotMaintenance(contract=number)
        month = contract_page.first_fee_month(session, row)
    months: list[date] = []
    while len(months) < MONTHS_AHEAD:
        months.append(month)
        month = next_month(month)
    form.effective_on.choices = [(first.isoformat(), day(first)) for first in months]
    if request.method == "GET":
        form.effective_on.data = next((first for first in months if first > today()), months[0]).isoformat()
    if form.submitted():
        effective_on = iso_day(form.effective_on.data) or months[0]
        try:
            with transaction() as session:
                prices.change_fee(
                    session,
                    number,
                    read_decimal(form.monthly_fee.data),
                    effective_on,
                    actor_id=current_user.id,
                    now=now(),
                )
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The fee changes on %(day)s.", day=day(effective_on)))
            return see_other(contract_href(number))
    return _render("contracts/fee.html", form, number, row=row)


@bp.post("/<number>/fee/<effective_on>/take-back")
def take_back_fee(number: str, effective_on: str) -> Response:
    which = _day_of(number, effective_on)
    with transaction() as session:
        prices.take_back_fee(session, number, which, actor_id=current_user.id, now=now())
    toast(gettext("The change of %(day)s is taken back.", day=day(which)))
    return see_other(contract_href(number))


@bp.route("/<number>/terms", methods=["GET", "POST"])
def terms(number: str) -> Response:
    form = TermsForm()
    with transaction() as session:
        page = contract_page.page(session, number, today())
    old = page.row.contract
    if request.method == "GET":
        form.term_months.data, form.notice_months.data = str(old.term_months), str(old.notice_months)
        form.renews.data = old.renewal_months is not None
        form.renewal_months.data = str(old.renewal_months or old.term_months)
    if form.submitted():
        try:
            with transaction() as session:
                agreed.change_terms(
                    session, number, **form.months, today=today(), actor_id=current_user.id, now=now()
                )
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The terms of %(number)s are saved.", number=number))
            return see_other(contract_href(number))
    return _render("contracts/terms.html", form, number, row=page.row, page=page, today=today())


@bp.route("/<number>/procedure", methods=["GET", "POST"])
def procedure(number: str) -> Response:
    form = ProcedureForm()
    with transaction() as session:
        row = renewals.one(session, number, today())
    if request.method == "GET":
        form.text.data = row.contract.active_station_procedure
    if form.submitted():
        try:
            with transaction() as session:
                agreed.set_procedure(session, number, form.text.data or "", actor_id=current_user.id, now=now())
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The procedure is saved."))
            return see_other(contract_href(number))
    return _render("contracts/procedure.html", form, number, row=row)


@bp.route("/<number>/agreements", methods=["GET", "POST"])
def agreement(number: str) -> Response:
    """A new agreement about foreign software, or the one about `product` changed."""
    form = AgreementForm()
    with transaction() as session:
        page = contract_page.page(session, number, today())
        products = agreed.foreign_products(session, page.row.contract)
    asked = request.args.get("product", "")
    if request.method == "GET" and asked:
        form.product.data = asked
        form.agreement.data = next((row.agreement for row in page.agreements if row.product == asked), "")
    if form.submitted():
        try:
            with transaction() as session:
                agreed.agree_on_software(
                    session,
                    number,
                    form.product.data or "",
                    form.agreement.data or "",
                    actor_id=current_user.id,
                    now=now(),
                )
        except DomainError as error:
            form.refuse(error, FIELD_OF.get(type(error)))
        else:
            toast(gettext("The agreement about %(product)s is saved.", product=form.product.data))
            return see_other(contract_href(number))
    return _render("contracts/agreement.html", form, number, row=page.row, products=products)


@bp.post("/<number>/agreements/withdraw")
def withdraw_agreement(number: str) -> Response:
    product = request.form.get("product", "")
    with transaction() as session:
        agreed.withdraw_agreement(session, number, product, actor_id=current_user.id, now=now())
    toast(gettext("The agreement about %(product)s is taken back.", product=product))
    return see_other(contract_href(number))


def _render(template: str, form: ChangeForm, number: str, **context: Any) -> Response:
    status = 422 if form.problems() else 200
    return render_page(template, status=status, form=form, number=number, amount=amount, **context)


def _day_of(number: str, text: str) -> date:
    found = iso_day(text)
    if found is None:
        raise NotFound(what=f"{number}, {text}")
    return found
