"""Who else answers for our addresses: what speakers found on their links."""

from collections.abc import Iterator
from typing import Final

from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.answers.strangers import STRANGERS, Stranger
from bareway.model.answers import Finding, Gravity
from bareway.model.status import FindingStatus

UNHEARD_OF: Final = Stranger(
    gravity=Gravity.BROKEN,
    evidence="",
    consequence="Clients may reach the wrong station.",
    remedy="See what the station with MAC {mac} is, and take {address} away from it.",
)
"""A word that only newer speakers know."""


def check(view: DoctorView) -> Iterator[Finding]:
    """Each station and word once, with one of its addresses; several speakers see the same.

    A node is one station, on however many interfaces it answers.
    """
    found: dict[tuple[str, str], list[tuple[str, FindingStatus]]] = {}
    for name, speaker in sorted(view.cluster.speakers.items()):
        for one in speaker.findings:
            found.setdefault((one.reason, one.node or one.mac), []).append((name, one))
    for (word, _), sightings in sorted(found.items()):
        by, first = sightings[0]
        mac = first.mac
        addresses = sorted({one.address for _, one in sightings}, key=lambda it: (it.version, int(it)))
        more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
        who = f"node {first.node} ({mac})" if first.node else f"a station that is no node of ours ({mac})"
        known = STRANGERS.get(word, UNHEARD_OF)
        yield Finding(
            word=word,
            gravity=known.gravity,
            subject=str(addresses[0]),
            evidence=f"As the speaker on {by} sees it, {who} answers for {addresses[0]}{more}.",
            consequence=known.consequence.format(address=addresses[0]),
            remedy=known.told_remedy.format(address=addresses[0], mac=mac),
        )
