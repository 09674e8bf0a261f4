"""Recording a notice with its live verdict, and taking one back."""

from datetime import date

from flask import Response, request
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.contracts import READERS, bp
from ptdash.blueprints.contracts.forms import NoticeForm, WithdrawalForm, iso_day
from ptdash.blueprints.contracts.timeline import notice_line
from ptdash.blueprints.contracts.words import contract_href
from ptdash.db import transaction
from ptdash.domain import notices as rules
from ptdash.domain.errors import DomainError, NotFound
from ptdash.services import advice, files, notice_records, notices, posted
from ptdash.services.notices import Preview
from ptdash.web import access, now, render_page, see_other, toast, today, wants_fragment
from ptdash.web.formats import day, sentence

FIELD_OF: dict[type[DomainError], str] = {
    rules.EndMissing: "ends_on",
    rules.EndBeforeReceipt: "ends_on",
    rules.EndBeforeContract: "ends_on",
    notices.ReceivedInFuture: "received_on",
    notices.NoticeOfTheDay: "received_on",
    notices.AlreadyEnded: "received_on",
    notices.NoticeReasonMissing: "reason",
    posted.ReachReasonMissing: "reason",
    notices.TooManyFiles: "proof",
    files.FileEmpty: "proof",
    files.FileTooLarge: "proof",
    files.FileTypeRefused: "proof",
}


@bp.get("/<number>/notice")
def notice(number: str) -> Response:
    form = NoticeForm(formdata=None)
    form.received_on.data = _asked_day() or today()
    form.taken_by.data = current_user.id
    return _page(number, form)


@bp.get("/<number>/notice/result")
def notice_result(number: str) -> Response:
    """What the notice would do, while it is typed."""
    form = NoticeForm(formdata=request.args, meta={"csrf": False})
    form.validate()
    return _page(number, form, fragment=True)


@bp.post("/<number>/notice")
def record_notice(number: str) -> Response:
    """Recorded where the end is the one that the button named; else shown again."""
    form = NoticeForm()
    if not form.submitted():
        return _page(number, form, status=422)
    if request.form.get("check"):
        return _page(number, form)
    try:
        with transaction() as session:
            recorded = notices.record(
                session,
                number,
                form.entered,
                today=today(),
                now=now(),
                actor_id=current_user.id,
                uploads=form.uploads,
                confirm=form.confirm.data,
                seen_cents=request.form.get("seen_cents", type=int),
                seen_end=iso_day(request.form.get("seen_end")),
            )
    except DomainError as error:
        form.refuse(error, FIELD_OF.get(type(error)))
        return _page(number, form, status=422)
    toast(gettext("Notice recorded: %(number)s ends on %(day)s.", number=number, day=day(recorded.ends_on)))
    return see_other(contract_href(number))


@bp.route("/<number>/notices/<received_on>/withdraw", methods=["GET", "POST"])
def withdraw_notice(number: str, received_on: str) -> Response:
    """What it does is shown before it is done."""
    which, form = iso_day(received_on), WithdrawalForm()
    if which is None:
        raise NotFound(what=received_on)
    with transaction() as session:
        found = notice_records.withdrawal(session, number, which, today())
    if form.submitted():
        confirm = bool(form.confirm.data)
        try:
            with transaction() as session:
                notices.withdraw(
                    session, number, which, today=today(), now=now(), actor_id=current_user.id, confirm=confirm
                )
        except DomainError as error:
            form.refuse(error)
        else:
            toast(gettext("Notice of %(day)s withdrawn.", day=day(which)))
            return see_other(contract_href(number))
    status = 409 if form.problems() else 200
    return render_page(
        "contracts/withdraw.html",
        status=status,
        form=form,
        number=number,
        found=found,
        row=found.row,
        today=today(),
    )


@bp.get("/<number>/files/<int:file_id>")
@access(*READERS)
def notice_file(number: str, file_id: int) -> Response:
    """A proof or a letter of this contract's notices, always as a download."""
    with transaction() as session:
        file = notice_records.file(session, number, file_id)
    response = Response(file.content, mimetype=file.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response


def _page(number: str, form: NoticeForm, *, status: int = 200, fragment: bool = False) -> Response:
    found: Preview | None = None
    refusal: str | None = None
    with transaction() as session:
        row = notices.contract_on(session, number, today())
        people = notice_records.takers(session)
        history = notice_records.of_contract(session, row.contract, today())
        customer_id = row.customer.id
        advised = advice.of_customers(session, [customer_id]).get(customer_id) if row.package else None
        if not form.errors.get("received_on") and not form.errors.get("ends_on") and form.received_on.data:
            try:
                found = notices.preview(session, number, form.entered, today=today())
            except DomainError as error:
                refusal = sentence(error)
    form.taken_by.choices = people
    entered = form.entered if form.received_on.data else None
    return render_page(
        "contracts/notice.html",
        status=status,
        fragment="contracts/_notice_result.html" if fragment else None,
        number=number,
        row=row,
        form=form,
        found=found,
        entered=entered,
        line=notice_line(found, entered) if found and entered else None,
        refusal=refusal,
        history=history,
        advised=advised,
        fragment_only=fragment and wants_fragment(),
        today=today(),
    )


def _asked_day() -> date | None:
    return iso_day(request.args.get("received_on"))
