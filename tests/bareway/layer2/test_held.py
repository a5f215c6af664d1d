"""What waits for an answer of the link: each once, in order, and not without end."""

from bareway.layer2.forms import Form
from bareway.layer2.held import WAITING_MAX, Held
from bareway.layer2.responder import Question
from bareway.model.mac import MacAddress
from support.arp import VIP, packet


def question(number: int = 2) -> Question:
    return Question(VIP, packet(sender_mac=MacAddress(bytes([2, 0, 0, 0, 0, number]))))


def test_what_waits_is_released_in_order_each_once() -> None:
    held = Held()
    for waiting in (question(3), Form.REQUEST, question(2), question(3)):
        assert held.add(VIP, waiting)
    assert held.release(VIP) == (question(3), Form.REQUEST, question(2))


def test_what_was_released_does_not_wait_any_more() -> None:
    held = Held()
    held.add(VIP, question())
    assert held.is_asked(VIP)
    held.release(VIP)
    assert not held.is_asked(VIP)
    assert held.release(VIP) == ()


def test_addresses_wait_apart() -> None:
    held = Held()
    held.add(VIP, Form.REQUEST)
    held.add(VIP + 1, Form.REPLY)
    assert not held.is_asked(VIP + 2)
    assert held.release(VIP + 1) == (Form.REPLY,)
    assert held.release(VIP) == (Form.REQUEST,)


def test_a_flood_of_askers_is_not_remembered_but_those_who_wait_are() -> None:
    held = Held()
    assert all(held.add(VIP, question(number)) for number in range(WAITING_MAX))
    assert not held.add(VIP, question(WAITING_MAX))
    assert held.add(VIP, question(0))
    assert held.add(VIP + 1, question(WAITING_MAX))
    assert len(held.release(VIP)) == WAITING_MAX
