"""The queue: JSON payloads, and only the functions named here may run."""

from typing import Any

from redis import Redis
from rq import Queue, Retry, Worker
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import event

from ptdash.db import db

QUEUE = "ptdash"
POST_BATCH = "ptdash.jobs.closing.post_batch"
DELIVER = "ptdash.jobs.delivery.deliver"
EXPORT = "ptdash.jobs.exporting.work"
READ_FEED = "ptdash.jobs.feeds.read"
RENDER = "ptdash.jobs.documents.render_batch"
TICK = "ptdash.jobs.tick.tick"
ALLOWED = frozenset({POST_BATCH, DELIVER, EXPORT, READ_FEED, RENDER, TICK})

# A worker or work horse that was killed is noticed within about a minute.
WORKER_TTL_SECONDS = 60
MONITOR_SECONDS = 5
MAINTENANCE_SECONDS = 30
JOB_TIMEOUT_SECONDS = 120
LONG_TIMEOUT_SECONDS = 900
# A horse that was stopped in the middle of a transaction lets go of its locks; others go on without it.
IDLE_IN_TRANSACTION_SECONDS = 30


class NotAllowed(RuntimeError):
    """A payload names a function that is no job: a JSON payload can still name anything importable."""


class HouseJob(Job):
    """A job whose function is on the list."""

    @property
    def func(self) -> Any:
        if self.func_name not in ALLOWED:
            raise NotAllowed(self.func_name)
        return super().func


class HouseWorker(Worker):
    """Forks a work horse for every job; the horse must not share its parent's database connections."""

    job_class = HouseJob

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        db.engine.dispose(close=False)
        event.listen(db.engine, "connect", _limit_idle_transactions)
        super().main_work_horse(job, queue)


def _limit_idle_transactions(connection: Any, _record: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s'")
    connection.commit()


def connect(redis_url: str) -> Redis:
    return Redis.from_url(redis_url, socket_connect_timeout=2, health_check_interval=30)


def open_queue(redis_url: str) -> Queue:
    return Queue(QUEUE, connection=connect(redis_url), serializer=JSONSerializer, job_class=HouseJob)


def enqueue(redis_url: str, function: str, *ids: Any, timeout: int = JOB_TIMEOUT_SECONDS) -> None:
    """Ask a worker to call a job function with ids; raises redis.RedisError where the queue is away."""
    open_queue(redis_url).enqueue(
        function, args=ids, retry=Retry(max=3), job_timeout=timeout, result_ttl=60, failure_ttl=86400
    )


def enqueue_once(redis_url: str, key: str, function: str, *ids: Any, timeout: int = JOB_TIMEOUT_SECONDS) -> None:
    """Like `enqueue`, but not while a job of this key waits, runs, or has just ended. It only saves work: what has
    to happen once is decided in the database."""
    queue = open_queue(redis_url)
    if queue.fetch_job(key) is None:
        retry = Retry(max=3)
        queue.enqueue(
            function, args=ids, job_id=key, retry=retry, job_timeout=timeout, result_ttl=60, failure_ttl=60
        )


def live_workers(redis_url: str) -> int:
    """How many workers have reported to the queue within their time to live."""
    return len(Worker.all(queue=open_queue(redis_url)))


def make_worker(redis_url: str) -> HouseWorker:
    queue = open_queue(redis_url)
    return HouseWorker(
        [queue],
        connection=queue.connection,
        serializer=JSONSerializer,
        job_class=HouseJob,
        worker_ttl=WORKER_TTL_SECONDS,
        job_monitoring_interval=MONITOR_SECONDS,
        maintenance_interval=MAINTENANCE_SECONDS,
    )
