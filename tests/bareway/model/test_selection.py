"""Many selectors at once say what each of them would."""

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.selection import Selection
from bareway.model.selectors import Operator, Requirement, Selector, any_matches

KEYS, VALUES = st.sampled_from("kl"), st.sampled_from("vwx")
LABELS = st.dictionaries(KEYS, VALUES)
REQUIREMENTS = st.builds(
    Requirement, key=KEYS, operator=st.sampled_from(Operator), values=st.frozensets(VALUES)
)
SELECTORS = st.builds(Selector, labels=LABELS, requirements=st.lists(REQUIREMENTS, max_size=2).map(tuple))


@given(selectors=st.lists(SELECTORS, max_size=4), labels=LABELS)
def test_one_of_them_matches_or_none(selectors: list[Selector], labels: dict[str, str]) -> None:
    assert Selection(selectors).matches(labels) is any_matches(selectors, labels)


class Labels(dict[str, str]):
    """Counts how often it is looked at."""

    def __init__(self, **labels: str) -> None:
        super().__init__(labels)
        self.looks = 0

    def get(self, key: str, default: object = None) -> str:
        self.looks += 1
        return self[key]


def test_who_has_an_entry_of_its_own_costs_no_look_at_the_entries_of_all_others() -> None:
    """Whether by a label or by a list of values, and whatever else all of them ask for."""
    many = [Selector(labels={"os": "linux", "name": f"node-{number}"}) for number in range(1000)]
    listed = Requirement(key="name", operator=Operator.IN, values=frozenset({"left", "right"}))
    many.append(Selector(labels={"os": "linux"}, requirements=(listed,)))
    selection = Selection(many)
    for name, expected in (("node-700", True), ("right", True), ("node-1000", False)):
        labels = Labels(os="linux", name=name)
        assert selection.matches(labels) is expected
        assert labels.looks <= 3
