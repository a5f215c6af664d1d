"""Whether one of many selectors matches, without asking each: as where each node has an entry of its own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from bareway.model.selectors import Operator, Selector

Label: TypeAlias = tuple[str, str]


class Selection:
    """Many selectors, kept by a label that an object must have for one of them to match."""

    def __init__(self, selectors: Iterable[Selector]) -> None:
        known = [(selector, _needed(selector)) for selector in selectors]
        # Of what a selector asks for, the rarest: a label that all ask for tells nothing.
        asked = Counter(label for _, needed in known for labels in needed for label in labels)
        self._by_label: dict[Label, list[Selector]] = {}
        self._others: list[Selector] = []
        """They ask for no label with a value."""
        for selector, needed in known:
            if not needed:
                self._others.append(selector)
                continue
            for label in min(needed, key=lambda labels: sum(asked[label] for label in labels)):
                self._by_label.setdefault(label, []).append(selector)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """As `any_matches` says of all of them."""
        found = (self._by_label.get(label, ()) for label in labels.items())
        return any(selector.matches(labels) for some in (*found, self._others) for selector in some)


def _needed(selector: Selector) -> list[frozenset[Label]]:
    """Sets of labels: of each a matching object has one."""
    named = [frozenset({label}) for label in selector.labels.items()]
    listed = [
        frozenset((one.key, value) for value in one.values)
        for one in selector.requirements
        if one.operator is Operator.IN
    ]
    return named + listed
