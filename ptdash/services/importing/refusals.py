"""What the database still refuses, in words: somebody else wrote at the same time, or a rule was overlooked."""

from psycopg.errors import Diagnostic
from sqlalchemy.exc import DBAPIError

from ptdash.services.importing.result import Problem

# By SQLSTATE: the code of the error and what to do.
REFUSALS = {
    "PD001": ("already_posted", "A posting has taken this meanwhile. Reverse it first (Storno)."),
    "PD002": (
        "price_in_use",
        "The close of a month with this price has begun. Enter the price for a later month.",
    ),
    "PD004": ("no_acceptance", "A device that was not bought from us would be without a valid acceptance."),
    "23505": ("duplicate_key", "Somebody else has entered the same key meanwhile. Import again."),
    "23P01": ("overlap", "Two rows would overlap on the way. Import the one that ends first, then the other one."),
    "40P01": ("busy", "Somebody else was writing the same rows. Import again."),
    "40001": ("busy", "Somebody else was writing the same rows. Import again."),
}


def refusal(file: str, error: DBAPIError) -> Problem:
    """The database's refusal as an error of the file that was being written."""
    diagnostic: Diagnostic | None = getattr(error.orig, "diag", None)
    state = getattr(error.orig, "sqlstate", None) or ""
    code, advice = REFUSALS.get(state, ("refused_by_database", "Correct the row that this is about."))
    said = (diagnostic.message_primary if diagnostic else None) or type(error.orig).__name__
    return Problem(file, 1, "", code, f"The database refuses: {said}. {advice}")
