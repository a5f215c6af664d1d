"""Leaving, restarting, and coming back: two sessions against each other in virtual time."""

import pytest

from bareway.bgp.attributes import GRACEFUL_SHUTDOWN, Kind
from bareway.bgp.events import (
    Drain,
    SessionReason,
    Stage,
    Start,
    Stop,
    StopReason,
    Told,
)
from bareway.bgp.fsm import State
from bareway.bgp.messages import Update
from bareway.bgp.prefixes import IPV4, IPV6
from bareway.bgp.routes import RouteSet
from support.bgp import (
    Pair,
    notices,
    reasons,
    router_settings,
    routes,
    settings,
)

BOTH = State.ESTABLISHED, State.ESTABLISHED


def states(pair: Pair) -> tuple[State, State]:
    return pair.node.state, pair.router.state


def up(pair: Pair, wanted: RouteSet | None = None) -> Pair:
    pair.start(node=wanted)
    pair.run(2.0)
    assert states(pair) == BOTH
    return pair


def values(update: Update) -> dict[int, bytes]:
    return {attribute.kind: attribute.value for attribute in update.attributes}


def test_a_drain_marks_all_routes_then_takes_them_back_then_says_why() -> None:
    pair = up(Pair(), routes("198.51.100.7/32", "198.51.100.8/32"))
    pair.node.do(Drain(stage=Stage.BEGIN))
    pair.run(1.0)
    marked = [values(update)[Kind.COMMUNITIES] for update in pair.router.learnt.values()]
    assert marked == [GRACEFUL_SHUTDOWN.to_bytes(4)] * 2
    pair.node.do(Stop(reason=StopReason.LEAVING, text="node drained"))
    pair.run(1.0)
    assert pair.router.learnt == {}
    assert pair.node.state is State.IDLE
    said = [o.notification for o in pair.router.outputs if isinstance(o, Told) and not o.is_ours]
    assert str(said[-1]) == "6/2 cease shutdown: node drained"


def test_a_drain_that_is_called_off_takes_the_mark_away() -> None:
    pair = up(Pair(), routes("198.51.100.7/32"))
    for stage in (Stage.BEGIN, Stage.END):
        pair.node.do(Drain(stage=stage))
        pair.run(1.0)
    assert [Kind.COMMUNITIES in values(update) for update in pair.router.learnt.values()] == [False]


def test_who_leaves_and_starts_again_meanwhile_keeps_the_session() -> None:
    pair = up(Pair(), routes("198.51.100.7/32"))
    pair.stop_reading(pair.router)
    pair.node.do(Stop(reason=StopReason.LEAVING))
    pair.run(0.5)
    pair.node.do(Start())
    pair.read_again(pair.router)
    pair.run(5.0)
    assert states(pair) == BOTH
    assert len(pair.router.learnt) == 1


def test_who_leaves_a_router_that_does_not_read_is_gone_after_two_seconds() -> None:
    pair = up(Pair(), routes("198.51.100.7/32"))
    pair.stop_reading(pair.router)
    pair.node.do(Stop(reason=StopReason.LEAVING))
    pair.run(2.5)
    assert pair.node.state is State.IDLE


def both_restart(*, notification: bool) -> Pair:
    return Pair(
        node=settings(graceful_restart=True, notification_support=notification),
        router=router_settings(graceful_restart=True, notification_support=notification),
    )


@pytest.mark.parametrize(
    ("reason", "notification", "expected"),
    [
        pytest.param(StopReason.LEAVING, True, (6, 9), id="leaving"),
        pytest.param(StopReason.SHUTDOWN, True, (6, 9), id="shutdown"),
        pytest.param(StopReason.DECONFIGURED, True, (6, 9), id="deconfigured"),
        pytest.param(StopReason.RESET, True, (6, 4), id="reset"),
        pytest.param(StopReason.LEAVING, False, (6, 2), id="leaving, no N bit"),
        pytest.param(StopReason.DECONFIGURED, False, (6, 3), id="deconfigured, no N bit"),
        pytest.param(StopReason.RESTART, True, None, id="restart"),
        pytest.param(StopReason.RESTART, False, None, id="restart, no N bit"),
    ],
)
def test_the_last_word_is_a_hard_reset_only_where_routes_would_be_kept(
    reason: StopReason, notification: bool, expected: tuple[int, int] | None
) -> None:
    pair = up(both_restart(notification=notification), routes("198.51.100.7/32"))
    before = len(notices(pair.node.outputs))
    pair.node.do(Stop(reason=reason, text="bye"))
    pair.run(0.1)
    said = notices(pair.node.outputs)[before:]
    assert [(notice.code, notice.subcode) for notice in said] == ([expected] if expected else [])
    assert pair.node.state is State.IDLE
    assert SessionReason.STOPPED in reasons(pair.node.outputs)
    if expected == (6, 9):
        assert said[0].inner.text == ("bye" if reason is not StopReason.DECONFIGURED else "")
    taken_back = [m for m in pair.router.heard if isinstance(m, Update) and m.withdrawn.get(IPV4)]
    assert bool(taken_back) is (reason is StopReason.LEAVING)


def test_who_restarts_says_so_and_that_forwarding_went_on_until_it_has_told_all() -> None:
    pair = both_restart(notification=False)
    pair.start(node=routes("198.51.100.7/32"))
    pair.node.do(Stop(reason=StopReason.RESTART))
    pair.node.do(Start(is_restart=True))
    pair.run(2.0)
    last = pair.router.session.status.peer_capabilities
    restart = next(c for c in last if type(c).__name__ == "RestartCapability")
    assert (restart.is_restarted, dict(restart.families)) == (True, {IPV4: True, IPV6: True})  # type: ignore[union-attr]
    pair.cut()
    pair.run(3.0)
    last = pair.router.session.status.peer_capabilities
    restart = next(c for c in last if type(c).__name__ == "RestartCapability")
    assert restart.is_restarted is False  # type: ignore[union-attr]


def test_a_peer_that_restarted_without_a_word_replaces_its_old_connection() -> None:
    pair = up(both_restart(notification=False), routes("198.51.100.7/32"))
    pair.lose()  # the router hears nothing of it
    pair.node.do(Stop(reason=StopReason.RESTART))
    pair.node.outputs.clear()
    pair.node.do(Start(is_restart=True))
    pair.run(1.0)
    assert states(pair) == BOTH
    assert SessionReason.REPLACED in reasons(pair.router.outputs)


def test_without_graceful_restart_an_established_session_outlasts_another_connection() -> None:
    pair = up(Pair(node=settings(hold_time_s=9)))
    pair.lose()
    pair.router.do(Stop(reason=StopReason.RESTART))
    pair.router.do(Start())
    pair.run(1.0)
    assert pair.node.state is State.ESTABLISHED
    assert SessionReason.COLLISION not in reasons(pair.node.outputs)
    pair.run(80.0)  # its hold timer, and the damping of the router
    assert states(pair) == BOTH
