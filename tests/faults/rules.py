"""The rules of e-invoices, asked once for each invoice.

The same few invoices are checked at every point of every fault, and the rules say the same to the same bytes. What
they said is remembered by the test's process, and by whatever it forks. An invoice that nobody has seen yet is
really checked.
"""

from functools import lru_cache

from ptdash.db import transaction
from ptdash.documents import validation
from ptdash.services import period_close
from tests.faults.house import House

remembered = lru_cache(maxsize=None)(validation.validate)


def learn(house: House, run_id: int) -> None:
    """Have the invoices that the run is about to issue checked in this process."""
    everybody = house.everybody(run_id)
    with transaction() as session:
        drafted = period_close.draft(session, run_id, everybody)
    for made in drafted.values():
        made.check()
