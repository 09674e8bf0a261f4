"""The catalogue of vendors and products, and for each product the plan by which its updates are checked.

Plans have versions, written once; a check keeps the sentences that it began with.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.searching import fold
from ptdash.models import (
    ContractDevice,
    DeviceProduct,
    Product,
    TestPlan,
    UpdateProduct,
    User,
)
from ptdash.services import audit
from ptdash.services.bulk import among
from ptdash.services.checklists import MOST_ITEMS, ChecklistEmpty, ChecklistTooLong, ItemTwice
from ptdash.services.updates.plan_defaults import DEFAULT_PLAN

MOST_NAME = 200
MOST_ITEM = 300


class ProductNameMissing(Invalid):
    message = "Name the product."


class NameTooLong(Invalid):
    message = "That is too long. At most %(most)s characters are kept."


class ProductKnown(Conflict):
    message = "%(name)s is in the catalogue already."


class PlanChanged(Conflict):
    message = "Somebody saved version %(version)s of this test plan in the meantime. Compare and save again."


@dataclass(frozen=True)
class Row:
    """A product with its plan's version (None: the general one), and how many devices in contracts and updates."""

    product: Product
    plan: int | None
    devices: int
    updates: int


@dataclass(frozen=True)
class Plan:
    """One version of a product's test plan; version 0 is the general one, which every product starts with."""

    version: int
    items: tuple[str, ...]
    created_at: datetime | None = None
    created_by: str | None = None


def products(session: Session, today: date) -> list[Row]:
    """The whole catalogue by vendor and name, in one query."""
    plan = select(func.max(TestPlan.version)).where(TestPlan.product_id == Product.id).scalar_subquery()
    covered = (
        select(func.count(func.distinct(DeviceProduct.device_id)))
        .join(ContractDevice, ContractDevice.device_id == DeviceProduct.device_id)
        .where(DeviceProduct.product_id == Product.id, ContractDevice.included_from <= today)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > today))
        .scalar_subquery()
    )
    updates = select(func.count()).where(UpdateProduct.product_id == Product.id).scalar_subquery()
    rows = session.execute(select(Product, plan, covered, updates))
    found = [Row(*row) for row in rows]
    return sorted(found, key=lambda row: (fold(row.product.vendor), row.product.key))


def get(session: Session, product_id: int) -> Product:
    """Raises NotFound."""
    product = session.get(Product, product_id)
    if product is None:
        raise NotFound(what=str(product_id))
    return product


def known(session: Session, ids: Collection[int]) -> list[Product]:
    """The products of these ids, by name. Raises NotFound where one is not in the catalogue."""
    found = session.execute(select(Product).where(among(Product.id, set(ids))).order_by(Product.key)).scalars()
    products = list(found)
    missing = set(ids) - {product.id for product in products}
    if missing:
        raise NotFound(what=str(min(missing)))
    return products


def by_names(session: Session, names: Collection[str]) -> dict[str, int]:
    """The ids of products by their folded names, for those that are in the catalogue."""
    keys = [fold(name.strip()) for name in names]
    rows = session.execute(select(Product.key, Product.id).where(Product.key.in_(keys)))
    return {row.key: row.id for row in rows}


def add(
    session: Session,
    name: str,
    *,
    vendor: str = "",
    section: str = "",
    offered_by_us: bool = False,
    actor_id: int | None,
    now: datetime,
) -> Product:
    """Put a product into the catalogue. Raises ProductNameMissing, NameTooLong, ProductKnown."""
    fields = _fields(vendor, section, offered_by_us)
    name = _short(name)
    if not name:
        raise ProductNameMissing()
    made = insert(Product).values(name=name, **fields).on_conflict_do_nothing(index_elements=["key"])
    product_id = session.execute(made.returning(Product.id)).scalar_one_or_none()
    if product_id is None:
        raise ProductKnown(name=name)
    audit.record(session, "add", "product", product_id, actor_id=actor_id, now=now, after={"name": name} | fields)
    return session.get_one(Product, product_id)


def change(
    session: Session,
    product_id: int,
    *,
    vendor: str,
    section: str,
    offered_by_us: bool,
    actor_id: int,
    now: datetime,
) -> Product:
    """Change a product; its name stays, because devices name it. Raises NotFound, NameTooLong."""
    product = get(session, product_id)
    after = _fields(vendor, section, offered_by_us)
    before = {name: getattr(product, name) for name in after}
    if before == after:
        return product
    for name, value in after.items():
        setattr(product, name, value)
    session.flush()
    audit.record(session, "change", "product", product_id, actor_id=actor_id, now=now, before=before, after=after)
    return product


def plan(session: Session, product_id: int) -> Plan:
    """What a check of this product's updates asks now. Raises NotFound."""
    return plans(session, product_id)[0]


def plans(session: Session, product_id: int) -> list[Plan]:
    """Every version of a product's test plan, the newest first, the general one last. Raises NotFound."""
    get(session, product_id)
    rows = session.execute(
        select(TestPlan, User.name)
        .outerjoin(User, User.id == TestPlan.created_by_id)
        .where(TestPlan.product_id == product_id)
        .order_by(TestPlan.version.desc())
    )
    stored = [Plan(row.version, tuple(row.items), row.created_at, name) for row, name in rows]
    return [*stored, Plan(0, DEFAULT_PLAN)]


def save_plan(
    session: Session, product_id: int, items: Sequence[str], *, seen: int, actor_id: int | None, now: datetime
) -> int:
    """Save a test plan as its next version; `seen` is the version that the person changed (0: the general one).

    Returns the version; where nothing differs, the one there is. Raises NotFound, ChecklistEmpty,
    ChecklistTooLong, ItemTwice, NameTooLong, PlanChanged.
    """
    lines = [" ".join(item.split()) for item in items if item.strip()]
    _check_plan(lines)
    before = plan(session, product_id)
    if seen != before.version:
        raise PlanChanged(version=before.version)
    if before.items == tuple(lines):
        return before.version
    version = before.version + 1
    row = {"product_id": product_id, "version": version, "items": lines, "created_at": now}
    made = insert(TestPlan).values(**row, created_by_id=actor_id)
    made = made.on_conflict_do_nothing(index_elements=["product_id", "version"])
    if session.execute(made.returning(TestPlan.id)).scalar_one_or_none() is None:
        raise PlanChanged(version=version)
    after = {"version": version, "items": lines}
    audit.record(session, "plan", "product", product_id, actor_id=actor_id, now=now, after=after)
    return version


def points(session: Session, products: Sequence[Product]) -> list[str]:
    """What a check of an update for these products asks: the points of all their plans, each once; where there
    are several products, those of a plan of its own say whose they are."""
    newest = {
        row.product_id: row.items
        for row in session.execute(
            select(TestPlan)
            .where(among(TestPlan.product_id, [product.id for product in products]))
            .order_by(TestPlan.product_id, TestPlan.version)
        ).scalars()
    }
    found: dict[str, None] = {}
    for product in products:
        own = newest.get(product.id)
        prefix = f"{product.name}: " if own and len(products) > 1 else ""
        found |= dict.fromkeys(prefix + item for item in own or DEFAULT_PLAN)
    return list(found) or list(DEFAULT_PLAN)


def vendors(session: Session) -> list[str]:
    """Every vendor that a product names, in order."""
    rows = session.execute(select(Product.vendor).where(Product.vendor != "").distinct()).scalars()
    return sorted(rows, key=fold)


def sections(session: Session) -> list[str]:
    """The parts of the catalogue that are in use, in order."""
    rows = session.execute(select(Product.section).where(Product.section != "").distinct()).scalars()
    return sorted(rows, key=fold)


def _check_plan(lines: Sequence[str]) -> None:
    if not lines:
        raise ChecklistEmpty()
    if len(lines) > MOST_ITEMS:
        raise ChecklistTooLong(most=MOST_ITEMS)
    for line in lines:
        if len(line) > MOST_ITEM:
            raise NameTooLong(most=MOST_ITEM)
        if lines.count(line) > 1:
            raise ItemTwice(text=line)


def _fields(vendor: str, section: str, offered_by_us: bool) -> dict[str, str | bool]:
    return {"vendor": _short(vendor), "section": _short(section), "offered_by_us": offered_by_us}


def _short(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > MOST_NAME:
        raise NameTooLong(most=MOST_NAME)
    return text
