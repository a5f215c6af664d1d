import asyncio
from random import Random

import pytest

from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.settings import Settings
from controller.watch import Watch, rights
from support.controllers import FOUR, Cluster
from support.until import until


def told(settings: Settings) -> set[str]:
    return {str(right) for right in rights(settings)}


def test_the_rights_asked_for_are_those_that_are_used() -> None:
    own = "in namespace bareway-system"
    assert told(Settings(socket=None)) == {
        "list services in all namespaces",
        "watch services in all namespaces",
        "patch services/status in all namespaces",
        *(f"{verb} configmaps config {own}" for verb in ("list", "watch")),
        *(
            f"{verb} {resource} in all namespaces"
            for resource in ("namespaces", "nodes", "endpointslices.discovery.k8s.io")
            for verb in ("list", "watch")
        ),
        *(f"{verb} configmaps {own}" for verb in ("list", "watch")),
        *(f"update configmaps bareway-announcers-{digit} {own}" for digit in "0123456789abcdef"),
        *(
            f"{verb} configmaps {name} {own}"
            for name in ("bareway-config", "bareway-state")
            for verb in ("list", "watch", "update")
        ),
        f"create configmaps {own}",
        *(f"{verb} secrets memberlist {own}" for verb in ("list", "watch")),
        f"create secrets {own}",
        *(
            f"{verb} leases.coordination.k8s.io bareway-controller {own}"
            for verb in ("list", "watch", "get", "patch")
        ),
        f"create leases.coordination.k8s.io {own}",
        *(f"{verb} events in all namespaces" for verb in ("create", "get", "patch")),
    }


def test_a_configuration_in_another_namespace_is_read_there_and_never_written() -> None:
    extra = told(Settings(socket=None, config_namespace="metallb-system")) - told(Settings(socket=None))
    assert extra == {f"{verb} configmaps config in namespace metallb-system" for verb in ("list", "watch")}


@pytest.mark.slow
async def test_a_configuration_in_force_is_the_trace_of_a_controller_that_led(cluster: Cluster) -> None:
    async with KubeClient(Fixed(Credentials(server=cluster.api.url))) as client:
        assert await _warm(client) is True
        await cluster.configure(FOUR)
        async with cluster.controller():
            await until(cluster.in_force)
        assert await _warm(client) is False


async def _warm(client: KubeClient) -> bool:
    watch = Watch(client, Settings(), rng=Random("watch"), on_change=lambda: None)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(mirror.run()) for mirror in watch.mirrors]
        is_new = await watch.warm_up()
        await watch.relist()
        assert {mirror.lists for mirror in watch.mirrors} == {2}
        for task in tasks:
            task.cancel()
    return is_new
