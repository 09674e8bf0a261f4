"""What a contract's page says in sentences: its life, and what was done to it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext
from markupsafe import Markup

from ptdash.blueprints.contracts import bp
from ptdash.blueprints.contracts.words import has_endpoint, months
from ptdash.domain.terms import ContractState, Lifecycle
from ptdash.models import Customer
from ptdash.services.contract_page import Event
from ptdash.web.formats import day, rate, sentence, signed_eur

Facts = dict[str, Any]


def life_line(life: Lifecycle, renewal_months: int | None, today: date) -> str:
    """How long a contract runs and what happens then, in one or two sentences."""
    if life.state is ContractState.ENDED:
        return str(gettext("It ended on %(day)s.", day=day(life.ends_on)))
    if life.state is ContractState.NOTICE_GIVEN:
        return str(gettext("Notice was given: it ends on %(day)s.", day=day(life.ends_on)))
    if life.term_ends_on is None:
        return str(gettext("It runs for an indefinite time; a month's notice is possible at any time."))
    until = day(life.term_ends_on)
    if life.renews_on is None:
        return str(gettext("It runs until %(day)s and ends then, without renewal.", day=until))
    if renewal_months is None:
        return str(gettext("It runs until %(day)s.", day=until))
    values = {"day": until, "months": months(renewal_months), "deadline": day(life.notice_deadline)}
    if life.notice_deadline and life.notice_deadline < today:
        return str(
            gettext("It runs until %(day)s and then for another %(months)s: the last day for a notice is over.")
            % values
        )
    return str(
        gettext("It runs until %(day)s, then for another %(months)s, unless a notice arrives by %(deadline)s.")
        % values
    )


def consumer_line(life: Lifecycle) -> str:
    """A consumer's contract goes on for an indefinite time."""
    return str(
        gettext(
            "It runs until %(day)s at least. Unless a notice arrives by %(deadline)s, it goes on for an "
            "indefinite time; then a month's notice is possible at any time."
        )
        % {"day": day(life.term_ends_on), "deadline": day(life.notice_deadline)}
    )


def customer_link(customer: Customer) -> str:
    """The customer's name, as a link where this house has a page for it."""
    if not has_endpoint("customers.show"):
        return customer.name
    href = url_for("customers.show", number=customer.number)
    return Markup('<a href="{}">{}</a>').format(href, customer.name)


@bp.context_processor
def _sentences() -> dict[str, object]:
    return {
        "consumer_line": consumer_line,
        "customer_link": customer_link,
        "event_line": event_line,
        "life_line": life_line,
        "sentence": sentence,
    }


def event_line(event: Event) -> str:
    """What was done, in words; what has no words of its own by its name."""
    tell = EVENTS.get(event.action)
    line = str(tell(event.before, event.after)) if tell else event.action
    if event.after.get("posted_difference_cents") is not None and event.after.get("reason"):
        difference = signed_eur(event.after["posted_difference_cents"])
        line += " " + gettext("Posted months: %(difference)s.", difference=difference)
    return line


def _created(_: Facts, after: Facts) -> str:
    since = _day(after.get("starts_on"))
    if after.get("package"):
        return str(gettext("Entered: support %(package)s from %(day)s", package=after["package"], day=since))
    return str(
        gettext("Entered: maintenance from %(day)s, %(fee)s", day=since, fee=_fee(after.get("monthly_fee")))
    )


def _terms(facts: Facts) -> str:
    renewal = facts.get("renewal_months")
    words = gettext("term %(term)s, notice %(notice)s", **_months(facts))
    then = gettext("renewed by %(months)s", months=months(renewal)) if renewal else gettext("no renewal")
    return f"{words}, {then}"


def _months(facts: Facts) -> dict[str, str]:
    return {"term": months(facts["term_months"]), "notice": months(facts["notice_months"])}


def _removed(_: Facts, after: Facts) -> str:
    if after.get("included_until"):
        until = _day(after["included_until"])
        return str(gettext("%(device)s leaves: last day %(day)s", device=after["device"], day=until))
    return str(gettext("%(device)s stays after all", device=after["device"]))


EVENTS: dict[str, Callable[[Facts, Facts], str]] = {
    "create": _created,
    "change_package": lambda before, after: gettext(
        "Package %(old)s becomes %(new)s from %(day)s",
        old=before.get("package"),
        new=after["package"],
        day=_day(after["effective_on"]),
    ),
    "take_back_package": lambda before, _: gettext(
        "Change to package %(package)s of %(day)s taken back",
        package=before["package"],
        day=_day(before["effective_on"]),
    ),
    "change_fee": lambda before, after: gettext(
        "Fee %(old)s becomes %(new)s from %(day)s",
        old=_fee(before.get("monthly_fee")),
        new=_fee(after["monthly_fee"]),
        day=_day(after["effective_on"]),
    ),
    "take_back_fee": lambda before, _: gettext(
        "Change of the fee of %(day)s taken back", day=_day(before["effective_on"])
    ),
    "include_device": lambda _, after: gettext(
        "%(device)s enters from %(day)s, %(fee)s",
        device=after["device"],
        day=_day(after["included_from"]),
        fee=_fee(after["monthly_fee"]),
    ),
    "remove_device": _removed,
    "take_back_inclusion": lambda before, _: gettext(
        "Inclusion of %(device)s taken back", device=before["device"]
    ),
    "set_procedure": lambda _, __: gettext("Procedure for active stations changed"),
    "agree_on_software": lambda _, after: gettext("Agreement about %(product)s", product=after["product"]),
    "withdraw_agreement": lambda before, _: gettext(
        "Agreement about %(product)s taken back", product=before["product"]
    ),
    "change_terms": lambda before, after: gettext(
        "Terms: %(old)s becomes %(new)s", old=_terms(before), new=_terms(after)
    ),
    "record_notice": lambda _, after: gettext(
        "Notice received %(day)s: ends on %(end)s", day=_day(after["received_on"]), end=_day(after["ends_on"])
    ),
    "withdraw_notice": lambda _, after: gettext(
        "Notice of %(day)s withdrawn", day=_day(after.get("received_on") or after.get("withdrawn_on"))
    ),
    "decide": lambda _, after: str(DECIDED.get(after["decision"], lambda: after["decision"])()),
}
DECIDED: dict[str, Callable[[], str]] = {
    "renew": lambda: gettext("Decided: renew"),
    "change": lambda: gettext("Decided: change"),
    "let_end": lambda: gettext("Decided: let it end"),
}


def _day(text: Any) -> str:
    return day(date.fromisoformat(text)) if text else "–"


def _fee(text: Any) -> str:
    return rate(Decimal(text)) if text is not None else "–"
