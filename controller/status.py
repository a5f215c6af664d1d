"""What the controller says about itself: to ``bareway status``, to Prometheus, to the kubelet."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bareway import __version__
from bareway.decide.allocation.free import usable_count
from bareway.decide.allocation.ledger import IPV6
from bareway.decide.allocation.verdicts import Granted, Refused
from bareway.model.status import ConfigurationStatus, ControllerStatus, PoolStatus, WaitingService
from bareway.runtime.figures import ControllerFigures, KubernetesFigures
from bareway.runtime.histograms import Histogram
from bareway.runtime.kube.events import Recorder
from controller.allocation.acceptance import Acceptance
from controller.announcement.gossip import Gossip
from controller.leading.elector import Elector
from controller.loop import Loop
from controller.rival import Rival
from controller.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfReport:
    """Reads what the parts know; keeps nothing."""

    watch: Watch
    loop: Loop
    recorder: Recorder
    elector: Elector
    gossip: Gossip
    rival: Rival
    allocated: Histogram
    """How long Services waited for their address."""

    def not_ready(self) -> tuple[str, ...]:
        """What stands between us and readiness; a missing configuration does not: it may come any time."""
        unlisted = tuple(f"{plural} are not listed yet" for plural in self.watch.unsynced)
        return (*unlisted, self.rival.refusal) if self.rival.refusal else unlisted

    def status(self) -> ControllerStatus:
        """For people."""
        return ControllerStatus(
            version=__version__,
            api_connected=self.watch.connected,
            not_ready=self.not_ready(),
            configuration=_configuration(self.loop.report.acceptance),
            identity=self.elector.me,
            leader=self.elector.holder,
            leads=self.elector.may_write(),
            pools=self._pools(),
            waiting=self._waiting(),
            members_alive=self.gossip.alive,
            members_known=self.gossip.known,
            list_generation=self.loop.report.list_generation,
        )

    def figures(self) -> ControllerFigures:
        """For Prometheus."""
        acceptance = self.loop.report.acceptance
        leads = self.elector.may_write()
        return ControllerFigures(
            kubernetes=KubernetesFigures(
                updates=sum(mirror.updates for mirror in self.watch.mirrors),
                update_errors=sum(mirror.errors for mirror in self.watch.mirrors),
                config_loaded=acceptance.in_force is not None,
                config_stale=acceptance.refusal is not None,
                connected=self.watch.connected,
                events_dropped=self.recorder.dropped,
            ),
            # One of several tells them: dashboards join and sum by pool.
            pools=self._pools() if leads else (),
            services=self._services() if leads else {},
            waiting=self._refused() if leads else {},
            allocation=self.allocated.measured(),
            leads=leads,
            terms=self.elector.term,
            members={"Alive": self.gossip.alive, "Dead": self.gossip.known - self.gossip.alive},
            list_generation=self.loop.report.list_generation,
        )

    def _pools(self) -> tuple[PoolStatus, ...]:
        report = self.loop.report
        if report.acceptance.in_force is None or report.allocation is None:
            return ()
        used = report.allocation.used
        return tuple(
            PoolStatus(
                name=pool.name,
                total=usable_count(pool),
                used=used[pool.name],
                total_ipv6=usable_count(pool, IPV6),
                used_ipv6=report.allocation.used_ipv6[pool.name],
            )
            for pool in report.acceptance.in_force.configuration.pools
        )

    def _services(self) -> Mapping[str, int]:
        """How many hold addresses of each pool, of which nobody does too."""
        report = self.loop.report
        if report.acceptance.in_force is None or report.allocation is None:
            return {}
        pools = report.acceptance.in_force.configuration.pools
        count: Counter[str] = Counter({pool.name: 0 for pool in pools})
        for verdict in report.allocation.verdicts.values():
            if isinstance(verdict, Granted):
                count.update(set(verdict.pools))
        return count

    def _refused(self) -> Mapping[str, int]:
        """How many wait, by the reason."""
        allocation = self.loop.report.allocation
        verdicts = allocation.verdicts.values() if allocation is not None else ()
        return Counter(verdict.reason.word for verdict in verdicts if isinstance(verdict, Refused))

    def _waiting(self) -> tuple[WaitingService, ...]:
        allocation = self.loop.report.allocation
        if allocation is None:
            return ()
        return tuple(
            WaitingService(service=key, reason=verdict.reason.word, message=verdict.reason.message)
            for key, verdict in sorted(allocation.verdicts.items())
            if isinstance(verdict, Refused)
        )


def _configuration(acceptance: Acceptance) -> ConfigurationStatus:
    in_force = acceptance.in_force
    if in_force is None:
        return ConfigurationStatus(problems=acceptance.problems)
    return ConfigurationStatus(
        generation=in_force.generation,
        sha256=in_force.sha256,
        source=in_force.source,
        problems=acceptance.problems,
    )
