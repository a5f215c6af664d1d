"""The frames that tell a link, unasked, where an address of ours is, and the one that asks who has it.

IPv4 has two forms, since some receivers learn from requests only and some from replies only.
"""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final

from bareway.layer2 import arp, ndp
from bareway.layer2.arp import Operation
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress


class Form(StrEnum):
    """A frame that is sent unasked."""

    REQUEST = "Request"
    """Gratuitous ARP, written as a request."""
    REPLY = "Reply"
    """Gratuitous ARP, written as a reply."""
    ADVERTISEMENT = "Advertisement"
    """Unsolicited neighbour advertisement."""


FORMS: Final[Mapping[int, tuple[Form, ...]]] = {4: (Form.REQUEST, Form.REPLY), 6: (Form.ADVERTISEMENT,)}
"""All that there are for a version of IP; the first one is what the first round sends."""
OPERATIONS: Final = {Form.REPLY: Operation.REPLY, Form.REQUEST: Operation.REQUEST}


def telling(address: IPAddress, form: Form, *, my_mac: MacAddress) -> bytes:
    """The frame of this form: ``address`` is at ``my_mac``."""
    if isinstance(address, IPv4Address):
        return arp.gratuitous(address, my_mac=my_mac, operation=OPERATIONS[form])
    return ndp.unsolicited(address, my_mac=my_mac)


def asking(address: IPAddress, *, my_mac: MacAddress) -> bytes:
    """The frame that asks who has ``address``, and claims nothing."""
    if isinstance(address, IPv4Address):
        return arp.probe(address, my_mac=my_mac)
    return ndp.probe(address, my_mac=my_mac)
