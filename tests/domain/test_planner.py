"""The planner: every device in a window, no day overfull, nothing lost, customers together, servers last."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptdash.domain.planner import Job, Open, Taken, plan

DECEMBER = Open(date(2026, 12, 1), tuple(date(2026, 12, day) for day in (21, 22, 23, 24)))
JANUARY = Open(date(2027, 1, 1), tuple(date(2027, 1, day) for day in (18, 19, 20, 21, 22)))


def windows():
    """Three days in the third week of every month, for ever."""
    for n in count():
        month = date(2026 + (11 + n) // 12, (11 + n) % 12 + 1, 1)
        yield Open(month, tuple(month + timedelta(days=20 + day) for day in range(3)))


@st.composite
def worlds(draw):
    technicians = draw(st.sampled_from([(None,), (1,), (1, 2), (1, 2, 3)]))
    per_day = draw(st.integers(1, 5))
    numbers = draw(st.integers(1, 30))
    jobs = [
        Job(
            device=n,
            customer=draw(st.integers(1, 4)),
            server=draw(st.integers(0, 4)) == 0,
            rank=draw(st.integers(0, 3)),
        )
        for n in range(1, numbers + 1)
    ]
    days = next(windows()).days
    taken = [
        Taken(100 + n, draw(st.integers(1, 4)), draw(st.sampled_from(days)), draw(st.sampled_from(technicians)),
              server=draw(st.booleans()))
        for n in range(draw(st.integers(0, 8)))
    ]  # fmt: skip
    return jobs, taken, technicians, per_day


@given(worlds())
def test_every_device_gets_exactly_one_day_of_a_window(world):
    jobs, taken, technicians, per_day = world
    placed = plan(jobs, taken, windows(), technicians, per_day)
    assert sorted(p.device for p in placed) == sorted(job.device for job in jobs)
    months = {window.month: window.days for window, _ in zip(windows(), range(60), strict=False)}
    assert all(p.day in months[p.month] and p.technician in technicians for p in placed)


@given(worlds())
def test_nobody_gets_more_devices_a_day_than_fit(world):
    jobs, taken, technicians, per_day = world
    load, before = defaultdict(set), defaultdict(set)
    for one in taken:
        before[one.day, one.technician].add(one.device)
    for p in plan(jobs, taken, windows(), technicians, per_day):
        load[p.day, p.technician].add(p.device)
    assert all(len(devices | before[slot]) <= max(per_day, len(before[slot])) for slot, devices in load.items())


@given(worlds())
def test_servers_come_after_the_workstations_of_their_customer(world):
    jobs, taken, technicians, per_day = world
    placed = {p.device: p for p in plan(jobs, taken, windows(), technicians, per_day)}
    for server in (job for job in jobs if job.server):
        mine = placed[server.device]
        days = [placed[job.device].day for job in jobs if job.customer == server.customer and not job.server]
        days += [one.day for one in taken if one.customer == server.customer and not one.server
                 and (one.day.year, one.day.month) == (mine.day.year, mine.day.month)]  # fmt: skip
        assert all(day <= mine.day for day in days)


@given(worlds())
def test_the_same_facts_give_the_same_plan_in_whatever_order_they_come(world):
    jobs, taken, technicians, per_day = world
    once = plan(jobs, taken, windows(), technicians, per_day)
    again = plan(jobs[::-1], taken[::-1], windows(), technicians, per_day)
    assert once == again


@given(worlds())
def test_a_customer_alone_in_the_window_who_fits_into_one_day_gets_one_day_and_one_technician(world):
    jobs, _, technicians, per_day = world
    alone = [Job(job.device, 1, job.server, job.rank) for job in jobs][:per_day]
    placed = plan(alone, [], windows(), technicians, per_day)
    assert len({(p.day, p.technician) for p in placed}) == 1
    assert placed[0].day == next(windows()).days[0]


@given(worlds())
def test_what_is_put_off_did_not_fit_and_says_so(world):
    jobs, taken, technicians, per_day = world
    first = next(windows())
    placed = plan(jobs, taken, windows(), technicians, per_day)
    assert all(p.put_off == (p.month != first.month) for p in placed)
    late = {p.device for p in placed if p.put_off}
    if any(not job.server and job.device in late for job in jobs):
        used = sum(p.month == first.month for p in placed)
        held = {(one.day, one.technician, one.device) for one in taken}
        room = sum(
            max(0, per_day - sum((d, t) == (day, technician) for d, t, _ in held))
            for day in first.days
            for technician in technicians
        )
        assert used == room, "a workstation is put off only where every day is full"


def test_december_2026_is_planned_on_its_four_working_days():
    jobs = [Job(n, 1) for n in range(8)]
    placed = plan(jobs, [], iter([DECEMBER, JANUARY]), [7], 2)
    assert sorted({p.day.day for p in placed}) == [21, 22, 23, 24]
    assert not any(p.put_off for p in placed)


def test_what_does_not_fit_in_december_goes_to_january_and_says_so():
    jobs = [Job(n, 1) for n in range(9)] + [Job(20, 1, server=True)]
    placed = {p.device: p for p in plan(jobs, [], iter([DECEMBER, JANUARY]), [7], 2)}
    assert [p.device for p in placed.values() if p.put_off] == [8, 20]
    assert placed[8].day == placed[20].day == date(2027, 1, 18)


def test_a_customer_joins_the_technician_who_is_there_already():
    taken = [Taken(50, 2, DECEMBER.days[2], 8)]
    placed = plan([Job(1, 2), Job(2, 2)], taken, iter([DECEMBER]), [7, 8], 5)
    assert {(p.day, p.technician) for p in placed} == {(DECEMBER.days[2], 8)}


def test_two_customers_are_shared_between_two_technicians():
    jobs = [Job(n, customer) for customer in (1, 2) for n in range(10 * customer, 10 * customer + 4)]
    placed = plan(jobs, [], iter([DECEMBER]), [7, 8], 5)
    assert {(p.day, p.technician) for p in placed} == {(DECEMBER.days[0], 7), (DECEMBER.days[0], 8)}


def test_the_customer_with_the_most_severe_update_comes_first():
    jobs = [Job(1, customer=1, rank=2), Job(2, customer=2, rank=0)]
    placed = {p.device: p for p in plan(jobs, [], iter([DECEMBER]), [7], 1)}
    assert placed[2].day < placed[1].day


@pytest.mark.parametrize(("technicians", "per_day"), [((), 3), ((1,), 0)])
def test_without_room_nothing_is_pretended(technicians, per_day):
    with pytest.raises(ValueError, match="room"):
        plan([Job(1, 1)], [], windows(), technicians, per_day)
