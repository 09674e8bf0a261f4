"""Making a contract: the form of its kind, with what it would be beside it."""

from flask import Response, request
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.contracts import bp
from ptdash.blueprints.contracts.change_forms import NewForm, amount, select_from
from ptdash.blueprints.contracts.words import contract_href
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.packages import PROMISED, SIZES, SUPPORT
from ptdash.domain.periods import month_of, next_month
from ptdash.domain.terms import ONE_DAY
from ptdash.services import contract_page, posted, renewals
from ptdash.services.contract_changes import contract, creating
from ptdash.services.contract_changes.creating import Foreseen
from ptdash.services.contracts import fee_on, package_on
from ptdash.web import now, render_page, see_other, toast, today
from ptdash.web.formats import sentence

FIELD_OF: dict[type[DomainError], str] = {
    creating.PackageMissing: "package",
    creating.StartMissing: "starts_on",
    creating.StartFarAway: "starts_on",
    creating.SupportOverlaps: "starts_on",
    creating.CannotFollow: "starts_on",
    creating.MonthsOutOfRange: "term_months",
    creating.ConsumerNotice: "notice_months",
    contract.FeeUnreadable: "monthly_fee",
    posted.ReachReasonMissing: "reason",
}


@bp.get("/new")
def new() -> Response:
    form = NewForm(formdata=None)
    form.promise(_kind())
    form.customer.data = request.args.get("customer", "")
    form.starts_on.data = next_month(month_of(today()))
    if _follows():
        _take_over(form)
    return _page(form)


@bp.get("/new/result")
def new_result() -> Response:
    """What the contract would be, while it is typed."""
    form = NewForm(formdata=request.args, meta={"csrf": False})
    form.validate()
    return _page(form, fragment=True)


@bp.post("/new")
def create() -> Response:
    form = NewForm()
    if not form.submitted():
        return _page(form, status=422)
    if request.form.get("check"):
        return _page(form)
    try:
        with transaction() as session:
            made = creating.create(
                session,
                form.entered(_kind(), _follows()),
                confirmed=form.confirmed,
                today=today(),
                actor_id=current_user.id,
                now=now(),
            )
            number = made.number
    except DomainError as error:
        form.refuse(error, FIELD_OF.get(type(error)))
        return _page(form, status=409 if isinstance(error, posted.ReachNotSeen) else 422)
    toast(gettext("%(number)s is entered.", number=number))
    return see_other(contract_href(number))


def _page(form: NewForm, *, status: int = 200, fragment: bool = False) -> Response:
    found: Foreseen | None = None
    refusal: str | None = None
    with transaction() as session:
        customers = contract_page.customers(session)
        offers = contract_page.package_offers(session, form.starts_on.data or today())
        if form.has("customer", "starts_on"):
            try:
                found = creating.preview(session, form.entered(_kind(), _follows()), today=today())
            except DomainError as error:
                refusal = sentence(error)
    select_from(form.customer, customers, gettext("Choose a customer"))
    form.package.choices = [(name, name) for name in SIZES]
    return render_page(
        "contracts/new.html",
        status=status,
        fragment="contracts/_new_result.html" if fragment else None,
        form=form,
        kind=_kind(),
        follows=_follows(),
        offers=offers,
        found=found,
        refusal=refusal,
        promised=PROMISED[_kind()],
        today=today(),
    )


def _take_over(form: NewForm) -> None:
    """What follows a contract begins as it ended."""
    with transaction() as session:
        row = renewals.one(session, _follows() or "", today())
    old = row.contract
    starts_on = old.ends_before or (row.known.life.term_ends_on or today()) + ONE_DAY
    last_day = starts_on - ONE_DAY
    form.customer.data, form.starts_on.data = row.known.customer.number, starts_on
    form.package.data = package_on(old, last_day)
    form.monthly_fee.data = amount(fee_on(old, last_day))
    form.term_months.data, form.notice_months.data = str(old.term_months), str(old.notice_months)
    form.renews.data = old.renewal_months is not None
    if old.renewal_months:
        form.renewal_months.data = str(old.renewal_months)
    form.active_station_procedure.data = old.active_station_procedure


def _kind() -> str:
    """Of what is asked for, or of the contract that it follows."""
    asked, follows = request.values.get("kind", ""), _follows()
    if asked in PROMISED:
        return asked
    if follows:
        with transaction() as session:
            return str(renewals.one(session, follows, today()).contract.kind)
    return SUPPORT


def _follows() -> str | None:
    return request.values.get("follows", "").strip() or None
