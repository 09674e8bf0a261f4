"""Workers, horses and their connections die at every statement and commit of a close."""

from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from tests.faults.boundaries import be_thrown_out, die, lose_the_line, run_out_of_time
from tests.faults.house import House
from tests.faults.survey import Survey


def test_a_worker_killed_between_customers_or_within_one(survey: Survey) -> None:
    survey.at_boundaries("worker killed, customer by customer", House.post_each, die, loses_answers=True)
    survey.verdict()


def test_a_horse_killed_within_a_batch(survey: Survey) -> None:
    survey.at_boundaries("horse killed, one batch", House.post_together, die, loses_answers=True)
    survey.verdict()


def test_the_line_to_the_database_breaks(survey: Survey) -> None:
    survey.at_boundaries("database connection cut", House.post_each, lose_the_line, loses_answers=True)
    survey.verdict()


def test_the_server_ends_the_connection(survey: Survey) -> None:
    survey.at_boundaries("database session ended", House.post_together, be_thrown_out(survey.sound.database))
    survey.verdict()


def test_a_job_runs_out_of_time(survey: Survey) -> None:
    def in_time(house: House, run_id: int) -> None:
        with UnixSignalDeathPenalty(120, JobTimeoutException):
            house.post_each(run_id)

    survey.at_boundaries("job timeout, customer by customer", in_time, run_out_of_time)
    survey.verdict()
