"""An update comes into the house: entered by hand, or by what reads CSV files and feeds."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain import updates as rules
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.updates import UNDECIDED, Named, Severity, State
from ptdash.models import Update, UpdateCheck, UpdateProduct
from ptdash.services import audit
from ptdash.services.updates import catalogue

MOST = {"vendor": 100, "title": 200, "version": 60, "kb_number": 40, "link": 500, "description": 4000}
ORIGINS = ("manual", "csv", "feed")


class VendorMissing(Invalid):
    message = "Name the vendor."


class TitleMissing(Invalid):
    message = "Give the update a title."


class VersionMissing(Invalid):
    message = "Name the version."


class ProductsMissing(Invalid):
    message = "Choose at least one product that the update is for."


class FieldTooLong(Invalid):
    message = "%(field)s is too long. At most %(most)s characters are kept."


class LinkRefused(Invalid):
    message = "A link begins with https:// or http://, for example https://vendor.example/notes."


class UpdateKnown(Conflict):
    """`update_id` is the one that is there already."""

    message = "%(title)s, version %(version)s, is known already."

    def __init__(self, update_id: int, **params: Any) -> None:
        self.update_id = update_id
        super().__init__(**params)


class UpdateDecided(Conflict):
    message = "This update is decided: what was decided about stays as it is."


class CheckRuns(Conflict):
    message = "A check of version %(version)s is under way. Finish it or call it off first."


class UpdateChanged(Conflict):
    message = "Somebody changed this update in the meantime. Compare and save again."


@dataclass(frozen=True)
class Entry:
    """What is known of an update; `products` are ids of the catalogue."""

    vendor: str
    title: str
    version: str
    severity: Severity
    released_on: date
    products: tuple[int, ...] = ()
    kb_number: str = ""
    link: str = ""
    description: str = ""


def get(session: Session, update_id: int) -> Update:
    """Raises NotFound."""
    update = session.get(Update, update_id)
    if update is None:
        raise NotFound(what=str(update_id))
    return update


def locked(session: Session, update_id: int, today: date) -> Update:
    """An update for a change; one that was deferred until a day that has come is back. Raises NotFound."""
    found = select(Update).where(Update.id == update_id).with_for_update()
    update = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if update is None:
        raise NotFound(what=str(update_id))
    now_is = state_of(update, today)
    if now_is != update.state:
        update.state, update.deferred_from, update.deferred_until = now_is.value, None, None
    return update


def state_of(update: Update, today: date) -> State:
    """The state on a day: what is deferred comes back by itself."""
    from_state = State(update.deferred_from) if update.deferred_from else None
    return rules.state_on(State(update.state), from_state, update.deferred_until, today)


def named(update: Update | Entry) -> Named:
    return Named(update.vendor, update.title, update.version, update.kb_number, update.released_on)


def enter(
    session: Session, entry: Entry, *, origin: str = "manual", actor_id: int | None, now: datetime
) -> Update:
    """Enter an update.

    Raises VendorMissing, TitleMissing, VersionMissing, ProductsMissing, FieldTooLong, LinkRefused, NotFound (a
    product), UpdateKnown.
    """
    entry = checked(entry)
    catalogue.known(session, entry.products)
    fields = {name: value for name, value in asdict(entry).items() if name != "products"}
    made = insert(Update).values(**fields, origin=origin, created_at=now, created_by_id=actor_id)
    update_id = session.execute(
        made.on_conflict_do_nothing(index_elements=["key"]).returning(Update.id)
    ).scalar_one_or_none()
    if update_id is None:
        refuse_known(session, entry)
    assert update_id is not None
    session.add_all(UpdateProduct(update_id=update_id, product_id=product) for product in entry.products)
    session.flush()
    after = asdict(entry) | {"origin": origin, "products": list(entry.products)}
    audit.record(session, "enter", "update", update_id, actor_id=actor_id, now=now, after=after)
    return session.get_one(Update, update_id)


def change(
    session: Session,
    update_id: int,
    entry: Entry,
    *,
    seen: int,
    today: date,
    actor_id: int,
    now: datetime,
) -> Update:
    """Correct an update while nothing is decided; `seen` is the number of changes that the person had before them.

    Another version is tested anew: a check of the old one no longer counts. Raises what `enter` raises, and
    UpdateDecided, UpdateChanged, CheckRuns.
    """
    entry = checked(entry)
    catalogue.known(session, entry.products)
    update = locked(session, update_id, today)
    if state_of(update, today) not in UNDECIDED:
        raise UpdateDecided()
    before = stored(session, update)
    if before == entry:
        return update
    if seen != update.changes_n:
        raise UpdateChanged()
    if entry.version != update.version:
        _refuse_running_check(session, update)
    refuse_known(session, entry, but=update_id)
    for name, value in asdict(replace(entry, products=())).items():
        if name != "products":
            setattr(update, name, value)
    update.changes_n += 1
    session.execute(delete(UpdateProduct).where(UpdateProduct.update_id == update_id))
    session.add_all(UpdateProduct(update_id=update_id, product_id=product) for product in entry.products)
    session.flush()
    was, became = asdict(before), asdict(entry)
    differs = [name for name in was if was[name] != became[name]]
    audit.record(
        session,
        "change",
        "update",
        update_id,
        actor_id=actor_id,
        now=now,
        before={name: was[name] for name in differs},
        after={name: became[name] for name in differs},
    )
    return update


def checked(entry: Entry) -> Entry:
    """The entry without the room around its texts. Raises as `enter` does, but for what the database knows."""
    texts = {name: getattr(entry, name).strip() for name in MOST}
    for name, refusal in (("vendor", VendorMissing), ("title", TitleMissing), ("version", VersionMissing)):
        if not texts[name]:
            raise refusal()
    for name, most in MOST.items():
        if len(texts[name]) > most:
            raise FieldTooLong(field=name, most=most)
    if texts["link"]:
        check_link(texts["link"])
    if not entry.products:
        raise ProductsMissing()
    return replace(entry, **texts, severity=Severity(entry.severity), products=tuple(sorted(set(entry.products))))


def check_link(link: str) -> None:
    """Only what a browser opens as a page. Raises LinkRefused."""
    try:
        parts = urlsplit(link)
    except ValueError:
        raise LinkRefused() from None
    if parts.scheme not in ("http", "https") or not parts.netloc or any(sign <= " " for sign in link):
        raise LinkRefused()


def stored(session: Session, update: Update) -> Entry:
    """An update as it would be entered."""
    fields: Mapping[str, Any] = {name: getattr(update, name) for name in (*MOST, "released_on")}
    return Entry(**fields, severity=Severity(update.severity), products=tuple(products_of(session, update.id)))


def products_of(session: Session, update_id: int) -> list[int]:
    rows = select(UpdateProduct.product_id).where(UpdateProduct.update_id == update_id)
    return list(session.execute(rows.order_by(UpdateProduct.product_id)).scalars())


def known_keys(session: Session, keys: Collection[str]) -> dict[str, int]:
    """The updates that are there already, by `domain.updates.key`."""
    rows = session.execute(select(Update.key, Update.id).where(Update.key.in_(list(keys))))
    return {row.key: row.id for row in rows}


def refuse_known(session: Session, entry: Entry, *, but: int | None = None) -> None:
    """Raises UpdateKnown where another update has the key of this entry."""
    for update_id in known_keys(session, [rules.key(named(entry))]).values():
        if update_id != but:
            raise UpdateKnown(update_id, title=entry.title, version=entry.version)


def _refuse_running_check(session: Session, update: Update) -> None:
    runs = select(UpdateCheck.version).where(UpdateCheck.update_id == update.id, UpdateCheck.result == "pending")
    version = session.execute(runs).scalar_one_or_none()
    if version is not None:
        raise CheckRuns(version=version)
