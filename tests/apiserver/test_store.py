"""What the store remembers, and for how long."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apiserver import store as store_module
from apiserver.kinds import CONFIG_MAPS, SECRETS, Kind
from apiserver.store import ChangeType, Compacted, JsonObject, Key, Store

A, B = Key("shop", "a"), Key("shop", "b")


def _object(name: str, **fields: str) -> JsonObject:
    return {"metadata": {"name": name}, **fields}


def test_every_write_takes_the_next_revision_of_one_counter() -> None:
    store = Store(first_revision=7)
    first = store.put(CONFIG_MAPS, A, _object("a"))
    second = store.put(SECRETS, A, _object("a"))
    last = store.delete(CONFIG_MAPS, A)
    versions = [value["metadata"]["resourceVersion"] for value in (first, second, last)]
    assert (versions, store.revision) == (["8", "9", "10"], 10)


def test_what_was_read_before_a_write_stays_as_it_was() -> None:
    store = Store()
    before = store.put(CONFIG_MAPS, A, _object("a", data="old"))
    store.put(CONFIG_MAPS, A, _object("a", data="new"))
    assert before["data"] == "old"
    assert before["metadata"]["resourceVersion"] == "2"


def test_the_changes_since_a_revision_are_told_in_order() -> None:
    store = Store()
    store.put(CONFIG_MAPS, A, _object("a"))
    start = store.revision
    store.put(CONFIG_MAPS, A, _object("a", data="new"))
    store.delete(CONFIG_MAPS, A)
    store.put(CONFIG_MAPS, B, _object("b"))
    changes = store.since(start)
    words = [ChangeType.MODIFIED, ChangeType.DELETED, ChangeType.ADDED]
    assert [change.type for change in changes] == words
    assert [change.previous is None for change in changes] == [False, False, True]
    assert [change.revision for change in changes] == [start + 1, start + 2, start + 3]
    assert list(store.since(store.revision)) == []


def test_nothing_is_told_of_a_revision_that_is_not_yet() -> None:
    store = Store()
    store.put(CONFIG_MAPS, A, _object("a"))
    assert list(store.since(store.revision + 5)) == []


def test_after_a_compaction_only_what_follows_is_told() -> None:
    store = Store()
    store.put(CONFIG_MAPS, A, _object("a"))
    before = store.revision - 1
    store.compact()
    with pytest.raises(Compacted):
        store.since(before)
    start = store.revision
    store.put(CONFIG_MAPS, B, _object("b"))
    assert len(store.since(start)) == 1


def test_a_full_history_forgets_its_oldest_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "HISTORY_MAX", 10)
    store = Store()
    for number in range(30):
        store.put(CONFIG_MAPS, A, _object("a", data=str(number)))
    assert len(store.since(store.compacted)) <= 10
    assert [change.object["data"] for change in store.since(store.revision - 2)] == ["28", "29"]
    with pytest.raises(Compacted):
        store.since(store.compacted - 1)


async def test_who_waits_for_a_change_is_woken_by_a_write_and_by_a_compaction() -> None:
    store = Store()
    for wake in (lambda: store.put(CONFIG_MAPS, A, _object("a")), store.compact):
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(store.wait_for_change())
            await asyncio.sleep(0)
            assert not waiting.done()
            wake()


WRITES = st.lists(
    st.tuples(st.sampled_from([CONFIG_MAPS, SECRETS]), st.sampled_from([A, B, Key("", "c")]), st.booleans()),
    max_size=30,
)


@given(WRITES)
def test_a_list_at_an_old_revision_is_what_was_listed_then(
    writes: list[tuple[Kind, Key, bool]],
) -> None:
    store = Store()
    seen = {}
    for kind, key, deletes in writes:
        if not deletes:
            store.put(kind, key, _object(key.name, data=str(store.revision)))
        elif store.get(kind, key) is not None:
            store.delete(kind, key)
        seen[store.revision] = (store.all(CONFIG_MAPS), store.all(SECRETS))
    for revision, (config_maps, secrets) in seen.items():
        assert store.all(CONFIG_MAPS, at=revision) == config_maps
        assert store.all(SECRETS, at=revision) == secrets
