"""Label selectors in a document, checked as Kubernetes checks its own (meta/v1 LabelSelector)."""

import re
from collections.abc import Iterator
from typing import Final

from bareway.model.selectors import Operator, Requirement, Selector
from bareway.resources.grammar.keys import REQUIRED, Key, Shape
from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import Place, Section, Walk

REQUIREMENT: Final = Shape(
    type_name="config.selectorRequirements",
    keys=(
        Key(name="key", type="label", default=REQUIRED, meaning="the label that is asked for"),
        Key(
            name="operator",
            type="`In`, `NotIn`, `Exists` or `DoesNotExist`",
            default=REQUIRED,
            meaning="what is asked; `NotIn` holds as well where the label is absent",
        ),
        Key(name="values", type="list of text", meaning="for `In` and `NotIn`, at least one; else none"),
    ),
)
SELECTOR: Final = Shape(
    type_name="config.nodeSelector",
    keys=(
        Key(
            name="match-labels", type="mapping of text", meaning="labels that must be there with these values"
        ),
        Key(
            name="match-expressions",
            type="list",
            meaning="further requirements; all of a selector must hold, one without any selects all",
        ),
    ),
)

NAME_MAX: Final = 63
PREFIX_MAX: Final = 253
_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_RULE: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', begin and end with an alphanumeric one,"
    f" and be no longer than {NAME_MAX}"
)
OPERATORS: Final = "write In, NotIn, Exists or DoesNotExist"


def read_selectors(section: Section, key: str, told: str) -> tuple[Selector, ...]:
    """The selectors in a list; ``told`` is how MetalLB's messages about one begin."""
    return tuple(read_selector(found, section.told + told) for found in section.sections(key, SELECTOR))


def read_selector(section: Section, told: str) -> Selector:
    """One selector; an empty one selects everything."""
    labels = {key: value for key, value in _labels(section, told) if value is not None}
    requirements = (_requirement(found, told) for found in section.sections("match-expressions", REQUIREMENT))
    return Selector(labels=labels, requirements=tuple(one for one in requirements if one is not None))


def is_label_key(text: str) -> bool:
    """Whether a label may have this key: a name, or a domain, a slash and a name."""
    prefix, slash, name = text.rpartition("/")
    if slash and (len(prefix) > PREFIX_MAX or not _PREFIX.fullmatch(prefix)):
        return False
    return len(name) <= NAME_MAX and _NAME.fullmatch(name) is not None


def is_label_value(text: str) -> bool:
    """Whether a label may have this value."""
    return not text or (len(text) <= NAME_MAX and _NAME.fullmatch(text) is not None)


def _labels(section: Section, told: str) -> Iterator[tuple[str, str | None]]:
    for key, place in section.mapping("match-labels"):
        value = section.walk.text(place)
        _check_key(section.walk, place, key, told)
        if value is not None:
            _check_value(section.walk, place, value, told)
        yield key, value


def _requirement(section: Section, told: str) -> Requirement | None:
    walk, key, word = section.walk, section.text("key"), section.text("operator")
    _check_key(walk, section.found.get("key", section.place), key, told)
    values = []
    for place, value in section.texts("values"):
        _check_value(walk, place, value, told)
        values.append(value)
    if word not in tuple(Operator):
        place = section.found.get("operator", section.place)
        walk.fail(place, f"{told}{quoted(word)} is not a valid pod selector operator", hint=OPERATORS)
        return None
    operator = Operator(word)
    needs_values = operator in {Operator.IN, Operator.NOT_IN}
    if needs_values and not section.has("values"):
        wrong = "for 'in', 'notin' operators, values set can't be empty"
        walk.fail(
            section.place, f"{told}values: Invalid value: []: {wrong}", hint="add a line like values: [a]"
        )
    if not needs_values and section.has("values"):
        wrong = "values set must be empty for exists and does not exist"
        walk.fail(section.found["values"], f"{told}values: Invalid value: {wrong}", hint="remove values")
    return Requirement(key=key, operator=operator, values=frozenset(values))


def _check_key(walk: Walk, place: Place, key: str, told: str) -> None:
    if not is_label_key(key):
        message = f"{told}key: Invalid value: {quoted(key)}: name part {NAME_RULE}"
        walk.fail(place, message, hint="write a label like kubernetes.io/hostname")


def _check_value(walk: Walk, place: Place, value: str, told: str) -> None:
    if not is_label_value(value):
        message = f"{told}values: Invalid value: {quoted(value)}: a valid label {NAME_RULE}"
        walk.fail(place, message, hint="labels hold no other characters")
