"""What the speaker tells Prometheus of addresses, and of how fast it was."""

from collections import Counter
from ipaddress import ip_address
from random import Random

from bareway.decide.announcement.announcers import Refusal
from bareway.gossip.events import Announce, MemberChanged, Permission
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import MemberReason, MemberState
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import NodeName
from bareway.resources.kinds import SERVICES
from bareway.runtime.gossip.report import GossipCounters
from speaker.layer2.driver import Layer2Driver
from speaker.status import SelfReport
from support.rig import Rig, rig
from support.until import until

POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
A, B, C = ip_address("192.0.2.1"), ip_address("192.0.2.2"), ip_address("192.0.2.3")


def reporting(made: Rig) -> tuple[SelfReport, Layer2Driver]:
    layer2 = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
    report = SelfReport(
        made.settings, watch=made.watch, speaker=made.speaker, layer2=layer2, profile=lambda: "default"
    )
    return report, layer2


async def publish(made: Rig) -> None:
    await made.config(POOL)
    for name, address in (("a", A), ("b", B), ("idle", C)):
        await made.service(name, str(address))
    await made.client.delete("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/idle-1")
    await until(lambda: made.wanted is not None and made.wanted.keys() == {A, B})
    # Between the Service and its status it is withheld too, for another reason.
    await until(lambda: Refusal.NO_ENDPOINTS in made.speaker.decided.withheld.values())


async def test_addresses_are_counted_by_the_very_reasons_that_status_shows() -> None:
    async with rig() as made:
        await publish(made)
        report, _ = reporting(made)
        for expected in ({Refusal.NOT_OWNER: 2}, {Refusal.NOT_OWNER: 1}, {Refusal.NO_USABLE_LINK: 1}):
            shown = Counter(one.reason for one in report.status(now=0.0).addresses if one.reason)
            assert report.figures().why_not == shown == {**expected, Refusal.NO_ENDPOINTS: 1}
            made.speaker.on_output(Announce(addresses=(A,)))
            if expected == {Refusal.NOT_OWNER: 1}:
                made.speaker.links_changed(())


async def test_what_was_counted_of_an_address_goes_with_its_last_service() -> None:
    async with rig() as made:
        await publish(made)
        report, layer2 = reporting(made)
        counters = layer2.counters
        for counts in (counters.requests, counters.responses, counters.gratuitous, counters.conflicts):
            counts.update((A, B, C))
        await made.client.delete(SERVICES.path("default", "a"))
        await until(lambda: made.wanted is not None and A not in made.wanted)
        figures = report.figures()
        for told in (
            figures.requests_received,
            figures.responses_sent,
            figures.gratuitous_sent,
            figures.layer2_conflicts,
        ):
            assert dict(told) == {B: 1, C: 1}, "nobody announces C now, but its Service is there"


async def test_before_anything_is_decided_nothing_is_forgotten() -> None:
    async with rig() as made:
        report, layer2 = reporting(made)
        layer2.counters.requests[A] += 1
        assert report.figures().requests_received == {A: 1}


async def test_a_new_address_and_a_failover_are_measured() -> None:
    async with rig() as made:
        await publish(made)
        report, _ = reporting(made)
        speaker, node = made.speaker, NodeName("node2")
        speaker.on_output(Announce(addresses=(A,)))
        assert report.figures().convergence.count == 1
        assert report.figures().failover.count == 0
        silent = MemberChanged(name=node, state=MemberState.SUSPECT, reason=MemberReason.SILENT)
        speaker.on_output(silent)
        speaker.on_output(Announce(addresses=(A, B)))
        figures = report.figures()
        assert (figures.convergence.count, figures.failover.count) == (2, 1)
        assert figures.member_changes == {("Suspect", "Silent"): 1}


async def test_the_margins_of_the_detector_come_from_gossip_with_the_limit_of_the_profile() -> None:
    async with rig() as made:
        report, _ = reporting(made)
        counters = GossipCounters()
        counters.heard(NodeName("node2"), after_s=0.1, now=1.0)
        counters.heard(NodeName("controller/x"), after_s=100.0, now=2.0)
        counters.lateness.observe(0.003)
        machine = GossipMachine(
            me=NodeName("a"), epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("a"), now=0.0
        )
        report.connect(machine, counters)
        figures = report.figures()
        assert figures.silence_limit_s == PROFILES[ProfileName.DEFAULT].silence_s
        assert (figures.silences.count, figures.silences.sum_s) == (1, 0.1), "an observer need say nothing"
        assert figures.lateness.count == 1
        assert made.speaker.measuring.last_heard(NodeName("node2")) == 1.0
