"""``python -m sim.control SEED`` plays one history and tells its story; ``… FIRST LAST`` plays many."""

import logging
import sys

from sim.control.checkers import Broken
from sim.control.faults import RandomRun


def main(arguments: list[str]) -> int:
    """Exit code 1 if an invariant broke."""
    logging.disable(logging.CRITICAL)
    numbers = [int(argument) for argument in arguments]
    first, last = (numbers * 2)[:2] if numbers else (0, 0)
    broken = 0
    for seed in range(first, last + 1):
        run = RandomRun(seed, story=print if first == last else None)
        try:
            run.play()
        except Broken as error:
            broken += 1
            print(f"seed {seed}: {error}")
    print(f"{last - first + 1} runs, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
