"""A node is powered off: how long a client is without its page.

python -m bench.failover --trials 10
"""

import sys

from bench.arguments import bench
from bench.bareway import measure_power_off
from bench.summary import report

if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, lambda trials: (report(measure_power_off(trials)), True)))
