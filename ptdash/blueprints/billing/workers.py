"""A run handed to the workers."""

from flask_babel import gettext
from redis import RedisError

from ptdash.jobs import closing
from ptdash.web import config, toast


def hand_to_workers(run_id: int) -> None:
    """Where the queue is away the run stands in the database all the same; the sweep will find it."""
    redis_url = config().redis_url
    try:
        if redis_url:
            closing.enqueue_run(redis_url, run_id)
    except RedisError:
        toast(gettext("The queue does not answer. The close goes on by itself as soon as it is back."), "danger")
