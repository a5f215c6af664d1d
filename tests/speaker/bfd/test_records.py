"""What goes over the socket between the main program and the BFD process."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.bfd.drops import DropReason
from bareway.bfd.packet import State
from bareway.bfd.register import Path
from bareway.bfd.timing import Timing
from speaker.bfd.records import (
    LEAST_US,
    REPORT_BYTES,
    REQUEST_BYTES,
    BadRecord,
    Report,
    ReportKind,
    Request,
    RequestKind,
    Totals,
    Wanted,
    pack_report,
    pack_request,
    read_report,
    read_request,
)

U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
NAMES = st.text("abcdefgh0123456789.-_@", max_size=15)
PATHS = st.builds(
    Path, st.ip_addresses(v=4), st.none() | st.ip_addresses(v=4), NAMES, st.booleans()
) | st.builds(Path, st.ip_addresses(v=6), st.none() | st.ip_addresses(v=6), NAMES, st.booleans())
WANTED = st.builds(
    Wanted,
    path=PATHS,
    timing=st.builds(
        Timing, st.integers(LEAST_US, 2**32 - 1), st.integers(LEAST_US, 2**32 - 1), st.integers(1, 255)
    ),
    is_passive=st.booleans(),
    minimum_ttl=st.integers(1, 255),
)
REPORTS = st.builds(
    Report,
    kind=st.sampled_from([ReportKind.CHANGED, ReportKind.FIGURES]),
    path=PATHS,
    state=st.sampled_from(State),
    diagnostic=st.integers(0, 31),
    remote_state=st.sampled_from(State),
    remote_diagnostic=st.integers(0, 31),
    trouble=st.integers(0, 133),
    discriminator=U32,
    remote_discriminator=U32,
    transmit_interval_us=U32,
    ups=U32,
    downs=U32,
    detection_time_us=U64,
    packets_in=U64,
    packets_out=U64,
)
TOTALS = st.builds(Totals, st.booleans(), st.fixed_dictionaries(dict.fromkeys(DropReason, U64)))


@given(WANTED)
def test_a_wanted_session_arrives_as_it_was_wanted(wanted: Wanted) -> None:
    record = pack_request(Request(RequestKind.WANT, wanted))
    assert len(record) == REQUEST_BYTES
    assert read_request(record) == Request(RequestKind.WANT, wanted)


@pytest.mark.parametrize("kind", [kind for kind in RequestKind if kind is not RequestKind.WANT])
def test_a_word_is_a_record_of_the_same_size(kind: RequestKind) -> None:
    record = pack_request(Request(kind))
    assert len(record) == REQUEST_BYTES
    assert read_request(record) == Request(kind)


@given(REPORTS | TOTALS)
def test_a_report_arrives_as_it_was_told(report: Report | Totals) -> None:
    record = pack_report(report)
    assert len(record) == REPORT_BYTES
    assert read_report(record) == report


def test_the_longest_name_of_an_interface_fits() -> None:
    wanted = Wanted(Path(IPv6Address("fe80::1"), IPv6Address("fe80::2"), "a23456789012345", True))
    assert read_request(pack_request(Request(RequestKind.WANT, wanted))).wanted == wanted


@given(st.binary(max_size=200) | st.binary(min_size=REQUEST_BYTES, max_size=REQUEST_BYTES))
def test_no_bytes_ask_for_what_cannot_be(record: bytes) -> None:
    try:
        wanted = read_request(record).wanted
    except BadRecord:
        return
    assert wanted is None or min(wanted.timing[:2]) >= LEAST_US


@given(st.binary(max_size=200) | st.binary(min_size=REPORT_BYTES, max_size=REPORT_BYTES))
def test_no_bytes_tell_of_a_state_that_does_not_exist(record: bytes) -> None:
    try:
        report = read_report(record)
    except BadRecord:
        return
    assert isinstance(report, Totals) or report.state in State


@pytest.mark.parametrize(
    "timing",
    [Timing(LEAST_US - 1, LEAST_US, 3), Timing(LEAST_US, LEAST_US - 1, 3), Timing(LEAST_US, LEAST_US, 0)],
    ids=["sending too fast", "hearing too fast", "no multiplier"],
)
def test_what_would_keep_the_process_busy_is_refused(timing: Timing) -> None:
    with pytest.raises(BadRecord):
        read_request(pack_request(Request(RequestKind.WANT, Wanted(Path(IPv4Address("192.0.2.1")), timing))))
