"""A customer's amounts of two months side by side: what a person should look at before a result is released."""

from decimal import Decimal
from enum import StrEnum

JUMP_SHARE = Decimal("0.25")
JUMP_CENTS = 2000


class Jump(StrEnum):
    NEW = "new"
    GONE = "gone"
    UP = "up"
    DOWN = "down"


def jump(before_cents: int, after_cents: int) -> Jump | None:
    """How a customer's net amount (cents) stands out from the month before, or None.

    It does where nothing was billed in one of the months, and where the difference is more than 25 % of the
    month before and more than 20 EUR.
    """
    if before_cents == after_cents:
        return None
    if not before_cents:
        return Jump.NEW
    if not after_cents:
        return Jump.GONE
    difference = after_cents - before_cents
    if abs(difference) <= JUMP_CENTS or abs(difference) <= JUMP_SHARE * abs(before_cents):
        return None
    return Jump.UP if difference > 0 else Jump.DOWN
