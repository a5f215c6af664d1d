"""What the programs on this node say, asked on their sockets, one after the other, by every verb alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bareway.cli.asking.sockets import SOCKETS, Silent, ask
from bareway.model.cluster import Cluster, Unknown
from bareway.model.status import ControllerStatus, SpeakerStatus


class NobodyHere(Exception):
    """No program answers on this node; the sentence says which were asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Who answered, by socket, in the order in which they were asked."""

    controllers: Mapping[Path, ControllerStatus] = field(default_factory=dict)
    speakers: Mapping[Path, SpeakerStatus] = field(default_factory=dict)
    silent: tuple[Silent, ...] = ()
    """Whose answer is missing; a usual socket that is not there is missed only where nobody answered."""

    @property
    def is_nobody(self) -> bool:
        """Whether no program answered at all."""
        return not self.controllers and not self.speakers

    @property
    def silence(self) -> str:
        """Why somebody did not, as a sentence."""
        return "; ".join(one.sentence for one in self.silent)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """The same for an answer."""
        return tuple(Unknown(subject=str(one.path), why=one.sentence) for one in self.silent)

    def cluster(self) -> Cluster:
        """In the form that a whole cluster has."""
        return Cluster(
            controllers=tuple(self.controllers.values()),
            speakers={one.node: one for one in self.speakers.values()},
            unknown=self.unknown,
        )


def hear(
    named: Sequence[Path],
    *,
    timeout_s: float,
    usual: Sequence[Path] = SOCKETS,
    addresses: Sequence[str] = (),
) -> Heard:
    """Ask on the ``named`` sockets, or on the ``usual`` ones if there are none; speakers of ``addresses``."""
    answers = {path: ask(path, timeout_s, addresses) for path in named or usual}
    silent = [one for one in answers.values() if isinstance(one, Silent)]
    if not named and len(silent) < len(answers):
        silent = [one for one in silent if not one.is_absent]  # a node need not run both
    return Heard(
        controllers={path: one for path, one in answers.items() if isinstance(one, ControllerStatus)},
        speakers={path: one for path, one in answers.items() if isinstance(one, SpeakerStatus)},
        silent=tuple(silent),
    )


def gather_here(named: Sequence[Path], *, timeout_s: float, usual: Sequence[Path] = SOCKETS) -> Cluster:
    """What they say, in the form that a whole cluster has.

    Raises:
        NobodyHere: no program answers.
    """
    heard = hear(named, timeout_s=timeout_s, usual=usual)
    if heard.is_nobody:
        raise NobodyHere(heard.silence)
    return heard.cluster()
