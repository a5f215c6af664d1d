"""Which frame each form is."""

import pytest

from bareway.layer2 import arp, ndp
from bareway.layer2.arp import Operation
from bareway.layer2.forms import FORMS, Form, asking, telling
from bareway.model.names import IPAddress
from support.arp import MY_MAC, VIP
from support.ndp import VIP6


@pytest.mark.parametrize(
    ("address", "form", "frame"),
    [
        pytest.param(
            VIP, Form.REQUEST, arp.gratuitous(VIP, my_mac=MY_MAC, operation=Operation.REQUEST), id="request"
        ),
        pytest.param(
            VIP, Form.REPLY, arp.gratuitous(VIP, my_mac=MY_MAC, operation=Operation.REPLY), id="reply"
        ),
        pytest.param(VIP6, Form.ADVERTISEMENT, ndp.unsolicited(VIP6, my_mac=MY_MAC), id="advertisement"),
    ],
)
def test_every_form_is_a_frame(address: IPAddress, form: Form, frame: bytes) -> None:
    assert telling(address, form, my_mac=MY_MAC) == frame
    assert form in FORMS[address.version]


def test_every_form_is_of_one_version() -> None:
    assert sorted(form for forms in FORMS.values() for form in forms) == sorted(Form)


def test_to_ask_claims_nothing() -> None:
    assert asking(VIP, my_mac=MY_MAC) == arp.probe(VIP, my_mac=MY_MAC)
    assert asking(VIP6, my_mac=MY_MAC) == ndp.probe(VIP6, my_mac=MY_MAC)
