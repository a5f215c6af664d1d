"""What several speakers remember, put together: each change of hands once, as the one who knows best saw it.

The same claim is the same change, whoever heard it. Who made the claim knows when and why; how long nobody
answered is told best by whoever heard the former holder last. Clocks of nodes differ: every time is that of
the speaker it comes from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bareway.decide.answers.history.handovers import SEAMLESS, SILENT, HandoverReason
from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import IPAddress, NodeName

VAGUE: Final = (HandoverReason.UNEXPLAINED, HandoverReason.FIRST_CLAIM, HandoverReason.HOLDER_GONE)
"""What somebody says who does not know much, the least first: anybody else's word is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One change of hands, as all who were asked know it."""

    handover: Handover
    seen_by: tuple[NodeName, ...]
    """Whose memory it stands in, by name."""
    gap_by: NodeName | None
    """Who measured the gap; None: it is known without, or nobody could tell."""


def merge(histories: Iterable[SpeakerHistory], *, since: datetime | None = None) -> tuple[Told, ...]:
    """All changes that anybody remembers, the oldest first; ``since``: none from before."""
    told = (_together(some) for some in _alike(histories))
    wanted = [one for one in told if since is None or one.handover.at >= since]
    return tuple(sorted(wanted, key=_by_time))


def complete_from(histories: Iterable[SpeakerHistory]) -> datetime | None:
    """From when on nothing is missing; None if nobody answered."""
    return min((one.since for one in histories), default=None)


_Sighting = tuple[NodeName, Handover]


def _alike(histories: Iterable[SpeakerHistory]) -> Iterable[list[_Sighting]]:
    """Sightings of the same change. A claim may be made again once all forgot it: nobody sees it twice."""
    found: dict[tuple[IPAddress, int, int, NodeName | None], list[dict[NodeName, Handover]]] = {}
    sightings = ((history.node, handover) for history in histories for handover in history.handovers)
    for node, handover in sorted(sightings, key=lambda pair: (pair[1].at, pair[0])):
        claim = (handover.address, handover.generation, handover.count, handover.holder)
        changes = found.setdefault(claim, [])
        if not changes or node in changes[-1]:
            changes.append({})
        changes[-1][node] = handover
    return [list(one.items()) for changes in found.values() for one in changes]


def _together(sightings: list[_Sighting]) -> Told:
    _, best = min(sightings, key=_worth)
    gap_s, gap_by = _gap(best, sightings)
    details = (one.detail for _, one in sightings if one.reason == best.reason and one.detail)
    detail = best.detail or next(details, "")
    return Told(
        handover=replace(best, gap_s=gap_s, detail=detail),
        seen_by=tuple(sorted(node for node, _ in sightings)),
        gap_by=gap_by,
    )


def _worth(sighting: _Sighting) -> tuple[int, bool, datetime, NodeName]:
    """Who says something definite comes first, then whoever made the claim, then whoever saw it first."""
    node, handover = sighting
    is_own = node == (handover.holder or handover.former)
    return (_VAGUENESS.get(handover.reason, 0), not is_own, handover.at, node)


_VAGUENESS: Final[Mapping[str, int]] = {word: len(VAGUE) - number for number, word in enumerate(VAGUE)}


def _gap(best: Handover, sightings: list[_Sighting]) -> tuple[float | None, NodeName | None]:
    """The shortest of all: whoever heard the former holder last knows best how long it was silent."""
    if best.reason in SEAMLESS:
        return best.gap_s, None
    known = [(one.gap_s, node) for node, one in sightings if one.reason in SILENT and one.gap_s is not None]
    if best.reason not in SILENT or not known:
        return None, None
    return min(known)


def _by_time(told: Told) -> tuple[datetime, int, int, int, int]:
    handover = told.handover
    address = handover.address
    return (handover.at, address.version, int(address), handover.generation, handover.count)
