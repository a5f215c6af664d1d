"""What a node's kernel says, read from a tree like its own; and whom its gossip port reaches, by trying."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from bareway.cli.asking.kernel import LINKS_MAX, REACHED_MAX, chosen, facts_of, read_links, try_members
from bareway.model.names import NodeName
from bareway.model.status import MemberStatus
from bareway.model.surroundings import LinkFacts

ME = NodeName("node2")
UP, BROADCAST, NOARP = 0x1, 0x2, 0x80


class Tree:
    """/proc and /sys of a node."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.routes = ["Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"]
        self.inet6: list[str] = []
        self.setting("all", rp_filter=0, arp_ignore=0)

    def setting(self, name: str, **values: int) -> None:
        for setting, value in values.items():
            self._write(f"proc/sys/net/ipv4/conf/{name}/{setting}", f"{value}\n")

    def link(self, name: str, *, flags: int = UP | BROADCAST, kind: int = 1) -> None:
        self._write(f"sys/class/net/{name}/flags", f"{flags:#x}\n")
        self._write(f"sys/class/net/{name}/type", f"{kind}\n")

    def route(self, name: str, network: str, gateway: str = "0.0.0.0") -> None:
        at = IPv4Network(network)
        numbers = (at.network_address, gateway, at.netmask)
        words = [f"{int.from_bytes(socket.inet_aton(str(one)), 'little'):08X}" for one in numbers]
        self.routes.append(f"{name}\t{words[0]}\t{words[1]}\t0003\t0\t0\t0\t{words[2]}\t0\t0\t0")

    def address6(self, name: str, address: str, length: int) -> None:
        text = socket.inet_pton(socket.AF_INET6, address).hex()
        self.inet6.append(f"{text} 02 {length:02x} 00 80 {name:>8}")

    def links(self) -> tuple[LinkFacts, ...]:
        self._write("proc/net/route", "\n".join(self.routes) + "\n")
        self._write("proc/net/if_inet6", "\n".join(self.inet6) + "\n")
        return read_links(self.root)

    def _write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.link("eth0")
    made.route("eth0", "192.0.2.0/24")
    made.route("eth0", "0.0.0.0/0", "192.0.2.1")
    return made


def test_a_link_has_its_subnets_and_tells_that_the_default_route_leaves_by_it(tree: Tree) -> None:
    tree.address6("eth0", "2001:db8:1::11", 64)
    tree.address6("eth0", "fe80::1", 64)
    (found,) = tree.links()
    assert found == LinkFacts(
        name=found.name, subnets=("192.0.2.0/24", "2001:db8:1::/64"), has_default_route=True
    )
    assert found.name == "eth0"


@pytest.mark.parametrize(
    ("flags", "kind", "expected"),
    [
        pytest.param(UP | BROADCAST, 1, (True, True, True), id="Ethernet"),
        pytest.param(BROADCAST, 1, (False, True, True), id="down"),
        pytest.param(UP | BROADCAST | NOARP, 1, (True, True, False), id="NOARP"),
        pytest.param(UP, 1, (True, True, False), id="no BROADCAST"),
        pytest.param(UP | NOARP, 65534, (True, False, False), id="WireGuard"),
    ],
)
def test_flags_tell_what_it_hears(
    tree: Tree, flags: int, kind: int, expected: tuple[bool, bool, bool]
) -> None:
    tree.link("eth0", flags=flags, kind=kind)
    (found,) = tree.links()
    assert (found.is_up, found.is_ethernet, found.hears_broadcasts) == expected


@pytest.mark.parametrize(("everywhere", "here", "counts"), [(0, 1, 1), (1, 0, 1), (2, 1, 2), (0, 0, 0)])
def test_of_a_setting_the_greater_one_counts(tree: Tree, everywhere: int, here: int, counts: int) -> None:
    tree.setting("all", rp_filter=everywhere, arp_ignore=everywhere)
    tree.setting("eth0", rp_filter=here, arp_ignore=here)
    (found,) = tree.links()
    assert (found.rp_filter, found.arp_ignore) == (counts, counts)


def test_links_of_pods_are_left_out_and_kube_proxys_is_not(tree: Tree) -> None:
    tree.link("cali1234")
    tree.route("cali1234", "10.244.0.7/32")
    tree.link("veth9")
    tree.link("kube-ipvs0", flags=BROADCAST | NOARP)
    assert [one.name for one in tree.links()] == ["eth0", "kube-ipvs0"]


def test_what_lies_behind_a_router_is_no_subnet_of_the_link(tree: Tree) -> None:
    tree.route("eth0", "198.51.100.0/24", "192.0.2.1")
    (found,) = tree.links()
    assert found.subnets == ("192.0.2.0/24",)


def test_there_is_an_end_to_links(tree: Tree) -> None:
    for number in range(LINKS_MAX + 5):
        tree.link(f"vlan{number:03}")
        tree.route(f"vlan{number:03}", f"10.{number}.0.0/16")
    assert len(tree.links()) == LINKS_MAX


def test_a_node_without_any_of_it_has_no_links(tmp_path: Path) -> None:
    assert read_links(tmp_path) == ()


def test_nonsense_in_the_tables_is_left_out(tree: Tree) -> None:
    tree.routes += ["eth0\tzz", "", "eth0 1 2 3 4 5 6"]
    tree.inet6 += ["x", "zz 02 40 00 80 eth0 more"]
    assert [one.name for one in tree.links()] == ["eth0"]


# -- whom the gossip port reaches


def _member(name: str, address: str = "192.0.2.1:7947") -> MemberStatus:
    return MemberStatus(name=NodeName(name), state="Alive", address=address)


@contextmanager
def _listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield door.getsockname()[1]


async def test_who_takes_the_connection_is_reached_and_who_refuses_is_not() -> None:
    with _listening() as port:
        members = [_member("node1", f"127.0.0.1:{port}")]
        assert await try_members(ME, members) == (("node1",), ())
    tried, unreached = await try_members(ME, members)
    assert tried == ("node1",)
    (found,) = unreached
    assert (found.member, found.address, found.is_refused) == ("node1", f"127.0.0.1:{port}", True)


async def test_a_member_that_takes_nothing_is_silent() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # its queue holds no more
            _, (found,) = await try_members(ME, [_member("node1", f"127.0.0.1:{port}")], timeout_s=0.05)
    assert not found.is_refused
    assert found.how == "no answer within 0.05 s"


async def test_an_address_that_is_none_is_a_failure_and_no_exception() -> None:
    _, (found,) = await try_members(ME, [_member("node1", "nowhere")])
    assert found.how


def test_the_next_members_after_us_are_tried_so_that_each_is_tried_by_some() -> None:
    members = [_member(f"node{number:03}") for number in range(100)]
    places = {one.name: number for number, one in enumerate(members)}
    for me in ("node000", "node050", "node099"):
        found = [one.name for one in chosen(NodeName(me), members)]
        assert [places[name] for name in found] == [
            (places[NodeName(me)] + step) % 100 for step in range(1, REACHED_MAX + 1)
        ]


def test_who_is_nowhere_and_ourselves_are_not_tried() -> None:
    assert chosen(ME, [_member("node2"), _member("node3", "")]) == ()


def test_all_of_it_together(tree: Tree) -> None:
    tree.links()
    found = facts_of(ME, (), root=tree.root)
    assert (found.node, [one.name for one in found.links], found.tried) == (ME, ["eth0"], ())
