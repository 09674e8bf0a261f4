"""The page of an update, and what its decisions find on it."""

from typing import Any

from flask import Response, url_for
from flask_login import current_user

from ptdash.blueprints.updates import bp
from ptdash.db import transaction
from ptdash.domain.updates import TRANSITIONS, UNDECIDED, State
from ptdash.services.updates import reading
from ptdash.services.updates.reading import Page
from ptdash.web import render_page, today


@bp.get("/<int:update_id>")
def show(update_id: int) -> Response:
    with transaction() as session:
        page = reading.page(session, update_id, today())
    return render_page("updates/show.html", page=page, **facts(page))


def facts(page: Page) -> dict[str, Any]:
    """What this person can do with the update now."""
    passed = page.passed
    own = bool(passed and page.four_eyes and passed.check.tester_id == current_user.id)
    return {
        "today": today(),
        "may": frozenset(TRANSITIONS[page.state]),
        "states": State,
        "undecided": page.state in UNDECIDED,
        "own_test": own,
        "may_approve": page.state is State.IN_TEST and passed is not None and not own,
        "back": url_for("updates.index"),
    }
