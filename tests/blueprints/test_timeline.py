"""Where the labels of a notice's timeline stand: none is crossed by the pin of the receipt."""

from hypothesis import given
from hypothesis import strategies as st

from ptdash.blueprints.contracts.timeline import LABEL, NoticeLine

PLACES = st.floats(0, 100)


@given(PLACES, PLACES)
def test_the_pin_of_the_receipt_runs_through_no_label(deadline: float, receipt: float) -> None:
    line = NoticeLine((), None, None, False, None, deadline, receipt, end=100)
    at = line.deadline_label
    if line.deadline_left:
        assert receipt >= at or receipt < at - LABEL
    else:
        assert receipt <= at or deadline < 100 - LABEL
