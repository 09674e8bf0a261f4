"""Our own check of an update: begun with the test plan of its products, answered point by point, then finished.

A finished check is written; a failed one leaves the update in test, and another one can follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import Answer, ItemState, check_answer
from ptdash.domain.errors import Conflict, Forbidden, Invalid, NotFound
from ptdash.domain.updates import Checked, Result, State, check_finish, check_step
from ptdash.models import (
    Device,
    Role,
    StoredFile,
    Update,
    UpdateCheck,
    UpdateCheckFile,
    UpdateCheckResult,
    User,
)
from ptdash.services import audit, files
from ptdash.services.updates import catalogue, entering

TESTERS = (Role.TECHNICIAN, Role.MANAGER)
MOST_FILES = 20
MOST_TESTED_ON = 200


class CheckFinished(Conflict):
    message = "This check is finished and does not change any more."


class NotTheTester(Forbidden):
    message = "%(name)s does this check. Call it off first if somebody else is to do it."


class CheckRunning(Conflict):
    message = "%(name)s is testing this update already."


class DeviceUnknown(Invalid):
    message = "There is no device %(device)s."


class TooManyFiles(Conflict):
    message = "A check has at most %(most)s screenshots and logs."


@dataclass(frozen=True)
class Where:
    """What an update is tested on: a device of the house, or a system in words."""

    device: str = ""
    tested_on: str = ""


def start(
    session: Session, update_id: int, where: Where = Where(), *, today: date, actor_id: int, now: datetime
) -> UpdateCheck:
    """Begin a check of the update's present version with the points of its products' test plans.

    Raises NotFound, StepRefused (it is decided, or deferred), CheckRunning, DeviceUnknown.
    """
    update = entering.locked(session, update_id, today)
    if State(update.state) is not State.IN_TEST:
        check_step(State(update.state), State.IN_TEST)
        if State(update.state) is State.DEFERRED:
            update.deferred_from = update.deferred_until = None
    running = pending(session, update_id)
    if running is not None:
        raise CheckRunning(name=session.get_one(User, running.tester_id).name)
    device_id, tested_on = _where(session, where)
    last = session.execute(select(func.max(UpdateCheck.n)).where(UpdateCheck.update_id == update_id)).scalar()
    check = UpdateCheck(
        update_id=update_id,
        n=(last or 0) + 1,
        version=update.version,
        tested_on=tested_on,
        device_id=device_id,
        tester_id=actor_id,
        started_at=now,
    )
    update.state = State.IN_TEST.value
    session.add(check)
    session.flush()
    products = catalogue.known(session, entering.products_of(session, update_id))
    asked = catalogue.points(session, products)
    session.add_all(UpdateCheckResult(check_id=check.id, pos=pos, text=text) for pos, text in enumerate(asked, 1))
    session.flush()
    after = {"check": check.n, "version": check.version, "tested_on": tested_on, "points": len(asked)}
    audit.record(session, "start check", "update", update_id, actor_id=actor_id, now=now, after=after)
    return check


def answer(
    session: Session, check_id: int, pos: int, state: ItemState, note: str, *, actor_id: int, now: datetime
) -> UpdateCheckResult:
    """Answer a point of the plan. Raises NotFound, CheckFinished, NotTheTester, NoteMissing."""
    check = own(session, check_id, actor_id)
    result = session.get(UpdateCheckResult, (check_id, pos), populate_existing=True)
    if result is None:
        raise NotFound(what=str(pos))
    note = note.strip()
    check_answer(state, note)
    if (result.state, result.note) == (state.value, note):
        return result
    before = {"check": check.n, "pos": pos, "state": result.state, "note": result.note}
    result.state, result.note = state.value, note
    session.flush()
    after = {"check": check.n, "pos": pos, "text": result.text, "state": state.value, "note": note}
    audit.record(
        session, "answer", "update", check.update_id, actor_id=actor_id, now=now, before=before, after=after
    )
    return result


def answer_all(session: Session, check_id: int, given: Sequence[Answer], *, actor_id: int, now: datetime) -> None:
    """Several points at once. Raises as `answer` does."""
    for one in given:
        answer(session, check_id, one.pos, one.state, one.note, actor_id=actor_id, now=now)


def finish(
    session: Session,
    check_id: int,
    result: Result,
    where: Where = Where(),
    *,
    note: str = "",
    actor_id: int,
    now: datetime,
) -> UpdateCheck:
    """Finish a check: passed or failed, with what it was tested on. From here on it is written.

    Raises NotFound, CheckFinished, NotTheTester, DeviceUnknown, and what `domain.updates.check_finish` raises.
    """
    check = own(session, check_id, actor_id)
    if where != Where():
        check.device_id, check.tested_on = _where(session, where)
    answers = answers_of(session, check_id)
    check_finish(answers, result, tested_on=check.tested_on, note=note)
    check.result, check.note, check.finished_at = result.value, note.strip(), now
    session.flush()
    after = {
        "check": check.n,
        "version": check.version,
        "result": result.value,
        "tested_on": check.tested_on,
        "note": check.note,
        "failed": [one.pos for one in answers if one.state is ItemState.FAILED],
    }
    audit.record(session, "finish check", "update", check.update_id, actor_id=actor_id, now=now, after=after)
    return check


def call_off(session: Session, check_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Take back a check that is not finished; its answers go with it, the audit trail keeps them. The update
    stays in test. Raises NotFound, CheckFinished."""
    check = _unfinished(session, check_id)
    answered = [[one.pos, one.state.value, one.note] for one in answers_of(session, check_id)]
    before = {"check": check.n, "version": check.version, "tester_id": check.tester_id, "answers": answered}
    for table in (UpdateCheckFile, UpdateCheckResult):
        session.execute(delete(table).where(table.check_id == check_id))
    session.delete(check)
    session.flush()
    audit.record(session, "call off", "update", check.update_id, actor_id=actor_id, now=now, before=before)


def attach(
    session: Session, check_id: int, name: str, content: bytes, *, actor_id: int, now: datetime
) -> StoredFile:
    """Keep a screenshot or log that proves a check.

    Raises NotFound, CheckFinished, NotTheTester, TooManyFiles, and what `files.store` raises.
    """
    check = own(session, check_id, actor_id)
    if len(files_of(session, [check_id])) >= MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    stored = files.store(session, name, content, actor_id=actor_id, now=now)
    session.add(UpdateCheckFile(check_id=check_id, file_id=stored.id))
    session.flush()
    after = {"check": check.n, "file": stored.name, "sha256": stored.sha256}
    audit.record(session, "attach", "update", check.update_id, actor_id=actor_id, now=now, after=after)
    return stored


def detach(session: Session, check_id: int, file_id: int, *, actor_id: int, now: datetime) -> None:
    """Take a file away from a check that is not finished. Raises NotFound, CheckFinished, NotTheTester."""
    check = own(session, check_id, actor_id)
    row = session.get(UpdateCheckFile, (check_id, file_id))
    if row is None:
        raise NotFound(what=str(file_id))
    session.delete(row)
    session.flush()
    before = {"check": check.n, "file_id": file_id}
    audit.record(session, "detach", "update", check.update_id, actor_id=actor_id, now=now, before=before)


def load_file(session: Session, check_id: int, file_id: int) -> StoredFile:
    """A file of a check, with its content. Raises NotFound."""
    if session.get(UpdateCheckFile, (check_id, file_id)) is None:
        raise NotFound(what=str(file_id))
    return files.load(session, file_id)


def pending(session: Session, update_id: int) -> UpdateCheck | None:
    """The check of an update that is under way."""
    found = select(UpdateCheck).where(UpdateCheck.update_id == update_id, UpdateCheck.result == "pending")
    return session.execute(found).scalar_one_or_none()


def newest_finished(session: Session, update_id: int) -> UpdateCheck | None:
    found = select(UpdateCheck).where(UpdateCheck.update_id == update_id, UpdateCheck.result != "pending")
    return session.execute(found.order_by(UpdateCheck.n.desc()).limit(1)).scalar_one_or_none()


def update_of(session: Session, check_id: int) -> int:
    """The update that a check is of. Raises NotFound."""
    found = session.execute(select(UpdateCheck.update_id).where(UpdateCheck.id == check_id)).scalar()
    if found is None:
        raise NotFound(what=str(check_id))
    return found


def as_checked(check: UpdateCheck | None) -> Checked | None:
    """A finished check as the rules of the approval see it."""
    return Checked(check.version, Result(check.result), check.tester_id) if check else None


def own(session: Session, check_id: int, actor_id: int) -> UpdateCheck:
    """A check under way, locked, of the person who does it. Raises NotFound, CheckFinished, NotTheTester."""
    check = _unfinished(session, check_id)
    if check.tester_id != actor_id:
        raise NotTheTester(name=session.get_one(User, check.tester_id).name)
    return check


def answers_of(session: Session, check_id: int) -> list[Answer]:
    return [Answer(row.pos, ItemState(row.state), row.note) for row in results_of(session, [check_id])]


def results_of(session: Session, check_ids: Sequence[int]) -> list[UpdateCheckResult]:
    """The points of checks with their answers, in order."""
    rows = select(UpdateCheckResult).where(UpdateCheckResult.check_id.in_(check_ids))
    rows = rows.order_by(UpdateCheckResult.check_id, UpdateCheckResult.pos)
    return list(session.execute(rows.execution_options(populate_existing=True)).scalars())


def files_of(session: Session, check_ids: Sequence[int]) -> list[tuple[int, StoredFile]]:
    """The files of checks, each with its check."""
    rows = (
        select(UpdateCheckFile.check_id, StoredFile)
        .join(StoredFile, StoredFile.id == UpdateCheckFile.file_id)
        .where(UpdateCheckFile.check_id.in_(check_ids))
        .order_by(StoredFile.id)
    )
    return [(check_id, file) for check_id, file in session.execute(rows)]


def _unfinished(session: Session, check_id: int) -> UpdateCheck:
    """The update is locked first, as everywhere: its check, its decision and its tasks wait in one line."""
    update_id = update_of(session, check_id)
    session.execute(select(Update.id).where(Update.id == update_id).with_for_update())
    found = select(UpdateCheck).where(UpdateCheck.id == check_id).execution_options(populate_existing=True)
    check = session.execute(found).scalar_one_or_none()
    if check is None:
        raise NotFound(what=str(check_id))
    if check.result != Result.PENDING:
        raise CheckFinished()
    return check


def _where(session: Session, where: Where) -> tuple[int | None, str]:
    """A device says by itself what it is, where nothing else was said."""
    number, words = where.device.strip(), where.tested_on.strip()[:MOST_TESTED_ON]
    if not number:
        return None, words
    device = session.execute(select(Device).where(Device.inventory_number == number)).scalar_one_or_none()
    if device is None:
        raise DeviceUnknown(device=number)
    return device.id, words or f"{device.inventory_number} {device.name}".strip()
