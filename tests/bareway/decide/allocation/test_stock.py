"""What may be given next, while addresses are taken, given back, rest, and are reserved."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.freed import Rest
from bareway.decide.allocation.stock import Stock
from bareway.decide.allocation.verdicts import Refusal
from bareway.model.configuration import Pool, Reuse
from bareway.model.memory import Hold
from support.builders import configuration, ips, key, pool

A = replace(pool("a", "192.0.2.0/30", "2001:db8::/127"), reuse=Reuse.OLDEST)
ZERO, ONE, TWO, THREE = ips("192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3")
(SIX,) = ips("2001:db8::")
HELD = Rest(hold=Hold(service=key("a"), until=60))


def stock(of: Pool = A) -> Stock:
    return Stock(configuration(of))


def order(of: Stock, pool_of: Pool = A, version: int = 4) -> list[str]:
    """What the pool would give, one after the other."""
    found: list[str] = []
    while (address := of.next_free(pool_of, version)) is not None:
        of.take(address)
        found.append(str(address))
    return found


def freed(at: int) -> Rest:
    return Rest(freed_at=at)


# ------------------------------------------------------------ resting


def test_only_what_is_new_is_said_to_be_new() -> None:
    one = stock()
    assert one.rest(ZERO, None, is_held=False) is False
    assert one.rest(ZERO, HELD, is_held=False) is True
    assert one.rest(ZERO, replace(HELD), is_held=False) is False
    assert one.rest(ZERO, freed(7), is_held=False) is True
    assert one.rest(ZERO, None, is_held=False) is True


def test_what_has_an_end_is_not_given_and_what_was_freed_is_given_last_in_turn() -> None:
    one = stock()
    one.rest(ZERO, HELD, is_held=False)
    one.rest(ONE, freed(30), is_held=False)
    one.rest(TWO, freed(20), is_held=False)
    assert order(one) == ["192.0.2.3", "192.0.2.2", "192.0.2.1"]


def test_what_rests_longer_or_shorter_moves_in_the_turn() -> None:
    one = stock()
    for at, address in enumerate((THREE, TWO, ONE, ZERO)):
        one.rest(address, freed(at), is_held=False)
    one.rest(THREE, freed(9), is_held=False)
    one.rest(ONE, None, is_held=False)
    assert order(one) == ["192.0.2.1", "192.0.2.2", "192.0.2.0", "192.0.2.3"]


def test_what_is_held_is_not_given_whatever_is_to_be_known_of_it() -> None:
    one = stock()
    one.take(ZERO)
    one.rest(ZERO, freed(7), is_held=True)
    one.rest(ONE, freed(8), is_held=False)
    one.take(ONE)
    assert order(one) == ["192.0.2.2", "192.0.2.3"]
    one.give_back(ONE)
    one.give_back(ZERO)
    assert order(one) == ["192.0.2.0", "192.0.2.1"]


def test_a_rest_that_is_over_while_the_address_is_held_leaves_it_held() -> None:
    one = stock()
    one.rest(ZERO, HELD, is_held=False)
    one.rest(ZERO, None, is_held=True)
    assert order(one) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    one.give_back(ZERO)
    assert order(one) == ["192.0.2.0"]


def test_a_pool_that_had_nothing_has_something_again() -> None:
    one = stock()
    assert order(one, version=6) == ["2001:db8::", "2001:db8::1"]
    assert one.next_free(A, 6) is None
    one.give_back(SIX)
    assert one.next_free(A, 6) == SIX
    assert order(one) == [str(address) for address in (ZERO, ONE, TWO, THREE)]
    one.rest(TWO, freed(1), is_held=False)
    assert one.next_free(A, 4) == TWO


def test_addresses_of_no_pool_matter_to_nobody() -> None:
    (elsewhere,) = ips("10.9.9.9")
    one = stock()
    one.take(elsewhere)
    one.give_back(elsewhere)
    assert one.rest(elsewhere, freed(7), is_held=False) is True
    assert one.rest(elsewhere, HELD, is_held=False) is True
    assert one.earliest_end(A, 4) is None
    assert order(one) == [str(address) for address in (ZERO, ONE, TWO, THREE)]


# ------------------------------------------------------------ reserved, on hold


def test_what_is_reserved_is_given_to_nobody_by_itself_not_even_when_given_back() -> None:
    one = stock(replace(A, reserve={key("a"): (TWO, ONE), key("b"): (TWO,)}))
    assert one.reserved_for(key("a")) == (TWO, ONE)
    assert one.reserved_for(key("c")) == ()
    one.take(TWO)
    one.give_back(TWO)
    one.rest(ONE, freed(7), is_held=False)
    assert order(one) == ["192.0.2.0", "192.0.2.3"]


def test_who_else_wants_a_reserved_address_is_told_all_for_whom_it_is() -> None:
    one = stock(replace(A, reserve={key("b"): (TWO,), key("a"): (TWO,)}))
    assert one.not_reserved(key("a"), TWO, A) is None
    assert one.not_reserved(key("c"), ONE, A) is None
    refused = one.not_reserved(key("c"), TWO, A)
    assert refused is not None
    assert (refused.word, refused.pool, refused.address) == (Refusal.RESERVED, "a", TWO)
    assert refused.message == '"192.0.2.2" is reserved for default/a,default/b'


def test_what_waits_for_a_service_is_listed_in_order_until_it_waits_no_more() -> None:
    one = stock()
    for address in (SIX, THREE, ZERO):
        one.rest(address, HELD, is_held=False)
    assert one.on_hold_for(key("a")) == (ZERO, THREE, SIX)
    assert one.on_hold_for(key("b")) == ()
    assert one.has_own(key("a"))
    one.rest(THREE, freed(7), is_held=False)
    one.rest(ZERO, Rest(hold=Hold(service=key("b"), until=60)), is_held=False)
    assert (one.on_hold_for(key("a")), one.on_hold_for(key("b"))) == ((SIX,), (ZERO,))
    one.rest(SIX, None, is_held=False)
    assert (one.on_hold_for(key("a")), one.has_own(key("a"))) == ((), False)


def test_who_else_wants_what_is_on_hold_is_told_for_whom_it_waits() -> None:
    one = stock()
    one.rest(ZERO, HELD, is_held=False)
    one.rest(ONE, freed(7), is_held=False)
    assert one.not_on_hold(key("a"), ZERO, A) is None
    assert one.not_on_hold(key("b"), ONE, A) is None
    assert one.not_on_hold(key("b"), TWO, A) is None
    refused = one.not_on_hold(key("b"), ZERO, A)
    assert refused is not None
    assert (refused.word, refused.pool, refused.address) == (Refusal.ON_HOLD, "a", ZERO)
    assert refused.message == '"192.0.2.0" waits for default/a, which held it last'


# ------------------------------------------------------------ ends


@pytest.mark.parametrize(
    ("known", "ends"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param(freed(7), None, id="freed"),
        pytest.param(Rest(quarantined_until=9), None, id="in quarantine"),
        pytest.param(HELD, 60, id="on hold"),
    ],
)
def test_the_end_of_a_hold_is_known(known: Rest | None, ends: int | None) -> None:
    one = stock()
    one.rest(ZERO, known, is_held=False)
    assert one.hold_ends(ZERO) == ends


def test_a_pool_gets_an_address_back_at_the_first_end_of_its_family_that_frees_one() -> None:
    one = stock(replace(A, reserve={key("x"): (THREE,)}))
    assert one.earliest_end(A, 4) is None
    one.rest(ZERO, replace(HELD, quarantined_until=90), is_held=False)
    assert one.earliest_end(A, 4) == 90, "both must end"
    one.rest(ONE, Rest(quarantined_until=70), is_held=False)
    assert (one.earliest_end(A, 4), one.earliest_end(A, 6)) == (70, None)
    one.rest(TWO, freed(5), is_held=False)
    one.rest(THREE, Rest(quarantined_until=10), is_held=False)
    assert one.earliest_end(A, 4) == 70, "neither what is given in turn nor what is reserved"
    one.rest(SIX, Rest(quarantined_until=80), is_held=False)
    assert (one.earliest_end(A, 4), one.earliest_end(A, 6)) == (70, 80)
    one.rest(ONE, None, is_held=False)
    assert one.earliest_end(A, 4) == 90


def test_a_revision_never_comes_again() -> None:
    one = stock()
    seen = [one.revision]
    for turn in range(3):
        one.take(ZERO)
        one.give_back(ZERO)
        seen.append(one.revision)
        one.rest(ONE, freed(turn), is_held=True)
        seen.append(one.revision)
    assert seen == sorted(set(seen))
