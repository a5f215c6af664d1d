"""On which nodes a Service is served now, from its EndpointSlices."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from bareway.model.endpoints import EndpointSlice
from bareway.model.names import NodeName, ServiceKey
from bareway.model.steps import Steps, finish, pieces

Serving: TypeAlias = Mapping[ServiceKey, frozenset[NodeName | None]]
"""For each Service the nodes on which an endpoint serves; None stands for an endpoint without a node."""


def serving_nodes(slices: Iterable[EndpointSlice]) -> Serving:
    """Where all Services are served."""
    return finish(serving_in_steps(slices))


def serving_in_steps(slices: Iterable[EndpointSlice]) -> Steps[Serving]:
    """The same, so that thousands of slices keep no loop."""
    found: dict[ServiceKey, set[NodeName | None]] = {}
    for piece in pieces(slices):
        for one in piece:
            if one.service is not None:
                nodes = {e.node for e in one.endpoints if e.can_serve and e.addresses}
                found.setdefault(one.service, set()).update(nodes)
        yield
    return {service: frozenset(nodes) for service, nodes in found.items()}
