"""What the Pods of a node use: PSS, in which what processes share is counted once among them (proc(5))."""

import re
from typing import Final

from cluster.machine import WholeMachine

MB: Final = 1_000_000
KB: Final = 1024

# A process belongs to the Pod in whose control group it is; one that ends meanwhile is skipped.
_LIST: Final = """
for place in /proc/[0-9]*; do
  pod=$(grep -om1 'pod[0-9a-f-]\\{36\\}' "$place/cgroup" 2>/dev/null) || continue
  used=$(grep -m1 '^Pss:' "$place/smaps_rollup" 2>/dev/null) || continue
  echo "$pod $used"
done
"""
_ROW: Final = re.compile(r"pod(?P<uid>[0-9a-f-]{36}) Pss:\s+(?P<kb>\d+) kB")


def pss_mb(machine: WholeMachine) -> dict[str, float]:
    """MB that each Pod's processes use, by the Pod's uid."""
    used: dict[str, float] = {}
    for row in _ROW.finditer(machine.run("sh", "-c", _LIST)):
        used[row["uid"]] = used.get(row["uid"], 0.0) + int(row["kb"]) * KB / MB
    return used
