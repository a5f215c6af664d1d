"""The speaker as it starts in a Pod, where the API server is known without a kubeconfig.

    python -m lab.tools.pod http://192.0.2.2:6443 --node-name node1 …

A kubeconfig is read by a child process of a second and more, which no Pod waits for.
"""

import sys

from bareway.runtime.kube.credentials import Credentials, Fixed
from speaker.app import run
from speaker.settings import load_settings


def main() -> int:
    """Run until SIGTERM."""
    server = sys.argv.pop(1)
    return run(load_settings(), Fixed(Credentials(server=server)))


if __name__ == "__main__":
    sys.exit(main())
