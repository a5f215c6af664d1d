"""``python -m sim SEED`` tells one history, made short if it fails; with FIRST and LAST it plays many."""

import sys

from sim.broken import Broken
from sim.history import RandomRun
from sim.scripts import draw
from sim.shrinking import tell


def main(arguments: list[str]) -> int:
    """Exit code 1 if an invariant broke."""
    numbers = [int(argument) for argument in arguments]
    first, last = (numbers * 2)[:2] if numbers else (0, 0)
    broken = 0
    trace = ""
    for seed in range(first, last + 1):
        run = RandomRun(seed, story=print if first == last else None)
        try:
            run.play()
        except Broken as error:
            broken += 1
            print(tell(seed, error) if first == last else f"seed {seed}: {error}")
        trace = run.world.fingerprint
    if first == last:
        print(*draw(first).faults, sep="\n")
        print(f"trace {trace}")
    print(f"{last - first + 1} runs, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
