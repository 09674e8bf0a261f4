"""A foreign device enters a contract only with a valid acceptance: service and database agree."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.errors import Error
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import Gate, Outcome, Verdict, gate
from ptdash.models import Acceptance, Device
from ptdash.services.acceptances import gates, signing
from tests.services.acceptances.inspection import TODAY, Bench, day, later

INCLUDE = text("""
    INSERT INTO contract_devices (contract_id, device_id, included_from, monthly_fee)
    VALUES (:contract, :device, :day, 9.00)
""")


def refused_by_database(bench: Bench, on: date, device: Device | None = None) -> str:
    """The SQLSTATE with which the database refuses the device on a day; empty where it lets it in."""
    values = {"contract": bench.contract.id, "device": (device or bench.device).id, "day": on}
    savepoint = bench.session.begin_nested()
    try:
        bench.session.execute(INCLUDE, values)
    except DBAPIError as error:
        assert isinstance(error.orig, Error)
        return error.orig.sqlstate or "?"
    finally:
        savepoint.rollback()
    return ""


def test_our_own_device_needs_no_acceptance(bench: Bench) -> None:
    ours = bench.company.device(bench.customer)
    gates.check(bench.session, ours, TODAY)
    assert refused_by_database(bench, TODAY, ours) == ""


def test_without_an_acceptance_the_sentence_says_what_is_missing(bench: Bench) -> None:
    with pytest.raises(gates.AcceptanceMissing, match="needs a signed acceptance") as refused:
        gates.check(bench.session, bench.device, TODAY)
    assert refused.value.params["device"] == bench.device.inventory_number
    assert refused_by_database(bench, TODAY) == "PD004"


def test_a_refused_acceptance_lets_nothing_in(bench: Bench) -> None:
    bench.inspected(Outcome.REFUSED, failed=(1,))
    with pytest.raises(gates.AcceptanceRefused, match="re-inspection"):
        gates.check(bench.session, bench.device, TODAY)
    assert refused_by_database(bench, TODAY) == "PD004"


@pytest.mark.parametrize(("outcome", "failed"), [(Outcome.ACCEPTED, ()), (Outcome.WITH_RESERVATIONS, (2,))])
def test_a_signed_acceptance_opens_the_gate_from_its_day_on(
    bench: Bench, outcome: Outcome, failed: tuple[int, ...]
) -> None:
    bench.inspected(outcome, failed)
    gates.check(bench.session, bench.device, TODAY)
    assert refused_by_database(bench, TODAY) == ""
    assert refused_by_database(bench, day(-1)) == "PD004"


def test_a_revoked_acceptance_lets_nothing_in_from_that_day_on(bench: Bench) -> None:
    bench.inspected()
    acceptance = bench.session.execute(select(Acceptance)).scalar_one()
    signing.revoke(
        bench.session, acceptance.id, "Gefälscht", today=day(5), actor_id=bench.technician.id, now=later(5)
    )
    assert refused_by_database(bench, day(4)) == ""
    with pytest.raises(gates.AcceptanceRevoked):
        gates.check(bench.session, bench.device, day(5))
    assert refused_by_database(bench, day(5)) == "PD004"


def test_an_acceptance_does_not_pass_on_to_the_device_that_replaces_it(bench: Bench) -> None:
    bench.inspected()
    replacement = bench.foreign()
    with pytest.raises(gates.AcceptanceMissing):
        gates.check(bench.session, replacement, TODAY)
    assert refused_by_database(bench, TODAY, replacement) == "PD004"


def test_the_database_keeps_the_gate_of_a_device_in_a_contract(bench: Bench) -> None:
    bench.inspected()
    bench.company.include(bench.contract, bench.device, included_from=day(1))
    with pytest.raises(DBAPIError, match="relies on the acceptance"):
        bench.session.execute(text("UPDATE acceptances SET outcome = 'refused', inspection_id = NULL"))


def test_an_acceptance_says_what_was_signed(bench: Bench) -> None:
    bench.inspected(Outcome.REFUSED, failed=(1,))
    with pytest.raises(DBAPIError, match="not what was signed"):
        bench.session.execute(text("UPDATE acceptances SET outcome = 'accepted'"))


DAYS = st.integers(-3, 3).map(lambda n: TODAY + timedelta(days=n))
VERDICTS = st.dictionaries(
    DAYS, st.tuples(st.sampled_from(list(Outcome)), st.none() | st.integers(0, 4)), max_size=4
)


@given(verdicts=VERDICTS, on=DAYS, ours=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rule_and_database_agree_on_every_history(
    bench: Bench,
    session: Session,
    verdicts: dict[date, tuple[Outcome, int | None]],
    on: date,
    ours: bool,
) -> None:
    device = bench.company.device(bench.customer, ours=ours)
    known = [
        Verdict(inspected, outcome, inspected + timedelta(days=after) if after is not None else None)
        for inspected, (outcome, after) in verdicts.items()
    ]
    for verdict in known:
        reason = "x" if verdict.revoked_on else None
        bench.company.add(
            Acceptance(
                device_id=device.id,
                inspected_on=verdict.inspected_on,
                outcome=verdict.outcome,
                inspector_id=bench.technician.id,
                revoked_on=verdict.revoked_on,
                revoke_reason=reason,
            )
        )
    may_enter = session.execute(select(func.may_enter_contract(device.id, on))).scalar_one()
    assert may_enter == (gate(ours, known, on)[0] is Gate.OPEN)
