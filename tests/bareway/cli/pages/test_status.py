from dataclasses import replace

import pytest

from bareway.cli.pages.status import controller_text, speaker_text
from bareway.model.names import PoolName
from bareway.model.status import ConfigurationStatus, PoolStatus
from support.statuses import (
    NODE2,
    address,
    controller_status,
    finding,
    link,
    member,
    speaker_status,
    waiting,
)

SPEAKER = """\
speaker on node1: ready, connected to the API server, version 0.1.0
configuration: generation 3 from ConfigMap bareway-system/config, sha256 0a1b2c3d4e5f
gossip: profile default, partition available; announcer lists: generation 5
hands over what it announces: Drained

MEMBER   STATE     FOR     REACHED AT
node1    Alive     3m20s   192.0.2.1:7947
node2    Suspect   3m20s   192.0.2.1:7947

ADDRESS      SERVICE    ANNOUNCED BY   WHY NOT HERE
192.0.2.10   shop/web   node1          -
192.0.2.11   shop/web   node2          notOwner
192.0.2.12   shop/web   -              noEndpoints

LINK   MAC                 SUBNETS                        WHY NOT USED
eth0   02:00:00:00:00:01   192.0.2.0/24,198.51.100.0/24   -
lo     02:00:00:00:00:01   192.0.2.0/24,198.51.100.0/24   Excluded

ADDRESS      FOUND ON THE LINK   STATION             NODE
192.0.2.10   AddressInUse        02:00:00:00:00:99   -
192.0.2.10   AddressInUse        02:00:00:00:00:99   node2
"""
CONTROLLER = """\
controller: not ready, without the API server, version 0.1.0
election: leads, as bareway-controller-1_0a1b
configuration: none in force

POOL     ADDRESSES   USED   SHARE
public   256         64     25%
empty    0           0      -

WAITING SERVICE   REASON          MESSAGE
shop/web          PoolExhausted   no available IPs in pool "public"
"""


def test_a_speaker_is_shown_with_all_that_it_knows() -> None:
    status = speaker_status(
        members=(member(), member(NODE2, "Suspect")),
        addresses=(
            address(),
            address("192.0.2.11", NODE2, "notOwner"),
            address("192.0.2.12", None, "noEndpoints"),
        ),
        links=(link(), link("lo", "Excluded")),
        leaving="Drained",
        findings=(finding(), finding(NODE2)),
    )
    assert speaker_text(status) == SPEAKER


def test_a_controller_is_shown_with_all_that_it_knows() -> None:
    status = controller_status(
        api_connected=False,
        not_ready=("the API server does not answer",),
        pools=(
            PoolStatus(name=PoolName("public"), total=256, used=64),
            PoolStatus(name=PoolName("empty"), total=0, used=0),
        ),
        waiting=(waiting(),),
    )
    assert controller_text(replace(status, configuration=ConfigurationStatus())) == CONTROLLER


def test_a_controller_says_who_leads() -> None:
    status = replace(controller_status(), leads=False)
    assert "election: stands by; bareway-controller-1_0a1b leads\n" in controller_text(status)
    assert "election: nobody leads\n" in controller_text(replace(status, leader=""))


@pytest.mark.parametrize(
    ("alive", "known", "line"),
    [
        pytest.param(2, 3, "gossip: sees 2 of 3 members; announcer lists of generation 7\n", id="some"),
        pytest.param(0, 0, "gossip: sees no member; announcer lists of generation 7\n", id="nobody"),
    ],
)
def test_a_controller_says_whom_it_sees(alive: int, known: int, line: str) -> None:
    status = replace(controller_status(), members_alive=alive, members_known=known, list_generation=7)
    assert line in controller_text(status)
    assert "gossip" not in controller_text(controller_status()), "a controller of before does not tell"


def test_a_speaker_that_has_not_joined_says_nothing_of_gossip() -> None:
    status = speaker_status()
    assert "gossip: profile default, partition available; announcer lists: generation 5\n" in speaker_text(
        status
    )
    assert "announcer lists: none\n" in speaker_text(replace(status, list_generation=0))
    assert "gossip:" not in speaker_text(replace(status, profile=""))


def test_a_table_without_rows_is_not_shown() -> None:
    assert "MEMBER" not in speaker_text(speaker_status(members=()))
    assert "POOL" not in controller_text(controller_status(pools=()))


def test_nothing_in_a_status_moves_the_cursor() -> None:
    status = replace(speaker_status(), configuration=ConfigurationStatus(generation=1, source="\x1b[2J"))
    assert "\x1b" not in speaker_text(status)
