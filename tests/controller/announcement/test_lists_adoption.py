"""Addresses that are shown and not listed, as after MetalLB: taken up look by look, and nothing moves."""

import pytest

from bareway.model.rank import ranked
from controller.announcement import lists as module
from support.listing import NAMES, Table

SERVICES = 9
AT_ONCE = 2


def adopting(patch: pytest.MonkeyPatch) -> Table:
    """A table where so many can be taken up in one look, and more than these are shown."""
    table = Table()
    for number in range(SERVICES):
        table.show(table.add(f"web-{number}"))
    patch.setattr(module, "RANKS_MAX", AT_ONCE * len(NAMES))
    return table


def test_one_look_takes_up_no_more_than_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    table = adopting(monkeypatch)
    table.look()
    assert len(table.listed()) == AT_ONCE
    assert table.lists.due_s < table.now + 5, "the next look comes soon"


def test_in_the_end_all_are_listed_where_rank_had_them(monkeypatch: pytest.MonkeyPatch) -> None:
    table = adopting(monkeypatch)
    for _ in range(SERVICES // AT_ONCE + 1):
        table.look(after_s=2.0)
    shown = {address for one in table.services.values() for address in one.ingress}
    assert table.listed() == shown
    assert len(shown) == SERVICES
    assert all(table.stored(address)[1][0] == ranked(NAMES, address)[0] for address in shown)
