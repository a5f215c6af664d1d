from collections.abc import Iterable

from mutation.drawing import draw
from mutation.trying import FEW, Turns, drawn, in_two_parts


def runs(count: int, *, failing: int | None) -> tuple[int, list[int]]:
    """What comes of ``count`` tests of which one fails, and how many were run at a time."""
    seen: list[int] = []

    def run(_: object, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        listed = [*tests]
        seen.append(len(listed))
        return int(str(failing) in listed)

    runner = object()
    found = in_two_parts(run)(runner, mutant_name="m", tests=map(str, range(count)))
    return found, seen


def test_the_other_tests_are_run_only_if_the_first_ones_pass() -> None:
    assert runs(FEW + 5, failing=0) == (1, [FEW])
    assert runs(FEW + 5, failing=FEW) == (1, [FEW, 5])
    assert runs(FEW + 5, failing=None) == (0, [FEW, 5])
    assert runs(FEW, failing=None) == (0, [FEW])
    assert runs(0, failing=None) == (0, [0]), "none stands for all"


def test_of_what_mutmut_would_try_so_many_are_tried_and_what_is_named_in_any_case() -> None:
    mutants = [(None, f"m{number}", None) for number in range(50)]
    collect = drawn(lambda *, mutant_names: (mutants, {}), 9)
    assert len(collect(mutant_names=())[0]) == 9
    assert collect(mutant_names=("m1",)) == (mutants, {})


def test_what_is_tried_first_is_a_smaller_sample_of_the_same() -> None:
    names = [f"m{number}" for number in range(50)]
    turns = Turns()
    mutants = [(None, name, None) for name in names]
    assert turns.given(lambda *, mutant_names: (mutants, {}))(mutant_names=()) == (mutants, {})
    assert draw(names, 9) == {*sorted(names, key=turns.of)[:9]}
    assert draw(names, 9) < draw(names, 12)
