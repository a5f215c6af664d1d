"""``python -m sim.routers SEED`` plays one history and tells its story; ``… FIRST LAST`` plays many."""

import sys

from sim.broken import Broken
from sim.routers.history import RandomRun
from sim.routers.scripts import draw


def main(arguments: list[str]) -> int:
    """Exit code 1 if an invariant broke."""
    numbers = [int(argument) for argument in arguments]
    first, last = (numbers * 2)[:2] if numbers else (0, 0)
    broken, trace = 0, ""
    for seed in range(first, last + 1):
        run = RandomRun(seed, story=print if first == last else None)
        if first == last:
            print(*draw(seed).plans, *draw(seed).faults, sep="\n")
        try:
            run.play()
        except Broken as error:
            broken += 1
            print(f"seed {seed}: {error}")
        trace = run.world.fingerprint
    if first == last:
        print(f"trace {trace}")
    print(f"{last - first + 1} runs, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
