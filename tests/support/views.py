"""A view and what is said about its members, for tests: names, reports and deaths."""

from bareway.gossip.member import MemberState, Report
from bareway.gossip.membership import Membership
from bareway.model.names import NodeName

ME, A, B, C = (NodeName(name) for name in ("me", "a", "b", "c"))
S = 0.25
ALIVE, SUSPECT, DEAD, LEFT = MemberState.ALIVE, MemberState.SUSPECT, MemberState.DEAD, MemberState.LEFT


def said(
    name: NodeName,
    state: MemberState = ALIVE,
    *,
    by: NodeName | None = None,
    epoch: int = 1,
    incarnation: int = 0,
    crashed: bool = False,
) -> Report:
    return Report(
        name=name, epoch=epoch, incarnation=incarnation, state=state, by=by or name, crashed=crashed
    )


def membership(*names: NodeName, heard: frozenset[NodeName] = frozenset()) -> Membership:
    made = Membership(
        own=said(ME), hears=lambda name: name in heard, suspicion_s=lambda _: S, born_at=0.0, changed_at=0.0
    )
    for name in names:
        made.hear(said(name), now=1.0)
    made.take_news()
    made.take_changes()
    return made


def state(of: Membership, name: NodeName) -> MemberState:
    member = of.get(name)
    assert member is not None
    return member.state


def die(group: Membership, name: NodeName, *, at: float) -> None:
    """Others accuse it, and then say that it is dead."""
    group.hear(said(name, SUSPECT, by=B), now=at - S)
    group.hear(said(name, DEAD, by=B), now=at)
