"""Where ptdash runs and what it connects to; read once from the environment."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Config:
    """Everything that differs from one installation to the next."""

    home: Path
    database_url: str | None = None
    redis_url: str | None = None
    secret_key: str | None = None
    demo: bool = False
    today: date | None = None

    @classmethod
    def from_env(cls) -> "Config":
        """The environment's answer; raises ValueError where PTDASH_TODAY is no date."""
        today = os.environ.get("PTDASH_TODAY")
        return cls(
            home=Path(os.environ.get("PTDASH_HOME") or "var").absolute(),
            database_url=sqlalchemy_url(os.environ.get("DATABASE_URL")),
            redis_url=os.environ.get("REDIS_URL") or None,
            secret_key=os.environ.get("SECRET_KEY") or None,
            demo=os.environ.get("PTDASH_DEMO") == "1",
            today=date.fromisoformat(today) if today else None,
        )

    def business_day(self, now: datetime) -> date:
        """The day that counts for the business: PTDASH_TODAY, else the Berlin calendar day of `now`."""
        return self.today or now.astimezone(BERLIN).date()

    def business_moment(self, now: datetime) -> datetime:
        """The instant that counts for the business: `now`, with PTDASH_TODAY that day at the same time of day."""
        local = now.astimezone(BERLIN)
        return now if self.today is None else datetime.combine(self.today, local.time(), BERLIN).astimezone(UTC)


def sqlalchemy_url(url: str | None) -> str | None:
    """The same address with psycopg named as the driver; the common spellings are accepted."""
    for scheme in ("postgresql://", "postgres://"):
        if url and url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url or None
