"""kill -9 of a speaker: the warm client's outage, and when ARP is answered again.

python -m bench.kill --trials 10
"""

import sys

from bench.arguments import bench
from bench.bareway import measure_kill
from bench.summary import report

if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, lambda trials: (report(measure_kill(trials)), True)))
