"""Which edge to a peer counts when there are two.

A later call takes the place of an earlier one: somebody found the earlier one to be of no use. When calls
cross, the one by the lower name counts, and who made the other hangs it up: the two ends never hang up each
other's. Until that has happened the surplus edge stays, and takes over should the first one end.
"""

from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

from bareway.model.names import NodeName

CROSSED_S: Final = 1.0
"""Two calls of both ends within this time crossed: neither can have seen the other's."""


class AnyEdge(Protocol):
    """What the table asks of an edge."""

    @property
    def peer(self) -> NodeName:
        """Who is at the other end."""
        ...

    @property
    def dialled(self) -> bool:
        """Whether we dialled."""
        ...

    @property
    def opened_at(self) -> float:
        """When it was opened."""
        ...


E = TypeVar("E", bound=AnyEdge)


class EdgeTable(Generic[E]):
    """At most two edges to each peer, one dialled by each end; the first is the one that counts."""

    def __init__(self, me: NodeName) -> None:
        self._me = me
        self._edges: dict[NodeName, list[E]] = {}

    def __iter__(self) -> Iterator[E]:
        """All edges."""
        return (edge for edges in self._edges.values() for edge in edges)

    def __contains__(self, edge: E) -> bool:
        return edge in self._edges.get(edge.peer, ())

    def current(self, peer: NodeName) -> E | None:
        """The edge that counts."""
        edges = self._edges.get(peer)
        return edges[0] if edges else None

    def add(self, edge: E) -> list[E]:
        """Enter a new edge; returns those to hang up, which may be the new one."""
        edges = self._edges.setdefault(edge.peer, [])
        surplus = [
            old for old in edges if old.dialled == edge.dialled or edge.opened_at - old.opened_at > CROSSED_S
        ]
        edges[:] = sorted(
            [edge, *(old for old in edges if old not in surplus)], key=self._is_by_lower_name, reverse=True
        )
        if len(edges) > 1 and edges[1].dialled:
            surplus.append(edges.pop())
        return surplus

    def remove(self, edge: E) -> None:
        """Forget an edge that ended, if it is still known."""
        edges = self._edges.get(edge.peer, [])
        if edge in edges:
            edges.remove(edge)
        if not edges:
            self._edges.pop(edge.peer, None)

    def pop(self, peer: NodeName) -> list[E]:
        """Forget all edges to a peer; returns them."""
        return self._edges.pop(peer, [])

    def _is_by_lower_name(self, edge: E) -> bool:
        return edge.dialled == (self._me < edge.peer)
