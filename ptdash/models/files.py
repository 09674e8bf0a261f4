"""Files that people attach, with their bytes: one backup holds everything."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, deferred, mapped_column

from ptdash.db import Base


class StoredFile(Base):
    """Written once. `media_type` is what the content is, not what its sender called it; sha256 in hex."""

    __tablename__ = "stored_files"
    __table_args__ = (
        CheckConstraint("size = octet_length(content)", name="size"),
        CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="sha256"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False), raiseload=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
