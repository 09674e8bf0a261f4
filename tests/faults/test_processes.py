"""Workers, horses and their connections die at every statement and commit of a close."""

from functools import partial

from bs4 import Tag
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from ptdash.jobs.tick import tick
from tests.blueprints.conftest import browser_on
from tests.faults.boundaries import Fuse, be_thrown_out, die, lose_the_line, nothing, run, run_out_of_time
from tests.faults.house import MONTH, House
from tests.faults.naive import lose_the_queue
from tests.faults.survey import Survey

PAGE = f"/billing/{MONTH:%Y-%m}"


def test_a_worker_killed_between_batches_or_within_one(survey: Survey) -> None:
    survey.at_boundaries("worker killed, batch by batch", House.post_in_batches, die, loses_answers=True)
    survey.verdict()


def test_a_horse_killed_within_a_batch(survey: Survey) -> None:
    survey.at_boundaries("horse killed, one batch", House.post_together, die, loses_answers=True)
    survey.verdict()


def test_the_line_to_the_database_breaks(survey: Survey) -> None:
    survey.at_boundaries("database connection cut", House.post_together, lose_the_line, loses_answers=True)
    survey.verdict()


def test_the_server_ends_the_connection(survey: Survey) -> None:
    survey.at_boundaries("database session ended", House.post_together, be_thrown_out(survey.sound.database))
    survey.verdict()


def test_a_job_runs_out_of_time(survey: Survey) -> None:
    def in_time(house: House, run_id: int) -> None:
        with UnixSignalDeathPenalty(120, JobTimeoutException):
            house.post_in_batches(run_id)

    survey.at_boundaries("job timeout", in_time, run_out_of_time)
    survey.verdict()


def test_the_sweep_is_killed(survey: Survey) -> None:
    """Also after it has claimed a run and before it has enqueued anything."""

    def sweep(house: House, run_id: int) -> None:
        house.let_time_pass()
        tick()

    def sweep_and_die(house: House, run_id: int, point: int) -> None:
        run(partial(sweep, house, run_id), Fuse(point, die, queue_too=True))

    boundaries = survey.boundaries(sweep, queue_too=True)
    survey.at_points("sweep killed", range(boundaries), sweep_and_die, naive=lose_the_queue)
    survey.verdict()


def test_the_web_process_is_killed_while_a_close_is_ordered(survey: Survey) -> None:
    """Either nothing was ordered, and it can be ordered again, or the house goes on with it."""

    def not_yet(house: House) -> int:
        return 0

    def press_the_button(house: House, fuse: Fuse) -> None:
        browser = browser_on(house.app)
        browser.sign_in()
        token = browser.page(PAGE).find("input", attrs={"name": "csrf_token"})
        assert isinstance(token, Tag)
        fuse.lay()
        assert browser.post(f"{PAGE}/close", data={"csrf_token": token["value"]}).status_code == 303

    def order_and_die(house: House, run_id: int, point: int) -> None:
        run(partial(press_the_button, house, Fuse(point, die, loses_answers=True, queue_too=True)))
        if not house.unfinished():
            house.order()

    counted = Fuse(None, nothing, loses_answers=True, queue_too=True)
    with survey.sound.open():
        survey.sound.reset()
        assert run(partial(press_the_button, survey.sound, counted)) == 0
    survey.at_points(
        "web killed while a close is ordered",
        range(counted.reached),
        order_and_die,
        naive=lose_the_queue,
        order=not_yet,
    )
    survey.verdict()
