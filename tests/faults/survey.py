"""One kind of fault at many points, on the house and on the naive one, judged by the same checker."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ptdash.db import db
from tests.faults.boundaries import Fuse, count, run
from tests.faults.house import House
from tests.faults.ledger import EndState
from tests.faults.rules import learn

Work = Callable[[House, int], object]
# What disturbs a close: given the house with an ordered run and the point, it returns when the fault is over;
# with the end state that is wanted, where that is another than the undisturbed one.
Disturb = Callable[[House, int, int], EndState | None]
Order = Callable[[House], int]
# The bounded sample: enough to notice a broken rule, few enough for every `make test`.
SAMPLE, NAIVE_SAMPLE, NAIVE_POINTS = 3, 12, 10
# After whatever died a month has to be closed again within so many seconds.
CLOSED_SECONDS = 90


@dataclass
class Survey:
    sound: House
    naive: House
    everything: bool
    record: Callable[[str, object], None]
    kind: str = ""
    points: int = 0
    violations: list[str] = field(default_factory=list)
    naive_points: int = 0
    naive_caught: int = 0
    slowest: float = 0

    def at_boundaries(
        self,
        kind: str,
        work: Work,
        fault: Callable[[Fuse], None],
        *,
        loses_answers: bool = False,
    ) -> None:
        """Close with this fault at every boundary of the work."""

        def disturb(house: House, run_id: int, point: int) -> None:
            fuse = Fuse(point, fault, loses_answers)
            run(partial(work, house, run_id), fuse)
            assert fuse.reached > point, f"boundary {point} was never reached"

        boundaries = self.boundaries(work, loses_answers=loses_answers)
        self.at_points(kind, range(boundaries), disturb)

    def boundaries(self, work: Work, *, loses_answers: bool = False, queue_too: bool = False) -> int:
        with self.sound.open():
            self.sound.reset()
            undisturbed = partial(work, self.sound, self.sound.order())
            return count(undisturbed, loses_answers=loses_answers, queue_too=queue_too)

    def at_points(
        self,
        kind: str,
        points: Sequence[int],
        disturb: Disturb,
        *,
        in_order: bool = True,
        naive: Disturb | None = None,
        order: Order = House.order,
    ) -> None:
        """Close with a fault at each of these points; afterwards everything stands as if nothing had happened."""
        self.kind = self.kind or kind
        with self.sound.open():
            wanted = undisturbed(self.sound)
            for point in points if self.everything else spread(points, SAMPLE):
                started = time.monotonic()
                differences = attempt(self.sound, point, disturb, wanted, in_order, order)
                self.slowest = max(self.slowest, time.monotonic() - started)
                self.points += 1
                self.violations += [f"{kind}, point {point}: {difference}" for difference in differences]
        with self.naive.open():
            wanted = undisturbed(self.naive)
            # The writing stands near the end of a batch: there it is caught soonest.
            chosen = spread(points, NAIVE_POINTS if self.everything else NAIVE_SAMPLE)
            for point in sorted(chosen, key=lambda point: abs(point - 0.7 * points[-1])):
                if self.naive_caught and not self.everything:
                    break
                self.naive_points += 1
                self.naive_caught += bool(attempt(self.naive, point, naive or disturb, wanted, in_order, order))

    def verdict(self) -> None:
        """Nothing found on the house; something on the naive one."""
        self.record("fault", self.row())
        assert self.points
        assert not self.violations, "\n".join(self.violations[:20])
        assert self.slowest < CLOSED_SECONDS
        assert self.naive_caught, f"{self.kind}: the checker found nothing wrong with the naive close"

    def row(self) -> list[object]:
        return [
            self.kind,
            self.points,
            len(self.violations),
            round(self.slowest, 1),
            f"caught at {self.naive_caught} of {self.naive_points}",
        ]


def undisturbed(house: House) -> EndState:
    """What the close gives when nothing happens; nothing is wrong with it, on the naive house neither."""
    if house.undisturbed is None:
        house.reset()
        run_id = house.order()
        learn(house, run_id)
        assert run(partial(house.post_each, run_id)) == 0
        house.undisturbed = house.end_state()
        assert house.undisturbed.wrong == []
    return house.undisturbed


def attempt(
    house: House, point: int, disturb: Disturb, wanted: EndState, in_order: bool, order: Order
) -> list[str]:
    house.reset()
    run_id = order(house)
    db.session.remove()
    try:
        wanted = disturb(house, run_id, point) or wanted
        house.mend()
        house.go_on()
    except Exception as error:  # whatever keeps the month from being closed is a finding
        db.session.remove()
        return [f"it did not go on: {error}"]
    return wanted.differences(house.end_state(), in_order=in_order)


def spread(points: Sequence[int], few: int) -> list[int]:
    """At most so many of the points, each from the middle of its share."""
    if len(points) <= few:
        return list(points)
    return [points[(2 * i + 1) * len(points) // (2 * few)] for i in range(few)]


def table(rows: Iterable[Sequence[object]]) -> str:
    """The rows of every kind under a head, with their sum."""
    rows = sorted(rows, key=str)
    points, violations = (sum(int(str(row[column])) for row in rows) for column in (1, 2))
    head = ["fault", "points", "violations", "closed within (s)", "naive close in the same run"]
    lines = [head, *rows, ["all", points, violations, max(float(str(row[3])) for row in rows), ""]]
    widths = [max(len(str(cell)) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
