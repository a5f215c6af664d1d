"""The whole job on real packets: an address for a Service, a client, a dead node, and another that goes on.

    python -m lab.demo [--mode layer2|bgp] [--api embedded|real] [--keep]

Ends with 0 only if the client got a backend's page before and after, and its outage was at most 1 s. By BGP a
router spreads connections over three nodes, one of which is drained: then no new connection may fail.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from lab.apis import Api, EmbeddedApi, RealApi, program
from lab.commands import CannotTry, LabError, what_is_missing
from lab.network import Lab
from lab.rootless import ENTRY
from lab.site import Site
from lab.story import Story, play
from lab.story_bgp import play_bgp
from lab.system import System

MODES = {"layer2": play, "bgp": play_bgp}
APIS: Mapping[str, Callable[[Site], Api]] = {"embedded": EmbeddedApi, "real": RealApi}


def main(arguments: Sequence[str]) -> int:
    """0 as promised, 1 not, 2 it could not be tried."""
    given = wishes(arguments)
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 2
    story = Story()
    try:
        with Lab() as lab:
            system, missed = MODES[given.mode](story, lab, APIS[given.api])
            if given.keep:
                keep(story, system)
    except CannotTry as error:
        print(error, file=sys.stderr)
        return 2
    except LabError as error:
        print(f"The demo did not get to its end: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; everything was taken away.", file=sys.stderr)
        return 130
    story.tell("Everything is taken away again.")
    for sentence in missed:
        story.tell(sentence)
    story.tell("Not as promised." if missed else "Done.")
    return 1 if missed else 0


def wishes(arguments: Sequence[str]) -> argparse.Namespace:
    """What the caller asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mode", choices=sorted(MODES), default="layer2")
    parser.add_argument("--api", choices=sorted(APIS), default="embedded")
    parser.add_argument(
        "--keep", action="store_true", help="leave it running for a look until Enter is pressed"
    )
    return parser.parse_args(arguments)


def keep(story: Story, system: System) -> None:
    """Tell how to look, and wait for Enter."""
    kubectl = f"{program('kubectl')} --kubeconfig {system.api.kubeconfig}"
    entry = os.environ.get(ENTRY, "")
    story.tell(f"Look: {entry}ip netns exec {system.site.api.namespace} {kubectl} get svc -w")
    with suppress(EOFError):
        input("Press Enter to take everything away. ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
