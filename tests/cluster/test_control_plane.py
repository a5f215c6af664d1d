"""The real control plane: it comes up, can be hurt and comes back, and leaves nothing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from apiserver.client import Client
from cluster.build import cached
from cluster.control_plane import ADMIN, NOBODY, ControlPlane, NotReady
from support.until import until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    if not cached().exists():
        pytest.fail("the real kube-apiserver is not built: run `make kube`, or leave out -m real")
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


def _client(plane: ControlPlane, user: str = ADMIN) -> Client:
    return Client(plane.url, token=plane.token_of(user), certificate_authority=plane.certificate_authority)


def _processes(directory: Path) -> list[str]:
    """The processes whose command line names the directory."""
    found = subprocess.run(["pgrep", "--full", str(directory)], capture_output=True, text=True, check=False)
    return found.stdout.split()


async def test_it_is_the_release_that_was_asked_for(plane: ControlPlane) -> None:
    async with _client(plane) as client:
        assert (await client.get("/version")).body["gitVersion"] == "v1.36.3"


async def test_controllers_run(plane: ControlPlane) -> None:
    async with _client(plane) as client:
        namespace = "/api/v1/namespaces/controlled"
        await client.create("/api/v1/namespaces", {"metadata": {"name": "controlled"}})
        service = {"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
        await client.create(f"{namespace}/services", service)
        slices = "/apis/discovery.k8s.io/v1/namespaces/controlled/endpointslices"
        async with client.watch(slices) as events:
            assert (await anext(events))["object"]["metadata"]["labels"][
                "kubernetes.io/service-name"
            ] == "web"
        await client.delete(namespace)
        async with client.watch("/api/v1/namespaces", fieldSelector="metadata.name=controlled") as events:
            async for event in events:
                if event["type"] == "DELETED":
                    break


async def test_a_user_without_rights_is_told_which_one_is_missing(plane: ControlPlane) -> None:
    async with _client(plane, NOBODY) as client:
        answer = await client.get("/api/v1/services")
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message.startswith(
        'services is forbidden: User "nobody" cannot list resource "services" '
        'in API group "" at the cluster scope'
    )


async def test_a_wrong_token_is_nobody(plane: ControlPlane) -> None:
    async with Client(plane.url, token=NOBODY, certificate_authority=plane.certificate_authority) as client:
        assert (await client.get("/api/v1/services")).code == 401


async def test_a_killed_api_server_comes_back_with_what_was_stored(plane: ControlPlane) -> None:
    async with _client(plane) as client:
        await client.create("/api/v1/namespaces", {"metadata": {"name": "kept"}})
    plane.api_server.kill()
    assert plane.kubectl("get", "ns").returncode != 0
    plane.api_server.start()
    plane.wait_ready()
    assert plane.kubectl("get", "ns", "kept").returncode == 0


async def test_a_frozen_api_server_answers_when_it_is_thawed(plane: ControlPlane) -> None:
    plane.api_server.freeze()
    assert plane.kubectl("get", "ns", "--request-timeout=1s").returncode != 0
    plane.api_server.thaw()
    assert plane.kubectl("get", "ns").returncode == 0


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with ControlPlane(tmp_path) as plane:
        assert len(_processes(tmp_path)) >= 3
        ports = [plane.port]
    assert _processes(tmp_path) == []
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    assert not any(f":{port} " in listening for port in ports)


def test_a_daemon_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(NotReady, match="unknown flag: --no-such-flag"),
        ControlPlane(tmp_path, flags=["--no-such-flag"]),
    ):
        pass
    assert _processes(tmp_path) == []


def test_secrets_are_readable_by_their_owner_only(plane: ControlPlane) -> None:
    for name in ("tokens.csv", "service-account.key", "admin.kubeconfig"):
        assert (plane.directory / name).stat().st_mode & 0o077 == 0


@pytest.fixture
def namespaces() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them: one for the control plane, one for a node."""
    server, node = f"bw-cp-{os.getpid()}", f"bw-n1-{os.getpid()}"
    commands = [
        f"ip netns add {server}",
        f"ip netns add {node}",
        f"ip -n {server} link add eth0 type veth peer name eth0 netns {node}",
        *(f"ip -n {name} link set {link} up" for name in (server, node) for link in ("lo", "eth0")),
        f"ip -n {server} addr add 192.0.2.254/24 dev eth0",
        f"ip -n {node} addr add 192.0.2.1/24 dev eth0",
    ]
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        yield server, node
    finally:
        for name in (server, node):
            subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.mark.lab
async def test_a_node_in_a_network_namespace_gets_its_kube_proxy(
    tmp_path: Path, namespaces: tuple[str, str]
) -> None:
    server, node = namespaces

    def rules() -> str:
        command = ["ip", "netns", "exec", node, "nft", "list", "ruleset"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with ControlPlane(tmp_path, address="192.0.2.254", netns=server) as plane:
        manifest = tmp_path / "node.json"
        manifest.write_text(
            '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},'
            '"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}]}}'
        )
        made = plane.kubectl("create", "-f", str(manifest))
        assert made.returncode == 0, made.stdout
        proxy = plane.kube_proxy(node="n1", netns=node)
        await until(lambda: "10.96.0.1" in rules(), within_s=30)
        assert proxy.runs, proxy.tail()
    assert not proxy.runs
