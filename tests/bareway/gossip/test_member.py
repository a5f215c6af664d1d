"""What a member publishes of its links, within bounds."""

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from bareway.gossip.member import (
    LINKS_BYTES_MAX,
    LINKS_MAX,
    Facts,
    LinkFact,
    MemberState,
    Report,
    publishable,
    told_whole,
)
from bareway.gossip.message import News, encode
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, NodeName

V4, V6 = ip_network("192.0.2.0/24"), ip_network("2001:db8::/64")


def link(number: int = 0, v4: int = 0, v6: int = 0, name: str = "eth0") -> LinkFact:
    mac = MacAddress(bytes([2, 0, 0, 0, 0, number]))
    return LinkFact(name=InterfaceName(name), mac=mac, networks=(V4,) * v4 + (V6,) * v6)


def bytes_of(*links: LinkFact) -> int:
    """What they add to a frame."""
    name = NodeName("n")

    def frame(some: tuple[LinkFact, ...]) -> bytes:
        facts = Facts(links=some)
        report = Report(name=name, epoch=1, incarnation=1, state=MemberState.ALIVE, facts=facts, by=name)
        return encode(News(reports=(report,)))

    return len(frame(links)) - len(frame(()))


def test_links_that_fit_are_published_as_they_are() -> None:
    links = (link(1, v4=1, v6=1), link(2, v4=2))
    assert publishable(links) == links


def test_of_many_links_the_first_are_published() -> None:
    many = [link(number) for number in range(40)]
    assert list(publishable(many)) == many[:LINKS_MAX]


def test_of_many_networks_the_first_are_published_and_all_links() -> None:
    published = publishable([link(1, v4=LINKS_MAX - 1), link(2, v4=3), link(3, v4=1)])
    assert [len(each.networks) for each in published] == [LINKS_MAX - 1, 1, 0]


def test_the_longest_that_may_be_published_fit_their_bound() -> None:
    published = publishable([link(number, v6=1, name="n" * 15) for number in range(LINKS_MAX)])
    assert 0 < bytes_of(*published) <= LINKS_BYTES_MAX
    assert len(published) > LINKS_MAX / 2


def test_a_link_of_which_no_network_is_told_may_speak_ipv6() -> None:
    assert not link(v4=1).speaks_ipv6
    assert link(v4=1, v6=1).speaks_ipv6
    published = publishable([link(number, v4=1, v6=1) for number in range(9)])
    assert published[-1].networks == ()
    assert published[-1].speaks_ipv6
    assert told_whole(published) == published, "all links are told"


def test_who_may_have_more_links_than_it_published_is_judged_by_none() -> None:
    assert told_whole(publishable([link(number) for number in range(LINKS_MAX + 1)])) == ()
    long = [link(number, v4=1, v6=1, name="n" * 15) for number in range(12)]
    assert len(publishable(long)) < len(long)
    assert told_whole(publishable(long)) == ()


LINKS = st.builds(
    link, st.integers(0, 255), st.integers(0, 20), st.integers(0, 20), st.text("abc", min_size=1, max_size=15)
)


@given(st.lists(LINKS, max_size=30))
def test_whatever_a_node_has_its_report_stays_within_bounds(links: list[LinkFact]) -> None:
    published = publishable(links)
    assert len(published) <= LINKS_MAX
    assert sum(len(each.networks) for each in published) <= LINKS_MAX
    assert bytes_of(*published) <= LINKS_BYTES_MAX
    assert [each.mac for each in published] == [each.mac for each in links[: len(published)]]
    assert publishable(published) == published
    assert told_whole(published) in {(), published}
    if len(published) < len(links):
        assert told_whole(published) == (), "some are not told"
