"""The manifests on a real kube-apiserver: its schema, its RBAC, its Pod security admission."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bareway.model.names import NodeName
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from bareway.runtime.kube.rights import Right, missing_rights
from cluster.build import cached
from cluster.control_plane import ControlPlane
from controller import settings as controller_settings
from controller import watch as controller_watch
from speaker import settings as speaker_settings
from speaker import watch as speaker_watch

Json = dict[str, Any]

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
COMPONENTS = ("controller", "speaker")
SYSTEM = "bareway-system"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real control plane on which the README's commands were run."""
    if not cached().exists():
        pytest.fail("the real kube-apiserver is not built: run `make kube`, or leave out -m real")
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        must(plane.kubectl("apply", "-k", str(MANIFESTS)))
        yield plane


def must(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(component: str) -> tuple[Right, ...]:
    if component == "controller":
        return controller_watch.rights(controller_settings.Settings())
    return speaker_watch.rights(speaker_settings.Settings(node_name=NodeName("node-1")))


def template(rendered: list[Json], component: str) -> Json:
    (found,) = (
        each["spec"]["template"]
        for each in rendered
        if each["kind"] in ("DaemonSet", "Deployment") and each["metadata"]["name"] == f"bareway-{component}"
    )
    assert isinstance(found, dict)
    return found


def mirrors_of(
    component: str, client: KubeClient, on_change: Callable[[], None]
) -> Sequence[controller_watch.Mirror | speaker_watch.Mirror]:
    rng = Random(1)
    if component == "controller":
        settings = controller_settings.Settings()
        return controller_watch.Watch(client, settings, rng=rng, on_change=on_change).mirrors
    of_speaker = speaker_settings.Settings(node_name=NodeName("node-1"))
    return speaker_watch.Watch(client, of_speaker, rng=rng, on_change=on_change).reflectors


def test_applying_twice_changes_nothing(plane: ControlPlane) -> None:
    before = versions(plane)
    told = must(plane.kubectl("apply", "-k", str(MANIFESTS))).splitlines()
    assert len(told) == len(before) == 15
    assert versions(plane) == before
    # Of this one kubectl never says "unchanged": it replaces a selector as a whole, by the same one.
    budget = "poddisruptionbudget.policy/bareway-controller configured"
    assert [line for line in told if not line.endswith(" unchanged")] == [budget]


def versions(plane: ControlPlane) -> list[tuple[str, str, str]]:
    """Kind, name and resourceVersion of every object of the manifests."""
    found = json.loads(must(plane.kubectl("get", "-k", str(MANIFESTS), "-o", "json")))["items"]
    return [(one["kind"], one["metadata"]["name"], one["metadata"]["resourceVersion"]) for one in found]


@pytest.fixture
def added(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A folder of manifests, applied beside MetalLB's namespace; afterwards ours are as they were."""
    plane.kubectl("create", "namespace", "metallb-system")  # or it is there already
    yield must(plane.kubectl("apply", "--validate=strict", "-k", str(MANIFESTS / request.param)))
    must(plane.kubectl("apply", "-k", str(MANIFESTS)))


@pytest.mark.parametrize("added", ["overlays/bgp", "overlays/from-metallb-bgp"], indirect=True)
def test_an_overlay_for_routers_is_taken_and_its_speakers_keep_their_bfd_sessions(
    plane: ControlPlane, added: str
) -> None:
    assert "daemonset.apps/bareway-speaker configured" in added
    get = plane.kubectl("get", "daemonset", "bareway-speaker", f"--namespace={SYSTEM}", "-o", "json")
    pod = json.loads(must(get))["spec"]["template"]["spec"]
    (speaker,) = (one for one in pod["containers"] if one["name"] == "speaker")
    rights = {"NET_RAW", "NET_BIND_SERVICE", "SYS_NICE"}
    assert rights <= set(speaker["securityContext"]["capabilities"]["add"])
    (run,) = (one for one in pod["volumes"] if one["name"] == "run")
    assert (run.get("emptyDir"), run["hostPath"]["path"]) == (None, "/run/bareway")


@pytest.mark.parametrize(
    "overlay", ["overlays/bgp", "overlays/from-metallb-bgp"], ids=["bgp", "from-metallb-bgp"]
)
def test_a_speaker_of_an_overlay_for_routers_is_admitted_in_our_namespace(
    plane: ControlPlane, render: Callable[[Path], list[Json]], overlay: str, tmp_path: Path
) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", **template(render(MANIFESTS / overlay), "speaker")}
    pod["metadata"] = {"name": "speaker", "namespace": SYSTEM, **pod["metadata"]}
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(pod))
    must(plane.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(path)))


@pytest.mark.parametrize("path", sorted((MANIFESTS / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_is_accepted_as_it_is(plane: ControlPlane, path: Path) -> None:
    must(plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(path)))


@pytest.fixture
async def client_of(plane: ControlPlane) -> AsyncIterator[Callable[[str], Awaitable[KubeClient]]]:
    """Our own client, as the service account of a component."""
    async with AsyncExitStack() as stack:

        async def open_client(component: str) -> KubeClient:
            account = f"bareway-{component}"
            told = await asyncio.to_thread(plane.kubectl, "create", "token", account, f"--namespace={SYSTEM}")
            who = Credentials(
                server=plane.url,
                authorization=f"Bearer {must(told).strip()}",
                ca=plane.certificate_authority.read_text(),
            )
            return await stack.enter_async_context(KubeClient(Fixed(who)))

        yield open_client


@pytest.mark.parametrize("component", COMPONENTS)
async def test_a_service_account_has_every_right_that_its_program_asks_about(
    client_of: Callable[[str], Awaitable[KubeClient]], component: str
) -> None:
    client = await client_of(component)
    assert await missing_rights(client, asked(component)) == ()
    beyond = Right(verb="list", resource="secrets", namespace=SYSTEM, name="somebody-elses")
    assert await missing_rights(client, [beyond]) == (beyond,)  # so that it is really asked


@pytest.mark.parametrize("component", COMPONENTS)
async def test_a_service_account_may_list_and_watch_all_that_its_program_mirrors(
    client_of: Callable[[str], Awaitable[KubeClient]], component: str
) -> None:
    client, changed = await client_of(component), asyncio.Event()
    mirrors = mirrors_of(component, client, changed.set)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(mirror.run()) for mirror in mirrors]
        while not all(mirror.connected for mirror in mirrors):
            assert [mirror.trouble for mirror in mirrors if mirror.trouble] == []
            await changed.wait()
            changed.clear()
        for task in tasks:
            task.cancel()


@pytest.fixture
def admit(
    plane: ControlPlane, rendered: list[Json], tmp_path: Path
) -> Iterator[Callable[[str, str], "subprocess.CompletedProcess[str]"]]:
    """Ask for a Pod of a component, while our namespace is at a level of Pod security."""

    def enforce(level: str) -> None:
        label = f"pod-security.kubernetes.io/enforce={level}"
        must(plane.kubectl("label", "--overwrite", "namespace", SYSTEM, label))

    def ask(component: str, level: str) -> "subprocess.CompletedProcess[str]":
        pod = {"apiVersion": "v1", "kind": "Pod", **template(rendered, component)}
        pod["metadata"] = {"name": component, "namespace": SYSTEM, **pod["metadata"]}
        path = tmp_path / "pod.json"
        path.write_text(json.dumps(pod))
        enforce(level)
        return plane.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(path))

    yield ask
    enforce("privileged")


@pytest.mark.parametrize(
    ("component", "level", "refused_for"),
    [
        pytest.param("controller", "restricted", "", id="the controller at any level"),
        pytest.param("speaker", "privileged", "", id="the speaker at the level of our namespace"),
        pytest.param("speaker", "baseline", "NET_RAW", id="the speaker at no stricter level"),
    ],
)
def test_a_pod_is_admitted(
    admit: Callable[[str, str], "subprocess.CompletedProcess[str]"],
    component: str,
    level: str,
    refused_for: str,
) -> None:
    told = admit(component, level)
    assert (told.returncode != 0) == bool(refused_for), told.stderr
    assert refused_for in told.stderr
