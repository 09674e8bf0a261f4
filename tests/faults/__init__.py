"""Whatever dies while a month is closed: afterwards everything stands as if nothing had happened."""
