"""The two API servers that every test of the contract runs against."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from cluster.build import cached
from cluster.control_plane import ControlPlane
from cluster.servers import Server, embedded, real

_numbers = count(1)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """The real one, started once."""
    if not cached().exists():
        pytest.fail("the real kube-apiserver is not built: run `make kube`, or leave out -m real")
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """One of the two, with a namespace of the test's own."""
    namespace = f"test-{next(_numbers)}"
    if request.param == "real":
        async with real(request.getfixturevalue("plane"), namespace) as server:
            yield server
    else:
        async with embedded(tmp_path, namespace) as server:
            yield server


@pytest.fixture
async def both(plane: ControlPlane, tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """The embedded one and the real one, each with an empty namespace of the same name."""
    namespace = f"test-{next(_numbers)}"
    async with embedded(tmp_path, namespace) as ours, real(plane, namespace) as theirs:
        yield ours, theirs
