import pytest

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.wrong import ELSEWHERE, wrong_in_controller, wrong_in_speaker
from bareway.decide.routing.sessions import SessionRefusal
from bareway.model.problems import Problem, Severity
from bareway.model.status import ControllerStatus, SpeakerStatus
from support.statuses import (
    NODE2,
    address,
    controller_status,
    finding,
    link,
    member,
    peer,
    speaker_status,
    waiting,
)

ERROR = Problem(path="address-pools[0]", message="missing pool name", line=3)
WARNING = Problem(path="peers", message="not served yet", severity=Severity.WARNING)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(speaker_status(), id="usual"),
        pytest.param(speaker_status(problems=(WARNING,)), id="a warning is not an error"),
        pytest.param(
            speaker_status(addresses=(address(by=NODE2, reason="notOwner"),)), id="another announces"
        ),
        pytest.param(
            speaker_status(members=(member(), member(NODE2, "Left"))), id="a member left on purpose"
        ),
        pytest.param(speaker_status(links=(link("lo", "Excluded"),)), id="a link that is not used"),
        pytest.param(speaker_status(leaving="Drained"), id="a drain is wanted"),
        pytest.param(speaker_status(peers=(peer(),)), id="a session is up"),
        pytest.param(
            speaker_status(peers=(peer(state="", reason=SessionRefusal.NODE_NOT_SELECTED),)),
            id="a router for other nodes",
        ),
        pytest.param(
            speaker_status(leaving="Drained", peers=(peer(state="Idle"),)), id="a session ended by a drain"
        ),
        *(
            pytest.param(
                speaker_status(addresses=(address(by=None, reason=reason, protocol="bgp"),)), id=reason
            )
            for reason in sorted(ELSEWHERE)
        ),
    ],
)
def test_a_speaker_that_is_well_has_nothing_wrong(status: SpeakerStatus) -> None:
    assert wrong_in_speaker(status) == ()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        pytest.param(speaker_status(not_ready=("no key",)), "not ready: no key", id="not ready"),
        pytest.param(speaker_status(api_connected=False), "the API server does not answer", id="API away"),
        pytest.param(
            speaker_status(problems=(WARNING, ERROR)),
            "configuration: line 3: address-pools[0]: missing pool name",
            id="error in the configuration",
        ),
        pytest.param(
            speaker_status(members=(member(), member(NODE2, "Suspect"))),
            "member node2 is Suspect",
            id="suspect",
        ),
        pytest.param(
            speaker_status(members=(member(), member(NODE2, "Dead"))), "member node2 is Dead", id="dead"
        ),
        pytest.param(
            speaker_status(addresses=(address(by=None, reason="noEndpoints"),)),
            "nobody announces 192.0.2.10: noEndpoints",
            id="no announcer, with the reason",
        ),
        pytest.param(
            speaker_status(addresses=(address(by=None),)),
            "nobody announces 192.0.2.10: no claim",
            id="no claim",
        ),
        pytest.param(
            speaker_status(findings=(finding(),)),
            "AddressInUse: a stranger (02:00:00:00:00:99) answers for 192.0.2.10",
            id="a stranger on the link",
        ),
        pytest.param(
            speaker_status(findings=(finding(NODE2),)),
            "AddressInUse: node2 (02:00:00:00:00:99) answers for 192.0.2.10",
            id="another node on the link",
        ),
        pytest.param(
            speaker_status(addresses=(address(by=None, reason="noEndpoints", protocol="bgp"),)),
            "nobody announces 192.0.2.10: noEndpoints",
            id="no route from anywhere",
        ),
        pytest.param(
            speaker_status(addresses=(address(by=None, reason=Refusal.NO_LOCAL_ENDPOINTS),)),
            "nobody announces 192.0.2.10: noLocalEndpoints",
            id="no announcer on the link",
        ),
        pytest.param(
            speaker_status(peers=(peer(), peer("peer2", "10.9.0.2", state="", reason="keyMissing"))),
            "session with peer2 (10.9.0.2): keyMissing",
            id="no session",
        ),
        pytest.param(
            speaker_status(
                peers=(peer(state="Active", trouble="refused", last_received="6/2 cease shutdown"),)
            ),
            "session with peer1 (10.9.0.1): Active; refused; received 6/2 cease shutdown",
            id="a session that is not up",
        ),
        pytest.param(
            speaker_status(peers=(peer(held_back=3),)),
            "3 routes cannot be told to peer1 (10.9.0.1)",
            id="routes beyond the limit",
        ),
        pytest.param(
            speaker_status(bgp_problems=(Problem(path="bfd-profiles", message="no BFD here"),)),
            "bfd-profiles: no BFD here",
            id="BFD is away",
        ),
    ],
)
def test_what_is_wrong_with_a_speaker_is_one_sentence_about_it(status: SpeakerStatus, sentence: str) -> None:
    assert wrong_in_speaker(status) == (f"speaker on node1: {sentence}",)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(controller_status(), id="usual"),
        pytest.param(controller_status(problems=(WARNING,)), id="a warning is not an error"),
        pytest.param(controller_status(pools=()), id="no pools"),
    ],
)
def test_a_controller_that_is_well_has_nothing_wrong(status: ControllerStatus) -> None:
    assert wrong_in_controller(status) == ()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        pytest.param(controller_status(not_ready=("x",)), "controller: not ready: x", id="not ready"),
        pytest.param(
            controller_status(api_connected=False),
            "controller: the API server does not answer",
            id="API away",
        ),
        pytest.param(
            controller_status(problems=(ERROR,)),
            "controller: configuration: line 3: address-pools[0]: missing pool name",
            id="error in the configuration",
        ),
        pytest.param(
            controller_status(waiting=(waiting(),)),
            'Service shop/web waits: PoolExhausted: no available IPs in pool "public"',
            id="a Service without an address",
        ),
    ],
)
def test_what_is_wrong_with_a_controller_is_one_sentence_about_it(
    status: ControllerStatus, sentence: str
) -> None:
    assert wrong_in_controller(status) == (sentence,)
