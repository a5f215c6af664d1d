"""What users do: Services come, go and change in every way; the configuration too, at times to a bad one."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from bareway.resources.endpoints import SERVICE_LABEL
from bareway.resources.kinds import CONFIG_MAPS
from bareway.resources.state import FIELD
from controller.allocation.acceptance import ACCEPT_LOSS, ConfigurationRefusal
from sim.control.api import BORN, Json, Place
from sim.control.speakers import NODES
from sim.control.truth import STATE
from sim.control.world import OURS, World

NAMES: Final = tuple(("x", name) for name in "abcde") + tuple(("y", name) for name in "abc")
ADDRESSES: Final = ("192.0.2.0", "192.0.2.1", "192.0.2.2", "198.51.100.0", "198.51.100.1", "2001:db8::")
CONFIG: Final = Place("configmaps", OURS, "config")
QUARANTINE_S: Final = 600
PREFIX: Final = "metallb.io/"


def _slice_of(place: Place) -> Place:
    return Place("endpointslices", place.namespace, place.name)


class Users:
    """All who write but controllers."""

    def __init__(self, world: World, rng: Random) -> None:
        self._world = world
        self._rng = rng
        self._pools = self._draw_pools()
        self.does: Mapping[str, Callable[[], None]] = {
            "create": self.create,
            "delete": self.delete,
            "type": self.flip,
            "request": self.request,
            "share": self.share,
            "ports": self.ports,
            "policy": self.policy,
            "hand": self.hand,
            "serve": self.serve,
            "configure": self.configure,
            "accept": self.accept,
            "spoil": self.spoil,
            "quarantine": self.quarantine,
        }

    # ------------------------------------------------------------ Services

    def create(self) -> None:
        """A Service; some are none of type LoadBalancer yet."""
        place = self._place()
        if place in self._world.api.objects:
            return
        rng = self._rng
        families = rng.choice(
            (["10.96.0.1"], ["10.96.0.1"], ["10.96.0.1"], ["fd00::1"], ["10.96.0.1", "fd00::1"])
        )
        spec: Json = {
            "type": rng.choice(("LoadBalancer",) * 4 + ("ClusterIP",)),
            "clusterIP": families[0],
            "clusterIPs": families,
            "ipFamilyPolicy": "SingleStack"
            if len(families) == 1
            else rng.choice(("PreferDualStack", "RequireDualStack")),
            "ports": [{"port": rng.choice((80, 443, 53)), "protocol": "TCP"}],
            "selector": {"app": rng.choice("ab")},
            "externalTrafficPolicy": rng.choice(("Cluster", "Cluster", "Local")),
        }
        if spec["type"] == "LoadBalancer" and rng.random() < 0.1:
            spec["loadBalancerClass"] = "other"
        self._world.put(_slice_of(place), self._endpoints(place))
        self._world.put(place, {"metadata": {"annotations": self._asked()}, "spec": spec, "status": {}})

    def delete(self) -> None:
        """A Service goes."""
        if (place := self._existing()) is not None:
            self._world.delete(place)
            self._world.delete(_slice_of(place))

    def flip(self) -> None:
        """It becomes a LoadBalancer, or is one no more; only then may its class be another."""
        if (place := self._existing()) is None:
            return
        if self._is_load_balancer(place):
            self._world.put(place, {"spec": {"type": "ClusterIP", "loadBalancerClass": None}})
        else:
            name = "other" if self._rng.random() < 0.2 else None
            self._world.put(place, {"spec": {"type": "LoadBalancer", "loadBalancerClass": name}})

    def request(self) -> None:
        """It asks for something else, or for nothing any more."""
        if (place := self._existing()) is not None:
            cleared = dict.fromkeys((PREFIX + "address-pool", PREFIX + "loadBalancerIPs"))
            self._world.put(place, {"metadata": {"annotations": {**cleared, **self._asked()}}})

    def share(self) -> None:
        """Another sharing key, or none."""
        if (place := self._existing()) is not None:
            key = self._rng.choice(("k", "k", "l", None))
            self._world.put(place, {"metadata": {"annotations": {PREFIX + "allow-shared-ip": key}}})

    def ports(self) -> None:
        """Another port."""
        if (place := self._existing()) is not None:
            port = {"port": self._rng.choice((80, 443, 53)), "protocol": "TCP"}
            self._world.put(place, {"spec": {"ports": [port]}})

    def policy(self) -> None:
        """Another traffic policy, and another selector."""
        if (place := self._existing()) is not None:
            policy, app = self._rng.choice(("Cluster", "Local")), self._rng.choice("ab")
            self._world.put(place, {"spec": {"externalTrafficPolicy": policy, "selector": {"app": app}}})

    def hand(self) -> None:
        """Somebody writes over what it shows."""
        place = self._existing()
        if place is not None and self._is_load_balancer(place):
            shown = [] if self._rng.random() < 0.5 else [{"ip": self._rng.choice(ADDRESSES)}]
            self._world.put(place, {"status": {"loadBalancer": {"ingress": shown}}})

    def serve(self) -> None:
        """Its Pods run elsewhere."""
        if (place := self._existing()) is not None:
            self._world.put(_slice_of(place), self._endpoints(place))

    def _endpoints(self, place: Place) -> Json:
        nodes = [node for node in NODES if self._rng.random() < 0.6]
        return {
            "metadata": {"labels": {SERVICE_LABEL: place.name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.244.0.1"], "nodeName": node} for node in nodes],
            "ports": [],
        }

    def _asked(self) -> dict[str, Any]:
        rng, asked = self._rng, {}
        if rng.random() < 0.15:
            asked[PREFIX + "address-pool"] = rng.choice(("p", "q", "v", "nowhere"))
        elif rng.random() < 0.15:
            asked[PREFIX + "loadBalancerIPs"] = rng.choice(ADDRESSES)
        if rng.random() < 0.4:
            asked[PREFIX + "allow-shared-ip"] = rng.choice("kkl")
        return asked

    def _place(self) -> Place:
        return Place("services", *self._rng.choice(NAMES))

    def _existing(self) -> Place | None:
        places = [place for place in sorted(self._world.api.objects) if place.plural == "services"]
        return self._rng.choice(places) if places else None

    def _is_load_balancer(self, place: Place) -> bool:
        return bool(self._world.api.get(place).body["spec"]["type"] == "LoadBalancer")

    # ------------------------------------------------------------ the configuration

    def configure(self) -> None:
        """Another document; some would take addresses away."""
        self._pools = self._draw_pools()
        self._write({"address-pools": self._pools})

    def spoil(self) -> None:
        """A document that cannot be read."""
        self._write({"address-pools": [{**self._pools[0], "protocol": "smoke"}]})

    def accept(self) -> None:
        """Whoever leads says what would be lost and how to accept it; the user does so."""
        leader = self._world.leader()
        acceptance = leader.control.report.acceptance if leader is not None else None
        if acceptance is None or acceptance.refusal is not ConfigurationRefusal.TAKES_ADDRESSES_AWAY:
            return
        hint = next(problem.hint for problem in acceptance.problems if problem.hint)
        accepted = hint.rpartition(f"{ACCEPT_LOSS}=")[2]
        self._world.put(CONFIG, {"metadata": {"annotations": {ACCEPT_LOSS: accepted}}})

    def _write(self, document: Json) -> None:
        self._world.put(CONFIG, {"data": {"config": json.dumps(document)}})

    def _draw_pools(self) -> list[Json]:
        rng = self._rng
        pools = [
            self._draw_pool("p", rng.choice(("192.0.2.0-192.0.2.2", "192.0.2.0-192.0.2.1", "192.0.2.0/30"))),
            self._draw_pool("q", "198.51.100.0/31"),
            self._draw_pool("v", "2001:db8::/127"),
        ]
        return [pool for pool in pools if pool["name"] == "p" or rng.random() < 0.7]

    def _draw_pool(self, name: str, addresses: str) -> Json:
        rng = self._rng
        pool: Json = {"name": name, "protocol": "layer2", "addresses": [addresses]}
        if rng.random() < 0.15:
            pool["auto-assign"] = False
        if rng.random() < 0.4:
            pool["hold-after-delete"] = "60s"
        if rng.random() < 0.25:
            pool["reuse"] = "oldest"
        if rng.random() < 0.3:
            pool["reserve"] = {"/".join(rng.choice(NAMES)): addresses.partition("-")[0].partition("/")[0]}
        if rng.random() < 0.15:
            pool["quota"] = {"x": 1}
        if rng.random() < 0.3:
            pool["share-local"] = True
        if rng.random() < 0.1:
            pool["namespaces"] = ["x"]
        return pool

    # ------------------------------------------------------------ what is remembered

    def quarantine(self) -> None:
        """Somebody else answers for an address: that is noted beside what allocation remembers."""
        api = self._world.api
        state = api.model(CONFIG_MAPS, STATE)
        present: Json = json.loads(state.data[FIELD]) if state is not None else {"version": 1}
        address = self._rng.choice(ADDRESSES)
        until = int(BORN + self._world.now) + QUARANTINE_S
        present["quarantine"] = {**present.get("quarantine", {}), address: until}
        self._world.put(STATE, {"data": {FIELD: json.dumps(present)}})
