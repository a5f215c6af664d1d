"""What others make of the same fault, in the same lab: keepalived by VRRP 2 and 3, and serf's detector."""

import msgspec

from bench import keepalived, serf
from bench.layer2.conditions import Conditions
from bench.summary import Report, report


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """A node is powered off."""

    keepalived_vrrp_2: Report
    keepalived_vrrp_3: Report
    serf: serf.Detection


def power_off(conditions: Conditions) -> Peers:
    """All of them, one after the other, with as many trials each; IPv4, three nodes."""
    trials = conditions.trials
    return Peers(
        keepalived_vrrp_2=report(keepalived.measure_power_off(trials, keepalived.VRRP_2)),
        keepalived_vrrp_3=report(keepalived.measure_power_off(trials, keepalived.VRRP_3)),
        serf=serf.measure_detection(trials),
    )
