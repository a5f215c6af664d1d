"""Nobody waits behind those that cannot be written."""

from dataclasses import replace

from bareway.model.names import ServiceKey
from bareway.model.services import Service
from controller.writing.backlog import Backlog
from support.builders import key, service

OLD, YOUNG, LATE = key("shop/z"), key("shop/a"), key("shop/m")


def of_age(one: ServiceKey, minute: int) -> Service:
    return replace(service(str(one)), created_at=f"2026-01-01T00:0{minute}:00Z")


SERVICES = {OLD: of_age(OLD, 0), YOUNG: of_age(YOUNG, 1), LATE: of_age(LATE, 2)}


def test_the_oldest_come_first_whatever_their_names() -> None:
    assert Backlog().order({LATE, YOUNG, OLD}, SERVICES) == [OLD, YOUNG, LATE]


def test_who_was_left_for_later_takes_part_again_and_who_lacks_nothing_does_not() -> None:
    backlog = Backlog()
    backlog.note(rest=[LATE], missing={OLD}, tried=[OLD])
    assert backlog.order(set(), SERVICES) == [LATE]
    backlog.note(rest=[], missing=set(), tried=[])
    assert backlog.order(set(), SERVICES) == []


def test_who_was_tried_in_vain_comes_after_all_that_were_not() -> None:
    backlog = Backlog()
    backlog.note(rest=[YOUNG, LATE], missing={OLD}, tried=[OLD])
    assert backlog.order({OLD}, SERVICES) == [YOUNG, LATE, OLD]


def test_those_that_fail_for_ever_take_turns() -> None:
    backlog = Backlog()
    written: list[ServiceKey] = []
    for _ in range(6):
        first, *rest = backlog.order(SERVICES.keys(), SERVICES)
        written.append(first)
        backlog.note(rest=rest, missing={first}, tried=[first])
    assert written == [OLD, YOUNG, LATE] * 2


def test_a_service_that_is_gone_is_no_reason_to_stop() -> None:
    assert Backlog().order({OLD, key("shop/gone")}, SERVICES) == [key("shop/gone"), OLD]


def test_tries_are_forgotten_once_nothing_is_missing() -> None:
    backlog = Backlog()
    backlog.note(rest=[], missing={OLD}, tried=[OLD])
    backlog.note(rest=[], missing=set(), tried=[])
    assert backlog.order({OLD, YOUNG}, SERVICES) == [OLD, YOUNG]
