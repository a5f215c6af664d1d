"""A speaker remembers what its gossip machine sees, and what the API says about it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from random import Random

from bareway.decide.announcement.moves import ANNOUNCE_FROM
from bareway.decide.answers.history.handovers import HandoverReason
from bareway.gossip.changes import Change
from bareway.gossip.claims import Claim
from bareway.gossip.events import Ask, Wish
from bareway.gossip.member import Facts, Member, MemberState, Report
from bareway.model.configuration import OnCordon
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.resources.kinds import NODES, SERVICES
from bareway.runtime.clock import monotonic, utc_now
from speaker.history import Historian
from speaker.joining import Joining
from support.rig import Rig, rig
from support.until import until

POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
KEY, OTHER = ip_address("192.0.2.1"), ip_address("2001:db8::1")
ME, B = NodeName("a"), NodeName("b")


class NoReport:
    def connect(self, machine: object, counters: object) -> None:
        pass


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[Rig, Joining]]:
    """A speaker that is alone, in gossip."""
    async with rig("--ml-bindaddr=127.0.0.1", "--ml-bindport=26948", "--ml-secret-key=x") as around:
        joining = Joining(
            around.settings,
            watch=around.watch,
            speaker=around.speaker,
            report=NoReport(),
            rng=Random("history"),
            on_output=lambda output: None if isinstance(output, Ask) else around.speaker.on_output(output),
        )
        around.also = joining.look_again
        async with asyncio.TaskGroup() as group:
            task = group.create_task(joining.run())
            yield around, joining
            task.cancel()


def taken(leaving: bool = False, generation: int = 1) -> Change:
    """B's address goes to us."""
    facts = Facts(started=True, able=True, leaving=leaving)
    said = Report(name=B, epoch=1, incarnation=0, state=MemberState.ALIVE, facts=facts, by=B)
    return Change(
        monotonic(),
        Claim(address=KEY, generation=1, count=1, node=B),
        Claim(address=KEY, generation=generation, count=2, node=ME),
        Member(report=said, since=0.0),
        None,
        Wish(generation=generation, nodes=(ME,)),
    )


async def test_what_a_speaker_claims_it_remembers() -> None:
    before = utc_now()
    async with joined() as (around, joining):
        await around.config(POOL)
        await around.service("web", str(KEY))
        await until(lambda: KEY in around.wire.answered)
        history = joining.history.tell(None)
        (one,) = history.handovers
        assert (history.node, history.key) == (ME, None)
        assert (one.address, one.former, one.holder) == (KEY, None, ME)
        assert one.reason == HandoverReason.FIRST_CLAIM
        assert before <= history.since <= one.at <= utc_now()
        assert len(joining.history.tell(KEY).handovers) == 1
        assert joining.history.tell(ip_address("192.0.2.99")).handovers == ()


async def test_an_address_is_told_by_the_key_of_its_group() -> None:
    async with rig() as around:
        historian = Historian(ME, watch=around.watch, speaker=around.speaker)
        assert historian.tell(OTHER).key == OTHER  # nobody has it
        await around.config(POOL + "- {name: b, protocol: layer2, addresses: ['2001:db8::/64']}\n")
        await around.service("web", str(KEY))
        both = {"status": {"loadBalancer": {"ingress": [{"ip": str(KEY)}, {"ip": str(OTHER)}]}}}
        await around.client.merge_patch(SERVICES.path("default", "web", "status"), both)
        await until(lambda: OTHER in around.speaker.addresses_of(KEY))
        assert historian.tell(OTHER).key == KEY
        assert historian.tell(KEY).key == KEY


async def test_why_a_node_hands_over_is_read_from_its_node() -> None:
    async with rig() as around:
        historian = Historian(ME, watch=around.watch, speaker=around.speaker)
        await around.node("b", "198.51.100.2")
        await until(lambda: ObjectKey("", "b") in around.watch.nodes.objects)
        historian.saw(taken(leaving=True))
        (stopping,) = historian.tell(None).handovers
        assert (stopping.reason, stopping.detail) == (HandoverReason.HOLDER_STOPPING, "")
        mark = {"metadata": {"annotations": {DRAIN_ANNOTATION: "new disk"}}}
        await around.client.merge_patch(NODES.path(None, "b"), mark)
        await until(lambda: around.watch.nodes.objects[ObjectKey("", "b")].drain)
        historian.saw(taken(leaving=True))
        _, drained = historian.tell(None).handovers
        assert (drained.reason, drained.detail) == (HandoverReason.HOLDER_DRAINED, "Drained: new disk")
        cordon = {"spec": {"unschedulable": True}, "metadata": {"annotations": {DRAIN_ANNOTATION: None}}}
        await around.client.merge_patch(NODES.path(None, "b"), cordon)
        await until(lambda: around.watch.nodes.objects[ObjectKey("", "b")].unschedulable)
        historian.saw(taken(leaving=True))
        kept = historian.tell(None).handovers[-1]
        assert kept.reason == HandoverReason.HOLDER_STOPPING, "a cordon moves nothing"
        await around.config(POOL + "layer2: {on-cordon: move}\n")
        await until(lambda: (found := around.watch.layer2) and found.on_cordon is OnCordon.MOVE)
        historian.saw(taken(leaving=True))
        assert historian.tell(None).handovers[-1].detail == "Cordoned"


async def test_whose_wish_a_move_was_is_read_from_its_services() -> None:
    async with rig() as around:
        historian = Historian(ME, watch=around.watch, speaker=around.speaker)
        await around.config(POOL)
        await around.service("web", str(KEY))
        await until(lambda: KEY in around.speaker.decided.groups)
        historian.saw(taken(generation=2))
        assert historian.tell(KEY).handovers[-1].reason == HandoverReason.MOVED_BY_LIST
        mark = {"metadata": {"annotations": {ANNOUNCE_FROM: ME}}}
        await around.client.merge_patch(SERVICES.path("default", "web"), mark)
        key = ObjectKey("default", "web")
        await until(lambda: around.watch.services.objects[key].annotations)
        historian.saw(taken(generation=3))
        assert historian.tell(KEY).handovers[-1].reason == HandoverReason.MOVED_BY_OPERATOR
