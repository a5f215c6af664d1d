import pytest

from bareway.layer2.drops import DropReason, PacketError


@pytest.mark.parametrize("reason", DropReason)
def test_an_error_says_its_reason_as_a_word_and_as_text(reason: DropReason) -> None:
    error = PacketError(reason)
    assert error.reason is reason
    assert str(error) == reason.value
