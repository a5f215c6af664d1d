"""bareway.runtime.kube.responses: the same answer, however the network cut it; and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.runtime.kube.responses import HEAD_MAX, BadResponse, Response, ResponseReader

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\nbody"
CHUNKS = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKS += b"2\r\nbo\r\nA;x=y\r\ndy and mor\r\n1\r\ne\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + PLAIN
LATER = b"HTTP/1.1 429 Too Many Requests\r\nRETRY-AFTER:  7 \r\ncontent-length: 0\r\n\r\n"
TRAILERS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n"
)

GOOD = [
    pytest.param(PLAIN, Response(200, "", b"body", keeps=True), id="a length"),
    pytest.param(CHUNKS, Response(201, "", b"body and more", keeps=True), id="chunks"),
    pytest.param(EMPTY, Response(204, "", b"", keeps=True), id="no content, no length"),
    pytest.param(EARLY, Response(200, "", b"body", keeps=True), id="announced by another"),
    pytest.param(LATER, Response(429, "7", b"", keeps=True), id="headers in any case"),
    pytest.param(TRAILERS, Response(200, "", b"a", keeps=True), id="trailers are read over"),
    pytest.param(
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"), Response(200, "", b"body", keeps=False), id="HTTP/1.0 ends"
    ),
    pytest.param(
        PLAIN.replace(b"Content-Type: application/json", b"Connection: Close"),
        Response(200, "", b"body", keeps=False),
        id="it says that it ends",
    ),
]


@pytest.mark.parametrize(("stream", "expected"), GOOD)
@given(cuts=st.lists(st.integers(min_value=1, max_value=30)))
def test_an_answer_is_the_same_however_it_is_cut(stream: bytes, expected: Response, cuts: list[int]) -> None:
    reader = ResponseReader(64)
    for cut in cuts:
        piece, stream = stream[:cut], stream[cut:]
        found = reader.feed(piece)
        if not stream:
            assert found == expected
            return
        assert found is None
    assert reader.feed(stream) == expected


@pytest.mark.parametrize(("stream", "expected"), GOOD)
def test_a_connection_that_brings_more_than_was_asked_for_is_not_used_again(
    stream: bytes, expected: Response
) -> None:
    found = ResponseReader(64).feed(stream + b"HTTP/1.1 200 OK\r\n")
    assert found is not None
    assert (found.body, found.keeps) == (expected.body, False)


def test_without_a_length_the_answer_ends_with_the_connection() -> None:
    reader = ResponseReader(64)
    assert reader.feed(b"HTTP/1.1 200 OK\r\n\r\nbo") is None
    assert reader.feed(b"dy") is None
    assert reader.end() == Response(200, "", b"body", keeps=False)


@pytest.mark.parametrize("stream", [b"", PLAIN[:10], PLAIN[:-1], CHUNKS[:-1], EARLY[:50]])
def test_a_connection_that_ends_in_the_middle_brings_no_answer(stream: bytes) -> None:
    reader = ResponseReader(64)
    assert reader.feed(stream) is None
    with pytest.raises(BadResponse):
        reader.end()


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 20\r\n\r\n", id="a short status"),
        pytest.param(b"HTTP/1.1 +20 OK\r\n\r\n", id="a status with a sign"),
        pytest.param("HTTP/1.1 ²00 OK\r\n\r\n".encode("latin-1"), id="a status that only looks like digits"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", id="another protocol"),
        pytest.param(PLAIN.replace(b": 4", b": -4"), id="a negative length"),
        pytest.param(PLAIN.replace(b": 4", b": 4_0"), id="a length with an underscore"),
        pytest.param(PLAIN.replace(b": 4", b": 4, 4"), id="two lengths"),
        pytest.param(PLAIN.replace(b": 4", b": 65"), id="longer than we take"),
        pytest.param(CHUNKS.replace(b"\r\nA;", b"\r\n0x3;"), id="a chunk's size with a prefix"),
        pytest.param(CHUNKS.replace(b"\r\nA;", b"\r\n9;"), id="a chunk that is longer than it says"),
        pytest.param(CHUNKS.replace(b"\r\nA;", b"\r\nFFFF;"), id="a chunk longer than we take"),
        pytest.param(CHUNKS.replace(b"\r\nA;", b"\r\n" + b"0" * 17 + b";"), id="a size without an end"),
        pytest.param(CHUNKS.replace(b"chunked", b"gzip, chunked"), id="a coding that nobody asked for"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65, id="longer than we take, to the end"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD_MAX, id="headers without an end"),
        pytest.param(CHUNKS[:-2] + b"X: " + b"x" * HEAD_MAX, id="trailers without an end"),
    ],
)
def test_what_is_no_answer_is_refused(stream: bytes) -> None:
    with pytest.raises(BadResponse):
        ResponseReader(64).feed(stream)


@given(st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKS[:60]]))
def test_whatever_comes_is_an_answer_or_is_refused(noise: bytes, start: bytes) -> None:
    reader = ResponseReader(64)
    try:
        if reader.feed(start + noise) is None:
            reader.end()
    except BadResponse:
        pass


def test_many_small_chunks_add_up_to_the_limit() -> None:
    reader = ResponseReader(8)
    reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(8):
        assert reader.feed(b"1\r\nx\r\n") is None
    with pytest.raises(BadResponse):
        reader.feed(b"1\r\nx\r\n")
