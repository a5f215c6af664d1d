"""What every check of ``bareway doctor`` is given."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bareway.model.cluster import Cluster
from bareway.model.configuration import Pool, Protocol
from bareway.model.surroundings import Surroundings

OUR_PODS, NODES, SLICES = "our Pods", "Nodes", "EndpointSlices"
"""How ``unknown`` calls what checks ask about."""
NAMED_MAX = 3
"""Things named in one sentence; how many more there are is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorView:
    """A cluster and what is around it, as far as it could be found out."""

    cluster: Cluster = field(default_factory=Cluster)
    surroundings: Surroundings = field(default_factory=Surroundings)

    def knows(self, subject: str) -> bool:
        """Whether it was found out; ``subject`` is how ``unknown`` calls it."""
        unknown = (*self.cluster.unknown, *self.surroundings.unknown)
        return all(one.subject != subject for one in unknown)

    @property
    def is_installed(self) -> bool | None:
        """Whether there is anything of ours; None = that could not be found out."""
        cluster = self.cluster
        if cluster.pods or cluster.controllers or cluster.speakers:
            return True
        return False if self.knows(OUR_PODS) else None

    @property
    def layer2_pools(self) -> Iterator[Pool]:
        """Those whose addresses are answered for by ARP and NDP."""
        configuration = self.cluster.configuration
        for pool in configuration.pools if configuration is not None else ():
            if pool.protocol is Protocol.LAYER2:
                yield pool

    @property
    def needs_layer2(self) -> bool:
        """Whether addresses are answered for on links, as far as is known."""
        return self.cluster.configuration is None or any(True for _ in self.layer2_pools)


def some(names: list[str]) -> str:
    """The first few, and how many more: ``a, b, c and 4 more``."""
    shown = ", ".join(names[:NAMED_MAX])
    return f"{shown} and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else shown
