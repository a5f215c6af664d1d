"""Mutants that cannot die, since they change nothing that anybody could notice; judged by hand.

They stand in ``equivalents.toml``, each by its function and its change, so that they are found again when
lines move. An entry that no living mutant needs is told at the end: the list stays as short as the truth.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from mutation.fates import DEAD, Change, Mutant

LIST = Path(__file__).with_name("equivalents.toml")


def read_equivalents(only: str, path: Path = LIST) -> Mapping[Change, str]:
    """The changes inside ``bareway/<only>`` that change nothing, and why."""
    found: dict[Change, str] = {}
    for entry in tomllib.loads(path.read_text()).get("equivalent", []):
        change = Change(function=entry["function"], was=entry["was"], now=entry["now"])
        if change in found:
            raise SystemExit(f"mutation: twice in {path.name}: {change}")
        if change.function.startswith(f"bareway.{only}."):
            found[change] = entry["why"]
    return found


def stale(equivalent: Iterable[Change], mutants: Iterable[Mutant]) -> list[Change]:
    """Entries that no living mutant needs."""
    living = {one.change for one in mutants if one.fate not in DEAD}
    return sorted(set(equivalent) - living)
