"""Stock kubectl, as a user types it."""

import json

import pytest

from cluster.servers import Server

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
  ports: [{name: http, port: 80}, {name: https, port: 443}]
"""


async def test_get_prints_the_external_address(server: Server) -> None:
    await server.kubectl("apply", "-f", "-", stdin=SERVICE)
    assert "<pending>" in await server.kubectl("get", "svc", "web")
    patch = '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.10"}]}}}'
    done = await server.kubectl(
        "patch", "svc", "web", "--subresource=status", "--type=merge", f"--patch={patch}"
    )
    assert done == "service/web patched\n"
    header, row = (await server.kubectl("get", "svc", "web")).splitlines()
    assert header.split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    assert row.split()[1::2][:2] == ["LoadBalancer", "192.0.2.10"]
    everywhere = await server.kubectl("get", "svc", "--all-namespaces")
    assert everywhere.split()[0] == "NAMESPACE"
    assert server.namespace in everywhere


async def test_apply_creates_changes_and_leaves_alone(server: Server) -> None:
    assert await server.kubectl("apply", "-f", "-", stdin=SERVICE) == "service/web created\n"
    assert await server.kubectl("apply", "-f", "-", stdin=SERVICE) == "service/web unchanged\n"
    changed = SERVICE.replace("port: 443", "port: 8443")
    assert await server.kubectl("apply", "-f", "-", stdin=changed) == "service/web configured\n"
    ports = await server.kubectl("get", "svc", "web", "-o", "jsonpath={.spec.ports[*].port}")
    assert ports == "80 8443"


async def test_apply_refuses_a_field_that_is_not(server: Server) -> None:
    wrong = SERVICE.replace("ports:", "port:")
    message = await server.kubectl("apply", "-f", "-", stdin=wrong, code=1)
    assert 'strict decoding error: unknown field "spec.port"' in message


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        pytest.param("configmap a --from-literal=key=value", "configmap/a created", id="config map"),
        pytest.param("secret generic a --from-literal=key=value", "secret/a created", id="secret"),
        pytest.param("service loadbalancer a --tcp=80:8080", "service/a created", id="load balancer"),
        pytest.param("service clusterip a --clusterip=None", "service/a created", id="headless"),
        pytest.param("service externalname a --external-name=b.c", "service/a created", id="external name"),
    ],
)
async def test_create_without_a_file(server: Server, command: str, printed: str) -> None:
    assert await server.kubectl("create", *command.split()) == f"{printed}\n"


async def test_what_create_sends_arrives_whole(server: Server) -> None:
    await server.kubectl("create", "secret", "generic", "a", "--from-literal=key=value")
    assert await server.kubectl("get", "secret", "a", "-o", "jsonpath={.data.key}") == "dmFsdWU="
    await server.kubectl("create", "service", "loadbalancer", "a", "--tcp=80:8080", "--tcp=443:https")
    spec = json.loads(await server.kubectl("get", "svc", "a", "-o", "json"))["spec"]
    assert [(port["port"], port["targetPort"]) for port in spec["ports"]] == [(80, 8080), (443, "https")]
    assert spec["selector"] == {"app": "a"}


async def test_delete_waits_until_it_is_gone(server: Server) -> None:
    await server.kubectl("apply", "-f", "-", stdin=SERVICE)
    assert (
        await server.kubectl("delete", "svc", "web")
        == f'service "web" deleted from {server.namespace} namespace\n'
    )
    assert "NotFound" in await server.kubectl("get", "svc", "web", code=1)


async def test_watch_prints_each_change(server: Server) -> None:
    await server.kubectl("apply", "-f", "-", stdin=SERVICE)
    process = await server.start_kubectl("get", "svc", "--watch", "--output-watch-events", "--no-headers")
    assert process.stdout is not None
    try:
        assert (await process.stdout.readline()).split()[:2] == [b"ADDED", b"web"]
        patch = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}}
        await server.client.patch(server.path("services", "web") + "/status", patch)
        changed = await process.stdout.readline()
        assert changed.split()[0] == b"MODIFIED"
        assert b"192.0.2.10" in changed
        await server.client.delete(server.path("services", "web"))
        assert (await process.stdout.readline()).split()[:2] == [b"DELETED", b"web"]
    finally:
        process.kill()
        await process.communicate()


async def test_label_annotate_and_describe(server: Server) -> None:
    await server.kubectl("apply", "-f", "-", stdin=SERVICE)
    assert await server.kubectl("label", "svc", "web", "tier=front") == "service/web labeled\n"
    assert await server.kubectl("annotate", "svc", "web", "why=because") == "service/web annotated\n"
    assert "web" in await server.kubectl("get", "svc", "--selector=tier=front")
    described = await server.kubectl("describe", "svc", "web")
    assert "LoadBalancer" in described
    assert "why: because" in described


async def test_a_page_at_a_time_shows_all(server: Server) -> None:
    for name in ("a", "b", "c"):
        await server.kubectl("create", "configmap", name, "--from-literal=key=value")
    names = await server.kubectl("get", "configmaps", "--chunk-size=1", "-o", "name")
    assert {"configmap/a", "configmap/b", "configmap/c"} <= set(names.split())


async def test_events_are_shown_with_what_they_are_about(server: Server) -> None:
    event = {
        "metadata": {"name": "a"},
        "involvedObject": {"kind": "Service", "namespace": server.namespace, "name": "web"},
        "type": "Normal",
        "reason": "AddressAssigned",
        "message": "192.0.2.10",
    }
    await server.client.create(server.path("events"), event)
    row = (await server.kubectl("get", "events")).splitlines()[1]
    assert row.split()[1:] == ["Normal", "AddressAssigned", "service/web", "192.0.2.10"]


async def test_the_kinds_are_known_by_their_short_names(server: Server) -> None:
    known = {line.split()[0] for line in (await server.kubectl("api-resources", "-o", "name")).splitlines()}
    assert {"services", "nodes", "configmaps", "leases.coordination.k8s.io"} <= known
    for name in ("svc", "no", "ns", "cm", "ev", "endpointslices", "lease"):
        await server.kubectl("get", name)


async def test_version_and_health(server: Server) -> None:
    assert "Server Version: v1.36" in await server.kubectl("version")
    assert await server.kubectl("get", "--raw", "/readyz") == "ok"
