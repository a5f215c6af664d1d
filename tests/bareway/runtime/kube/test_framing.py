"""bareway.runtime.kube.framing: the lines come out whole, however the network cut them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.runtime.kube.framing import LineSplitter, LineTooLong

LINES = st.lists(
    st.binary(min_size=1, max_size=40).filter(lambda line: b"\n" not in line and line.strip() != b"")
)


@given(LINES, st.lists(st.integers(min_value=1, max_value=50)))
def test_lines_are_the_same_however_the_stream_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()
    found: list[bytes] = []
    for cut in cuts:
        found += splitter.feed(stream[:cut])
        stream = stream[cut:]
    found += splitter.feed(stream)
    assert found == lines


def test_a_line_without_its_end_is_kept_back() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b'{"type":') == []
    assert splitter.feed(b' "ADDED"}\n{"ty') == [b'{"type": "ADDED"}']


def test_blank_lines_are_left_out() -> None:
    assert LineSplitter().feed(b"\n a \n\r\n\n") == [b" a "]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([b"123456789"], id="in one chunk, unfinished"),
        pytest.param([b"12345", b"6789"], id="in two chunks, unfinished"),
        pytest.param([b"12345", b"6789\n"], id="in two chunks, finished"),
        pytest.param([b"ok\n123456789\n"], id="after a good line"),
    ],
)
def test_a_line_over_the_limit_is_refused(chunks: list[bytes]) -> None:
    *first, last = chunks
    splitter = LineSplitter(limit=8)
    for chunk in first:
        splitter.feed(chunk)
    with pytest.raises(LineTooLong):
        splitter.feed(last)


def test_a_line_at_the_limit_is_taken() -> None:
    assert LineSplitter(limit=8).feed(b"12345678\n") == [b"12345678"]


def test_many_lines_that_come_in_pieces_never_add_up_to_the_limit() -> None:
    splitter = LineSplitter(limit=8)
    for _ in range(10):
        assert splitter.feed(b"12345") == []
        assert splitter.feed(b"678\n") == [b"12345678"]
