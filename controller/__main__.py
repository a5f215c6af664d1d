"""The program ``bareway-controller``."""

import sys

from controller.app import run
from controller.settings import load_settings


def main() -> None:
    """Run until SIGTERM; ends with 0, or with 2 and one sentence when the world around it does not do."""
    sys.exit(run(load_settings()))


if __name__ == "__main__":
    main()
