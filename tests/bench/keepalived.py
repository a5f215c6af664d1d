"""keepalived beside Bareway: on the same site, the same fault; VRRP version 2, an advertisement a second.

    python -m bench.keepalived --trials 10

VRRP version 3 with one each 100 ms is the fastest that is common (``VRRP_3``).
Debian's package, unmodified, with VRRP's default priority 100 and two just above it, without preemption,
since Bareway's addresses do not move back either. It holds the address on the owner's interface; behind it is
the same DNAT to the same backends as for Bareway. After a take-over it repeats its gratuitous ARP for some
seconds: the next trial begins only when one node alone answers and the client is served.
"""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from bench.arguments import bench
from bench.summary import report
from bench.trials import measured, say
from lab.commands import LabError
from lab.machine import Machine
from lab.network import Lab
from lab.proxy import Rule, ruleset
from lab.site import Site, Watchers
from lab.trial import Trial, steady_owner

VIP = "192.0.2.230"
PRODUCT = "keepalived"

CONFIGURATION = """global_defs {{
  router_id {name}
  vrrp_version {version}
  script_user root
  enable_script_security
}}
vrrp_instance lab {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority {priority}
  advert_int {every_s:g}
  nopreempt
  virtual_ipaddress {{
    {address}/32 dev eth0
  }}
}}
"""


class Timing(NamedTuple):
    """The version of VRRP, and seconds between two advertisements."""

    version: int
    every_s: float


VRRP_2 = Timing(2, 1.0)
VRRP_3 = Timing(3, 0.1)


class Keepalived:
    """keepalived on every node of a site; the address leads to the site's backends."""

    def __init__(self, site: Site, timing: Timing = VRRP_2) -> None:
        self.site = site
        self.timing = timing
        for node in site.nodes:
            self.start(node)

    def start(self, node: Machine) -> None:
        priority = 100 + self.site.nodes.index(node)
        configuration = self._file(node, "conf")
        configuration.write_text(
            CONFIGURATION.format(
                name=node.name,
                priority=priority,
                address=VIP,
                version=self.timing.version,
                every_s=self.timing.every_s,
            )
        )
        targets = tuple((backend.address, backend.port) for backend in self.site.backends)
        node.run("nft", "-f", "-", stdin=ruleset([Rule(address=VIP, port=80, backends=targets)]))
        pids = ("--pid", self._file(node, "pid"), "--vrrp_pid", self._file(node, "vrrp.pid"))
        node.start(
            PRODUCT, PRODUCT, "--dont-fork", "--log-console", "--vrrp", "--use-file", configuration, *pids
        )

    def repair(self, node: Machine) -> None:
        """Power it on again, with keepalived."""
        node.power_on()
        self.start(node)

    def _file(self, node: Machine, ending: str) -> Path:
        return self.site.lab.logs / f"{node.name}-{PRODUCT}.{ending}"


def measure_power_off(trials: int, timing: Timing = VRRP_2) -> list[Trial]:
    """Power the owner off so many times."""
    if shutil.which(PRODUCT) is None:
        raise LabError("keepalived is not installed: apt-get install keepalived")
    with Lab() as lab:
        say(f"building the site with keepalived on three nodes, VRRP version {timing.version}")
        site = Site(lab)
        product = Keepalived(site, timing)
        watchers = Watchers(site, VIP)
        steady_owner(watchers)
        done: list[Trial] = []
        for _ in range(trials):
            done += measured(watchers, PRODUCT, "power off", Machine.power_off, product.repair)
        return done


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, lambda trials: (report(measure_power_off(trials)), True)))
