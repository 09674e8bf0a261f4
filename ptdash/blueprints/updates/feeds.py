"""Vendors' feeds: set here by managers and administrators, read by the workers."""

import logging
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext
from flask_login import current_user
from redis import RedisError

from ptdash.blueprints.updates import FEED_KEEPERS, bp
from ptdash.blueprints.updates.enter import refuse
from ptdash.blueprints.updates.forms import FeedForm
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.domain.updates import Severity
from ptdash.jobs.queue import READ_FEED, enqueue
from ptdash.services.updates import catalogue, entering, feeds, fetching
from ptdash.web import access, config, moment, render_page, see_other, toast, today

FIELD_OF: dict[type[DomainError], str] = {
    feeds.SourceMissing: "source",
    feeds.FeedKnown: "source",
    fetching.SourceRefused: "source",
    entering.VendorMissing: "vendor",
}

log = logging.getLogger(__name__)


@bp.get("/feeds")
@access(*FEED_KEEPERS)
def feed_list() -> Response:
    with transaction() as session:
        rows = feeds.rows(session)
    return render_page("updates/feeds.html", rows=rows, why=_why)


@bp.route("/feeds/new", methods=["GET", "POST"])
@access(*FEED_KEEPERS)
def new_feed() -> Response:
    return _page(None, FeedForm())


@bp.route("/feeds/<int:feed_id>", methods=["GET", "POST"])
@access(*FEED_KEEPERS)
def feed(feed_id: int) -> Response:
    form = FeedForm()
    if request.method == "GET":
        with transaction() as session:
            found = feeds.get(session, feed_id)
        form = FeedForm(formdata=None, obj=found)
        form.product.data = found.product_id or 0
    return _page(feed_id, form)


@bp.post("/feeds/<int:feed_id>/read")
@access(*FEED_KEEPERS)
def read_feed(feed_id: int) -> Response:
    """Have a feed read now. Where no queue answers, the workers find it as soon as there is one."""
    with transaction() as session:
        feeds.ask_again(session, feed_id)
    try:
        enqueue(config().redis_url or "", READ_FEED, feed_id)
    except (RedisError, ValueError):
        log.warning("the queue is away; the feed is read later")
    toast(gettext("The feed is being read. New updates appear in the matrix."))
    return see_other(url_for("updates.feed_list"))


@bp.post("/feeds/<int:feed_id>/remove")
@access(*FEED_KEEPERS)
def remove_feed(feed_id: int) -> Response:
    with transaction() as session:
        feeds.remove(session, feed_id, actor_id=current_user.id, now=moment())
    toast(gettext("The feed is removed; its updates stay."))
    return see_other(url_for("updates.feed_list"))


def _page(feed_id: int | None, form: FeedForm) -> Response:
    with transaction() as session:
        products = [row.product for row in catalogue.products(session, today())]
        vendors = catalogue.vendors(session)
    anything = gettext("found by its name in the catalogue")
    form.product.choices = [(0, anything), *((product.id, product.name) for product in products)]
    if form.submitted():
        try:
            with transaction() as session:
                feeds.save(
                    session,
                    feed_id,
                    source=form.source.data or "",
                    vendor=form.vendor.data or "",
                    product_id=form.product.data or None,
                    severity=Severity(form.severity.data),
                    active=form.active.data,
                    actor_id=current_user.id,
                    now=moment(),
                )
        except DomainError as error:
            refuse(form, error, FIELD_OF)
        else:
            toast(gettext("The feed is saved."))
            return see_other(url_for("updates.feed_list"))
    return render_page(
        "updates/feed.html",
        status=422 if form.problems() else 200,
        form=form,
        feed_id=feed_id,
        vendors=vendors,
        most=fetching.MOST_BYTES // 1024 // 1024,
    )


def _why(row: Any) -> str | None:
    """Why a feed could not be read, in the language of the page."""
    kept = feeds.failure(row)
    return gettext(kept[0]) % kept[1] if kept else None
