"""Work in steps gives what work at once gives, a piece at a time."""

import pytest

from bareway.model.steps import PIECE, Steps, finish, pieces


def doubled(items: list[int]) -> Steps[list[int]]:
    made: list[int] = []
    for piece in pieces(items):
        made += [2 * item for item in piece]
        yield
    return made


@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_every_item_comes_once_in_its_order_and_never_more_than_a_piece_at_a_time(count: int) -> None:
    items = list(range(count))
    cut = list(pieces(items))
    assert [item for piece in cut for item in piece] == items
    assert all(1 <= len(piece) <= PIECE for piece in cut)
    assert len(cut) == -(-count // PIECE)


def test_finishing_takes_all_steps_and_returns_what_they_made() -> None:
    assert finish(doubled(list(range(130)))) == [2 * item for item in range(130)]
