"""The dated price list."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Price(Base):
    """What an item costs from `valid_from` on: net EUR; for `vat_standard` percent."""

    __tablename__ = "prices"
    __table_args__ = (
        CheckConstraint(
            "item IN ('package_S', 'package_M', 'package_L', 'overage_minute', 'separate_minute', 'vat_standard')",
            name="item",
        ),
        CheckConstraint("extract(day FROM valid_from) = 1", name="first_of_month"),
        CheckConstraint("net >= 0", name="net"),
        CheckConstraint("(included_minutes IS NOT NULL) = (item LIKE 'package\\__')", name="included_minutes"),
        CheckConstraint("included_minutes >= 0", name="included_minutes_positive"),
    )

    item: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    net: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    included_minutes: Mapped[int | None]
