"""What becomes of an address that nobody holds: who it waits for, how long it has been free, who shuns it.

The memory is compared with who holds it now, so that a release is noticed at once, whoever caused it, and
also if it happened while no controller ran.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bareway.model.configuration import Pool, Reuse
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.names import IPAddress, ServiceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Why a free address is not given like any other, or is given last."""

    hold: Hold | None = None
    freed_at: int | None = None
    """Only in pools of ``reuse: oldest``; None = never given, or forgotten."""
    quarantined_until: int | None = None

    @property
    def ends(self) -> tuple[int, ...]:
        """When something about it ends."""
        hold = () if self.hold is None else (self.hold.until,)
        return hold if self.quarantined_until is None else (*hold, self.quarantined_until)


def remembers(pool: Pool) -> bool:
    """Whether the pool asks for its frees to be remembered."""
    return pool.reuse is Reuse.OLDEST or pool.hold_after_delete_s > 0


def rest(
    address: IPAddress,
    pool: Pool,
    *,
    memory: AllocationMemory,
    now: int,
    has_another: Callable[[ServiceKey], bool],
) -> Rest | None:
    """What is to be known of a free ``address`` of ``pool``; None = nothing.

    Args:
        address: one that nobody holds.
        pool: where it is in.
        memory: with the holders that it had when it was looked at last.
        now: Unix seconds.
        has_another: whether a Service holds another address of the same family: then none waits for it.
    """
    former = memory.holders.get(address, ())
    quarantined_until = memory.quarantine.get(address, 0)
    found = Rest(
        hold=_hold(pool, former, memory.holds.get(address), now, has_another),
        freed_at=_freed_at(pool, former, memory.freed.get(address), now),
        quarantined_until=quarantined_until if quarantined_until > now else None,
    )
    return None if found == _NOTHING else found


_NOTHING = Rest()


def _hold(
    pool: Pool,
    former: tuple[ServiceKey, ...],
    held: Hold | None,
    now: int,
    has_another: Callable[[ServiceKey], bool],
) -> Hold | None:
    """Of several that shared it, it waits for the oldest."""
    if pool.hold_after_delete_s <= 0:
        return None
    if former:
        held = Hold(service=former[0], until=now + int(pool.hold_after_delete_s))
    if held is None or held.until <= now or has_another(held.service):
        return None
    return held


def _freed_at(pool: Pool, former: tuple[ServiceKey, ...], freed_at: int | None, now: int) -> int | None:
    if pool.reuse is not Reuse.OLDEST:
        return None
    return now if former else freed_at
