"""The heartbeat's steps do not depend on each other."""

import pytest
from sqlalchemy import func, select

from ptdash.jobs import tick
from ptdash.models import AuditEvent, AuditSeal
from ptdash.services import audit
from tests.conftest import NOW


def test_a_step_that_fails_keeps_no_other_from_being_done(session, monkeypatch):
    audit.record(session, "changed", "customer", 1, actor_id=None, now=NOW)
    session.commit()

    def a_step_with_a_fault(_config, _now):
        session.execute(select(AuditEvent.id / 0)).all()
        raise LookupError("nothing here")

    monkeypatch.setattr(tick, "STEPS", (a_step_with_a_fault, *tick.STEPS))
    with pytest.raises(ExceptionGroup) as failed:
        tick.tick()
    assert len(failed.value.exceptions) == 1
    assert session.scalar(select(func.count()).select_from(AuditSeal)) == 1, "the last step was done"
