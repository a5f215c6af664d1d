"""What each planted fault changes in the answers is golden: every word, every row, every field."""

import pytest

from support.whole_answers import GOLDEN, whole_answers

ANSWERS = whole_answers()


@pytest.mark.parametrize("name", ANSWERS)
def test_the_whole_answer_is_golden(name: str) -> None:
    assert ANSWERS[name]() == (GOLDEN / name).read_text(), (
        "PYTHONPATH=tests:. python -m support.whole_answers"
    )


def test_no_answer_lies_there_that_nothing_gives() -> None:
    assert {str(path.relative_to(GOLDEN)) for path in GOLDEN.glob("*/*.txt")} == ANSWERS.keys()
