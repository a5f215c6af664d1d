"""What several speakers remember becomes one history, whoever is asked first."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.answers.history.handovers import SEAMLESS, SILENT, HandoverReason
from bareway.decide.answers.history.merging import Told, complete_from, merge
from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import NodeName

N1, N2, N3 = (NodeName(f"node{number}") for number in (1, 2, 3))
KEY, OTHER = ip_address("192.0.2.10"), ip_address("192.0.2.11")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def moved(
    seconds: float = 0.0,
    reason: HandoverReason = HandoverReason.HOLDER_DIED,
    *,
    former: NodeName | None = N1,
    holder: NodeName | None = N2,
    count: int = 1,
    gap_s: float | None = None,
    detail: str = "",
) -> Handover:
    return Handover(
        address=KEY,
        generation=5,
        count=count,
        former=former,
        holder=holder,
        at=at(seconds),
        reason=reason,
        gap_s=gap_s,
        detail=detail,
    )


def of(node: NodeName, *handovers: Handover, dropped: int = 0, since: float = -3600) -> SpeakerHistory:
    return SpeakerHistory(node=node, since=at(since), dropped=dropped, handovers=handovers)


def only(*histories: SpeakerHistory) -> Told:
    (one,) = merge(histories)
    assert merge(histories[::-1]) == (one,)
    return one


def test_the_same_claim_is_told_once_and_by_whom_it_was_seen() -> None:
    told = only(of(N3, moved(0.002)), of(N2, moved(0.001)))
    assert (told.seen_by, told.handover.at) == ((N2, N3), at(0.001))


@pytest.mark.parametrize(
    "another",
    [
        pytest.param(moved(1, count=2), id="count"),
        pytest.param(moved(1, holder=N3), id="holder"),
    ],
)
def test_another_claim_is_another_change(another: Handover) -> None:
    assert [one.handover for one in merge([of(N3, moved(0)), of(N2, another)])] == [moved(0), another]


def test_a_claim_that_one_speaker_saw_twice_was_made_twice() -> None:
    first, again = moved(0, HandoverReason.FIRST_CLAIM), moved(900, HandoverReason.FIRST_CLAIM)
    told = merge([of(N2, first, again), of(N3, first, again)])
    assert [(one.handover.at, one.seen_by) for one in told] == [(at(0), (N2, N3)), (at(900), (N2, N3))]


def test_who_claimed_knows_when_and_why() -> None:
    late = moved(0.3, HandoverReason.HOLDER_CRASHED)
    assert only(of(N3, moved(0.1)), of(N2, late)).handover.reason == HandoverReason.HOLDER_CRASHED
    assert only(of(N3, moved(0.1)), of(N2, late)).handover.at == at(0.3)


def test_who_gave_up_knows_best_too() -> None:
    own = moved(0.3, HandoverReason.GIVEN_UP, holder=None)
    heard = moved(0.1, HandoverReason.GIVEN_UP, holder=None)
    assert only(of(N3, heard), of(N1, own)).handover.at == at(0.3)


@pytest.mark.parametrize(
    "vague", [HandoverReason.UNEXPLAINED, HandoverReason.FIRST_CLAIM, HandoverReason.HOLDER_GONE]
)
def test_any_word_is_better_than_one_of_who_does_not_know(vague: HandoverReason) -> None:
    told = only(of(N2, moved(0, vague)), of(N3, moved(0.2, HandoverReason.HOLDER_LOST_LINK)))
    assert told.handover.reason == HandoverReason.HOLDER_LOST_LINK


def test_the_shortest_gap_is_the_true_one_and_says_whose_it_is() -> None:
    told = only(of(N2, moved(0, gap_s=0.9)), of(N3, moved(0.01, gap_s=0.7)), of(N1, moved(0.02)))
    assert (told.handover.gap_s, told.gap_by) == (0.7, N3)


def test_a_gap_is_told_of_a_silence_only() -> None:
    listed = moved(0, HandoverReason.MOVED_BY_LIST, gap_s=0.0)
    told = only(of(N2, listed), of(N3, moved(0.01, gap_s=0.7)))  # who lagged took it for a death
    assert (told.handover.gap_s, told.gap_by) == (0.0, None)
    healed = moved(0, HandoverReason.PARTITION_HEALED)
    told = only(of(N2, healed), of(N3, moved(0.01, gap_s=7)))
    assert (told.handover.gap_s, told.gap_by) == (None, None)


def test_a_gap_of_somebody_who_measured_is_told_though_the_claimer_could_not() -> None:
    told = only(of(N2, moved(0)), of(N3, moved(0.01, gap_s=0.7)))
    assert (told.handover.gap_s, told.gap_by) == (0.7, N3)


def test_what_people_wrote_is_told_by_whoever_read_it() -> None:
    own, other = (moved(0, HandoverReason.HOLDER_DRAINED, detail=text) for text in ("", "Drained: new disk"))
    assert only(of(N2, own), of(N3, other)).handover.detail == "Drained: new disk"


def test_nothing_is_told_from_before() -> None:
    told = merge([of(N2, moved(0), moved(5, count=2))], since=at(5))
    assert [one.handover.count for one in told] == [2]


def test_all_is_told_in_the_order_in_which_it_happened() -> None:
    told = merge([of(N2, moved(5, count=2), moved(0)), of(N3, moved(3, count=3))])
    assert [one.handover.count for one in told] == [1, 3, 2]


@pytest.mark.parametrize(
    ("histories", "since"),
    [
        pytest.param([], None, id="nobody answered"),
        pytest.param([of(N1, since=-5), of(N2, since=-9)], at(-9), id="who runs longest"),
    ],
)
def test_from_when_on_nothing_is_missing(histories: Sequence[SpeakerHistory], since: datetime | None) -> None:
    assert complete_from(histories) == since


WORDS = st.sampled_from([*SILENT, *SEAMLESS, HandoverReason.UNEXPLAINED, HandoverReason.GIVEN_UP])
HANDOVERS = st.builds(
    moved,
    st.floats(0, 10),
    WORDS,
    holder=st.sampled_from([N2, N3, None]),
    count=st.integers(1, 3),
    gap_s=st.none() | st.floats(0, 5),
)


@given(st.permutations([N1, N2, N3]), st.lists(st.lists(HANDOVERS, max_size=4), min_size=3, max_size=3))
def test_whoever_is_asked_first_it_is_the_same_history(
    order: list[NodeName], memories: list[list[Handover]]
) -> None:
    histories = {node: of(node, *some) for node, some in zip((N1, N2, N3), memories, strict=True)}
    told = merge(histories.values())
    assert merge(histories[node] for node in order) == told
    assert sum(len(one.seen_by) for one in told) == sum(map(len, memories))
    assert merge([*histories.values()][:1]) == merge(
        [of(N1, *(one.handover for one in merge([histories[N1]])))]
    )
