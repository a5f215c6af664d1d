import pytest

from mutation.results import first_line, read_diff

SOURCE = """\
import this

A = 1

# ---- the heart

# of it all
@decorated
def heart():
    pass


class Body:
    def heart(self):
        pass

    def other(self):
        pass
"""


@pytest.mark.parametrize(
    ("function", "line"),
    [
        pytest.param("heart", 5, id="with the comments and decorators above it"),
        pytest.param("Body.heart", 14, id="a method of the same name"),
        pytest.param("Body.other", 17, id="without the empty line above it"),
    ],
)
def test_a_function_is_found_where_mutmut_has_it_begin(function: str, line: int) -> None:
    assert first_line(SOURCE, function) == line


def test_a_change_is_told_by_its_first_line_and_without_its_surroundings() -> None:
    diff = """\
--- a.py
+++ a.py
@@ -3,7 +3,5 @@
 c
 d
-    match e:
-        case f:
+    pass
 g"""
    assert read_diff(diff) == (4, "match e: case f:", "pass")
