"""What BGP says stands in the speaker's own report, and in place of layer 2 where an address is BGP's."""

from bareway.decide.announcement.announcers import Refusal
from bareway.gossip.events import Permission
from bareway.model.problems import Problem
from bareway.model.status import AddressStatus, PeerStatus
from bareway.runtime.figures import AnnouncedAddress, PeerFigures
from speaker.layer2.driver import Layer2Driver
from speaker.status import SelfReport
from support.builders import ips, key
from support.rig import Rig, rig
from support.statuses import peer
from support.until import until

POOLS = "address-pools: [{name: p, protocol: bgp, addresses: [198.51.100.0/24]}]\n"
ROUTED = ips("198.51.100.7")[0]
FIGURES = PeerFigures(peer="10.9.0.1:179", address=ips("10.9.0.1")[0])


class Bgp:
    """As `speaker.bgp.report` says it."""

    problems = (Problem(path="bfd-profiles", message="no BFD here"),)

    def peers(self) -> tuple[PeerStatus, ...]:
        return (peer(),)

    def figures(self) -> tuple[PeerFigures, ...]:
        return (FIGURES,)

    def addresses(self) -> tuple[AddressStatus, ...]:
        return (AddressStatus(address=ROUTED, services=(key("web"),), announced_by=None, protocol="bgp"),)

    def announced(self) -> tuple[AnnouncedAddress, ...]:
        return (AnnouncedAddress(service=key("web"), protocol="bgp", address=ROUTED),)


def report(made: Rig, bgp: Bgp | None) -> SelfReport:
    layer2 = Layer2Driver(may_answer=lambda address, now: Permission.YES, on_links=lambda: None)
    return SelfReport(made.settings, watch=made.watch, speaker=made.speaker, layer2=layer2, bgp=lambda: bgp)


async def test_an_address_of_bgp_is_shown_once_and_by_bgp() -> None:
    async with rig() as made:
        await made.config(POOLS)
        await made.service("web", str(ROUTED))
        await until(lambda: made.speaker.decided.withheld)
        (without,) = report(made, None).status(now=0.0).addresses
        assert (without.protocol, without.reason) == ("layer2", Refusal.IP_NOT_ALLOWED)
        assert report(made, Bgp()).status(now=0.0).addresses == Bgp().addresses()


async def test_routers_problems_and_figures_are_handed_on() -> None:
    async with rig() as made:
        status, figures = report(made, Bgp()).status(now=0.0), report(made, Bgp()).figures()
        assert (status.peers, status.bgp_problems) == ((peer(),), Bgp.problems)
        assert (figures.peers, figures.announced) == ((FIGURES,), Bgp().announced())
        nothing = report(made, None)
        assert (nothing.status(now=0.0).peers, nothing.figures().peers) == ((), ())
