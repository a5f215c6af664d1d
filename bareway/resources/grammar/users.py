"""Who may use a pool and how much of it, and on which interfaces it is announced."""

import re
from collections.abc import Mapping
from typing import Final

from bareway.resources.grammar.names import INTERFACE_MAX, is_interface, is_namespace
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import UINT32, Section

EXPRESSION: Final = "regex:"
EXPRESSION_MAX: Final = 1024  # characters; it matches names of fifteen
EVERYBODY: Final = "*"
NAMESPACE_HINT: Final = "write the name of a namespace: lower case letters, digits and dashes"


def read_namespaces(section: Section) -> tuple[str, ...]:
    """The namespaces that may use a pool; they need not exist yet."""
    names: dict[str, None] = {}
    for place, name in section.texts("namespaces"):
        if name in names:
            message = f"{section.told}duplicate definition in namespaces field {quoted(name)}"
            section.walk.fail(place, message, hint="write it once")
        elif not is_namespace(name):
            section.walk.fail(place, f"{section.told}invalid namespace {quoted(name)}", hint=NAMESPACE_HINT)
        names[name] = None
    return tuple(names)


def read_quota(section: Section) -> Mapping[str, int]:
    """How many addresses a namespace may hold."""
    quota: dict[str, int] = {}
    for name, place in section.mapping("quota"):
        if name != EVERYBODY and not is_namespace(name):
            message = f"{section.told}invalid namespace {quoted(name)} in quota"
            section.walk.fail(place, message, hint=f"{NAMESPACE_HINT}, or * for each that is not named")
        count = section.walk.whole(place, UINT32)
        if count is not None:
            quota[name] = count
    return quota


def read_interfaces(section: Section, *, is_bgp: bool) -> tuple[str, ...]:
    """Where a pool is announced: names, or expressions with ``regex:`` before them."""
    if is_bgp and section.has("interfaces"):
        message = "cannot have interfaces in a bgp address pool"
        section.fail(message, key="interfaces", hint="remove it, or write protocol: layer2")
    names: dict[str, None] = {}
    for place, name in section.texts("interfaces"):
        wrong = _wrong_interface(name)
        if wrong:
            section.walk.fail(place, f"{section.told}invalid interface {quoted(name)}: {wrong}")
        elif name in names:
            message = f"{section.told}duplicate definition of interface {quoted(name)}"
            section.walk.fail(place, message, hint="write it once")
        names[name] = None
    return tuple(names)


def _wrong_interface(name: str) -> str:
    if not name.startswith(EXPRESSION):
        return "" if is_interface(name) else f"a name has 1 to {INTERFACE_MAX} characters, no space, / or :"
    if len(name) > EXPRESSION_MAX:
        return f"longer than {EXPRESSION_MAX} characters"
    try:
        re.compile(name.removeprefix(EXPRESSION))
    except (re.error, OverflowError, RecursionError) as error:
        return f"no regular expression: {error}"
    return ""
