"""What must hold at every moment, and in the end.

A pair of node and router is *settled* (all is as the View decides, and nothing was done to either for a
while), *kept* (a restart that routers shall not notice is under way), or *loose*. Of a settled pair nothing
may be lost; of a kept one no route; of a loose one anything, within its bounds.
"""

from collections import Counter
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final

from bareway.bgp.attributes import GRACEFUL_SHUTDOWN
from bareway.bgp.events import SessionReason, Stage
from bareway.bgp.fsm import State
from bareway.bgp.routes import RouteSet, community
from bareway.model.names import IPNetwork
from sim.routers.cluster import Objects, decided
from sim.routers.node import NOTICE_S

if TYPE_CHECKING:
    from sim.routers.node import Node
    from sim.routers.router import Rib, Router
    from sim.routers.tcp import End, Host
    from sim.routers.world import World

Pair = tuple[str, str]
AFTERMATH_S: Final = 2.0
"""Beyond a hold time: after trouble has ended, what follows from it has happened by then."""
SLACK_S: Final = 0.15
VIEW_S: Final = 0.35
"""From a change in the API to the router: a watch, a turn, a link."""
LATE_S: Final = 60.0
"""The same while the speaker, the API or the way between them is not there."""
PREFERRED_S: Final = 0.6
"""From a drain mark until routers that heed it send elsewhere."""


class Standing(Enum):
    """Of a pair."""

    LOOSE = "loose"
    KEPT = "kept"
    SETTLED = "settled"


class Checkers:
    """Of one world."""

    def __init__(self, world: "World") -> None:
        self.world = world
        pairs = [(node, router) for node in world.nodes for router in world.routers]
        self.standing = dict.fromkeys(pairs, Standing.LOOSE)
        self.disturbed_at = dict.fromkeys(pairs, 0.0)
        self.kept_since = dict.fromkeys(pairs, inf)
        self.troubles: Counter[Pair] = Counter()
        self.changed_at: dict[IPNetwork, float] = {}
        """When the View last said something else of a prefix, on any node."""
        self.kept_restarts = 0
        self._bad: dict[tuple[str, str, IPNetwork], float] = {}
        self._views: dict[str, tuple[Objects, RouteSet]] = {}

    # ------------------------------------------------------------ what was done to whom

    def disturb(self, pairs: list[Pair]) -> None:
        """Anything may happen to these for a while."""
        for pair in pairs:
            self.standing[pair] = Standing.LOOSE
            self.disturbed_at[pair] = self.world.now

    def begin_trouble(self, pairs: list[Pair]) -> None:
        self.disturb(pairs)
        self.troubles.update(pairs)

    def end_trouble(self, pairs: list[Pair]) -> None:
        self.disturb(pairs)
        self.troubles.subtract(pairs)

    def restarts(self, node: "Node", *, back_s: float, keeps_bfd: bool) -> None:
        """The speaker will be away; routers with graceful restart and BFD that goes on must not notice."""
        for pair in self.world.pairs_of(node):
            plan = self.world.routers[pair[1]].plan
            is_kept = plan.has_restart and (keeps_bfd or not plan.has_bfd) and not self.world.is_api_away
            in_time = back_s + self.world.sync_s + 2.0 < plan.restart_s
            speaker = node.speaker
            is_here = speaker is not None and speaker.stage is Stage.END
            if is_kept and in_time and is_here and self.standing[pair] is Standing.SETTLED:
                self.standing[pair] = Standing.KEPT
                self.kept_since[pair] = self.world.now
                self.disturbed_at[pair] = self.world.now
                self.kept_restarts += 1
            else:
                self.disturb([pair])

    def loosen_kept(self) -> None:
        """Nobody can sync: who restarts has nothing to tell."""
        self.disturb([pair for pair, standing in self.standing.items() if standing is Standing.KEPT])

    def objects_change(self, before: Objects, after: Objects) -> None:
        for name in self.world.nodes:
            old, new = self._view(name, before), self._view(name, after)
            for prefix in old.keys() | new.keys():
                if old.get(prefix) != new.get(prefix):
                    self.changed_at[prefix] = self.world.now
            if before.is_drained(name) != after.is_drained(name):
                if after.is_drained(name):
                    self.world.at(
                        self.world.now + PREFERRED_S, self._look_at_preference, name, self.world.now
                    )
                self.disturb([p for p in self.standing if p[0] == name and self.standing[p] is Standing.KEPT])

    def _view(self, name: str, objects: Objects) -> RouteSet:
        """What the View decides for a node; alike for all its peers."""
        known = self._views.get(name)
        if known is None or known[0] is not objects:
            routes = decided(name, objects)
            known = self._views[name] = (objects, next(iter(routes.values())))
        return known[1]

    def settle(self) -> None:
        """Look who has come to rest."""
        for pair, standing in self.standing.items():
            if standing is not Standing.SETTLED and self._is_at_rest(pair):
                self.standing[pair] = Standing.SETTLED
                self.kept_since[pair] = inf

    def _is_at_rest(self, pair: Pair) -> bool:
        hold_s = self.world.routers[pair[1]].plan.hold_s
        if self.troubles[pair] or self.world.now - self.disturbed_at[pair] < hold_s + AFTERMATH_S:
            return False
        return not self._unlike(pair)

    # ------------------------------------------------------------ at every moment

    def session_is_lost(self, host: "Host", end: "End", reason: SessionReason) -> None:
        pair = self._pair(host, end)
        node = self.world.nodes[pair[0]]
        has_left = node.speaker is not None and node.speaker.has_left
        if self.standing[pair] is Standing.SETTLED and not has_left:
            self._broken(f"{host.name} loses {end.peer.name} ({reason}), and nothing was done to either")
        if has_left:
            self.disturb([pair])

    def route_is_gone(
        self, router: "Router", name: str, prefix: IPNetwork, reason: SessionReason | None
    ) -> None:
        pair = (name, router.name)
        standing, now = self.standing[pair], self.world.now
        if standing is Standing.LOOSE or prefix not in self._view(name, self.world.objects):
            return
        speaker = self.world.nodes[name].speaker
        if speaker is not None and speaker.stage is Stage.BEGIN:
            if not speaker.has_left or now < speaker.noticed_at + NOTICE_S:
                self._broken(f"{router.name} lost {prefix} by {name}, which is drained, before its time")
            return
        since = self.kept_since[pair] if standing is Standing.KEPT else now - VIEW_S
        if self.changed_at.get(prefix, -inf) < since:
            self._broken(f"{router.name} lost {prefix} by {name} ({standing.value}, {reason})")

    def look(self) -> None:
        """Routes to nodes that cannot serve: each for as long as its bound allows, and no longer."""
        bad: dict[tuple[str, str, IPNetwork], float] = {}
        for router in self.world.routers.values():
            for prefix, names in router.fib.items():
                for name in names:
                    if not self._can_serve(router, name, prefix):
                        key = (router.name, name, prefix)
                        since = self._bad.get(key)
                        if since is None:
                            since = self.world.now
                            bound_s = self._bound_s(router, name)
                            self.world.at(since + bound_s, self._judge, key, since, bound_s)
                        bad[key] = since
        self._bad = bad

    def router_is_gone(self, router: "Router") -> None:
        self._bad = {key: since for key, since in self._bad.items() if key[0] != router.name}

    def _can_serve(self, router: "Router", name: str, prefix: IPNetwork) -> bool:
        node = self.world.nodes[name]
        is_there = node.powered and not self.world.net.is_cut(name, router.name)
        return is_there and self.world.objects.serves(name, prefix)

    def _bound_s(self, router: "Router", name: str) -> float:
        """How long a route may lead to a node that cannot serve, from the moment that it cannot."""
        node, plan, rib = self.world.nodes[name], router.plan, router.ribs[name]
        is_dead = not node.powered or self.world.net.is_cut(name, router.name)
        away_s = plan.restart_s + SLACK_S
        if not is_dead:
            speaker = node.speaker
            is_settled = self.standing[name, router.name] is Standing.SETTLED
            knows = speaker is not None and not node.frozen and not self.world.is_api_away
            return VIEW_S if is_settled and knows else LATE_S
        if not rib.is_up:
            return away_s
        bfd = router.bfd.get(name)
        by_hold_s = plan.hold_s + SLACK_S
        if bfd is None or bfd.state.name != "UP":
            return by_hold_s
        by_bfd_s = bfd.detection_time_s + SLACK_S + (away_s if plan.keeps_on_bfd_down else 0.0)
        return min(by_bfd_s, by_hold_s) if not plan.keeps_on_bfd_down else by_bfd_s + by_hold_s

    def _judge(self, key: tuple[str, str, IPNetwork], since: float, bound_s: float) -> None:
        if self._bad.get(key) == since:
            router, name, prefix = key
            pair = (name, router)
            was_away = self.world.is_api_away or self.world.api_back_at >= since
            was_disturbed = was_away or self.disturbed_at[pair] >= since
            if bound_s == VIEW_S and was_disturbed:
                self.world.at(since + LATE_S, self._judge, key, since, LATE_S)
                return
            self._broken(
                f"{router} still sends {prefix} to {name}, which cannot serve it for {bound_s:.3f} s"
            )

    def _look_at_preference(self, name: str, since: float) -> None:
        """Of a drained node routers that heed its word use nothing that others have, too."""
        if not self.world.objects.is_drained(name) or self.world.is_api_away:
            return
        for router in self.world.routers.values():
            pair = (name, router.name)
            if self.standing[pair] is not Standing.SETTLED or not router.plan.heeds_shutdown:
                continue
            for prefix, names in router.fib.items():
                if name in names and self.changed_at.get(prefix, -inf) < since and self._others(pair, prefix):
                    self._broken(f"{router.name} still sends {prefix} to {name}, which is drained")

    def _others(self, pair: Pair, prefix: IPNetwork) -> list[str]:
        router = self.world.routers[pair[1]]
        return [
            name
            for name, rib in router.ribs.items()
            if name != pair[0]
            and prefix in rib.routes
            and GRACEFUL_SHUTDOWN not in rib.routes[prefix].communities
        ]

    def node_retires(self, node: "Node", since: float) -> None:
        """It was drained for its time and is switched off now: nobody may send there any more."""
        for pair in self.world.pairs_of(node):
            router = self.world.routers[pair[1]]
            rib = router.ribs.get(node.name)
            left_at = node.speaker.noticed_at if node.speaker is not None else since
            was_left_alone = self.troubles[pair] == 0 and self.disturbed_at[pair] <= left_at + NOTICE_S + 0.5
            if rib is not None and rib.routes and was_left_alone:
                self._broken(f"{router.name} still has routes by {node.name}, which is drained and ends")

    # ------------------------------------------------------------ in the end

    def unlike(self) -> list[str]:
        """What is not as the View decides, and what still goes on."""
        going_on = [f"{pair}: still in trouble" for pair, number in self.troubles.items() if number]
        return going_on + [text for pair in self.standing for text in self._unlike(pair)]

    def _unlike(self, pair: Pair) -> list[str]:
        node, router = self.world.nodes[pair[0]], self.world.routers[pair[1]]
        rib = router.ribs.get(node.name)
        if rib is None or node.speaker is None:
            return [f"{pair}: one of both is away"]
        if self.world.objects.is_drained(node.name) and node.speaker.has_left:
            return [f"{pair}: routes of a drained node"] if rib.routes else []
        ends = (node.ends.get(router.name), router.ends.get(node.name))
        states = {end.session.state for end in ends if end is not None}
        if None in ends or states != {State.ESTABLISHED}:
            return [f"{pair}: {sorted(state.name for state in states)}"]
        return self._unlike_routes(node, rib, f"{pair}")

    def _unlike_routes(self, node: "Node", rib: "Rib", where: str) -> list[str]:
        wanted = self._view(node.name, self.world.objects)
        if rib.routes.keys() != wanted.keys():
            return [f"{where}: {sorted(map(str, rib.routes.keys() ^ wanted.keys()))} differ"]
        if rib.stale:
            return [f"{where}: {sorted(map(str, rib.stale))} are stale"]
        shutdown = {GRACEFUL_SHUTDOWN} if self.world.objects.is_drained(node.name) else set()
        colors = set(map(community, self.world.objects.color)) | shutdown
        hops = {node.address.packed, node.address_6.packed}
        return [
            f"{where}: {prefix} has {sorted(route.communities)} by {route.next_hop.hex()}"
            for prefix, route in rib.routes.items()
            if route.communities != colors or route.next_hop not in hops
        ]

    # ------------------------------------------------------------

    def _pair(self, host: "Host", end: "End") -> Pair:
        one, other = host.name, end.peer.name
        return (one, other) if one in self.world.nodes else (other, one)

    def _broken(self, text: str) -> None:
        self.world.broken(text)
