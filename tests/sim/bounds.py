"""How soon, after one fault in calm, and that nothing else moves: the bounds of single faults.

I4, I7 and I11 of the plan: who crashed is dead everywhere within the profile's bound; what it held is
answered again within that; what others held stays with them. Looked at where a fault strikes a cluster that
was calm for longer than anything remembers, and no other follows before the bound is over.
"""

from dataclasses import dataclass

from bareway.gossip.profile import CRASH_GRACE_S, LADDER_STEP_S, LISTS_LATE_S
from bareway.model.announcer_lists import Entry
from bareway.model.configuration import Partition
from bareway.model.names import IPAddress, NodeName
from sim.acts import RESTARTS_S
from sim.api import entry_of
from sim.broken import broken
from sim.checkers import PROVOKED_S, WHOLE_S, Checkers
from sim.scripts import Fault
from sim.world import World

FLOOD_S = 0.06
"""A flood through the cluster, on both sides of it a turn of a program."""
WATCH_S = 0.06
"""Until a speaker sees what changed in the API."""
START_S = 0.2
"""A restarted program and its push-pull, besides its caches."""
CHECK_S = 0.5
"""What is new is looked for on the link first."""
CONFIRMERS = 3
"""So many others see a silence themselves: then a suspicion has its shortest time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The moment before a fault."""

    fault: Fault
    at: float
    number: int
    """How many faults there were."""
    owners: dict[IPAddress, NodeName]
    entries: dict[IPAddress, Entry | None]
    moving: frozenset[IPAddress]
    """By a list that was written before and is on its way to somebody."""
    gaps: int
    """How many vacancies had ended."""
    bound_s: float
    """So long nobody may answer for what it strikes."""
    is_death: bool


class Bounds:
    """Of one world."""

    def __init__(self, world: World, checkers: Checkers, *, lag_s: float) -> None:
        """``lag_s`` passes until a process knows the API's objects."""
        self._world = world
        self._lag_s = lag_s
        self._checkers = checkers
        self._faults = 0
        self.judged: dict[str, int] = {}
        """How often each kind was looked at."""

    def before(self, fault: Fault) -> None:
        """A fault is about to happen."""
        self._faults += 1
        world = self._world
        if fault.kind == "heal":
            self._before_heal()
            return
        if fault.kind in {"want", "want in the dark"}:
            self._before_want()
            return
        bound_s = self._bound_s(fault)
        if bound_s is None or not self._is_calm(fault):
            return
        owners = {key: names[0] for key, names in world.owners().items() if len(names) == 1}
        entries = {key: entry_of(world.api.lists, key) for key in owners}
        before = Before(
            fault=fault,
            at=world.now,
            number=self._faults,
            owners=owners,
            entries=entries,
            moving=frozenset(
                key for key, owner in owners.items() if self._is_planned(key, owner, entries[key])
            ),
            gaps=len(self._checkers.answers.gaps),
            bound_s=bound_s,
            is_death=fault.kind in {"off", "isolate", "freeze"},
        )
        world.at(world.now + bound_s + 0.3, self._judge, before)

    def end(self) -> None:
        """All faults end now: what the last one leads to is another thing than was promised."""
        self._faults += 1

    # ------------------------------------------------------------ after a partition

    def _before_heal(self) -> None:
        """The greater side loses nothing by a repair, if the sides stood still for longer than memory."""
        world = self._world
        if world.now - world.whole_since < PROVOKED_S or world.network.loss or world.segment.strangers:
            return
        if any(host.running and host.facts.leaving for host in world.hosts.values()):
            return  # what they hold is up for taking, on both sides
        self._checkers.contact.look()
        sides = self._checkers.contact.groups()
        greatest = max(sides, key=len)
        if len(sides) < 2 or any(len(side) == len(greatest) for side in sides if side is not greatest):
            return
        owners = {key: [name for name in names if name in greatest] for key, names in world.owners().items()}
        kept = {key: names[0] for key, names in owners.items() if len(names) == 1}
        entries = {key: entry_of(world.api.lists, key) for key in kept}
        world.at(world.now + WHOLE_S, self._after_heal, self._faults, kept, entries)

    def _after_heal(
        self, number: int, kept: dict[IPAddress, NodeName], entries: dict[IPAddress, Entry | None]
    ) -> None:
        if self._faults != number:
            return
        self.judged["heal"] = self.judged.get("heal", 0) + 1
        for key, owner in kept.items():
            entry = entries[key]
            if entry_of(self._world.api.lists, key) != entry or key not in self._world.wanted:
                continue
            names = self._world.answering(key)
            is_listed = entry is not None and names == list(entry.nodes[:1])
            if names != [owner] and not is_listed:
                self._broken(
                    f"{key} is answered by {names} after the repair, by {owner} of the greater side before"
                )

    # ------------------------------------------------------------ a new address

    def _before_want(self) -> None:
        """A new address is answered for after the turns of those that do not know it yet."""
        world = self._world
        if world.api.slow_s or not self._is_whole() or self._is_unsettled():
            return
        bound_s = LISTS_LATE_S + len(world.names) * LADDER_STEP_S + CHECK_S + WATCH_S + FLOOD_S
        world.at(world.now + bound_s + 0.3, self._after_want, self._faults, world.now, bound_s)

    def _is_unsettled(self) -> bool:
        """Whether somebody is perhaps not yet held for what it is."""
        profile = self._world.profile
        settled_s = max(PROVOKED_S, profile.silence_s + 6 * profile.suspicion_s + 1.0)
        return self._world.now - self._world.whole_since <= settled_s

    def _after_want(self, number: int, since: float, bound_s: float) -> None:
        world, answers = self._world, self._checkers.answers
        if self._faults != number:
            return
        for key, at in world.wanted_since.items():
            if not since <= at <= world.now - bound_s:
                continue
            self.judged["want"] = self.judged.get("want", 0) + 1
            willing = [name for name in self._checkers.eligible(key) if not world.hosts[name].facts.leaving]
            if willing and not answers.reach_client(key):
                self._broken(f"nobody answers for {key}, new since {at:.4f}, could: {willing}")

    def _bound_s(self, fault: Fault) -> float | None:
        """None: nothing is promised about this kind."""
        profile = self._world.profile
        death_s = profile.silence_s + profile.suspicion_s + profile.interval_s + FLOOD_S
        if fault.kind == "freeze" and fault.seconds <= death_s + 0.3:
            return None
        if fault.kind == "link down" and fault.number % 2:
            return None  # gossip goes with it: as a cut, but its own kernel knows
        restart_s = RESTARTS_S[fault.number % len(RESTARTS_S)] + self._lag_s + START_S
        bounds = {
            **dict.fromkeys(("off", "isolate", "freeze"), death_s),
            **dict.fromkeys(("link down", "leave", "unable"), FLOOD_S),
            **dict.fromkeys(("drain", "terminate"), WATCH_S + FLOOD_S),
            "kill": CRASH_GRACE_S + FLOOD_S,
            "crash": restart_s,
        }
        return bounds.get(fault.kind)

    def _is_calm(self, fault: Fault) -> bool:
        world = self._world
        running = [host for host in world.hosts.values() if host.running]
        return (
            world.now - world.whole_since > PROVOKED_S
            and self._is_whole()
            and not world.api.away
            and len(running) > CONFIRMERS
            and world.hosts[fault.name] in running
            and world.hosts[fault.name].facts.able
        )

    def _is_whole(self) -> bool:
        world = self._world
        return (
            world.network.loss == 0
            and not world.network.cuts
            and not world.segment.strangers
            and all(part == 0 for part in world.segment.part.values())
            and all(host.has_link and not host.frozen and not host.is_lax for host in world.hosts.values())
        )

    # ------------------------------------------------------------ afterwards

    def _judge(self, before: Before) -> None:
        if self._faults != before.number:
            return
        kind, victim = before.fault.kind, before.fault.name
        self.judged[kind] = self.judged.get(kind, 0) + 1
        if before.is_death:
            self._look_at_views(victim)
        for key, owner in before.owners.items():
            if key not in self._world.wanted or entry_of(self._world.api.lists, key) != before.entries[key]:
                continue
            if key in before.moving or self._is_planned(key, owner, before.entries[key]):
                continue
            if owner != victim or kind == "crash":
                self._look_at_owner(key, owner, before)
            if owner == victim:
                self._look_at_gap(key, before)

    def _is_planned(self, key: IPAddress, owner: NodeName, entry: Entry | None) -> bool:
        """Whether a list is newer than the claim."""
        process = self._world.hosts[owner].process
        claim = None if process is None else next((c for c in process.claims() if c.address == key), None)
        return entry is not None and (claim is None or entry.generation > claim.generation)

    def _look_at_views(self, victim: NodeName) -> None:
        for host in self._world.hosts.values():
            if host.running and host.name != victim and host.process is not None:
                member = next((one for one in host.process.members() if one.name == victim), None)
                if member is not None and member.lives:
                    self._broken(f"{host.name} still holds {victim} alive")

    def _look_at_owner(self, key: IPAddress, owner: NodeName, before: Before) -> None:
        names = self._checkers.answers.reach_client(key)
        if names != [owner]:
            what = f"after {before.fault.kind} {before.fault.name} at {before.at:.4f}"
            self._broken(f"{key} is answered by {names}, not by {owner} any more, {what}")

    def _look_at_gap(self, key: IPAddress, before: Before) -> None:
        kind, victim = before.fault.kind, before.fault.name
        others = [name for name in self._checkers.eligible(key) if name != victim]
        willing = [name for name in others if not self._world.hosts[name].facts.leaving]
        if kind != "crash" and not (willing if kind in {"drain", "terminate"} else others):
            return
        if self._world.partition is Partition.SAFE and len(others) * 2 <= len(self._world.names):
            return
        gaps = self._checkers.answers.gaps[before.gaps :]
        lengths = [end - since for each, since, end in gaps if each == key]
        if key in self._checkers.answers.vacant_since:
            lengths.append(self._world.now - self._checkers.answers.vacant_since[key])
        longest_s = max(lengths, default=0.0)
        bound_s = 0.0 if kind in {"drain", "terminate"} else before.bound_s
        if longest_s > bound_s:
            self._broken(f"{key} was not answered for {longest_s:.3f} s after {kind} {victim}")

    def _broken(self, text: str) -> None:
        broken(self._world, self._world.seed, text)
