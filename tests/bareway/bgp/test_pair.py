"""Two sessions against each other in virtual time: what one says the other understands, whatever happens."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bareway.bgp import updates
from bareway.bgp.attributes import Kind, read_path
from bareway.bgp.errors import Cease, Code
from bareway.bgp.events import (
    BfdDown,
    Drain,
    SessionReason,
    SettingsChanged,
    Stage,
    Want,
)
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification, Update
from bareway.bgp.prefixes import IPV4, IPV6
from bareway.bgp.routes import Attributes, RouteSet
from support.bgp import (
    LINK_LOCAL,
    NODE,
    NODE6,
    NODE_ASN,
    ROUTER6,
    Pair,
    hosts,
    hosts6,
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


@pytest.mark.parametrize("seed", range(20))
def test_both_connect_at_once_and_one_connection_stays(seed: int) -> None:
    pair = up(Pair(seed=seed), routes("198.51.100.7/32"))
    pair.run(30.0)
    assert states(pair) == BOTH
    assert [end.session.status.established for end in pair.ends] == [1, 1]
    assert sum(wire.is_open for wire in pair._wires) == 1


def test_a_collision_is_told_to_the_loser_and_costs_no_wait() -> None:
    pair = up(Pair())
    told = [*notices(pair.node.outputs), *notices(pair.router.outputs)]
    assert {(notice.code, notice.subcode) for notice in told} == {(Code.CEASE, Cease.COLLISION)}
    assert pair.now < 103.0


def test_a_passive_end_waits_and_is_found() -> None:
    pair = up(Pair(node=settings(is_passive=True)))
    assert "Connect" not in [type(output).__name__ for output in pair.node.outputs]


def test_two_passive_ends_wait_for_ever() -> None:
    pair = Pair(node=settings(is_passive=True), router=router_settings(is_passive=True))
    pair.start()
    pair.run(1000.0)
    assert states(pair) == (State.ACTIVE, State.ACTIVE)


def test_routes_of_both_families_arrive_with_their_next_hops() -> None:
    pair = Pair(locals_=(NODE6, ROUTER6))
    wanted = RouteSet.of([*routes("2001:db8:1::7/128").items(), *routes("198.51.100.7/32").items()])
    up(pair, wanted)
    six = pair.router.learnt[ip_network("2001:db8:1::7/128")]
    four = pair.router.learnt[ip_network("198.51.100.7/32")]
    assert updates.addresses(six.next_hop) == (NODE6,)
    assert updates.addresses(four.next_hop) == (NODE6,)  # RFC 8950


def test_what_the_router_sees_is_what_the_node_wants() -> None:
    wanted = routes("198.51.100.7/32", "203.0.113.0/24", communities=(64512 << 16 | 100,), med=7, prepend=2)
    pair = up(Pair(), wanted)
    assert set(pair.router.learnt) == set(wanted)
    seen = values(pair.router.learnt[ip_network("198.51.100.7/32")])
    assert seen[Kind.NEXT_HOP] == NODE.packed
    assert read_path(seen[Kind.AS_PATH], octets=4)[0].asns == (NODE_ASN,) * 3
    assert seen[Kind.MED] == (7).to_bytes(4)
    assert Kind.LOCAL_PREF not in seen


def test_within_one_as_the_path_is_empty_and_preference_is_sent() -> None:
    pair = up(
        Pair(node=settings(peer_asn=NODE_ASN), router=router_settings(local_asn=NODE_ASN)),
        routes("198.51.100.7/32"),
    )
    seen = values(pair.router.learnt[ip_network("198.51.100.7/32")])
    assert seen[Kind.AS_PATH] == b""
    assert seen[Kind.LOCAL_PREF] == (100).to_bytes(4)


def test_end_of_rib_waits_until_the_caches_are_synced() -> None:
    pair = up(Pair())
    node = pair.node
    pair = Pair()
    pair.start()
    pair.node.do(Want(routes=routes("198.51.100.7/32"), is_complete=False))
    pair.run(2.0)
    ends = [m.end_of_rib for m in pair.router.heard if isinstance(m, Update) and m.end_of_rib]
    assert len(pair.router.learnt) == 1
    assert ends == []
    pair.node.do(Want(routes=routes("198.51.100.7/32", "198.51.100.8/32")))
    pair.run(2.0)
    ends = [m.end_of_rib for m in pair.router.heard if isinstance(m, Update) and m.end_of_rib]
    assert ends == [IPV4, IPV6]
    assert len(pair.router.learnt) == 2
    assert node.session.status.told == {IPV4: 0, IPV6: 0}


def test_twenty_thousand_routes_arrive_each_once() -> None:
    wanted = RouteSet.of((prefix, next(iter(routes("0.0.0.0/0").values()))) for prefix in hosts(20_000))
    pair = up(Pair(), wanted)
    assert len(pair.router.learnt) == 20_000
    told = [m for m in pair.router.heard if isinstance(m, Update) and m.announced]
    assert sum(len(m.announced[IPV4]) for m in told) == 20_000
    assert len(told) < 30


def test_a_router_that_reads_again_has_what_is_wanted_by_then() -> None:
    pair = up(Pair(), routes("198.51.100.7/32"))
    pair.stop_reading(pair.router)
    for amount in (5_000, 100, 20_000, 300):
        pair.node.do(
            Want(routes=RouteSet.of((p, next(iter(routes("0.0.0.0/0").values()))) for p in hosts(amount)))
        )
        pair.run(0.1)
    assert pair.node.session.status.owed <= 20_000 + 300
    pair.read_again(pair.router)
    pair.run(1.0)
    assert set(pair.router.learnt) == set(hosts(300))
    assert pair.node.session.status.owed == 0


def test_a_silent_peer_is_noticed_by_the_hold_timer() -> None:
    pair = up(Pair(node=settings(hold_time_s=9)))
    pair.router.listens = pair.node.listens = False
    pair.lose()
    pair.run(5.5)
    assert states(pair)[0] is State.ESTABLISHED
    pair.run(4.0)
    assert states(pair)[0] is not State.ESTABLISHED
    assert notices(pair.node.outputs)[-1] == Notification(code=Code.HOLD_TIMER)
    assert SessionReason.HOLD_TIMER in reasons(pair.node.outputs)


def test_keepalives_hold_a_quiet_session_for_an_hour() -> None:
    pair = up(Pair(node=settings(hold_time_s=3)))
    pair.run(3600.0)
    assert states(pair) == BOTH
    assert pair.node.session.status.established == 1


def test_a_hold_time_of_zero_needs_no_keepalives() -> None:
    pair = up(Pair(node=settings(hold_time_s=0)))
    heard = len(pair.router.heard)
    pair.run(10_000.0)
    assert states(pair) == BOTH
    assert len(pair.router.heard) == heard


def test_a_lost_connection_comes_back_at_once_with_all_routes() -> None:
    pair = up(Pair(), routes("198.51.100.7/32"))
    pair.run(60.0)
    pair.cut()
    pair.run(1.0)
    assert states(pair) == BOTH
    assert len(pair.router.learnt) == 1
    assert SessionReason.PEER_CLOSED in reasons(pair.node.outputs)


def test_bfd_ends_a_session_at_once() -> None:
    pair = up(Pair())
    pair.node.do(BfdDown())
    assert SessionReason.BFD_DOWN in reasons(pair.node.outputs)
    assert (notices(pair.node.outputs)[-1].code, notices(pair.node.outputs)[-1].subcode) == (6, 10)
    pair.run(5.0)
    assert states(pair) == BOTH


def test_other_settings_reset_only_what_they_touch() -> None:
    pair = up(Pair(), routes("198.51.100.7/32"))
    pair.node.do(SettingsChanged(settings=settings(password=b"new")))
    pair.run(1.0)
    assert pair.node.session.status.established == 1
    pair.node.do(SettingsChanged(settings=settings(hold_time_s=30)))
    assert SessionReason.SETTINGS_CHANGED in reasons(pair.node.outputs)
    assert (notices(pair.node.outputs)[-1].code, notices(pair.node.outputs)[-1].subcode) == (6, 6)
    pair.run(5.0)
    assert pair.node.session.status.hold_time_s == 30


def test_a_link_local_next_hop_stands_beside_the_global_one() -> None:
    pair = Pair(locals_=(NODE6, ROUTER6))
    pair.node.link_local = LINK_LOCAL
    up(pair, routes("2001:db8:1::7/128"))
    (update,) = pair.router.learnt.values()
    assert updates.addresses(update.next_hop) == (NODE6, LINK_LOCAL)


def test_a_prefix_limit_keeps_what_the_router_has() -> None:
    pair = up(Pair(node=settings(prefix_limit=3)), routes("198.51.100.9/32"))
    pair.node.do(
        Want(routes=routes("198.51.100.1/32", "198.51.100.2/32", "198.51.100.3/32", "198.51.100.9/32"))
    )
    pair.run(1.0)
    assert len(pair.router.learnt) == 3
    assert ip_network("198.51.100.9/32") in pair.router.learnt
    assert pair.node.session.status.held_back == 1
    pair.node.do(SettingsChanged(settings=settings(prefix_limit=4)))
    pair.run(1.0)
    assert len(pair.router.learnt) == 4


def test_ipv6_over_ipv4_needs_an_address_of_the_other_family() -> None:
    pair = up(Pair(), routes("2001:db8:1::7/128"))
    assert pair.router.learnt == {}
    assert pair.node.session.status.held_back == 1
    told = Pair()
    told.node.other_family = NODE6
    up(told, routes("2001:db8:1::7/128"))
    assert [updates.addresses(u.next_hop) for u in told.router.learnt.values()] == [(NODE6,)]


def happen(pair: Pair, word: str, number: int) -> None:
    match word:
        case "want":
            alike = Attributes(communities=(number % 3,))
            prefixes = [*hosts(number), *hosts6(number)]
            pair.node.do(Want(routes=RouteSet.of((p, alike) for p in prefixes[number % 5 :])))
        case "cut":
            pair.cut()
            pair.router.unread.clear()
        case "stop reading":
            pair.stop_reading(pair.router)
        case "read":
            pair.read_again(pair.router)
        case "drain" | "undrain":
            pair.node.do(Drain(stage=Stage.BEGIN if word == "drain" else Stage.END))
        case "bfd":
            pair.node.do(BfdDown())
        case _:
            pass


wishes = st.lists(
    st.tuples(
        st.sampled_from(
            ["want", "want", "want", "cut", "stop reading", "read", "drain", "undrain", "bfd", "pass"]
        ),
        st.integers(0, 40),
        st.floats(0.0, 3.0),
    ),
    max_size=25,
)


@effort(max_examples=60)
@given(wishes, st.integers(0, 2**16))
def test_whatever_happens_between_the_router_ends_with_what_is_wanted(
    steps: list[tuple[str, int, float]], seed: int
) -> None:
    pair = Pair(seed=seed, node=settings(hold_time_s=30))
    pair.start()
    for word, number, seconds in steps:
        happen(pair, word, number)
        pair.run(seconds)
    pair.node.do(Drain(stage=Stage.END))
    pair.node.do(Want(routes=routes("198.51.100.200/32", "198.51.100.3/32", communities=(77,))))
    pair.read_again(pair.router)
    pair.run(400.0)
    assert states(pair) == BOTH
    assert {str(p) for p in pair.router.learnt} == {"198.51.100.200/32", "198.51.100.3/32"}
    for update in pair.router.learnt.values():
        assert values(update)[Kind.COMMUNITIES] == (77).to_bytes(4)
