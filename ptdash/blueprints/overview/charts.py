"""Where the bars of the overview's charts lie: percent across, pixels down, so that text never scales."""

from collections.abc import Sequence
from dataclasses import dataclass

from ptdash.services.overview_figures import MonthMinutes, MonthRevenue, WeekTickets
from ptdash.web.formats import month_short, number

HEIGHT = 112
ABOVE, BELOW = 16, 18
LANES = 132
UPPER, LOWER, LANE = 66, 98, 13


@dataclass(frozen=True)
class Rect:
    """`kind`: box (in, included), used, over, ok; `running`: of the period that is not over, which is paler."""

    x: float
    width: float
    y: float
    height: float
    kind: str
    running: bool = False


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    words: str
    anchor: str = "middle"
    kind: str = "dim"


@dataclass(frozen=True)
class Chart:
    """`lines`: where its zero lines lie."""

    height: int
    lines: tuple[int, ...]
    bars: Sequence[Rect]
    texts: Sequence[Text]


@dataclass(frozen=True)
class Scale:
    """Bars that stand on `zero`, the highest of them `room` pixels, in columns of so many percent."""

    zero: int
    room: int
    top: int
    columns: int

    @property
    def column(self) -> float:
        return 100 / self.columns

    def height(self, value: int) -> float:
        return round(self.room * value / max(self.top, 1), 1)

    def bar(
        self, place: int, share: tuple[float, float], value: int, kind: str, *, on: int = 0, running: bool = False
    ) -> Rect:
        """A bar in a part of its column (`share`: from, how wide), standing on the value `on`."""
        height = self.height(value)
        x, width = (place + share[0]) * self.column, share[1] * self.column
        y = round(self.zero - self.height(on) - height, 1)
        return Rect(round(x, 2), round(width, 2), y, height, kind, running)

    def label(self, place: int, value: int, words: str, kind: str = "") -> Text:
        """Words above a bar."""
        return Text(self.middle(place), round(self.zero - self.height(value) - 5, 1), words, kind=kind)

    def middle(self, place: int) -> float:
        return round((place + 0.5) * self.column, 2)


def minutes(months: Sequence[MonthMinutes]) -> Chart:
    """Included as an outline, beside it what was used of it with the overage on top."""
    top = max((max(row.included, row.covered + row.overage) for row in months), default=0)
    scale = Scale(HEIGHT - BELOW, HEIGHT - BELOW - ABOVE, top, len(months))
    bars, texts = [], []
    for place, row in enumerate(months):
        last = place == len(months) - 1
        bars.append(scale.bar(place, (0.16, 0.3), row.included, "box"))
        bars.append(scale.bar(place, (0.52, 0.3), row.covered, "used", running=last))
        bars.append(scale.bar(place, (0.52, 0.3), row.overage, "over", on=row.covered, running=last))
        words = f"+{number(row.overage)}" if row.overage else number(row.covered)
        kind = "bad" if row.overage else ""
        texts.append(scale.label(place, max(row.included, row.covered + row.overage), words, kind))
        texts.append(_below(scale, place, month_short(row.month), HEIGHT - 4, last))
    return Chart(HEIGHT, (scale.zero,), _seen(bars), texts)


def tickets(weeks: Sequence[WeekTickets]) -> Chart:
    """What came in as an outline, what was solved beside it."""
    top = max((max(row.taken, row.solved) for row in weeks), default=0)
    scale = Scale(HEIGHT - BELOW, HEIGHT - BELOW - ABOVE, top, len(weeks))
    bars, texts = [], []
    for place, row in enumerate(weeks):
        last = place == len(weeks) - 1
        bars.append(scale.bar(place, (0.14, 0.33), row.taken, "box"))
        bars.append(scale.bar(place, (0.53, 0.33), row.solved, "used", running=last))
        if (len(weeks) - 1 - place) % 2 == 0:
            texts.append(_below(scale, place, number(row.monday.isocalendar().week), HEIGHT - 4, last))
    newest = weeks[-1]
    highest = max(max(row.taken, row.solved) for row in weeks[-3:])
    above = scale.label(len(weeks) - 1, highest, "")
    texts.append(Text(100, above.y, f"{number(newest.taken)}/{number(newest.solved)}", "end", "now"))
    return Chart(HEIGHT, (scale.zero,), _seen(bars), texts)


def revenue(months: Sequence[MonthRevenue]) -> Chart:
    """From zero; additions and losses have a lane of their own, in which they would not vanish."""
    scale = Scale(UPPER, 50, max(row.net_cents for row in months), len(months))
    change = max(max(row.added_cents, row.lost_cents) for row in months)
    up = Scale(LOWER, LANE, change, len(months))
    bars, texts = [], []
    for place, row in enumerate(months):
        last = place == len(months) - 1
        bars.append(scale.bar(place, (0.2, 0.6), row.net_cents, "used"))
        bars.append(up.bar(place, (0.2, 0.6), row.added_cents, "ok"))
        lost = up.bar(place, (0.2, 0.6), row.lost_cents, "over")
        bars.append(Rect(lost.x, lost.width, LOWER + 1, lost.height, "over"))
        if place == 0 or last:
            y = scale.label(place, row.net_cents, "").y
            x, anchor, kind = (100, "end", "now") if last else (0, "start", "")
            texts.append(Text(x, y, number(round(row.net_cents / 100)), anchor, kind))
        if (len(months) - 1 - place) % 2 == 0:
            texts.append(_below(scale, place, month_short(row.month), LANES - 2, last))
    return Chart(LANES, (UPPER, LOWER), _seen(bars), texts)


def _below(scale: Scale, place: int, words: str, y: int, last: bool) -> Text:
    return Text(scale.middle(place), y, words, kind="now" if last else "dim")


def _seen(bars: Sequence[Rect]) -> list[Rect]:
    return [bar for bar in bars if bar.height]
