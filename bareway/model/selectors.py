"""Label selectors, as Kubernetes has them (meta/v1 LabelSelector)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Operator(StrEnum):
    """What a requirement asks of a label (LabelSelectorRequirement field operator)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One entry of matchExpressions."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()
    """Of use for In and NotIn; empty for the others."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """NotIn holds as well where the label is absent."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return self.key not in labels or labels[self.key] not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case Operator.DOES_NOT_EXIST:
                return self.key not in labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """All of it must hold; an empty one matches everything."""

    labels: Mapping[str, str] = field(default_factory=dict)
    """matchLabels."""
    requirements: tuple[Requirement, ...] = ()
    """matchExpressions."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.labels.items()) and all(
            requirement.matches(labels) for requirement in self.requirements
        )


def any_matches(selectors: Iterable[Selector], labels: Mapping[str, str]) -> bool:
    """Whether one of the selectors does; none does where there are none."""
    return any(selector.matches(labels) for selector in selectors)
