"""PostgreSQL and Valkey die at every statement and commit of a close, and the queue is emptied."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from flask import Flask
from flask_migrate import upgrade
from redis import Redis

from ptdash import create_app
from ptdash.config import sqlalchemy_url
from ptdash.db import db
from ptdash.extensions import limiter
from ptdash.jobs import closing
from tests.faults import naive, servers
from tests.faults.boundaries import Fuse, end, run, stand_still, start, stopped, wake
from tests.faults.house import House, found
from tests.faults.naive import lose_the_queue
from tests.faults.servers import Database, Queue
from tests.faults.survey import Survey


@pytest.fixture(scope="module")
def queue() -> Iterator[Queue]:
    with servers.queue() as running:
        yield running


@pytest.fixture
def with_own_queue(survey: Survey, queue: Queue) -> Iterator[Survey]:
    """The survey, its house on a queue that may be killed."""
    config = survey.sound.app.config["PTDASH"]
    survey.sound.app.config["PTDASH"] = replace(config, redis_url=queue.valkey.url)
    yield survey
    survey.sound.app.config["PTDASH"] = config


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with servers.database() as running:
        yield running


@pytest.fixture(scope="module")
def houses(migrated_app: Flask, database: Database) -> Iterator[tuple[House, House]]:
    """A sound and a naive house in a cluster that may be killed."""
    url = sqlalchemy_url(database.postgres.url)
    app = create_app(replace(migrated_app.config["PTDASH"], database_url=url))
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
    pair = found(app, "sound"), found(app, "naive")
    naive.weaken(pair[1])
    limiter.init_app(migrated_app)
    yield pair
    for house in pair:
        with house.open():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def on_own_database(survey: Survey, houses: tuple[House, House]) -> Survey:
    survey.sound, survey.naive = houses
    return survey


def enqueue_and_work(house: House, run_id: int) -> None:
    closing.enqueue_run(house.redis_url, run_id)
    house.work_queue()


def test_the_queue_is_emptied(survey: Survey) -> None:
    """Between any two statements of the jobs, and between enqueuing and working."""
    redis_url = survey.sound.redis_url

    def empty_it(_: Fuse) -> None:
        Redis.from_url(redis_url).flushall()

    def empty_at(house: House, run_id: int, point: int) -> None:
        run(partial(enqueue_and_work, house, run_id), Fuse(point, empty_it))

    boundaries = survey.boundaries(enqueue_and_work)
    survey.at_points("queue emptied", range(boundaries), empty_at, naive=lose_the_queue, in_order=False)
    survey.verdict()


def test_valkey_is_killed(with_own_queue: Survey, queue: Queue) -> None:
    def kill_at(house: House, run_id: int, point: int) -> None:
        worker = start(partial(enqueue_and_work, house, run_id), Fuse(point, stand_still))
        if stopped(worker):
            queue.kill()
            wake(worker)
            end(worker)
            queue.start()

    boundaries = with_own_queue.boundaries(enqueue_and_work)
    with_own_queue.at_points("Valkey killed", range(boundaries), kill_at, naive=lose_the_queue, in_order=False)
    with_own_queue.verdict()


def test_postgresql_is_killed(on_own_database: Survey, database: Database) -> None:
    def kill_at(house: House, run_id: int, point: int) -> None:
        worker = start(partial(house.post_together, run_id), Fuse(point, stand_still))
        if stopped(worker):
            database.kill(everything=point % 2 == 1)
            wake(worker)
            end(worker)
            database.start()

    boundaries = on_own_database.boundaries(House.post_together)
    on_own_database.at_points("PostgreSQL killed", range(boundaries), kill_at)
    on_own_database.verdict()


def test_a_process_of_the_database_is_killed(on_own_database: Survey, database: Database) -> None:
    """PostgreSQL then ends every session and replays its log by itself."""

    def kill_it(fuse: Fuse) -> None:
        os.kill(fuse.connection.info.backend_pid, signal.SIGKILL)

    def kill_at(house: House, run_id: int, point: int) -> None:
        before = database.started_at()
        run(partial(house.post_together, run_id), Fuse(point, kill_it))
        database.wait_for_restart(before)

    boundaries = on_own_database.boundaries(House.post_together)
    on_own_database.at_points("database process killed", range(boundaries), kill_at)
    on_own_database.verdict()
