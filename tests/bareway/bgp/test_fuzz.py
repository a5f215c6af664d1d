"""The fuzzer's first rounds; ``python -m support.fuzz_bgp 600`` goes on."""

from support.fuzz_bgp import ROUNDS_SHORT, rounds


def test_broken_messages_raise_nothing_and_leave_a_session_that_goes_on() -> None:
    rounds(0, ROUNDS_SHORT)
