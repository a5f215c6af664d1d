"""This speaker's memory of who had an address: it sees what the gossip machine sees, and knows the API."""

from bareway.decide.announcement.leaving import LeavingReason, leaving_reason
from bareway.decide.announcement.moves import announce_from, named_for
from bareway.decide.answers.history.chronicle import Chronicle
from bareway.decide.answers.history.handovers import Background
from bareway.gossip.changes import Change
from bareway.gossip.events import Event, Output
from bareway.model.history import SpeakerHistory
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.runtime.clock import monotonic, utc_now
from bareway.runtime.gossip.driver import Machine
from speaker.loop import AS_BY_DEFAULT, Speaker
from speaker.watch import Watch


class Historian:
    """Remembers what one machine sees."""

    def __init__(self, me: NodeName, *, watch: Watch, speaker: Speaker) -> None:
        self._watch = watch
        self._speaker = speaker
        background = Background(why_leaving=self._why_leaving, named_for=self._named_for)
        self._chronicle = Chronicle(me, background, since=monotonic())

    def saw(self, change: Change) -> None:
        """An address changed hands."""
        self._chronicle.saw(change)

    def before(self, event: Event, *, now: float) -> None:
        """The machine is about to take this event."""
        self._chronicle.before(event, now=now)

    def tell(self, address: IPAddress | None) -> SpeakerHistory:
        """What is remembered of one address, or of all."""
        key = None if address is None else self._key_of(address)
        return self._chronicle.history(key, now=monotonic(), wall=utc_now())

    def _key_of(self, address: IPAddress) -> IPAddress:
        """The key of its group, under which it is claimed; itself where no group has it."""
        groups = self._speaker.decided.groups
        if address in groups:
            return address
        return next((key for key, group in groups.items() if address in group.addresses), address)

    def _why_leaving(self, name: NodeName) -> str | None:
        node = self._watch.nodes.objects.get(ObjectKey("", name))
        reason = leaving_reason(node, (self._watch.layer2 or AS_BY_DEFAULT).on_cordon)
        if node is None or reason is None:
            return None
        return f"{reason}: {node.drain}" if reason is LeavingReason.DRAINED and node.drain else str(reason)

    def _named_for(self, key: IPAddress) -> NodeName | None:
        group = self._speaker.decided.groups.get(key)
        if group is None:
            return None
        found = (self._watch.services.objects.get(service) for service in group.services)
        return named_for(group, announce_from(one for one in found if one is not None))


class Witnessed:
    """A machine whose events somebody sees first."""

    def __init__(self, machine: Machine, historian: Historian) -> None:
        self._machine = machine
        self._historian = historian

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """Pass it on."""
        self._historian.before(event, now=now)
        return self._machine.handle(event, now=now)

    @property
    def deadline(self) -> float:
        """The machine's."""
        return self._machine.deadline
