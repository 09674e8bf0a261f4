from dataclasses import replace
from datetime import date

import pytest

from ptdash.domain.coverage import CoverageFacts, DeviceCover, Why, verdict
from ptdash.domain.minutes import Treatment
from ptdash.domain.tickets import Category, Concern

DAY = date(2026, 11, 17)
OURS = DeviceCover("KES-NB-01", purchased_from_us=True, warranty_until=DAY)
FACTS = CoverageFacts(DAY, Concern.QUESTION, Category.HARDWARE, OURS)


def decided(**changes):
    found = verdict(replace(FACTS, **changes))
    return found.treatment, found.reasons[0].why


def also(**changes):
    return [reason.why for reason in verdict(replace(FACTS, **changes)).reasons[1:]]


def test_a_question_counts_against_the_package():
    assert decided() == (Treatment.PACKAGE, Why.PACKAGE)


def test_a_swap_is_separate_whatever_else_holds():
    maintained = replace(OURS, maintained_by="WV-1")
    assert decided(concern=Concern.SWAP, device=maintained) == (Treatment.SEPARATE, Why.SWAP)


def test_foreign_software_is_separate_unless_an_agreement_says_otherwise():
    foreign = {"category": Category.SOFTWARE, "product": "CAD 5", "source": "foreign"}
    assert decided(**foreign) == (Treatment.SEPARATE, Why.FOREIGN_SOFTWARE)
    assert decided(**foreign, individual_agreement=True)[0] is Treatment.PACKAGE
    assert decided(**{**foreign, "source": "ours"})[0] is Treatment.PACKAGE


def test_software_of_unknown_source_is_package_and_says_so():
    assert decided(category=Category.SOFTWARE, product="CAD 5")[0] is Treatment.PACKAGE
    assert also(category=Category.SOFTWARE, product="CAD 5") == [Why.SOURCE_UNKNOWN]


def test_a_defect_is_warranty_up_to_the_last_day_of_it():
    assert decided(concern=Concern.DEFECT) == (Treatment.WARRANTY, Why.WARRANTY)
    over = replace(OURS, warranty_until=date(2026, 11, 16))
    assert decided(concern=Concern.DEFECT, device=over)[0] is Treatment.PACKAGE
    assert also(concern=Concern.DEFECT, device=over) == [Why.WARRANTY_OVER]


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (None, Why.NO_DEVICE),
        (replace(OURS, purchased_from_us=False), Why.NOT_BOUGHT_FROM_US),
        (replace(OURS, warranty_until=None), Why.WARRANTY_UNKNOWN),
    ],
)
def test_a_defect_without_our_warranty_is_package_and_says_why(device, why):
    assert decided(concern=Concern.DEFECT, device=device)[0] is Treatment.PACKAGE
    assert also(concern=Concern.DEFECT, device=device) == [why]


def test_the_warranty_of_a_device_is_not_for_its_software():
    assert decided(concern=Concern.DEFECT, category=Category.SOFTWARE)[0] is Treatment.PACKAGE
    assert also(concern=Concern.DEFECT, category=Category.SOFTWARE) == [Why.WARRANTY_NOT_FOR_SOFTWARE]


def test_upkeep_of_a_device_in_a_running_contract_is_maintenance():
    maintained = replace(OURS, maintained_by="WV-1")
    assert decided(concern=Concern.UPKEEP, device=maintained) == (Treatment.MAINTENANCE, Why.UPKEEP)
    assert decided(concern=Concern.UPKEEP)[0] is Treatment.PACKAGE
    assert also(concern=Concern.UPKEEP) == [Why.NOT_MAINTAINED]


def test_foreign_software_comes_before_upkeep():
    maintained = replace(OURS, maintained_by="WV-1")
    software = {"category": Category.SOFTWARE, "product": "CAD 5", "source": "foreign"}
    assert decided(concern=Concern.UPKEEP, device=maintained, **software)[0] is Treatment.SEPARATE


def test_a_manufacturers_guarantee_is_told_and_decides_nothing():
    guaranteed = DeviceCover("KES-NB-01", purchased_from_us=False, guarantee_until=DAY)
    assert decided(concern=Concern.DEFECT, device=guaranteed)[0] is Treatment.PACKAGE
    assert Why.GUARANTEE in also(concern=Concern.DEFECT, device=guaranteed)


def test_a_ticket_that_is_not_triaged_says_so():
    assert decided(concern=None)[0] is Treatment.PACKAGE
    assert also(concern=None) == [Why.NOT_TRIAGED]
