"""What the pages call the things of contracts."""

from collections.abc import Callable
from typing import Any

from flask import current_app, url_for
from flask_babel import gettext, lazy_gettext, ngettext
from flask_login import current_user

from ptdash.blueprints.contracts import bp
from ptdash.domain.notices import Step, StepKind, Timing, Verdict
from ptdash.domain.terms import ContractState
from ptdash.models import Role
from ptdash.services.contracts import ContractOnDay
from ptdash.web.formats import day

CHANNELS = {
    "email": lazy_gettext("E-mail"),
    "letter": lazy_gettext("Letter"),
    "portal": lazy_gettext("Customer portal"),
    "phone": lazy_gettext("Telephone, then in writing"),
    "fax": lazy_gettext("Fax"),
    "in_person": lazy_gettext("Handed over"),
}
GIVEN_BY = {"customer": lazy_gettext("Customer"), "company": lazy_gettext("us")}
NOTICE_KINDS = {"ordinary": lazy_gettext("Ordinary"), "extraordinary": lazy_gettext("For an important reason")}
KINDS = {"support": lazy_gettext("Support"), "maintenance": lazy_gettext("Maintenance")}
STATES = {
    ContractState.DRAFT: (lazy_gettext("Draft"), "plan"),
    ContractState.ACTIVE: (lazy_gettext("Active"), "work"),
    ContractState.NOTICE_GIVEN: (lazy_gettext("Notice given"), "bad"),
    ContractState.ENDED: (lazy_gettext("Ended"), "done"),
}
MESSAGE_STATES = {
    "held": (lazy_gettext("held"), "bad"),
    "waiting": (lazy_gettext("waits for dispatch"), "wait"),
    "sending": (lazy_gettext("being sent"), "work"),
    "sent": (lazy_gettext("sent"), "done"),
    "unclear": (lazy_gettext("unclear whether it arrived"), "bad"),
    "refused": (lazy_gettext("refused"), "bad"),
    "cancelled": (lazy_gettext("cancelled"), "plan"),
}


def what(row: ContractOnDay) -> str:
    """`Support M` or `Wartung`."""
    if row.package:
        return str(gettext("Support %(package)s", package=row.package))
    return str(gettext("Maintenance"))


def step(found: Step) -> str:
    """A step of a notice's reckoning as a sentence."""
    return STEPS[found.kind](found.count)


def verdict_line(verdict: Verdict, received_on: Any) -> str:
    """How the receipt lies to the deadline, in one line."""
    when = day(received_on)
    match verdict.timing:
        case Timing.IN_TIME:
            return str(gettext("In time, received %(day)s", day=when))
        case Timing.TOO_LATE if verdict.days_late == 1:
            return str(gettext("One day too late, received %(day)s", day=when))
        case Timing.TOO_LATE:
            return str(gettext("%(days)s days too late, received %(day)s", days=verdict.days_late, day=when))
        case Timing.EXTRAORDINARY:
            return str(gettext("For an important reason, received %(day)s", day=when))
        case Timing.ENDS_ANYWAY:
            return str(gettext("It ends with its term, received %(day)s", day=when))
        case Timing.ANY_TIME:
            return str(gettext("At any time with a month's notice, received %(day)s", day=when))


def months(count: int) -> str:
    return str(ngettext("%(num)s month", "%(num)s months", count))


def _receipt(days_late: int) -> str:
    if days_late < 0:
        return str(gettext("Receipt"))
    if days_late == 0:
        return str(gettext("Receipt, last day of the period"))
    return str(
        ngettext("Receipt, %(num)s day after the period", "Receipt, %(num)s days after the period", days_late)
    )


STEPS: dict[StepKind, Callable[[int], str]] = {
    StepKind.START: lambda count: gettext("Start of the contract, term %(months)s", months=months(count)),
    StepKind.TERM: lambda count: gettext("Term %(number)s ends", number=count),
    StepKind.DEADLINE: lambda count: gettext("Notice period %(months)s: latest receipt", months=months(count)),
    StepKind.RECEIPT: _receipt,
    StepKind.FIRST_TERM_OVER: lambda _: gettext("First term ended, indefinite since"),
    StepKind.MONTH_LATER: lambda count: gettext("%(months)s after the receipt", months=months(count)),
    StepKind.ONLY_TERM: lambda _: gettext("The term ends without renewal"),
    StepKind.NAMED_END: lambda _: gettext("End for an important reason"),
    StepKind.EARLIER: lambda _: gettext("An earlier notice ends it before"),
}


def contract_href(number: str) -> str:
    """Where a contract is looked at."""
    endpoint = "contracts.show" if "contracts.show" in current_app.view_functions else "contracts.notice"
    return url_for(endpoint, number=number)


def has_endpoint(endpoint: str) -> bool:
    """Whether this house has such a page."""
    return endpoint in current_app.view_functions


@bp.app_context_processor
def _words() -> dict[str, object]:
    return {"contract_href": contract_href, "has_endpoint": has_endpoint}


@bp.context_processor
def _own_words() -> dict[str, object]:
    return {
        "channels": CHANNELS,
        "contract_kinds": KINDS,
        "contract_states": STATES,
        "given_by": GIVEN_BY,
        "message_states": MESSAGE_STATES,
        "months": months,
        "notice_kinds": NOTICE_KINDS,
        "step": step,
        "verdict_line": verdict_line,
        "what": what,
        "may_change": current_user.is_authenticated and current_user.role == Role.MANAGER,
    }
