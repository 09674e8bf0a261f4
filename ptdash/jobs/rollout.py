"""The rollout with every beat: who came and who left, what a window left open, and its reports."""

from datetime import datetime

from ptdash.config import Config
from ptdash.db import transaction
from ptdash.services.rollout import sweeping


def look(config: Config, now: datetime) -> None:
    """Plan what is missing, stop what is not covered any more, take up again what a window left open."""
    today, moment = config.business_day(now), config.business_moment(now)
    with transaction() as session:
        sweeping.sweep(session, today=today, now=moment)
