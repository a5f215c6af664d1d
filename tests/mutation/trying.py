"""Which of mutmut's mutants are tried, and by which tests first."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from mutation.drawing import draw, shuffled

FEW: Final = 30
"""The quickest tests kill most mutants, and pytest takes longer to find hundreds than to run these."""


def drawn(collect: Callable[..., Any], count: int | None) -> Callable[..., Any]:
    """mutmut's list of what to try, or a part of it; those that are named are all tried."""

    def collect_some(*, mutant_names: tuple[str, ...]) -> Any:
        mutants, files = collect(mutant_names=mutant_names)
        chosen = draw((name for _, name, _ in mutants), None if mutant_names else count)
        return [mutant for mutant in mutants if mutant[1] in chosen], files

    return collect_some


class Turns:
    """When a mutant's turn is: mutmut would try the quick ones first, which is no fair sample of all."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def given(self, collect: Callable[..., Any]) -> Callable[..., Any]:
        """mutmut's list of what to try; it is remembered who is in it."""

        def collect_and_remember(*, mutant_names: tuple[str, ...]) -> Any:
            mutants, files = collect(mutant_names=mutant_names)
            order = shuffled(name for _, name, _ in mutants)
            self._places = {name: place for place, name in enumerate(order)}
            return mutants, files

        return collect_and_remember

    def of(self, name: str) -> float:
        """In place of mutmut's guess of how long it takes."""
        return self._places[name]


def in_two_parts(run: Callable[..., int]) -> Callable[..., int]:
    """Run a few tests, and the others only if those pass; mutmut gives the quickest first."""

    def run_tests(runner: object, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        listed = [*tests]
        failed = run(runner, mutant_name=mutant_name, tests=listed[:FEW])
        return failed or (run(runner, mutant_name=mutant_name, tests=listed[FEW:]) if listed[FEW:] else 0)

    return run_tests
