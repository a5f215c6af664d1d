"""What the speaker says of itself is what its parts know: readiness, members, addresses and why not here."""

from dataclasses import replace
from ipaddress import ip_address
from random import Random

from bareway.decide.announcement.announcers import Refusal
from bareway.gossip.events import (
    Announce,
    DialFailed,
    Found,
    OwnFacts,
    PartitionPolicy,
    PeersKnown,
    Permission,
    Wish,
    Withdraw,
    WithdrawReason,
)
from bareway.gossip.findings import Finding, FindingWord
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.announcer_lists import Entry, Shard, shard_of
from bareway.model.configuration import Partition
from bareway.model.mac import MacAddress
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.model.problems import Severity
from bareway.model.status import OnLinkStatus
from bareway.resources.announcer_lists import LABEL, shard_key, write_shard
from bareway.resources.kinds import CONFIG_MAPS, NODES, SERVICES
from bareway.runtime.gossip.report import GossipCounters
from speaker.layer2.driver import Layer2Driver
from speaker.layer2.links import LINK_LOCAL
from speaker.status import SelfReport
from support.builders import key, names
from support.rig import ETH0, Rig, rig
from support.until import until
from support.wishes import wanted as wanting

POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
A = ip_address("192.0.2.1")


def report_of(made: Rig, profile: str = "") -> SelfReport:
    layer2 = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
    return SelfReport(
        made.settings, watch=made.watch, speaker=made.speaker, layer2=layer2, profile=lambda: profile
    )


async def test_readiness_names_everything_that_is_missing() -> None:
    async with rig() as made:
        report = report_of(made)
        assert report.not_ready() == (
            "Kubernetes objects were not all listed yet",
            "Secret bareway-system/memberlist with the gossip key is not there yet",
        )
        await until(lambda: made.watch.synced)
        assert report.not_ready()[0] == "there is no configuration yet"
    async with rig("--ml-secret-key=x") as made:
        await made.config(POOL)
        await until(lambda: made.watch.view() is not None)
        assert report_of(made).not_ready() == ()


async def test_an_address_that_another_holds_says_so_and_one_held_here_needs_no_reason() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        report = report_of(made)
        (there,) = report.status(now=0.0).addresses
        assert (there.announced_by, there.reason) == (None, Refusal.NOT_OWNER)
        made.speaker.on_output(Announce(addresses=(A,)))
        (here,) = report.status(now=0.0).addresses
        assert (here.services, here.reason) == ((key("web"),), "")
        assert [(one.service, one.address) for one in report.figures().announced] == [(key("web"), A)]


async def test_of_an_address_held_here_it_is_told_what_happens_on_the_links() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted == wanting({A: None}).addresses)
        report = report_of(made)
        (there,) = report.status(now=0.0).addresses
        assert there.on_link is None
        made.speaker.on_output(Announce(addresses=(A,)))
        (here,) = report.status(now=0.0).addresses
        assert here.on_link == OnLinkStatus()  # this driver has no link


async def test_some_addresses_are_told_of_alone() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "192.0.2.1")
        await made.service("api", "192.0.2.2")
        await made.service("out", "203.0.113.9")
        await until(lambda: len(made.wanted or ()) == 2 and made.speaker.decided.withheld)
        report = report_of(made)
        assert len(report.status(now=0.0).addresses) == 3
        for some in (A, ip_address("203.0.113.9")):
            assert [one.address for one in report.status(now=0.0, some={some}).addresses] == [some]
        assert report.status(now=0.0, some=frozenset()).addresses == ()


async def test_members_and_claims_come_from_gossip_once_there_is_some() -> None:
    async with rig() as made:
        report = report_of(made)
        assert report.status(now=0.0).members == ()
        machine = GossipMachine(
            me=NodeName("a"), epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("x"), now=10.0
        )
        report.connect(machine, GossipCounters(sessions=2))
        machine.handle(wanting({A: None}), now=10.0)
        machine.handle(OwnFacts(ready=True, able=True), now=10.0)
        (me,) = report.status(now=12.5).members
        assert (me.name, me.state, me.since_s) == ("a", "Alive", 2.5)
        figures = report.figures()
        assert (figures.members, figures.claims, figures.gossip_sessions) == ({"Alive": 1}, 1, 2)


async def test_an_address_that_nobody_may_announce_is_shown_with_its_reason() -> None:
    async with rig() as made:
        await made.config(POOL)
        await made.service("web", "203.0.113.9")
        await until(lambda: Refusal.IP_NOT_ALLOWED in made.speaker.decided.withheld.values())
        (shown,) = report_of(made).status(now=0.0).addresses
        assert (str(shown.address), shown.announced_by) == ("203.0.113.9", None)
        assert shown.reason == Refusal.IP_NOT_ALLOWED


async def test_a_speaker_that_the_others_turn_away_is_not_ready_and_names_them() -> None:
    async with rig("--ml-secret-key=x") as made:
        await made.config(POOL)
        await until(lambda: made.watch.view() is not None)
        report = report_of(made)
        machine = GossipMachine(
            me=NodeName("a"), epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("x"), now=0.0
        )
        report.connect(machine, GossipCounters())
        machine.handle(PeersKnown(peers=names("b")), now=0.0)
        machine.handle(DialFailed(peer=NodeName("b"), refused=False, turned_away=True), now=0.1)
        (sentence,) = report.not_ready()
        assert sentence.startswith("b turn this speaker away")


async def test_a_drain_a_profile_that_waits_and_the_lists_are_shown() -> None:
    async with rig() as made:
        await made.node("a", "198.51.100.1")
        await made.client.merge_patch(
            NODES.object_path(ObjectKey("", "a")), {"metadata": {"annotations": {DRAIN_ANNOTATION: "x"}}}
        )
        await made.config(POOL + "layer2: {partition: safe}\n")
        await made.service("web", "192.0.2.1")
        shard = Shard(generation=6, entries={A: Entry(generation=5, nodes=(NodeName("b"), NodeName("a")))})
        key_ = shard_key("bareway-system", shard_of(A))
        await made.create(CONFIG_MAPS, key_.name, key_.namespace, labels=LABEL, data=write_shard(shard))
        await until(lambda: made.wanted and made.wanted[A].generation == 5)
        report = report_of(made, profile="fast")
        status = report.status(now=0.0)
        assert (status.leaving, status.list_generation, status.partition) == ("Drained", 6, "safe")
        assert status.profile == "fast"
        (shown,) = status.addresses
        assert (shown.listed, shown.reason) == (("b", "a"), "Drained")
        figures = report.figures()
        assert (figures.leaving, figures.list_generation) == (True, 6)


async def test_what_is_found_on_the_link_is_shown_while_it_lasts() -> None:
    async with rig() as made:
        mac = MacAddress.parse("02:00:00:00:00:99")
        finding = Finding(
            address=A, word=FindingWord.STRICT_ARP_MISSING, mac=mac, node=NodeName("b"), by=NodeName("a")
        )
        made.speaker.on_output(Found(finding=finding))
        report = report_of(made)
        (shown,) = report.status(now=0.0).findings
        assert (shown.address, shown.reason, shown.mac, shown.node) == (A, "StrictArpMissing", str(mac), "b")
        expected = {str(word): 0 for word in FindingWord} | {"StrictArpMissing": 1}
        assert report.figures().findings == expected
        made.speaker.on_output(Found(finding=finding, lasts=False))
        assert report.status(now=0.0).findings == ()
        assert report.figures().findings == expected


async def test_why_not_here_is_first_what_the_node_says_of_itself() -> None:
    async with rig() as made:
        await made.config(POOL.replace("}", ", interfaces: [eth1]}"))
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)
        (shown,) = report_of(made).status(now=0.0).addresses
        assert shown.reason == Refusal.NO_ALLOWED_LINK
        made.speaker.links_changed(())
        (shown,) = report_of(made).status(now=0.0).addresses
        assert shown.reason == Refusal.NO_USABLE_LINK


async def test_who_has_both_families_and_speaks_ipv4_alone_says_what_it_does_not_answer_for() -> None:
    six = ip_address("2001:db8::1")
    async with rig() as made:
        await made.config(POOL.replace("/24", "/24, '2001:db8::/64'"))
        await made.service("web", "192.0.2.1")
        both = {"status": {"loadBalancer": {"ingress": [{"ip": str(A)}, {"ip": str(six)}]}}}
        await made.client.merge_patch(SERVICES.path("default", "web", "status"), both)
        await until(lambda: made.wanted == {A: Wish(has_both=True)})
        made.speaker.on_output(Announce(addresses=(A,)))
        report = report_of(made)
        lacking = [(A, "a", ""), (six, None, Refusal.NO_IPV6_LINK)]
        shown = report.status(now=0.0).addresses
        assert [(one.address, one.announced_by, one.reason) for one in shown] == lacking
        assert report.figures().why_not == {Refusal.NO_IPV6_LINK: 1}
        made.speaker.links_changed((replace(ETH0, networks=(*ETH0.networks, LINK_LOCAL)),))
        shown = report.status(now=0.0).addresses
        assert [(one.announced_by, one.reason) for one in shown] == [("a", ""), ("a", "")]
        assert report.figures().why_not == {}
        made.speaker.links_changed((ETH0,))
        made.speaker.on_output(Withdraw(addresses=(A,), reason=WithdrawReason.BEATEN))
        assert {one.reason for one in report.status(now=0.0).addresses} == {Refusal.NO_IPV6_LINK}


async def test_a_node_that_the_pool_leaves_out_says_so() -> None:
    async with rig() as made:
        await made.config(POOL.replace("}", ", node-selectors: [{match-labels: {zone: x}}]}"))
        await made.service("web", "192.0.2.1")
        await until(lambda: made.wanted)
        (shown,) = report_of(made).status(now=0.0).addresses
        assert shown.reason == Refusal.NO_MATCHING_ADVERTISEMENT


async def test_what_is_not_proven_for_a_group_like_this_is_shown_as_a_problem() -> None:
    async with rig() as made:
        report = report_of(made)
        machine = GossipMachine(
            me=NodeName("a"), epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("x"), now=0.0
        )
        report.connect(machine, GossipCounters())
        machine.handle(PeersKnown(peers=names(*"bcdefghij")), now=0.0)
        assert report.status(now=0.0).configuration.problems == ()
        machine.handle(PartitionPolicy(partition=Partition.SAFE), now=0.0)
        (problem,) = report.status(now=0.0).configuration.problems
        assert (problem.path, problem.severity) == ("layer2.partition", Severity.WARNING)
