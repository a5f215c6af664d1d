"""What the speaker says of itself is what its parts know: readiness, members, addresses and why not here."""

from ipaddress import ip_address
from random import Random

from bareway.decide.announcement.announcers import Refusal
from bareway.gossip.events import Announce, DialFailed, OwnFacts, PeersKnown, Wanted
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import NodeName
from bareway.runtime.gossip.report import GossipCounters
from speaker.layer2.driver import Layer2Driver
from speaker.status import SelfReport
from support.builders import key, names
from support.rig import Rig, rig
from support.until import until

POOL = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"
A = ip_address("192.0.2.1")


def report_of(made: Rig) -> SelfReport:
    layer2 = Layer2Driver(
        may_answer=lambda address, now: True, on_links=lambda: None, on_conflict=lambda conflict, link: None
    )
    return SelfReport(made.settings, watch=made.watch, speaker=made.speaker, layer2=layer2)


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
        await until(lambda: made.gossip.last(Wanted) == Wanted(addresses={A: None}))
        report = report_of(made)
        (there,) = report.status(now=0.0).addresses
        assert (there.announced_by, there.reason) == (None, Refusal.NOT_OWNER)
        made.speaker.on_output(Announce(addresses=(A,)))
        (here,) = report.status(now=0.0).addresses
        assert (here.services, here.reason) == ((key("web"),), "")
        assert [(one.service, one.address) for one in report.figures().announced] == [(key("web"), A)]


async def test_members_and_claims_come_from_gossip_once_there_is_some() -> None:
    async with rig() as made:
        report = report_of(made)
        assert report.status(now=0.0).members == ()
        machine = GossipMachine(
            me=NodeName("a"), epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("x"), now=10.0
        )
        report.connect(machine, GossipCounters(sessions=2))
        machine.handle(Wanted(addresses={A: None}), now=10.0)
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
