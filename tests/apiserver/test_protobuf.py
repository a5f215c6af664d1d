"""The protobuf of ``kubectl create``: real bytes of kubectl v1.36.4, and bytes that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver.protobuf import MAGIC, decode
from apiserver.refusals import Refused

# Body of the POST of `kubectl create namespace aa`, kubectl v1.36.4.
NAMESPACE = bytes.fromhex(
    "6b387300"  # "k8s" and zero
    "0a0f 0a02 7631 1209 4e616d657370616365"  # type: "v1", "Namespace"
    "121a"  # the object, 26 bytes
    "0a12 0a02 6161 1200 1a00 2200 2a00 3200 3800 4200"  # metadata: name "aa", the rest empty
    "1200"  # spec
    "1a02 0a00"  # status: phase
    "1a00 2200"  # encoding and type of the content: empty
)


def test_a_namespace_is_read() -> None:
    assert decode(NAMESPACE) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "aa"},
    }


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _body(kind: str, content: bytes) -> bytes:
    type_meta = _field(1, b"v1") + _field(2, kind.encode())
    return MAGIC + _field(1, type_meta) + _field(2, content)


def test_numbers_or_texts_and_lists_of_messages_are_read() -> None:
    by_number = b"\x18\x50" + _field(4, b"\x08\x00\x10\x90\x3f")  # port 80, target 8080
    by_name = b"\x18\x51" + _field(4, b"\x08\x01" + _field(3, b"web"))  # port 81, target "web"
    spec = _field(1, by_number) + _field(1, by_name) + b"\xa0\x01\x00"  # no node ports
    assert decode(_body("Service", _field(2, spec)))["spec"] == {
        "ports": [{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": "web"}],
        "allocateLoadBalancerNodePorts": False,
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"{}", 400, id="JSON"),
        pytest.param(MAGIC, 400, id="nothing after the magic"),
        pytest.param(NAMESPACE[:-20], 400, id="cut short"),
        pytest.param(_body("Pod", b""), 501, id="a kind that kubectl create does not send here"),
        pytest.param(_body("Namespace", _field(9, _field(1, b"x"))), 501, id="a field that is not known"),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, code: int) -> None:
    with pytest.raises(Refused) as caught:
        decode(body)
    assert caught.value.code == code


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    for body in (MAGIC + content, _body("Service", content[:100])):
        try:
            decode(body)
        except Refused:
            continue
