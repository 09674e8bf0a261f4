"""The coverage verdict of a ticket: which treatment its work gets, and why."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from ptdash.domain.minutes import Treatment
from ptdash.domain.tickets import Category, Concern


class Why(StrEnum):
    """What decided, or what is good to know; pages say it in words."""

    SWAP = "swap"
    FOREIGN_SOFTWARE = "foreign_software"
    WARRANTY = "warranty"
    UPKEEP = "upkeep"
    PACKAGE = "package"
    NOT_TRIAGED = "not_triaged"
    NO_DEVICE = "no_device"
    NOT_BOUGHT_FROM_US = "not_bought_from_us"
    WARRANTY_UNKNOWN = "warranty_unknown"
    WARRANTY_OVER = "warranty_over"
    WARRANTY_NOT_FOR_SOFTWARE = "warranty_not_for_software"
    NOT_MAINTAINED = "not_maintained"
    SOURCE_UNKNOWN = "source_unknown"
    INDIVIDUAL_AGREEMENT = "individual_agreement"
    GUARANTEE = "guarantee"


@dataclass(frozen=True)
class Reason:
    why: Why
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DeviceCover:
    """A ticket's device: days are inclusive; `maintained_by` is its running maintenance contract on the day."""

    name: str
    purchased_from_us: bool
    warranty_until: date | None = None
    guarantee_until: date | None = None
    maintained_by: str | None = None


@dataclass(frozen=True)
class CoverageFacts:
    """`source` is `ours` or `foreign`, None where nobody wrote it down."""

    day: date
    concern: Concern | None
    category: Category
    device: DeviceCover | None = None
    product: str = ""
    source: str | None = None
    individual_agreement: bool = False


@dataclass(frozen=True)
class Coverage:
    """The treatment proposed; the first reason decided, the others are good to know."""

    treatment: Treatment
    reasons: tuple[Reason, ...]


def verdict(facts: CoverageFacts) -> Coverage:
    """The first that fits: a swap, foreign software without an individual agreement (both separate), a defect
    under our statutory warranty, upkeep under a maintenance contract, else the package.

    A manufacturer's guarantee is told and decides nothing: it obliges the manufacturer, not us.
    """
    treatment, reason = _decide(facts)
    return Coverage(treatment, (reason, *_good_to_know(facts, reason.why)))


def _decide(facts: CoverageFacts) -> tuple[Treatment, Reason]:
    device = facts.device
    if facts.concern is Concern.SWAP:
        return Treatment.SEPARATE, Reason(Why.SWAP)
    if facts.category is Category.SOFTWARE and facts.source == "foreign" and not facts.individual_agreement:
        return Treatment.SEPARATE, Reason(Why.FOREIGN_SOFTWARE, {"product": facts.product})
    if _under_warranty(facts) and device:
        return Treatment.WARRANTY, Reason(Why.WARRANTY, {"device": device.name, "until": device.warranty_until})
    if facts.concern is Concern.UPKEEP and device and device.maintained_by:
        return Treatment.MAINTENANCE, Reason(Why.UPKEEP, {"device": device.name, "contract": device.maintained_by})
    return Treatment.PACKAGE, Reason(Why.PACKAGE)


def _under_warranty(facts: CoverageFacts) -> bool:
    """The statutory warranty is for the device; a program that fails on it is not its defect."""
    device = facts.device
    return bool(
        facts.concern is Concern.DEFECT
        and facts.category is Category.HARDWARE
        and device
        and device.purchased_from_us
        and device.warranty_until
        and facts.day <= device.warranty_until
    )


def _good_to_know(facts: CoverageFacts, decided: Why) -> list[Reason]:
    told: list[Reason] = []
    if facts.concern is None:
        told.append(Reason(Why.NOT_TRIAGED))
    if facts.category is Category.SOFTWARE and facts.product and facts.concern is not Concern.SWAP:
        if facts.source == "foreign" and facts.individual_agreement:
            told.append(Reason(Why.INDIVIDUAL_AGREEMENT, {"product": facts.product}))
        elif facts.source is None:
            told.append(Reason(Why.SOURCE_UNKNOWN, {"product": facts.product}))
    if decided is Why.PACKAGE and facts.concern in (Concern.DEFECT, Concern.UPKEEP):
        told.append(_why_not(facts))
    device = facts.device
    if device and device.guarantee_until and facts.day <= device.guarantee_until:
        told.append(Reason(Why.GUARANTEE, {"device": device.name, "until": device.guarantee_until}))
    return told


def _why_not(facts: CoverageFacts) -> Reason:
    """What keeps a defect from being warranty, or upkeep from being maintenance."""
    device = facts.device
    if device is None:
        return Reason(Why.NO_DEVICE)
    if facts.concern is Concern.UPKEEP:
        return Reason(Why.NOT_MAINTAINED, {"device": device.name})
    if not device.purchased_from_us:
        return Reason(Why.NOT_BOUGHT_FROM_US, {"device": device.name})
    if facts.category is Category.SOFTWARE:
        return Reason(Why.WARRANTY_NOT_FOR_SOFTWARE)
    if device.warranty_until is None:
        return Reason(Why.WARRANTY_UNKNOWN, {"device": device.name})
    return Reason(Why.WARRANTY_OVER, {"device": device.name, "until": device.warranty_until})
