"""Company data and switches, one row a key."""

from sqlalchemy.orm import Mapped, mapped_column

from ptdash.db import Base


class Setting(Base):
    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
