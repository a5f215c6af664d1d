"""Hosts that remember who had which address, as their speakers do, and what several of them say together."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bareway.decide.answers.history.chronicle import Chronicle
from bareway.decide.answers.history.handovers import Background
from bareway.decide.answers.history.merging import Told, merge
from bareway.gossip.events import Event
from bareway.gossip.profile import START_MAX_S
from bareway.model.history import SpeakerHistory
from bareway.model.names import IPAddress, NodeName
from sim.hosts import Host
from sim.world import World

BEGAN: datetime = datetime(2026, 11, 21, 3, tzinfo=UTC)
"""The time of day when the world began."""


class RememberingWorld(World):
    """Each process has a memory of its own, which ends with it."""

    def __init__(self, **options: Any) -> None:
        self.chronicles: dict[NodeName, Chronicle] = {}
        self.named: dict[IPAddress, NodeName] = {}
        """Nodes that Services name."""
        super().__init__(**options)

    def boot(self, name: NodeName, *, lag_s: float = 0.1) -> None:
        self.chronicles[name] = Chronicle(
            name, Background(why_leaving=self._why_leaving, named_for=self.named.get), since=self.now
        )
        super().boot(name, lag_s=lag_s)
        process = self.hosts[name].process
        assert process is not None
        process._election._witness = self.chronicles[name].saw

    def give(self, host: Host, event: Event) -> None:
        if host.pause is None:
            self.chronicles[host.name].before(event, now=self.now)
        super().give(host, event)

    def history(self, name: NodeName, key: IPAddress | None = None) -> SpeakerHistory:
        """What one of them would answer now."""
        return self.chronicles[name].history(key, now=self.now, wall=self.at_day(self.now))

    def told(self, *names: NodeName, since: float = 0.0) -> Sequence[Told]:
        """What these, or all that run, say together."""
        asked = names or tuple(name for name, host in self.hosts.items() if host.process is not None)
        return merge((self.history(name) for name in asked), since=self.at_day(since))

    def at_day(self, moment: float) -> datetime:
        """A moment of the world as a time of day."""
        return BEGAN + timedelta(seconds=moment)

    def _why_leaving(self, name: NodeName) -> str | None:
        return "Drained: new disk" if name in self.api.objects.drained else None


def remembering(seed: int, *, nodes: int = 3, addresses: int = 20) -> RememberingWorld:
    """A group that is up."""
    world = RememberingWorld(seed=seed, nodes=nodes, addresses=addresses)
    world.boot_all()
    world.run(START_MAX_S + 1)
    return world
