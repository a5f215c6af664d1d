"""``kubectl patch`` in each of its forms, on an object and on its status."""

import json

import pytest

from cluster.servers import Server

INGRESS = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}}


@pytest.fixture
async def web(server: Server) -> Server:
    """A server with a Service of two ports."""
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    body = {
        "metadata": {"name": "web", "labels": {"tier": "front"}},
        "spec": {"type": "LoadBalancer", "ports": ports},
    }
    assert (await server.client.create(server.path("services"), body)).code == 201
    return server


async def _patch(server: Server, patch: object, *flags: str, code: int = 0) -> str:
    return await server.kubectl("patch", "service", "web", f"--patch={json.dumps(patch)}", *flags, code=code)


async def _see(server: Server, path: str) -> str:
    return await server.kubectl("get", "service", "web", "-o", f"jsonpath={{{path}}}")


@pytest.mark.parametrize(
    ("flags", "patch", "ports"),
    [
        pytest.param(
            [], {"spec": {"ports": [{"port": 80, "name": "www"}]}}, "80 443", id="strategic unless said"
        ),
        pytest.param(
            ["--type=strategic"],
            {"spec": {"ports": [{"port": 8080, "name": "www"}]}},
            "8080 80 443",
            id="strategic",
        ),
        pytest.param(["--type=merge"], {"spec": {"ports": [{"port": 8080}]}}, "8080", id="merge"),
        pytest.param(
            ["--type=json"],
            [{"op": "remove", "path": "/spec/ports/0"}, {"op": "remove", "path": "/spec/ports/0/name"}],
            "443",
            id="json",
        ),
    ],
)
async def test_each_type_treats_a_list_in_its_way(
    web: Server, flags: list[str], patch: object, ports: str
) -> None:
    assert await _patch(web, patch, *flags) == "service/web patched\n"
    assert await _see(web, ".spec.ports[*].port") == ports


@pytest.mark.parametrize(
    ("flags", "patch"),
    [
        pytest.param(["--type=merge"], INGRESS, id="merge"),
        pytest.param(["--type=strategic"], INGRESS, id="strategic"),
        pytest.param(
            ["--type=json"], [{"op": "add", "path": "/status", "value": INGRESS["status"]}], id="json"
        ),
    ],
)
async def test_each_type_can_write_the_status(web: Server, flags: list[str], patch: object) -> None:
    assert await _patch(web, patch, "--subresource=status", *flags) == "service/web patched\n"
    assert await _see(web, ".status.loadBalancer.ingress[*].ip") == "192.0.2.10"


async def test_the_status_is_written_through_its_subresource_only(web: Server) -> None:
    assert await _patch(web, INGRESS, "--type=merge") == "service/web patched (no change)\n"
    assert await _see(web, ".status.loadBalancer") == "{}"
    both = {**INGRESS, "spec": {"sessionAffinity": "ClientIP"}}
    assert await _patch(web, both, "--type=merge", "--subresource=status") == "service/web patched\n"
    assert await _see(web, ".spec.sessionAffinity") == "None"
    assert await _see(web, ".status.loadBalancer.ingress[*].ip") == "192.0.2.10"


async def test_a_patch_that_changes_nothing_says_so(web: Server) -> None:
    same = {"metadata": {"labels": {"tier": "front"}}}
    assert await _patch(web, same) == "service/web patched (no change)\n"


async def test_a_dry_run_changes_nothing(web: Server) -> None:
    await _patch(web, {"metadata": {"labels": {"tier": "back"}}}, "--dry-run=server")
    assert await _see(web, ".metadata.labels.tier") == "front"


async def test_a_patch_with_an_old_version_is_a_conflict(web: Server) -> None:
    told = await _patch(web, {"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}, code=1)
    assert told.startswith("Error from server (Conflict): Operation cannot be fulfilled on services")


@pytest.mark.parametrize(
    ("flags", "patch", "told"),
    [
        pytest.param(
            ["--type=json"],
            [{"op": "test", "path": "/spec/type", "value": "NodePort"}],
            "due to an error in our request",
            id="json",
        ),
        pytest.param(
            ["--type=merge"], {"spec": {"ports": []}}, "spec.ports: Required value", id="no port left"
        ),
        pytest.param(
            ["--type=merge"], {"spec": {"ports": [{"port": "x"}]}}, "unmarshal", id="a word for a number"
        ),
        pytest.param(
            ["--type=merge", "--subresource=status"],
            {"status": {"loadBalancer": {"ingress": [{"ip": "nowhere"}]}}},
            "must be a valid IP address",
            id="no address",
        ),
    ],
)
async def test_a_patch_that_cannot_be_is_refused(
    web: Server, flags: list[str], patch: object, told: str
) -> None:
    assert told in await _patch(web, patch, *flags, code=1)


async def test_a_node_gets_a_condition_beside_those_it_has(server: Server) -> None:
    name = f"node-{server.namespace}"
    body = {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await server.client.create("/api/v1/nodes", body)
    try:
        patch = json.dumps({"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]}})
        told = await server.kubectl("patch", "node", name, "--subresource=status", f"--patch={patch}")
        assert told == f"node/{name} patched\n"
        types = await server.kubectl("get", "node", name, "-o", "jsonpath={.status.conditions[*].type}")
        assert set(types.split()) == {"Ready", "NetworkUnavailable"}
    finally:
        await server.client.delete(f"/api/v1/nodes/{name}")
