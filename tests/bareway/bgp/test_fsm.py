"""The table: every state answers every event, and only the standard's ways lead up."""

import pytest

from bareway.bgp.fsm import ALL_STARTS, TABLE, Act, State, Trigger, step

UP = {
    (State.IDLE, State.CONNECT),
    (State.IDLE, State.ACTIVE),
    (State.CONNECT, State.ACTIVE),
    (State.CONNECT, State.OPEN_SENT),
    (State.ACTIVE, State.OPEN_SENT),
    (State.OPEN_SENT, State.OPEN_CONFIRM),
    (State.OPEN_CONFIRM, State.ESTABLISHED),
}


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
@pytest.mark.parametrize("trigger", Trigger, ids=lambda trigger: trigger.name)
def test_no_event_leads_where_the_standard_does_not(state: State, trigger: Trigger) -> None:
    act, after = step(state, trigger)
    assert after <= state or (state, after) in UP
    if state >= State.OPEN_SENT and after is State.IDLE:
        assert act not in {Act.NOTHING, Act.CONNECT, Act.BEAT}


def test_the_events_have_the_numbers_of_the_standard() -> None:
    assert [trigger.value for trigger in Trigger] == list(range(1, 32))
    assert (Trigger.OPEN, Trigger.UPDATE_ERROR, Trigger.SEND_HOLD_EXPIRES) == (19, 28, 29)


@pytest.mark.parametrize(
    ("state", "trigger", "expected"),
    [
        pytest.param(State.IDLE, Trigger.TCP_CONFIRMED, (Act.NOTHING, State.IDLE), id="Idle is deaf"),
        pytest.param(State.CONNECT, Trigger.KEEPALIVE, (Act.FAIL, State.IDLE), id="any other in Connect"),
        pytest.param(State.ACTIVE, Trigger.CONNECT_RETRY_EXPIRES, (Act.CONNECT, State.CONNECT), id="retry"),
        pytest.param(
            State.OPEN_SENT, Trigger.TCP_FAILS, (Act.WAIT, State.ACTIVE), id="TCP fails in OpenSent"
        ),
        pytest.param(
            State.OPEN_SENT, Trigger.KEEPALIVE, (Act.PROTEST, State.IDLE), id="any other in OpenSent"
        ),
        pytest.param(State.ESTABLISHED, Trigger.UPDATE, (Act.HEAR, State.ESTABLISHED), id="UPDATE"),
    ],
)
def test_ways_of_the_table(state: State, trigger: Trigger, expected: tuple[Act, State]) -> None:
    assert step(state, trigger) == expected


def test_a_start_disturbs_nothing_that_runs() -> None:
    for state in list(State)[1:]:
        for start in ALL_STARTS:
            assert step(state, start) == (Act.NOTHING, state)


def test_every_row_is_one_of_the_tables_own_states() -> None:
    assert len(TABLE) > 70
