"""Who answered for an address, and what that means."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.decide.answers.probing import (
    Heard,
    Known,
    Probed,
    ProbeReason,
    asks_itself,
    judge,
    known_of,
    stations,
)
from bareway.model.answers import Gravity
from bareway.model.names import InterfaceName, NodeName
from bareway.model.status import AddressStatus, LinkStatus, SpeakerStatus

ADDRESS = ip_address("192.0.2.10")
N1, N2 = NodeName("node1"), NodeName("node2")
MAC1, MAC2, STRANGE = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:99"
OWNERS = {MAC1: N1, MAC2: N2}


def _probed(*heard: tuple[str, float]) -> Probed:
    answers = tuple(Heard(mac=mac, after_s=after_s) for mac, after_s in heard)
    return Probed(address=ADDRESS, interface="eth0", mac="02:00:00:00:00:aa", asked=3, heard=answers)


def _speaker(node: NodeName, mac: str, holder: NodeName | None, protocol: str = "layer2") -> SpeakerStatus:
    return SpeakerStatus(
        version="1",
        node=node,
        api_connected=True,
        links=(LinkStatus(name=InterfaceName("eth0"), mac=mac), LinkStatus(name=InterfaceName("docker0"))),
        addresses=(AddressStatus(address=ADDRESS, services=(), announced_by=holder, protocol=protocol),),
    )


def test_one_station_that_answers_is_as_it_should_be() -> None:
    probed = _probed((MAC1, 0.001), (MAC1, 0.003), (MAC1, 0.002))
    known = Known(owners=OWNERS, announced_by=N1)
    assert judge(probed, known) == ()
    assert [one.named for one in stations(probed, known.owners)] == [f"node node1 ({MAC1})"]


def test_without_a_cluster_a_station_has_no_name_and_is_believed() -> None:
    probed = _probed((STRANGE, 0.001))
    assert judge(probed, Known()) == ()
    assert [one.named for one in stations(probed, {})] == [STRANGE]


def test_times_are_counted_for_each_station_and_who_answers_most_comes_first() -> None:
    probed = _probed((MAC2, 0.005), (MAC1, 0.004), (MAC1, 0.001), (MAC1, 0.002))
    first, second = stations(probed, OWNERS)
    assert (first.node, first.answers) == (N1, 3)
    assert (first.fastest_ms, first.median_ms, first.slowest_ms) == (1.0, 2.0, 4.0)
    assert (second.node, second.answers, second.median_ms) == (N2, 1, 5.0)


@pytest.mark.parametrize(
    ("heard", "known", "word", "told"),
    [
        pytest.param((), Known(), ProbeReason.NO_ANSWER, "bareway why 192.0.2.10", id="nobody"),
        pytest.param(
            (),
            Known(owners=OWNERS, announced_by=N2),
            ProbeReason.NO_ANSWER,
            "the speaker on node2",
            id="nobody, though a node announces it",
        ),
        pytest.param(
            ((MAC1, 0.001), (MAC2, 0.001)),
            Known(owners=OWNERS, announced_by=N1),
            ProbeReason.SEVERAL_ANSWER,
            "strictARP",
            id="two nodes",
        ),
        pytest.param(
            ((MAC1, 0.001), (STRANGE, 0.001)),
            Known(owners=OWNERS, announced_by=N1),
            ProbeReason.SEVERAL_ANSWER,
            STRANGE,
            id="a node and a stranger",
        ),
        pytest.param(
            ((MAC1, 0.001), (STRANGE, 0.001)), Known(), ProbeReason.SEVERAL_ANSWER, MAC1, id="two strangers"
        ),
        pytest.param(
            ((MAC2, 0.001),),
            Known(owners=OWNERS, announced_by=N1),
            ProbeReason.OTHER_ANSWERS,
            "strictARP: true on node2",
            id="another node than who announces it",
        ),
        pytest.param(
            ((STRANGE, 0.001),),
            Known(owners=OWNERS, announced_by=N1),
            ProbeReason.OTHER_ANSWERS,
            f"Find the station {STRANGE}",
            id="a stranger instead of who announces it",
        ),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    heard: tuple[tuple[str, float], ...], known: Known, word: ProbeReason, told: str
) -> None:
    (finding,) = judge(_probed(*heard), known)
    assert (finding.word, finding.gravity, finding.subject) == (word, Gravity.BROKEN, "192.0.2.10")
    assert told in finding.remedy


@pytest.mark.parametrize(
    "owners",
    [pytest.param({}, id="of any node"), pytest.param({MAC2: N2}, id="of the one that announces it")],
)
def test_a_station_is_no_stranger_while_the_links_are_not_known(owners: dict[str, NodeName]) -> None:
    assert judge(_probed((MAC1, 0.001)), Known(owners=owners, announced_by=N1)) == ()


def test_a_node_that_announces_it_hears_nobody_and_that_is_no_silence() -> None:
    mine = replace(_probed(), mac=MAC1)
    assert asks_itself(mine, Known(owners=OWNERS, announced_by=N1)) == N1
    assert asks_itself(mine, Known(owners=OWNERS, announced_by=N2)) is None
    assert asks_itself(mine, Known()) is None
    heard = replace(mine, heard=(Heard(mac=STRANGE, after_s=0.001),))
    assert asks_itself(heard, Known(owners=OWNERS, announced_by=N1)) is None


def test_links_and_claims_of_all_speakers_are_known() -> None:
    speakers = {N1: _speaker(N1, MAC1, N2), N2: _speaker(N2, MAC2, N2)}
    assert known_of(speakers, ADDRESS) == Known(owners=OWNERS, announced_by=N2)


@pytest.mark.parametrize(
    "speakers",
    [
        pytest.param({N1: _speaker(N1, MAC1, None)}, id="nobody"),
        pytest.param({N1: _speaker(N1, MAC1, N1), N2: _speaker(N2, MAC2, N2)}, id="they disagree"),
        pytest.param({N1: _speaker(N1, MAC1, N1, "bgp")}, id="by BGP"),
        pytest.param({}, id="no speaker answered"),
    ],
)
def test_who_announces_it_may_not_be_known(speakers: dict[NodeName, SpeakerStatus]) -> None:
    assert known_of(speakers, ADDRESS).announced_by is None


def test_another_address_of_the_same_nodes_does_not_count() -> None:
    speakers = {N1: _speaker(N1, MAC1, N1)}
    assert known_of(speakers, ip_address("192.0.2.11")).announced_by is None
