"""Under which conditions a scenario is measured."""

import msgspec

FAMILIES = {"4": ("IPv4",), "6": ("IPv6",), "46": ("IPv4", "IPv6")}


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a scenario is about."""

    trials: int
    nodes: int = 3
    family: str = "46"
    """``46`` = one Service with an address of each family, watched side by side."""
    profile: str = "default"
    """Of gossip: default, fast or wan."""
    addresses: int = 1
    """How many Services, where a scenario is about many."""
    loss: float = 0.0
    """Per cent of the frames between the nodes that are lost, where a scenario is about loss."""
    minutes: float = 0.0
    """How long it lasts, where a scenario is about time."""

    @property
    def families(self) -> tuple[str, ...]:
        """As a Service spells them."""
        return FAMILIES[self.family]
