"""What we ask about a member that we do not hear, and the patrol among those that are no neighbours."""

from random import Random

import pytest

from bareway.gossip.edges import Edges
from bareway.gossip.events import Probe, Probed, Send
from bareway.gossip.health import Health
from bareway.gossip.inquiries import Inquiries
from bareway.gossip.member import MemberReason, MemberState
from bareway.gossip.membership import Membership
from bareway.gossip.message import PingAnswer, PingRequest
from bareway.gossip.profile import PATROL_S, PROFILES, RELAY_SHARE, RELAYS, ProfileName
from bareway.model.names import NodeName
from support.views import ME, S, said

PROFILE = PROFILES[ProfileName.DEFAULT]
T = PROFILE.silence_s
NAMES = [NodeName(f"n{number:02}") for number in range(30)]


class Desk:
    """A member of a group of that size, with edges to some."""

    def __init__(self, members: int, *, open_to: int | None = None) -> None:
        rng = Random("inquiries")
        self.names = NAMES[: members - 1]
        self.edges = Edges(me=ME, profile=PROFILE, rng=rng)
        self.membership = Membership(
            own=said(ME), hears=lambda _: False, suspicion_s=lambda _: S, born_at=0.0, changed_at=0.0
        )
        self.health = Health(recovery_s=T)
        self.inquiries = Inquiries(
            profile=PROFILE,
            edges=self.edges,
            membership=self.membership,
            health=self.health,
            rng=rng,
            patrol_at=0.0,
        )
        for name in self.names:
            self.membership.hear(said(name), now=0.0)
        for name in self.names[:open_to]:
            self.edges.opened(name, now=0.0)
        self.membership.take_changes()

    def accuse(self, name: NodeName, *, now: float = 0.0) -> list[Send]:
        self.membership.accuse(name, crashed=False, now=now)
        self.inquiries.try_(name, now=now)
        return self.requests(now=now)

    def requests(self, *, now: float) -> list[Send]:
        return [output for output in self.inquiries.on_time(now=now) if isinstance(output, Send)]

    def state(self, name: NodeName) -> MemberState:
        member = self.membership.get(name)
        assert member is not None
        return member.state


def number_of(send: Send) -> int:
    assert isinstance(send.message, PingRequest)
    return send.message.number


# ---------------------------------------------------------------- trials


def test_an_alarm_asks_three_others_at_once_and_tries_a_fresh_edge() -> None:
    desk = Desk(6)
    suspect = desk.names[0]
    asked = desk.accuse(suspect)
    assert len({send.peer for send in asked} - {suspect}) == RELAYS
    assert {send.message for send in asked} == {
        PingRequest(number=1, target=suspect, wait_ms=round(RELAY_SHARE * S * 1000))
    }
    assert desk.edges.to_dial(now=0.0) == [suspect]
    assert desk.requests(now=0.01) == [], "once"


def test_those_who_do_not_watch_it_themselves_are_asked_first() -> None:
    desk = Desk(31)
    suspect = desk.names[0]
    watchers = desk.membership.rings.neighbours(suspect)
    assert not {send.peer for send in desk.accuse(suspect)} & watchers


def test_an_alarm_about_a_crash_asks_nobody() -> None:
    desk = Desk(6)
    desk.membership.accuse(desk.names[0], crashed=True, now=0.0)
    desk.inquiries.try_(desk.names[0], now=0.0)
    assert desk.requests(now=0.0) == []


def test_nobody_is_asked_about_the_dead_or_a_stranger() -> None:
    desk = Desk(6)
    desk.membership.hear(said(desk.names[0], MemberState.LEFT), now=0.0)
    desk.inquiries.try_(desk.names[0], now=0.0)
    desk.inquiries.try_(NodeName("stranger"), now=0.0)
    assert desk.requests(now=0.0) == []


def test_who_is_heard_by_one_of_those_asked_is_acquitted() -> None:
    desk = Desk(6)
    suspect = desk.names[0]
    asked = desk.accuse(suspect)
    desk.inquiries.answered(asked[0].peer, PingAnswer(number=number_of(asked[0]), heard=False), now=0.1)
    assert desk.state(suspect) is MemberState.SUSPECT
    desk.inquiries.answered(asked[1].peer, PingAnswer(number=number_of(asked[1]), heard=True), now=0.1)
    assert desk.state(suspect) is MemberState.ALIVE
    assert desk.membership.take_changes()[-1].reason is MemberReason.REFUTED


@pytest.mark.parametrize(
    ("by", "number"),
    [
        pytest.param(NodeName("n05"), 1, id="of one not asked"),
        pytest.param(NodeName("n01"), 9, id="to no question"),
    ],
)
def test_an_answer_that_we_did_not_ask_for_proves_nothing(by: NodeName, number: int) -> None:
    desk = Desk(5)
    suspect = desk.names[0]
    assert {send.peer for send in desk.accuse(suspect)} == set(desk.names[1:])
    desk.inquiries.answered(by, PingAnswer(number=number, heard=True), now=0.1)
    assert desk.state(suspect) is MemberState.SUSPECT


def test_who_speaks_to_us_during_its_trial_is_acquitted() -> None:
    desk = Desk(6)
    desk.accuse(desk.names[0])
    desk.inquiries.spoke(desk.names[0], now=0.1)
    assert desk.state(desk.names[0]) is MemberState.ALIVE


def test_who_speaks_without_a_trial_of_ours_refutes_by_itself() -> None:
    desk = Desk(6)
    desk.membership.hear(said(desk.names[0], MemberState.SUSPECT, by=desk.names[1]), now=0.0)
    desk.inquiries.spoke(desk.names[0], now=0.1)
    assert desk.state(desk.names[0]) is MemberState.SUSPECT


@pytest.mark.parametrize(
    ("members", "denials", "patience"),
    [
        pytest.param(6, 0, 2, id="no word of three: the fault may be ours"),
        pytest.param(6, 1, 1, id="a no came: the way to others is well"),
        pytest.param(4, 0, 1, id="a small group proves nothing"),
    ],
)
def test_answers_that_are_missing_tell_about_ourselves(members: int, denials: int, patience: int) -> None:
    desk = Desk(members)
    asked = desk.accuse(desk.names[0])
    for send in asked[:denials]:
        desk.inquiries.answered(send.peer, PingAnswer(number=number_of(send), heard=False), now=0.1)
    desk.requests(now=S - 0.01)
    assert desk.health.patience == 1
    desk.requests(now=S)
    assert desk.health.patience == patience
    assert desk.inquiries.deadline == S + patience * PATROL_S, "the patrol goes on"


def test_answers_have_more_time_if_we_did_not_listen() -> None:
    desk = Desk(6)
    desk.accuse(desk.names[0])
    desk.inquiries.delay_by(3.0)
    desk.requests(now=S)
    assert desk.health.patience == 1
    desk.requests(now=S + 3.0)
    assert desk.health.patience == 2


# ---------------------------------------------------------------- patrol


def test_the_patrol_visits_all_that_we_do_not_hear_anyway_before_it_begins_anew() -> None:
    desk = Desk(20, open_to=8)
    visited: list[NodeName] = []
    now = 0.0
    for _ in range(22):
        (probe,) = desk.inquiries.on_time(now=now)
        assert isinstance(probe, Probe)
        visited.append(probe.peer)
        desk.inquiries.probed(Probed(peer=probe.peer, alive=True), now=now)
        assert desk.inquiries.deadline == now + PATROL_S
        now += PATROL_S
    assert set(visited[:11]) == set(visited[11:]) == set(desk.names[8:])
    assert visited[:11] != visited[11:], "in another order"


def test_in_a_full_mesh_there_is_nobody_to_visit() -> None:
    desk = Desk(9)
    assert desk.inquiries.on_time(now=0.0) == []
    assert desk.inquiries.deadline == PATROL_S


def test_an_ill_member_and_a_slow_profile_patrol_less_often() -> None:
    desk = Desk(20, open_to=8)
    desk.health.worsen(now=0.0)
    desk.inquiries.profile = PROFILES[ProfileName.WAN]
    (probe,) = desk.inquiries.on_time(now=0.0)
    assert isinstance(probe, Probe)
    desk.inquiries.probed(Probed(peer=probe.peer, alive=True), now=0.0)
    assert desk.inquiries.deadline == 2 * 10 * PROFILES[ProfileName.WAN].interval_s


def test_one_that_does_not_answer_the_patrol_is_asked_for_and_then_accused() -> None:
    desk = Desk(20, open_to=8)
    (probe,) = desk.inquiries.on_time(now=0.0)
    assert isinstance(probe, Probe)
    desk.inquiries.probed(Probed(peer=probe.peer, alive=False), now=0.3)
    assert len(desk.requests(now=0.3)) == RELAYS
    desk.inquiries.on_time(now=2 * T - 0.01)
    assert desk.state(probe.peer) is MemberState.ALIVE
    desk.inquiries.on_time(now=2 * T)
    assert desk.state(probe.peer) is MemberState.SUSPECT


def test_a_patrol_of_which_nothing_is_heard_asks_others_after_the_silence_of_the_profile() -> None:
    desk = Desk(20, open_to=8)
    desk.inquiries.on_time(now=0.0)
    assert desk.requests(now=T - 0.01) == []
    assert len(desk.requests(now=T)) == RELAYS


def test_one_that_refuses_the_patrol_has_crashed() -> None:
    desk = Desk(20, open_to=8)
    (probe,) = desk.inquiries.on_time(now=0.0)
    assert isinstance(probe, Probe)
    desk.inquiries.probed(Probed(peer=probe.peer, alive=False, refused=True), now=0.1)
    assert desk.membership.take_changes()[-1].reason is MemberReason.CRASHED


def test_one_for_whom_another_vouches_is_left_alone() -> None:
    desk = Desk(20, open_to=8)
    (probe,) = desk.inquiries.on_time(now=0.0)
    assert isinstance(probe, Probe)
    desk.inquiries.probed(Probed(peer=probe.peer, alive=False), now=0.3)
    asked = desk.requests(now=0.3)
    desk.inquiries.answered(asked[0].peer, PingAnswer(number=number_of(asked[0]), heard=True), now=0.4)
    desk.inquiries.on_time(now=5.0)
    assert desk.state(probe.peer) is MemberState.ALIVE
