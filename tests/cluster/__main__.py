"""``python -m cluster [DIRECTORY]``: a real control plane on loopback until Ctrl-C, for experiments."""

import signal
import sys
import tempfile
from pathlib import Path

from cluster.build import CannotBuild
from cluster.control_plane import ControlPlane, NotReady


def main() -> None:
    """Start it, say where its kubeconfig is, wait."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="bareway-control-plane-"))
    try:
        with ControlPlane(directory) as plane:
            print(f"export KUBECONFIG={plane.kubeconfig}", flush=True)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except (CannotBuild, NotReady) as error:
        sys.exit(f"no control plane: {error}")


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
