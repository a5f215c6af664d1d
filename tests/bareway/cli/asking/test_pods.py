"""Which speakers are asked where there are many: the same ones each time, and those that matter."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from hypothesis import given
from hypothesis import strategies as st

from apiserver.pods import Outcome
from bareway.cli.asking.pods import SPEAKERS_ASKED, Patience, ask_pods, choose, subject_of
from bareway.model.cluster import PodState
from bareway.model.names import NodeName
from support.scripted_api import scripted


def pod(number: int, *, ready: bool = True, running: bool = True) -> PodState:
    node = NodeName(f"n{number:03}")
    return PodState(name=f"s-{number:03}", component="speaker", node=node, ready=ready, running=running)


def nodes(pods: Collection[PodState]) -> list[str]:
    return [one.node or "" for one in pods]


def test_a_small_cluster_is_asked_as_a_whole_in_order() -> None:
    pods = [pod(number) for number in (2, 0, 1)]
    assert nodes(choose(pods)) == ["n000", "n001", "n002"]


def test_of_a_great_one_some_are_asked_evenly_over_all_names() -> None:
    asked = nodes(choose([pod(number) for number in range(160)]))
    assert asked == [f"n{number:03}" for number in range(0, 160, 10)]


def test_who_is_named_and_who_is_not_ready_come_before_the_others() -> None:
    pods = [pod(number, ready=number not in (50, 51)) for number in range(100)]
    asked = nodes(choose(pods, named=[NodeName("n099")]))
    assert {"n099", "n050", "n051"} <= set(asked)
    assert len(asked) == SPEAKERS_ASKED


def test_who_does_not_run_takes_nobodys_place() -> None:
    pods = [pod(number, ready=number >= 20, running=number >= 20) for number in range(40)]
    asked = choose(pods, at_most=4)
    assert nodes(asked) == ["n000", "n010", "n020", "n030"]


def test_everybody_who_is_named_is_asked_however_many() -> None:
    pods = [pod(number) for number in range(40)]
    named = [NodeName(f"n{number:03}") for number in range(30)]
    assert nodes(choose(pods, named=named)) == named


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 30), st.sets(st.integers(0, 59), max_size=5))
def test_never_more_than_allowed_never_one_twice_and_the_order_of_pods_does_not_matter(
    ready: list[bool], at_most: int, named: set[int]
) -> None:
    pods = [pod(number, ready=is_ready) for number, is_ready in enumerate(ready)]
    names = [NodeName(f"n{number:03}") for number in named]
    asked = choose(pods, named=names, at_most=at_most)
    assert len(set(nodes(asked))) == len(asked)
    assert len(asked) == min(len(pods), max(at_most, len(set(names) & set(nodes(pods)))))
    assert asked == choose(pods[::-1], named=names, at_most=at_most)


def test_a_pod_is_called_by_its_node_or_by_its_name() -> None:
    assert subject_of(pod(1)) == "speaker on n001"
    assert (
        subject_of(PodState(name="c", component="controller", node=NodeName("n"), ready=True))
        == "controller c"
    )
    assert subject_of(PodState(name="x", component="", node=None, ready=True)) == "Pod x"


async def test_eight_pods_are_asked_at_a_time() -> None:
    everybody, released = asyncio.Event(), asyncio.Event()
    running: set[str] = set()
    most = 0
    async with scripted() as (api, client):
        api.answers["/version"] = {}

        def answering(name: str) -> Callable[[Sequence[str]], Awaitable[Outcome]]:
            async def run(_: Sequence[str]) -> Outcome:
                nonlocal most
                running.add(name)
                most = max(most, len(running))
                if len(running) >= 8:
                    everybody.set()
                await released.wait()
                running.discard(name)
                return Outcome(output=b"well")

            return run

        pods = [pod(number) for number in range(20)]
        for one in pods:
            body = {"metadata": {"name": one.name, "namespace": "lb"}}
            api.pods.put("lb", {**body, "spec": {"containers": [{"name": "speaker"}]}}, answering(one.name))
        async with asyncio.TaskGroup() as group:
            patience = Patience(pod_s=20.0, overall_s=40.0)
            asking = group.create_task(ask_pods(client, "lb", pods, ["status"], patience=patience))
            await asyncio.wait_for(everybody.wait(), 30)
            for _ in range(5):
                await client.get("/version")  # so that a ninth would have come as well
            released.set()
    assert most == 8
    assert set(asking.result().values()) == {b"well"}
