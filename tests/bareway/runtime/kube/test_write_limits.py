"""bareway.runtime.kube.client: a write that is given a limit is over by then, at both ends."""

import pytest

from apiserver import EmbeddedApi, Fault
from bareway.resources.kinds import CONFIG_MAPS
from bareway.resources.objects import config_map_body
from bareway.runtime.kube.client import KubeClient, Unreachable
from bareway.runtime.kube.credentials import Credentials, Fixed
from support.builders import key

CONFIG = key("default/config")


async def test_a_write_with_a_limit_ends_in_time_and_tells_the_server_so() -> None:
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url)), timeout_s=60.0) as client:
        await client.create(CONFIG_MAPS.path("default"), config_map_body(CONFIG, {}), timeout_s=5.0)
        api.requests.clear()
        api.faults.add(Fault.STALL, verb="write", times=None)
        for write in (
            client.create(CONFIG_MAPS.path("default"), {}, timeout_s=0.05),
            client.replace(CONFIG_MAPS.object_path(CONFIG), {}, timeout_s=0.05),
            client.merge_patch(CONFIG_MAPS.object_path(CONFIG), {}, timeout_s=0.05),
        ):
            with pytest.raises(Unreachable, match=r"no answer within 0\.05 s"):
                await write
        api.faults.add(Fault.STALL, verb="get", times=None)
        with pytest.raises(Unreachable):
            await client.read(CONFIG_MAPS, CONFIG, timeout_s=0.05)
        api.faults.clear()
    assert [path.rpartition("?")[2] for _, path in api.requests[:3]] == ["timeout=50ms"] * 3
