"""What allocation remembers beyond what Kubernetes shows: who held what, what waits, what is shunned.

Times are whole seconds of Unix time, since they outlive a process; nothing but the age of an address depends
on them, so a clock that jumps gives an address a little earlier or later, and never twice. `remember` bounds
how much later: as if what lasts had begun now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareway.model.names import IPAddress, ServiceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A freed address that waits for its old Service's name."""

    service: ServiceKey
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationMemory:
    """The content of ConfigMap ``bareway-state``; empty where no pool asks for it."""

    holders: Mapping[IPAddress, tuple[ServiceKey, ...]] = field(default_factory=dict)
    """Who held each address when it was last looked at, in pools that remember: a release that happens while
    no controller runs is noticed by it."""
    freed: Mapping[IPAddress, int] = field(default_factory=dict)
    """When an address was freed last, in pools of ``reuse: oldest``."""
    holds: Mapping[IPAddress, Hold] = field(default_factory=dict)
    quarantine: Mapping[IPAddress, int] = field(default_factory=dict)
    """Until when an address that a stranger answered for is not given."""
