"""What the programs log is found by its words: each message is a constant, what varies stands in fields.

Process 1 of a speaker, which lives without the library for logs, is not looked at here.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PASSED_ON = {"_say": 1, "once": 1}
"""Functions of `speaker/telling.py` that are given the message, and in which place."""
TELLER = "speaker/telling.py"
SOURCES = sorted(
    path
    for folder in ("bareway", "controller", "speaker")
    for path in (ROOT / folder).rglob("*.py")
    if "_pb2" not in path.name
)


def is_constant(message: ast.expr) -> bool:
    """A text, or one of two."""
    if isinstance(message, ast.IfExp):
        return is_constant(message.body) and is_constant(message.orelse)
    return isinstance(message, ast.Constant) and isinstance(message.value, str)


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Calls of a logger, each with its message; those in a function that passes on what it is given apart."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name in PASSED_ON:
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_logger = isinstance(node.func.value, ast.Name) and node.func.value.id == "logger"
            if of_logger and node.func.attr in LEVELS:
                yield node, node.args[0]
            elif of_logger and node.func.attr == "log":
                yield node, node.args[1]
        yield from calls(node)


def passed_on(tree: ast.AST) -> Iterator[tuple[ast.Call, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "once":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place = PASSED_ON.get(node.func.attr)
            if place is not None and len(node.args) > place:
                yield node, node.args[place]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_message_is_a_constant_and_what_varies_stands_in_fields(path: Path) -> None:
    source = path.read_text()
    found = list(calls(ast.parse(source)))
    if path == ROOT / TELLER:
        found += passed_on(ast.parse(source))
        assert len(found) > 10
    varying = [ast.unparse(call) for call, message in found if not is_constant(message)]
    assert varying == []
    filled = [ast.unparse(call) for call, message in found if _is_filled(call, message)]
    assert filled == [], "a message with places to fill is another one each time"


def _is_filled(call: ast.Call, message: ast.expr) -> bool:
    is_ours = isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS | {"log"}
    return is_ours and call.args[-1] is not message


def test_there_is_something_to_look_at() -> None:
    found = [call for path in SOURCES for call, _ in calls(ast.parse(path.read_text()))]
    assert len(found) > 50
