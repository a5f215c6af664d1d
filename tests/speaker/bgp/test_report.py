"""What a node says of BGP: desk and driver, as status and figures."""

from collections.abc import Mapping
from dataclasses import replace
from errno import ENETUNREACH
from typing import cast

from bareway.bfd.packet import State as BfdState
from bareway.bfd.register import Path
from bareway.bgp.capabilities import FourOctetAs, MultiProtocol
from bareway.bgp.errors import Cease
from bareway.bgp.fsm import State
from bareway.bgp.messages import administrative
from bareway.bgp.prefixes import IPV4, IPV6
from bareway.bgp.status import SessionStatus
from bareway.model.names import NodeName
from bareway.model.problems import Problem
from bareway.model.status import AddressStatus, PeerStatus
from bareway.runtime.clock import monotonic
from speaker.bfd.records import Report, ReportKind
from speaker.bgp.driver import BgpDriver
from speaker.bgp.report import BgpReport
from support.bgp_desk import DOCUMENT, PEER, POOL, Desk, bgp_desk
from support.builders import ips, key
from support.until import until

SHUTDOWN = administrative(Cease.SHUTDOWN, "maintenance")
UP = SessionStatus(
    state=State.ESTABLISHED,
    local=ips("10.9.0.11")[0],
    peer_asn=64512,
    hold_time_s=9,
    our_capabilities=(MultiProtocol(IPV4), FourOctetAs(64601)),
    families=(IPV4,),
    told={IPV4: 3, IPV6: 1},
    owed=2,
    held_back=1,
    established=4,
    updates_sent=7,
    last_received=SHUTDOWN,
)


class Sessions:
    """Of a driver, as a test says."""

    def __init__(self, **sessions: SessionStatus) -> None:
        self.sessions = sessions
        self.reports: dict[str, Report] = {}
        self.problems = (Problem(path="bfd-profiles", message="no BFD here"),)

    def statuses(self) -> Mapping[str, SessionStatus]:
        return self.sessions

    def digests(self) -> Mapping[str, str]:
        return dict.fromkeys(self.sessions, "0123456789abcdef")

    def troubles(self) -> Mapping[str, str]:
        return {
            name: f"[Errno {ENETUNREACH}]" for name, one in self.sessions.items() if one.state is State.ACTIVE
        }

    def bfd(self) -> Mapping[str, Report]:
        return self.reports

    def ask_bfd(self) -> None:
        self.reports = {name: report._replace(packets_in=1234) for name, report in self.reports.items()}


def report(made: Desk, sessions: Sessions) -> BgpReport:
    return BgpReport(made.settings, watch=made.watch, desk=made.desk, driver=cast("BgpDriver", sessions))


def bfd_report(state: BfdState) -> Report:
    path = Path(ips("10.9.0.1")[0])
    return Report(ReportKind.CHANGED, path, state, 0, state, 0)


async def test_an_established_session_is_shown_with_all_that_is_known() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await until(lambda: made.driver.peers)
        now = monotonic()
        (peer,) = report(made, Sessions(peer1=replace(UP, established_at=now - 60.0))).peers()
        assert 60.0 <= peer.up_s < 120.0
        assert replace(peer, up_s=0.0) == PeerStatus(
            name="peer1",
            address=ips("10.9.0.1")[0],
            state="Established",
            local="10.9.0.11",
            local_asn=64601,
            peer_asn=64512,
            hold_time_s=9,
            families=("ipv4-unicast",),
            our_capabilities=("multiprotocol ipv4-unicast", "four-octet-as 64601"),
            told={"ipv4-unicast": 3, "ipv6-unicast": 1},
            owed=2,
            held_back=1,
            digest="0123456789abcdef",
            established=4,
            updates_sent=7,
            last_received="6/2 cease shutdown: maintenance",
        )


async def test_one_that_is_not_up_says_why() -> None:
    async with bgp_desk() as made:
        await made.node()
        other = PEER.replace("peer1", "peer2").replace("10.9.0.1", "10.9.0.2")
        third = f"{PEER[:-1]}, node-selectors: [{{match-labels: {{rack: '2'}}}}]}}".replace("peer1", "peer3")
        await made.config(f"peers: [{PEER}, {other}, {third}]\n{POOL}")
        await until(lambda: made.driver.peers)
        one, two, three = report(made, Sessions(peer1=SessionStatus(state=State.ACTIVE))).peers()
        assert (one.state, one.reason, one.trouble, one.up_s) == ("Active", "", "[Errno 101]", 0.0)
        assert one.peer_asn == 64512, "as configured"
        assert (two.state, two.reason) == ("", "notBegun")
        assert (three.state, three.reason) == ("", "nodeNotSelected")


async def test_figures_have_one_series_for_each_session() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.service("web", "198.51.100.7", "b")
        again = f"{PEER[:-1]}, source-address: 10.9.0.12}}".replace("peer1", "peer2")
        await made.config(f"peers: [{PEER}, {again}]\n{POOL}")
        await made.routes("198.51.100.7/32")
        one, two = report(made, Sessions(peer1=UP, peer2=SessionStatus(state=State.IDLE))).figures()
        assert (one.peer, one.is_up, one.announced, one.wanted, one.updates_sent) == (
            "10.9.0.1:179",
            True,
            4,
            1,
            7,
        )
        assert (two.peer, two.is_up, two.announced, two.wanted) == ("10.9.0.1:179 (peer2)", False, 0, 1)
        assert one.bfd is None


async def test_bfd_is_shown_beside_the_session_it_watches() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await until(lambda: made.driver.peers)
        sessions = Sessions(peer1=UP)
        for state, word in ((BfdState.UP, "Up"), (BfdState.ADMIN_DOWN, "AdminDown")):
            sessions.reports["peer1"] = bfd_report(state)
            assert report(made, sessions).peers()[0].bfd == word
            bfd = report(made, sessions).figures()[0].bfd
            assert bfd is not None
            assert bfd.is_up is (state is BfdState.UP)
            assert bfd.packets_in == 1234, "asked for before they are told"


async def test_addresses_are_shown_with_why_they_are_not_announced_here() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.service("web", "198.51.100.7", "b")
        await made.service("mail", "198.51.100.8", "b", policy="Local")
        await made.config(DOCUMENT)
        await made.routes("198.51.100.7/32")
        found = report(made, Sessions())
        me = NodeName("a")
        assert found.addresses() == (
            AddressStatus(
                address=ips("198.51.100.7")[0], services=(key("web"),), announced_by=me, protocol="bgp"
            ),
            AddressStatus(
                address=ips("198.51.100.8")[0],
                services=(key("mail"),),
                announced_by=None,
                reason="noLocalEndpoints",
                protocol="bgp",
            ),
        )
        (announced,) = found.announced()
        assert (announced.protocol, str(announced.address)) == ("bgp", "198.51.100.7")
        assert found.problems == Sessions().problems


async def test_before_caches_are_synced_there_is_nothing_to_show() -> None:
    async with bgp_desk() as made:
        found = report(made, Sessions())
        assert (found.peers(), found.figures(), found.addresses(), found.announced()) == ((), (), (), ())
