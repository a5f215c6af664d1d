"""The command line that every bench shares."""

import argparse
from collections.abc import Callable, Sequence

import msgspec

from bench.trials import say
from lab.commands import LabError, what_is_missing

EXIT_MISSED = 1
EXIT_COULD_NOT_TRY = 2


def bench(
    arguments: Sequence[str],
    about: str | None,
    measure: Callable[[int], tuple[object, bool]],
    *,
    trials: int = 10,
    missing: Callable[[], str | None] = what_is_missing,
) -> int:
    """Run ``measure(trials)`` and print its first result as JSON; 0 if the second is true, 1 if not.

    Args:
        arguments: the command line.
        about: the help.
        measure: what is measured.
        trials: how often, unless the command line says it.
        missing: one sentence on why nothing can be measured here, or None.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=trials, help=f"default: {trials}")
    given = parser.parse_args(arguments)
    if sentence := missing():
        say(sentence)
        return EXIT_COULD_NOT_TRY
    try:
        result, is_well = measure(given.trials)
    except LabError as error:
        say(f"not measured: {error}")
        return EXIT_COULD_NOT_TRY
    except KeyboardInterrupt:
        say("interrupted; everything was taken away")
        return 130
    print(msgspec.json.format(msgspec.json.encode(result), indent=1).decode())
    return 0 if is_well else EXIT_MISSED
