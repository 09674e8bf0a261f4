"""Several at once: closes, the same job many times, a stopped worker that comes back, facts that change."""

import threading
from dataclasses import dataclass, field
from functools import partial

import psycopg
import pytest

from ptdash.jobs.queue import POST_BATCH, enqueue
from ptdash.runtime.processes import wait_until
from tests.faults.boundaries import Fuse, end, run, stand_still, start, stopped, wake
from tests.faults.house import House, watched_entry
from tests.faults.ledger import EndState
from tests.faults.rules import learn
from tests.faults.survey import Survey, undisturbed

SECONDS = 30


def test_two_to_eight_closes_at_once(survey: Survey) -> None:
    def close_at_once(house: House, run_id: int, point: int) -> None:
        # Batches of different sizes overlap in every way.
        ways = [house.post_in_batches, house.post_together, house.post_in_batches, house.post_each]
        processes = [start(partial(ways[n % len(ways)], run_id)) for n in range(2 + point % 7)]
        for process in processes:
            end(process)

    survey.at_points("2 to 8 closes at once", range(28), close_at_once, in_order=False)
    survey.verdict()


def test_the_same_job_fifty_times(survey: Survey) -> None:
    def work_off_fifty(house: House, run_id: int, point: int) -> None:
        everybody = house.everybody(run_id)
        for _ in range(50):
            enqueue(house.redis_url, POST_BATCH, run_id, everybody)
        workers = [start(house.work_queue) for _ in range(1 + point)]
        for worker in workers:
            end(worker)

    def believe_every_job(house: House, run_id: int, point: int) -> None:
        everybody = house.everybody(run_id)
        for _ in range(2):  # twice is enough to be caught
            house.close(run_id, everybody)

    survey.at_points("the same job 50 times", range(4), work_off_fifty, naive=believe_every_job, in_order=False)
    survey.verdict()


def test_a_stopped_worker_comes_back_when_everything_is_done(survey: Survey) -> None:
    """Others go on without it: the database ends its idle transaction (in the house after half a minute)."""

    def stop_and_come_back(house: House, run_id: int, point: int) -> None:
        worker = start(partial(house.post_in_batches, run_id), Fuse(point, stand_still))
        if stopped(worker):
            house.go_on()
            wake(worker)
            end(worker)

    boundaries = survey.boundaries(House.post_in_batches)
    with let_go_of_idle_transactions(survey.sound), let_go_of_idle_transactions(survey.naive):
        survey.at_points("worker stopped, comes back", range(boundaries), stop_and_come_back)
    survey.verdict()


class let_go_of_idle_transactions:
    """The database's patience with whoever stands still in a transaction, short while this lasts."""

    def __init__(self, house: House) -> None:
        self.house = house

    def __enter__(self) -> None:
        self._alter("SET idle_in_transaction_session_timeout = '500ms'")

    def __exit__(self, *_: object) -> None:
        self._alter("RESET idle_in_transaction_session_timeout")

    def _alter(self, what: str) -> None:
        with psycopg.connect(self.house.database, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {connection.info.dbname} {what}".encode())


# Facts that change while their customer is posted ----------------------------------------------------

INSERT = """INSERT INTO time_entries (ticket_id, customer_id, technician_id, started_at, ended_at, treatment, note)
            SELECT ticket_id, customer_id, technician_id, started_at, started_at + interval '7 minutes',
                   treatment, note
            FROM time_entries WHERE id = %s RETURNING posting_n"""
CHANGE = "UPDATE time_entries SET ended_at = ended_at + interval '7 minutes' WHERE id = %s RETURNING posting_n"
DELETE = "DELETE FROM time_entries WHERE id = %s RETURNING posting_n"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclass
class Writer:
    """Somebody at another connection who changes a fact: at once, or holding the change open for a while."""

    database: str
    statement: str
    entry_id: int
    holds: bool
    written: threading.Event = field(default_factory=threading.Event)
    may_commit: threading.Event = field(default_factory=threading.Event)
    taken: bool = False

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._write)
        self.thread.start()

    def _write(self) -> None:
        try:
            with psycopg.connect(self.database) as connection:
                row = connection.execute(self.statement.encode(), [self.entry_id]).fetchone()
                self.written.set()
                if self.holds:
                    self.may_commit.wait(SECONDS)
                connection.commit()
                self.taken = row is not None and row[0] == 1
        except psycopg.Error:  # refused: a posting has taken the entry
            self.taken = False
        finally:
            self.written.set()


@pytest.mark.parametrize("holds", [False, True], ids=["at once", "held open"])
@pytest.mark.parametrize(
    ("what", "statement"), [("inserted", INSERT), ("changed", CHANGE), ("deleted", DELETE)], ids=lambda v: v[:8]
)
def test_an_entry_changes_while_its_customer_is_posted(
    survey: Survey, what: str, statement: str, holds: bool
) -> None:
    """It is wholly in the posting, or late, or refused: never half.

    Whose invoice is another one by now than the one that was checked is posted after the others.
    """
    with_change: dict[int, EndState] = {}

    def change_meanwhile(house: House, run_id: int, point: int) -> EndState | None:
        entry_id = watched_entry()
        poster = start(partial(house.post_together, run_id), Fuse(point, stand_still))
        stands = stopped(poster)
        writer = Writer(house.database, statement, entry_id, holds)
        with psycopg.connect(house.database, autocommit=True) as other:

            def somebody_waits() -> bool:
                row = other.execute(WAITS).fetchone()
                return bool(row and row[0])

            wait_until(lambda: writer.written.is_set() or somebody_waits(), SECONDS)
            if stands:
                wake(poster)
            ended = threading.Event()
            waiter = threading.Thread(target=lambda: (end(poster) if stands else None, ended.set()))
            waiter.start()
            wait_until(lambda: ended.is_set() or (writer.written.is_set() and somebody_waits()), SECONDS)
            writer.may_commit.set()
            waiter.join()
            writer.thread.join()
        return with_change[id(house)] if writer.taken else None

    for house in (survey.sound, survey.naive):
        with house.open():
            with_change[id(house)] = changed_before(house, statement)
    boundaries = survey.boundaries(House.post_together)
    kind = f"entry {what} meanwhile, {'held open' if holds else 'at once'}"
    survey.at_points(kind, range(boundaries), change_meanwhile, in_order=False)
    survey.verdict()


def changed_before(house: House, statement: str) -> EndState:
    """What the close gives where the fact was changed the evening before."""
    undisturbed(house)
    house.reset()
    with psycopg.connect(house.database) as connection:
        connection.execute(statement.encode(), [watched_entry()])
    run_id = house.order()
    learn(house, run_id)
    assert run(partial(house.post_each, run_id)) == 0
    return house.end_state()
