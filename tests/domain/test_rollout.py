"""What a rollout task asks of whoever stands at its device."""

import pytest

from ptdash.domain.rollout import ON_DEVICE, TaskStatus, to_be_done


@pytest.mark.parametrize("status", TaskStatus)
@pytest.mark.parametrize("ended_by", ["withdrawn", "superseded", None])
@pytest.mark.parametrize("instruction", ["Zurück auf KB0", ""])
def test_only_what_is_on_the_device_and_withdrawn_asks_for_something(
    status: TaskStatus, ended_by: str | None, instruction: str
) -> None:
    asks = ended_by == "withdrawn" and status in ON_DEVICE
    assert to_be_done(status, ended_by, instruction) == (instruction if asks else None)
