"""The program ``bareway-controller``."""

import gc
import signal
import sys


def main() -> None:
    """Run until SIGTERM; ends with 0, or with 2 and one sentence when the world around it does not do."""
    # The first process of a container is deaf to a signal that it does not handle, and would be waited for
    # through the whole grace period: so this comes before half a second of imports.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    gc.disable()  # to look for garbage among what is imported would take a sixth of the start
    import bareway.runtime.lean  # noqa: F401, PLC0415 - before all else that imports aiohttp
    from controller.app import run  # noqa: PLC0415 - see above
    from controller.settings import load_settings  # noqa: PLC0415 - see above

    gc.freeze()  # what was imported stays: later collections need not look at it
    gc.enable()
    sys.exit(run(load_settings()))


if __name__ == "__main__":
    main()
