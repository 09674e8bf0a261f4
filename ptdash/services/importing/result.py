"""What an import answers: how many rows of each file did what, and everything that is wrong or odd."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Told one by one up to here; a million overlapping entries would bury the rest of the answer.
WARNINGS_TOLD = 1000


@dataclass(frozen=True, order=True)
class Problem:
    """Where something is wrong. Row 1 is the header, or the file as a whole."""

    file: str
    row: int
    field: str
    code: str
    message: str

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "row": self.row,
            "field": self.field,
            "code": self.code,
            "message": self.message,
        }


# Tells a problem of the row at hand: field, code, message.
Tell = Callable[[str, str, str], None]


@dataclass
class Report:
    """Collects problems while an import goes on, each of them once."""

    errors: set[Problem] = field(default_factory=set)
    warnings: set[Problem] = field(default_factory=set)
    _untold: Counter[tuple[str, str]] = field(default_factory=Counter)
    _told: Counter[tuple[str, str]] = field(default_factory=Counter)

    def error(self, file: str, row: int, field: str, code: str, message: str) -> None:
        self.errors.add(Problem(file, row, field, code, message))

    def warn(self, file: str, row: int, field: str, code: str, message: str) -> None:
        if self._told[file, code] < WARNINGS_TOLD:
            self._told[file, code] += 1
            self.warnings.add(Problem(file, row, field, code, message))
        else:
            self._untold[file, code] += 1

    def all_warnings(self) -> list[Problem]:
        """The warnings in order, and for each file and code how many more there are."""
        more = [
            Problem(file, 1, "", "more_warnings", f"There are {count} more warnings of the kind '{code}'.")
            for (file, code), count in self._untold.items()
        ]
        return sorted(self.warnings) + sorted(more)


@dataclass(frozen=True)
class ImportResult:
    dry_run: bool
    created: dict[str, int]
    unchanged: dict[str, int]
    updated: dict[str, int]
    errors: list[Problem]
    warnings: list[Problem]

    @property
    def ok(self) -> bool:
        return not self.errors

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "dry_run": self.dry_run,
            "created": self.created,
            "unchanged": self.unchanged,
            "updated": self.updated,
            "errors": [problem.as_json() for problem in self.errors],
            "warnings": [problem.as_json() for problem in self.warnings],
        }
