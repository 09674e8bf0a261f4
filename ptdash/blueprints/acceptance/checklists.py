"""Checklists by type: everybody reads them, managers save new versions."""

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user

from ptdash.blueprints.acceptance import READERS, bp
from ptdash.blueprints.devices.words import TYPES, type_name
from ptdash.db import transaction
from ptdash.domain.acceptance import Section
from ptdash.domain.errors import DomainError, Forbidden
from ptdash.models import Role
from ptdash.services import checklists
from ptdash.services.checklists import Checklist, Item
from ptdash.web import BaseForm, access, now, render_page, see_other, toast
from ptdash.web.numbers import read_whole

SPARE_LINES = 2


@bp.get("/checklists")
@access(*READERS)
def checklist_list() -> Response:
    with transaction() as session:
        found = [checklists.current(session, name) for name in checklists.types(session)]
    known = {checklist.device_type for checklist in found}
    return render_page(
        "acceptance/checklists.html",
        checklists=found,
        more=[name for name in TYPES if name not in known],
        may_edit=current_user.role == Role.MANAGER,
    )


@bp.route("/checklists/<name>", methods=["GET", "POST"])
@access(*READERS)
def checklist(name: str) -> Response:
    """A type's checklist; a type without one starts from the general one."""
    may_edit = current_user.role == Role.MANAGER
    if request.method == "POST" and not may_edit:
        raise Forbidden()
    form = BaseForm()
    current, versions = _known(name)
    items = list(current.items)
    if request.method == "POST":
        items = _sent()
        if not request.form.get("more") and form.submitted():
            try:
                with transaction() as session:
                    version = checklists.save(
                        session,
                        name,
                        items,
                        seen=read_whole(request.form.get("seen")) or 0,
                        actor_id=current_user.id,
                        now=now(),
                    )
            except DomainError as error:
                form.refuse(error)
            else:
                toast(gettext("%(type)s: version %(version)s is saved.", type=type_name(name), version=version))
                return see_other(url_for("acceptance.checklist", name=name))
    return render_page(
        "acceptance/checklist.html",
        status=422 if form.problems() else 200,
        form=form,
        name=name,
        current=current,
        own=current.device_type == name,
        versions=versions,
        lines=_by_section(items, spare=SPARE_LINES if may_edit else 0),
        may_edit=may_edit,
    )


def _known(name: str) -> tuple[Checklist, list[Checklist]]:
    with transaction() as session:
        current = checklists.current(session, name)
        own = current.device_type == name
        return current, checklists.versions(session, name) if own else []


def _sent() -> list[Item]:
    lists = [request.form.getlist(part) for part in ("section", "text", "hint")]
    known = {section.value for section in Section}
    return [
        Item(Section(section), text[:300], hint[:300])
        for section, text, hint in zip(*lists, strict=False)
        if section in known and text.strip()
    ]


def _by_section(items: list[Item], *, spare: int) -> list[tuple[Section, list[Item]]]:
    """The lines of each section, with empty ones to fill in."""
    return [
        (section, [item for item in items if item.section is section] + [Item(section, "")] * spare)
        for section in Section
    ]
