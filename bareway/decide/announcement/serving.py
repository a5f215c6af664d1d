"""On which nodes a Service is served now, from its EndpointSlices."""

from collections.abc import Iterable

from bareway.model.endpoints import EndpointSlice
from bareway.model.names import NodeName, ServiceKey


def serving_nodes(slices: Iterable[EndpointSlice]) -> dict[ServiceKey, frozenset[NodeName | None]]:
    """For each Service the nodes on which an endpoint serves; None stands for an endpoint without a node."""
    found: dict[ServiceKey, set[NodeName | None]] = {}
    for piece in slices:
        if piece.service is not None:
            nodes = {
                endpoint.node for endpoint in piece.endpoints if endpoint.can_serve and endpoint.addresses
            }
            found.setdefault(piece.service, set()).update(nodes)
    return {service: frozenset(nodes) for service, nodes in found.items()}
