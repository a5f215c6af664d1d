"""What our programs ask in a whole life is what they are on record for, on both servers: no more, no less.

When this fails because a program asks something new: ``python -m cluster.recording`` writes the record anew,
and ``test_recorded.py`` then wants to know how to exercise it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from apiserver.record import load, without_types
from cluster.build import cached
from cluster.recording import BAD_MOMENTS, SLOWNESS, on_embedded, on_real
from lab.commands import what_is_missing
from support.netns import Cable, cable

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def _place() -> Iterator[Cable]:
    """Network namespaces of the programs' own: the speaker answers ARP wherever it finds an interface."""
    if missing := what_is_missing():
        pytest.fail(missing, pytrace=False)
    with cable() as place:
        yield place


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(BAD_MOMENTS, id="with bad moments"),
        pytest.param(SLOWNESS, id="that is slow"),
    ],
)
async def test_on_an_embedded_server(tmp_path: Path, faults: Sequence[Mapping[str, Any]]) -> None:
    assert await on_embedded(tmp_path, faults) == load()


@pytest.mark.real
async def test_on_the_real_one_by_its_audit_log(tmp_path: Path) -> None:
    if not cached().exists():
        pytest.fail("the real kube-apiserver is not built: run `make kube`, or leave out -m real")
    assert await on_real(tmp_path) == without_types(load())
