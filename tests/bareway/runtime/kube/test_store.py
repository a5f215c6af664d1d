"""Lists replace, events add up, and what cannot be read never takes anything away."""

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.names import ObjectKey
from bareway.model.problems import Problem
from bareway.model.services import Service
from bareway.resources.kinds import Bookmark, Deleted, Reading
from bareway.runtime.kube.store import Store
from support.builders import key, service

WRONG = (Problem(path="spec.type", message="Expected `str`, got `int`"),)


def good(name: str, version: str = "1", **what: str) -> Reading[Service]:
    content = service(name, resource_version=version, **what)  # type: ignore[arg-type]  # words only
    return Reading(content.key, version, content)


def bad(name: str, version: str = "2") -> Reading[Service]:
    return Reading(key(name), version, WRONG)


def filled(*readings: Reading[Service], version: str = "10") -> Store[Service]:
    store: Store[Service] = Store()
    store.begin_list()
    for reading in readings:
        store.add(reading)
    store.end_list(version)
    return store


def test_a_list_counts_only_when_it_is_complete() -> None:
    store = filled(good("old"))
    store.begin_list()
    store.add(good("new"))
    assert set(store.objects) == {key("old")}
    assert store.end_list("20") == {key("old"), key("new")}
    assert set(store.objects) == {key("new")}
    assert store.resource_version == "20"


def test_a_list_that_was_not_finished_leaves_nothing_behind() -> None:
    store = filled(good("old"))
    store.begin_list()
    store.add(good("half"))
    store.begin_list()
    store.add(good("new"))
    store.end_list("20")
    assert set(store.objects) == {key("new")}


def test_an_equal_list_is_no_change_and_keeps_the_very_objects() -> None:
    store = filled(good("a"), good("b"))
    before = [*store.objects.values()]
    store.begin_list()
    store.add(good("a"))
    store.add(good("b"))
    assert store.end_list("20") == frozenset()
    assert all(one is other for one, other in zip(store.objects.values(), before, strict=True))


def test_a_missing_object_in_a_list_is_a_change() -> None:
    store = filled(good("a"), good("b"))
    store.begin_list()
    store.add(good("a"))
    assert store.end_list("20") == {key("b")}


def test_an_expired_place_keeps_the_objects() -> None:
    store = filled(good("a"))
    store.expire()
    assert store.resource_version == ""
    assert set(store.objects) == {key("a")}


def test_the_same_event_twice_is_one_change() -> None:
    store = filled()
    assert [store.apply(good("a", "11")), store.apply(good("a", "11"))] == [True, False]
    assert [store.apply(Deleted(key("a"), "12")), store.apply(Deleted(key("a"), "12"))] == [True, False]
    assert store.objects == {}


def test_a_new_resource_version_alone_is_a_change_because_writes_need_it() -> None:
    store = filled(good("a", "1"))
    assert store.apply(good("a", "11")) is True


def test_a_bookmark_moves_the_place_and_nothing_else() -> None:
    store = filled(good("a"))
    assert store.apply(Bookmark("99")) is False
    assert store.resource_version == "99"
    assert set(store.objects) == {key("a")}


def test_an_event_without_a_version_does_not_lose_the_place() -> None:
    store = filled(version="10")
    store.apply(Bookmark(""))
    assert store.resource_version == "10"


def test_an_object_that_becomes_unreadable_keeps_its_last_good_form() -> None:
    store = filled(good("a", requested="192.0.2.1"))
    assert store.apply(bad("a")) is True
    assert store.objects[key("a")].requested_address == "192.0.2.1"
    assert store.problems == {key("a"): WRONG}


def test_it_keeps_it_through_a_list_as_well() -> None:
    store = filled(good("a"))
    store.begin_list()
    store.add(bad("a"))
    assert store.end_list("20") == {key("a")}
    assert set(store.objects) == {key("a")}
    assert store.problems == {key("a"): WRONG}


def test_the_same_problem_twice_is_one_change() -> None:
    store = filled()
    assert [store.apply(bad("a", "11")), store.apply(bad("a", "12"))] == [True, False]
    assert store.objects == {}


def test_a_problem_ends_when_the_object_is_readable_again_even_if_it_is_as_before() -> None:
    store = filled(good("a"))
    store.apply(bad("a"))
    assert store.apply(good("a")) is True
    assert store.problems == {}


def test_a_deleted_object_takes_its_problem_with_it() -> None:
    store = filled()
    store.apply(bad("a"))
    assert store.apply(Deleted(key("a"), "12")) is True
    assert store.problems == {}


NAMES = st.sampled_from(["a", "b", "c"])
HAPPENINGS = st.lists(st.tuples(NAMES, st.booleans()), max_size=20)


@given(HAPPENINGS, HAPPENINGS)
def test_watching_and_listing_anew_end_with_the_same_objects(
    before: list[tuple[str, bool]], after: list[tuple[str, bool]]
) -> None:
    watched, truth = filled(), dict[ObjectKey, Service]()
    for version, (name, exists) in enumerate([*before, *after], start=11):
        reading = good(name, str(version))
        watched.apply(reading if exists else Deleted(key(name), str(version)))
        truth.pop(key(name), None)
        if exists:
            assert isinstance(reading.content, Service)
            truth[key(name)] = reading.content
    listed = filled(*(Reading(name, "50", content) for name, content in truth.items()))
    assert watched.objects == listed.objects == truth


def test_an_equal_object_that_a_reader_has_is_kept_once() -> None:
    store = filled(good("web"))
    ours = good("web").content
    assert isinstance(ours, Service)
    assert store.objects[key("web")] is not ours
    store.keep(key("web"), ours)
    assert store.objects[key("web")] is ours


def test_an_object_that_differs_or_is_gone_is_not_put_back() -> None:
    store = filled(good("web"))
    other = good("web", version="2").content
    assert isinstance(other, Service)
    store.keep(key("web"), other)
    assert store.objects[key("web")].resource_version == "1"
    store.apply(Deleted(key("web"), "11"))
    store.keep(key("web"), other)
    assert not store.objects
