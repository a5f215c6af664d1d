"""``python -m lab clean``: remove what labs of dead processes left behind."""

import sys

from lab.commands import what_is_missing
from lab.leftovers import clean


def main(arguments: list[str]) -> int:
    """Exit code 0 when all is clean, 2 when it could not be tried."""
    if arguments != ["clean"]:
        print("usage: python -m lab clean", file=sys.stderr)
        return 2
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 2
    removed = clean()
    print("\n".join(f"removed {name}" for name in removed) or "nothing was left behind")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
