"""drain, undrain and move write the operator's marks into a cluster, or say why not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from apiserver.faults import Fault
from apiserver.kubeconfigs import kubeconfig
from apiserver.server import EmbeddedApi
from bareway.cli.__main__ import main
from bareway.cli.drain import REASON_MAX, drain
from bareway.cli.move import move, undo
from bareway.cli.undrain import undrain
from bareway.cli.verb import ExitCode
from bareway.cli.writing.marks import NAMES_SHOWN, CannotMark
from bareway.decide.announcement.leaving import TAINTS
from bareway.model.names import NodeName, ObjectKey
from bareway.resources.kinds import NODES, SERVICES
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed

GOLDEN = Path(__file__).parent / "golden" / "marks.txt"
NODE1, NODE2 = NodeName("node1"), NodeName("node2")
A, B = ip_address("192.0.2.10"), ip_address("192.0.2.11")


class Cluster:
    """An API server, and somebody who may do anything on it."""

    def __init__(self, api: EmbeddedApi, client: KubeClient) -> None:
        self.api = api
        self.client = client

    async def node(self, name: str, *, taints: Sequence[str] = ()) -> None:
        spec = {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]} if taints else {}
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec}
        await self.client.create(NODES.path(), body)

    async def service(self, name: str, *addresses: str, type_: str = "LoadBalancer") -> None:
        spec = {"type": type_, "ports": [{"port": 80}]}
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        await self.client.create(SERVICES.path("default"), body)
        if addresses:
            status = {"status": {"loadBalancer": {"ingress": [{"ip": one} for one in addresses]}}}
            await self.client.merge_patch(SERVICES.path("default", name, "status"), status)

    async def drained(self, name: str) -> str | None:
        return (await self.client.read(NODES, ObjectKey("", name))).drain

    async def announce_from(self, *names: str) -> list[str | None]:
        found = [await self.client.read(SERVICES, ObjectKey("default", name)) for name in names]
        return [one.annotation("announce-from") for one in found]


@asynccontextmanager
async def cluster() -> AsyncIterator[Cluster]:
    async with EmbeddedApi() as api, KubeClient(Fixed(Credentials(server=api.url))) as client:
        made = Cluster(api, client)
        await made.node("node1")
        await made.node("node2")
        yield made


async def test_a_drain_writes_the_mark_with_its_reason_and_says_how_to_undo_it() -> None:
    async with cluster() as made:
        told = await drain(made.client, NODE1, "new disk")
        assert await made.drained("node1") == "new disk"
        assert "bareway undrain node1" in told
        assert await made.drained("node2") is None


async def test_draining_again_changes_the_reason_or_nothing() -> None:
    async with cluster() as made:
        await drain(made.client, NODE1, "new disk")
        assert "already" in await drain(made.client, NODE1, "new disk")
        assert "already" not in await drain(made.client, NODE1, "new fan")
        assert await made.drained("node1") == "new fan"


async def test_undrain_takes_the_mark_away_and_is_content_without_one() -> None:
    async with cluster() as made:
        await drain(made.client, NODE1, "new disk")
        assert await undrain(made.client, NODE1) == "node1 is no longer drained: it takes addresses again"
        assert await made.drained("node1") is None
        assert await undrain(made.client, NODE1) == "node1 is not drained"


@pytest.mark.parametrize(("taint", "word"), TAINTS.items(), ids=str)
async def test_undrain_names_what_else_makes_the_node_hand_over(taint: str, word: str) -> None:
    async with cluster() as made:
        await made.node("node3", taints=[taint])
        await drain(made.client, NodeName("node3"), "x")
        told = await undrain(made.client, NodeName("node3"))
        assert told.endswith(f"still hands over, by a taint: {word}")


async def test_a_move_marks_the_service_and_its_undo_removes_exactly_that() -> None:
    async with cluster() as made:
        await made.service("web", str(A))
        await made.service("other", str(B))
        assert "bareway move 192.0.2.10 --undo" in await move(made.client, A, NODE2)
        assert await made.announce_from("web", "other") == ["node2", None]
        assert await undo(made.client, A) == (
            "where 192.0.2.10 (default/web) is announced is left to the controller again"
        )
        assert await made.announce_from("web", "other") == [None, None]


async def test_services_that_are_announced_together_are_marked_together() -> None:
    async with cluster() as made:
        await made.service("a", str(A))
        await made.service("b", str(A), "2001:db8::10")
        await made.service("c", "2001:db8::10")
        await made.service("d", str(B))
        told = await move(made.client, A, NODE1)
        assert "default/a, default/b, default/c" in told
        assert await made.announce_from("a", "b", "c", "d") == ["node1", "node1", "node1", None]
        await undo(made.client, ip_address("2001:db8::10"))
        assert await made.announce_from("a", "b", "c") == [None, None, None]


async def test_an_address_that_is_to_be_there_already_is_not_written_again() -> None:
    async with cluster() as made:
        await made.service("web", str(A))
        await move(made.client, A, NODE1)
        version = (await made.client.read(SERVICES, ObjectKey("default", "web"))).resource_version
        assert "already" in await move(made.client, A, NODE1)
        assert (await made.client.read(SERVICES, ObjectKey("default", "web"))).resource_version == version
        assert await undo(made.client, A)
        assert "no node is named" in await undo(made.client, A)


async def test_what_nobody_has_cannot_be_moved() -> None:
    async with cluster() as made:
        await made.service("cluster-ip", type_="ClusterIP")
        with pytest.raises(CannotMark, match=r"no Service .* has the address 192\.0\.2\.10"):
            await move(made.client, A, NODE1)
        with pytest.raises(CannotMark, match="no Service"):
            await undo(made.client, A)


async def test_nothing_is_moved_to_a_node_that_hands_over() -> None:
    async with cluster() as made:
        await made.service("web", str(A))
        await drain(made.client, NODE2, "x")
        with pytest.raises(CannotMark, match=r"Drained.*bareway undrain node2 ends that"):
            await move(made.client, A, NODE2)
        await made.node("node3", taints=["ToBeDeletedByClusterAutoscaler"])
        with pytest.raises(CannotMark, match=r"ToBeDeleted.*there$"):
            await move(made.client, A, NodeName("node3"))
        assert await made.announce_from("web") == [None]


async def test_a_node_that_is_not_there_is_told_with_those_that_are() -> None:
    async with cluster() as made:
        await made.service("web", str(A))
        for work in (
            drain(made.client, NodeName("nod1"), "x"),
            undrain(made.client, NodeName("nod1")),
            move(made.client, A, NodeName("nod1")),
        ):
            with pytest.raises(CannotMark, match=r"^there is no Node nod1; there are node1, node2$"):
                await work
        for number in range(3, NAMES_SHOWN + 3):
            await made.node(f"node{number}")
        with pytest.raises(CannotMark, match=r", …$"):
            await undrain(made.client, NodeName("nod1"))
        made.api.faults.add(Fault.FORBIDDEN, verb="list", resource="nodes")
        with pytest.raises(CannotMark, match=r"^there is no Node nod1$"):
            await undrain(made.client, NodeName("nod1"))


COMMANDS = (
    "drain node1 --reason new-disk",
    "drain node1 --reason new-disk",
    "move 192.0.2.10 node1",
    "move 192.0.2.10 node2",
    "move 192.0.2.10 --undo",
    "undrain node1",
    "drain node9",
    "move 192.0.2.99 node1",
)


@pytest.mark.slow
async def test_the_commands_answer_as_promised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with cluster() as made:
        await made.service("web", str(A))
        (tmp_path / "kubeconfig").write_text(kubeconfig(made.api.url))
        page = ""
        for command in COMMANDS:
            words = [*command.split(), "--kubeconfig", str(tmp_path / "kubeconfig")]
            code = await asyncio.to_thread(main, words)
            printed = capsys.readouterr()
            assert bool(printed.out) == (code == ExitCode.WELL) != bool(printed.err)
            page += f"$ bareway {command}\n{printed.out}{printed.err}[{code:d}]\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(page)
        pytest.fail(f"{GOLDEN.name} is new: read it")
    assert page == GOLDEN.read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        pytest.param({"fault": Fault.FORBIDDEN, "verb": "patch"}, "a right is missing: ", id="may not write"),
        pytest.param({"fault": Fault.FORBIDDEN, "verb": "get"}, "a right is missing: ", id="may not read"),
        pytest.param(
            {"fault": Fault.ERROR, "verb": "get"}, "the cluster cannot be asked: ", id="server fails"
        ),
    ],
)
async def test_what_could_not_be_asked_ends_with_2_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], faults: dict[str, Any], sentence: str
) -> None:
    async with cluster() as made:
        made.api.faults.add(**faults)
        (tmp_path / "kubeconfig").write_text(kubeconfig(made.api.url))
        words = ["drain", "node1", "--kubeconfig", str(tmp_path / "kubeconfig")]
        assert await asyncio.to_thread(main, words) == ExitCode.COULD_NOT_TELL
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"bareway: {sentence}")
        assert len(printed.err.splitlines()) == 1


def test_without_a_cluster_there_is_one_sentence_and_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drain", "node1", "--kubeconfig", str(tmp_path / "none")]) == ExitCode.COULD_NOT_TELL
    assert capsys.readouterr().err.startswith("bareway: the cluster cannot be asked: ")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("drain",), id="no node"),
        pytest.param(("drain", "node1", "--reason", ""), id="empty reason"),
        pytest.param(("drain", "node1", "--reason", "two\nlines"), id="reason of two lines"),
        pytest.param(("drain", "node1", "--reason", "x" * (REASON_MAX + 1)), id="endless reason"),
        pytest.param(("undrain",), id="undrain nothing"),
        pytest.param(("move", "192.0.2.10"), id="to nowhere"),
        pytest.param(("move", "web", "node1"), id="no address"),
        pytest.param(("move", "192.0.2.10", "node1", "--undo"), id="there and back"),
    ],
)
def test_a_bad_argument_ends_with_2(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == ExitCode.COULD_NOT_TELL
    assert "usage: bareway" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["drain", "undrain", "move"])
def test_the_help_shows_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    assert f"\nexample: bareway {verb} " in capsys.readouterr().out
