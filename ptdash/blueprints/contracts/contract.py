"""A contract's page."""

from flask import Response
from flask_login import current_user

from ptdash.blueprints.contracts import READERS, bp
from ptdash.blueprints.contracts.timeline import strip, year
from ptdash.db import transaction
from ptdash.models import Role
from ptdash.services import contract_page
from ptdash.web import access, render_page, today


@bp.get("/<number>")
@access(*READERS, Role.TECHNICIAN)
def show(number: str) -> Response:
    """A technician sees what the work needs: devices, procedure, agreements."""
    if current_user.role == Role.TECHNICIAN:
        with transaction() as session:
            found = contract_page.for_technicians(session, number, today())
        return render_page("contracts/work.html", number=number, page=found, today=today())
    with transaction() as session:
        page = contract_page.page(session, number, today())
    scale = year(today())
    return render_page(
        "contracts/show.html",
        number=number,
        page=page,
        row=page.row,
        line=strip(page.row, scale),
        scale=scale,
        today=today(),
    )
