"""The state machine against the picture of RFC 5880 section 6.2, every pair of it."""

import pytest

from bareway.bfd.packet import State
from bareway.bfd.table import NEXT_STATE

A, D, I, U = State.ADMIN_DOWN, State.DOWN, State.INIT, State.UP  # noqa: E741 - columns of a table

PICTURE = {  # what is received:  A  D  I  U
    A: (A, A, A, A),
    D: (D, I, U, D),
    I: (D, I, U, U),
    U: (D, D, U, U),
}


def test_the_table_knows_every_pair_and_no_other() -> None:
    assert NEXT_STATE.keys() == {(ours, theirs) for ours in State for theirs in State}


@pytest.mark.parametrize("theirs", State, ids=lambda state: state.name)
@pytest.mark.parametrize("ours", State, ids=lambda state: state.name)
def test_each_pair_leads_where_the_picture_says(ours: State, theirs: State) -> None:
    assert NEXT_STATE[ours, theirs] is PICTURE[ours][theirs]
