"""What a ticket's page shows about time: the form, the meter of the minutes, the coverage verdict."""

from dataclasses import dataclass
from datetime import date

from flask import g
from flask_login import current_user

from ptdash.blueprints.tickets.words import TREATMENTS
from ptdash.blueprints.time.forms import BookForm
from ptdash.blueprints.time.words import cost_words, reason_words, used_up_words
from ptdash.db import db
from ptdash.domain.coverage import Coverage
from ptdash.domain.errors import DomainError
from ptdash.domain.meters import Cost, Meter, MonthMeters, cost_of
from ptdash.domain.minutes import Treatment, billable_minutes
from ptdash.domain.periods import berlin_day, last_day, month_of
from ptdash.models import Ticket
from ptdash.services import coverage, meters
from ptdash.web import now, today


@dataclass(frozen=True)
class Panel:
    """`cost` is that of what is entered in the form, None where nothing can be read yet."""

    ticket: Ticket
    form: BookForm
    day: date
    month: MonthMeters
    coverage: Coverage
    cost: Cost | None

    @property
    def meter(self) -> Meter | None:
        return self.month.nearest(self.day)

    @property
    def until(self) -> date:
        return self.meter.span.last if self.meter else last_day(self.day)

    @property
    def price(self) -> str:
        return cost_words(self.cost) if self.cost else ""

    @property
    def warning(self) -> str:
        """What more work of the proposed treatment costs where the package is used up; it stops nobody."""
        if self.coverage.treatment is not Treatment.PACKAGE or self.meter is None or self.meter.left:
            return ""
        return used_up_words(self.month.rates.overage)

    @property
    def why(self) -> list[str]:
        return [reason_words(reason) for reason in self.coverage.reasons]

    @property
    def proposed(self) -> str:
        return str(TREATMENTS[self.coverage.treatment])


def of_ticket(ticket: Ticket, form: BookForm | None = None) -> Panel:
    """The panel of a ticket, made once a request; `form` is one that was sent or refused."""
    if form is None and ticket.id in g.setdefault("time_panels", {}):
        known: Panel = g.time_panels[ticket.id]
        return known
    session, shown = db.session(), form
    cost_on, minutes = _entered(form)
    verdict = coverage.of_ticket(session, ticket.id, cost_on)
    month = meters.of_months(session, [ticket.customer_id], month_of(cost_on))[ticket.customer_id]
    if shown is None:
        shown = BookForm(formdata=None)
        shown.day.data, shown.treatment.data = cost_on, verdict.treatment.value
    shown.technician.data = shown.technician.data or current_user.id
    cost = None
    if minutes:
        treatment = next((name for name in TREATMENTS if name == shown.treatment.data), verdict.treatment)
        cost = cost_of(month, treatment, minutes, cost_on)
    panel = Panel(ticket, shown, cost_on, month, verdict, cost)
    g.setdefault("time_panels", {})[ticket.id] = panel
    return panel


def _entered(form: BookForm | None) -> tuple[date, int | None]:
    """The day and the minutes of what is being entered, as far as it can be read."""
    if form is None or form.day.data is None:
        return today(), None
    try:
        work = form.work(now())
    except (DomainError, ValueError, OverflowError):
        return form.day.data, None
    if work.ended_at <= work.started_at:
        return form.day.data, None
    return berlin_day(work.started_at), billable_minutes(work.started_at, work.ended_at)
