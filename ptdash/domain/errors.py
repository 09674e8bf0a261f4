"""What the business refuses, as facts. Edges turn them into exit codes, pages and sentences."""

import re
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule of the business refuses. `message % params` is the sentence; pages translate `message` first."""

    message: ClassVar[str] = "This is not possible."
    status: ClassVar[int] = 422
    code: ClassVar[str] = "domain_error"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """The fact's name for programs: `PeriodAlreadyClosed` -> `period_already_closed`."""
        super().__init_subclass__(**kwargs)
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.message % params)


class NotFound(DomainError):
    message = "%(what)s does not exist."
    status = 404


class Conflict(DomainError):
    status = 409


class Invalid(DomainError):
    status = 422


class Forbidden(DomainError):
    message = "Your role does not allow this."
    status = 403
