"""Fixtures of the controller's tests."""

from collections.abc import AsyncIterator

import pytest

from support.controllers import Cluster, cluster


@pytest.fixture(name="cluster")
async def empty_cluster() -> AsyncIterator[Cluster]:
    """An API server with our namespace in it, and nothing else."""
    async with cluster() as found:
        yield found
