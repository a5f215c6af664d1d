from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.history import Handover, SpeakerHistory
from bareway.model.names import NodeName
from bareway.rpc.histories import history_message, speaker_history
from bareway.rpc.v1 import history_pb2

NAMES = st.text(alphabet="abc-0", min_size=1, max_size=5).map(NodeName)
ADDRESSES = st.builds(IPv4Address, st.integers(0, 2**32 - 1)) | st.builds(
    IPv6Address, st.integers(0, 2**128 - 1)
)
TIMES = st.integers(0, 2**41).map(lambda ms: datetime.fromtimestamp(ms / 1024, tz=UTC))
HISTORIES = st.builds(
    SpeakerHistory,
    node=NAMES,
    since=TIMES,
    dropped=st.integers(0, 2**63),
    key=st.none() | ADDRESSES,
    handovers=st.lists(
        st.builds(
            Handover,
            address=ADDRESSES,
            generation=st.integers(0, 2**52),
            count=st.integers(0, 2**52),
            former=st.none() | NAMES,
            holder=st.none() | NAMES,
            at=TIMES,
            reason=st.text(max_size=9),
            gap_s=st.none() | st.floats(0, 1e9),
            detail=st.text(max_size=9),
        ),
        max_size=4,
    ).map(tuple),
)


@given(HISTORIES)
def test_what_is_sent_arrives(history: SpeakerHistory) -> None:
    sent = history_message(history).SerializeToString()
    assert speaker_history(history_pb2.SpeakerHistory.FromString(sent)) == history


def test_a_gap_of_nothing_is_not_a_gap_that_nobody_measured() -> None:
    message = history_pb2.Handover(address="192.0.2.1")
    assert not message.HasField("gap_s")
    message.gap_s = 0.0
    assert message.HasField("gap_s")
