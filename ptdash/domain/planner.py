"""Which day and technician each device with approved updates gets. Pure: the same facts give the same plan."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

Slot = tuple[date, int | None]


@dataclass(frozen=True)
class Job:
    """A device with updates to be installed. `rank`: 0 is the most severe of them. Its updates go together, one
    visit; a server goes after the workstations of its customer."""

    device: int
    customer: int
    server: bool = False
    rank: int = 0


@dataclass(frozen=True)
class Taken:
    """A device that somebody put on a day, or whose day has begun: it keeps its place and its room."""

    device: int
    customer: int
    day: date
    technician: int | None
    server: bool = False


@dataclass(frozen=True)
class Open:
    """The days of a month's window on which work can still be planned."""

    month: date
    days: tuple[date, ...]


@dataclass(frozen=True)
class Placement:
    """`put_off`: it did not fit into the first window."""

    device: int
    month: date
    day: date
    technician: int | None
    put_off: bool = False


def plan(
    jobs: Iterable[Job],
    taken: Iterable[Taken],
    windows: Iterable[Open],
    technicians: Sequence[int | None],
    per_day: int,
) -> list[Placement]:
    """Every device on a day of a window, at most `per_day` devices a technician and day, nothing lost.

    The customers with the most severe updates come first. A customer whose devices fit into one technician's day
    gets that; else as few days as possible, of one technician where he has the room. Servers are placed on no
    earlier day than their customer's workstations, and not before these have all been placed. What does not fit
    goes to the next window. `windows` is read as far as it is needed; it has to go on until all is placed.
    """
    if per_day < 1 or not technicians:
        raise ValueError("without room no device can be placed")
    left = sorted(jobs, key=_order)
    board = _Board(per_day, tuple(technicians))
    for one in taken:
        board.put(one)
    placed: list[Placement] = []
    first: date | None = None
    for window in windows:
        first = first or window.month
        for customer, theirs in _by_customer(left):
            placed += _place(board, window, customer, theirs, put_off=window.month != first)
        done = {placement.device for placement in placed}
        left = [job for job in left if job.device not in done]
        if not left:
            return placed
    if left:
        raise ValueError("the windows ended before every device was placed")
    return placed


@dataclass
class _Board:
    """What stands on each technician's days."""

    per_day: int
    technicians: tuple[int | None, ...]
    slots: dict[Slot, set[int]] = field(default_factory=dict)
    of_customer: dict[int, set[Slot]] = field(default_factory=dict)
    workstations: dict[int, set[date]] = field(default_factory=dict)

    def put(self, one: Taken) -> None:
        slot = (one.day, one.technician)
        self.slots.setdefault(slot, set()).add(one.device)
        self.of_customer.setdefault(one.customer, set()).add(slot)
        if not one.server:
            self.workstations.setdefault(one.customer, set()).add(one.day)

    def room(self, slot: Slot) -> int:
        return max(0, self.per_day - len(self.slots.get(slot, ())))

    def fits(self, slot: Slot, job: Job) -> bool:
        """A device that is on the slot already takes no further room."""
        taken = self.slots.get(slot, ())
        return len(taken) < self.per_day or job.device in taken


def _place(board: _Board, window: Open, customer: int, jobs: Sequence[Job], *, put_off: bool) -> list[Placement]:
    """What of a customer's devices the window has room for, workstations first."""
    placed: list[Placement] = []
    workstations = [job for job in jobs if not job.server]
    slots = _slots(board, window, customer, jobs)
    for job in workstations:
        slot = next((slot for slot in slots if board.fits(slot, job)), None)
        if slot:
            placed.append(_put(board, window, job, slot, put_off))
    if len(placed) < len(workstations):
        return placed
    last = max((day for day in board.workstations.get(customer, ()) if day in window.days), default=date.min)
    for job in jobs:
        slot = next((slot for slot in slots if slot[0] >= last and board.fits(slot, job)), None)
        if job.server and slot:
            placed.append(_put(board, window, job, slot, put_off))
    return placed


def _put(board: _Board, window: Open, job: Job, slot: Slot, put_off: bool) -> Placement:
    day, technician = slot
    board.put(Taken(job.device, job.customer, day, technician, job.server))
    return Placement(job.device, window.month, day, technician, put_off)


def _slots(board: _Board, window: Open, customer: int, jobs: Sequence[Job]) -> list[Slot]:
    """The technicians' days in the order in which a customer's devices are to fill them: the day that takes them
    all first, then the days of the technician who has the room, then all days."""
    known = board.of_customer.get(customer, set())
    every = [(day, technician) for day in window.days for technician in board.technicians]
    alone = _whole(board, every, known, jobs)
    rest = sorted(every, key=lambda slot: (slot[0], slot not in known, -board.room(slot), _index(board, slot)))
    theirs = {technician for _, technician in known}
    room = {one: sum(board.room((day, one)) for day in window.days) for one in board.technicians}
    able = [one for one in board.technicians if room[one] >= len(jobs)]
    one = min(able, key=lambda one: (one not in theirs, -room[one], board.technicians.index(one)), default=None)
    same = [slot for slot in rest if able and slot[1] == one]
    return list(dict.fromkeys([*alone, *same, *rest]))


def _whole(board: _Board, every: Sequence[Slot], known: set[Slot], jobs: Sequence[Job]) -> list[Slot]:
    """The day that has room for all of them: where the customer is already, else the earliest; a server not before
    a day on which workstations are."""
    days = board.workstations.get(jobs[0].customer, set()) & {day for day, _ in every}
    first = max(days, default=date.min) if any(job.server for job in jobs) else date.min
    free = [slot for slot in every if slot[0] >= first and board.room(slot) >= len(jobs)]
    return sorted(free, key=lambda slot: (slot not in known, slot[0], -board.room(slot), _index(board, slot)))[:1]


def _index(board: _Board, slot: Slot) -> int:
    return board.technicians.index(slot[1])


def _order(job: Job) -> tuple[int, int, int]:
    return job.rank, job.customer, job.device


def _by_customer(jobs: Iterable[Job]) -> Iterator[tuple[int, list[Job]]]:
    """The customers, the one with the most severe update first; each with its devices, the most severe first."""
    theirs: dict[int, list[Job]] = {}
    for job in jobs:
        theirs.setdefault(job.customer, []).append(job)
    yield from theirs.items()
