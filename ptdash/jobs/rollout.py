"""The rollout with every beat: who came and who left, what a window left open, and its reports."""

from datetime import datetime

from ptdash.config import Config
from ptdash.db import transaction
from ptdash.services.rollout import reports, sweeping

REPORTS_A_BEAT = 20


def look(config: Config, now: datetime) -> None:
    """Plan what is missing, stop what is not covered any more, take up again what a window left open; then write
    some of the reports that are due: the next beat goes on."""
    today, moment = config.business_day(now), config.business_moment(now)
    with transaction() as session:
        sweeping.sweep(session, today=today, now=moment)
        waiting = reports.due(session, moment, REPORTS_A_BEAT)
    for customer_id, month in waiting:
        with transaction() as session:
            reports.write(session, customer_id, month, now=moment)
