"""What a running controller says about itself, on its socket and on its port."""

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from bareway.cli.asking.sockets import Answer, ask
from bareway.model.names import PoolName, ServiceKey
from bareway.model.status import ControllerStatus, PoolStatus, WaitingService
from controller.settings import Settings
from support.controllers import FOUR, NAMESPACE, Cluster
from support.until import until

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


async def page(port: int, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def status(path: Path) -> ControllerStatus:
    answer: Answer = await asyncio.to_thread(ask, path, 2.0)
    assert isinstance(answer, ControllerStatus), answer
    return answer


async def test_a_running_controller_tells_its_configuration_its_pools_and_who_waits(
    cluster: Cluster, tmp_path: Path
) -> None:
    path, port = tmp_path / "controller.sock", free_port()
    await cluster.configure(FOUR.replace("/30", "/31"))
    for name in "abc":
        await cluster.create(name)
    settings = Settings(socket=path, http_address="127.0.0.1", http_port=port)
    async with cluster.controller(settings):
        await until(lambda: len(cluster.shown()) == 2 and cluster.events("c") and path.is_socket())
        told = await status(path)
        assert told.api_connected
        assert (told.configuration.generation, told.configuration.source) == (
            1,
            f"ConfigMap {NAMESPACE}/config",
        )
        assert told.configuration.sha256 == cluster.in_force()["sha256"]
        assert told.pools == (PoolStatus(name=PoolName("a"), total=2, used=2),)
        assert told.list_generation > 0
        assert told.waiting == (
            WaitingService(
                service=ServiceKey("default", "c"), reason="NoFreeAddress", message="no available IPs"
            ),
        )
        assert (await page(port, "/readyz"))[0] == 200
        _, metrics = await page(port, "/metrics")
        for line in (
            'metallb_allocator_addresses_total{pool="a"} 2.0',
            'metallb_allocator_addresses_in_use_total{pool="a"} 2.0',
            'metallb_allocator_ipv4_addresses_in_use_total{pool="a"} 2.0',
            'metallb_allocator_ipv6_addresses_total{pool="a"} 0.0',
            'bareway_services_waiting{reason="NoFreeAddress"} 1.0',
            "metallb_k8s_client_config_loaded_bool 1.0",
            "metallb_k8s_client_config_stale_bool 0.0",
            "bareway_api_connected 1.0",
        ):
            assert line in metrics
        await cluster.configure("address-pools: [")
        await until(lambda: len(cluster.events("config")) == 2)
        stale = await status(path)
        assert [problem.line for problem in stale.configuration.problems] == [1]
        assert stale.configuration.generation == 1
        _, metrics = await page(port, "/metrics")
        assert "metallb_k8s_client_config_stale_bool 1.0" in metrics
        assert "metallb_k8s_client_config_loaded_bool 1.0" in metrics


async def test_before_anything_was_listed_it_is_not_ready(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bareway.runtime.program")
    port = free_port()
    await cluster.api.stop()
    async with cluster.controller(Settings(socket=None, http_address="127.0.0.1", http_port=port)):
        await until(lambda: "metrics and health listen" in caplog.messages)
        code, text = await page(port, "/readyz")
        assert code == 503
        assert text.splitlines() == [
            f"{plural} are not listed yet"
            for plural in ("services", "namespaces", "endpointslices", "nodes", "configmaps", "secrets")
        ]
        _, metrics = await page(port, "/metrics")
        assert "metallb_k8s_client_config_loaded_bool 0.0" in metrics
        assert "bareway_api_connected 0.0" in metrics


async def test_without_a_configuration_it_is_ready_and_says_that_none_is_loaded(cluster: Cluster) -> None:
    port = free_port()
    async with cluster.controller(Settings(socket=None, http_address="127.0.0.1", http_port=port)):
        await until(cluster.secret)
        assert (await page(port, "/readyz"))[0] == 200
        _, metrics = await page(port, "/metrics")
        assert "metallb_k8s_client_config_loaded_bool 0.0" in metrics
        assert "metallb_k8s_client_config_stale_bool 1.0" in metrics


async def test_who_leads_says_so_and_who_stands_by_tells_no_figures_of_pools(
    cluster: Cluster, tmp_path: Path
) -> None:
    await cluster.configure(FOUR)
    ports = free_port(), free_port()
    first, second = (
        Settings(socket=tmp_path / f"{name}.sock", http_address="127.0.0.1", http_port=port, pod_name=name)
        for name, port in zip(("first", "second"), ports, strict=True)
    )
    async with cluster.controller(first):
        await until(cluster.in_force)
        async with cluster.controller(second):
            await until((tmp_path / "second.sock").is_socket)
            leads = await status(tmp_path / "first.sock")
            stands_by = await status(tmp_path / "second.sock")
            while not stands_by.leader or not stands_by.configuration.generation:
                stands_by = await status(tmp_path / "second.sock")
            assert (leads.leads, stands_by.leads) == (True, False)
            assert leads.leader == stands_by.leader == leads.identity != stands_by.identity
            assert leads.identity.startswith("first_")
            (_, one), (_, other) = await page(ports[0], "/metrics"), await page(ports[1], "/metrics")
            assert 'metallb_allocator_addresses_total{pool="a"} 4.0' in one
            assert "metallb_allocator_addresses_total{" not in other
            assert ("bareway_leading 1.0" in one, "bareway_leading 0.0" in other) == (True, True)
            assert "metallb_k8s_client_config_loaded_bool 1.0" in other
            assert (await page(ports[1], "/readyz"))[0] == 200
