"""bareway.runtime.kube.reflector: a mirror that follows what happens and survives what goes wrong."""

import asyncio

import pytest

from bareway.runtime.kube.errors import Unreachable, api_error
from bareway.runtime.kube.reflector import RETRY_CAP_S, WATCH_GRACE_S, WATCH_S
from support.builders import key
from support.kube import service_json
from support.mirror import SMALL_PAGES, kube_with, running, synced

pytestmark = pytest.mark.looptime


async def test_it_lists_then_watches_from_where_the_list_ended() -> None:
    kube = kube_with("a", "b")
    async with synced(kube) as mirror:
        assert mirror.names == ["a", "b"]
        assert mirror.reflector.synced
        assert mirror.reflector.connected
        assert mirror.asked == ["list", "watch"]
        query = kube.requests[1][2]
        assert query["resourceVersion"] == "102"
        assert query["allowWatchBookmarks"] == "true"
        assert WATCH_S[0] <= int(query["timeoutSeconds"]) <= WATCH_S[1]


async def test_a_long_list_comes_in_pages() -> None:
    kube = kube_with("a", "b", "c", "d", "e")
    async with synced(kube, SMALL_PAGES) as mirror:
        assert mirror.names == ["a", "b", "c", "d", "e"]
        assert [query.get("continue") for _, what, query in kube.requests if what == "list"] == [
            None,
            "2",
            "4",
        ]
        assert {query["limit"] for _, what, query in kube.requests if what == "list"} == {"2"}


async def test_a_list_whose_continue_token_expired_begins_anew() -> None:
    kube = kube_with("a", "b", "c")
    async with running(kube, SMALL_PAGES) as mirror:
        await asyncio.sleep(0.0005)
        kube.failures.append(api_error("GET /services", 410, "Expired", "words"))
        await mirror.reflector.wait_synced()
        assert mirror.names == ["a", "b", "c"]
        lists = [query.get("continue") for _, what, query in kube.requests if what == "list"]
        assert lists == [None, "2", None, "2"]


async def test_nothing_is_shown_of_a_list_that_is_not_complete() -> None:
    kube = kube_with("a", "b", "c")
    async with running(kube, SMALL_PAGES) as mirror:
        await asyncio.sleep(0.0015)
        assert len(kube.requests) == 2
        assert mirror.names == []
        assert not mirror.reflector.synced


async def test_additions_changes_and_deletions_are_followed() -> None:
    kube = kube_with("a", "b")
    async with synced(kube) as mirror:
        kube.put("c")
        kube.put("a", loadBalancerIP="192.0.2.7")
        kube.delete("b")
        await kube.announce()
        assert mirror.names == ["a", "c"]
        assert mirror.reflector.objects[key("shop/a")].requested_address == "192.0.2.7"


async def test_many_events_that_come_together_are_one_change() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        before = mirror.changes
        for name in "bcdefgh":
            kube.put(name)
        await kube.announce()
        assert len(mirror.names) == 8
        assert mirror.changes == before + 1
        assert mirror.reflector.updates == 8


async def test_events_that_change_nothing_for_us_are_not_told() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        before = mirror.changes
        kube.history.append((kube.revision + 1, "MODIFIED", kube.objects["a"]))
        kube.revision += 1
        kube.bookmark()
        await kube.announce()
        assert mirror.changes == before


async def test_a_watch_that_ends_in_its_time_goes_on_from_the_last_bookmark_at_once() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.bookmark()
        await kube.announce()
        bookmark = str(kube.revision)
        changes = mirror.changes
        await asyncio.sleep(WATCH_S[1] + WATCH_GRACE_S)
        assert mirror.asked == ["list", "watch", "watch"]
        assert kube.requests[2][2]["resourceVersion"] == bookmark
        times = [time for time, _, _ in kube.requests]
        assert times[2] - times[1] == pytest.approx(int(kube.requests[1][2]["timeoutSeconds"]), abs=1.0)
        assert mirror.reflector.connected
        assert mirror.reflector.errors == 0
        assert mirror.changes == changes + 1, "the resync: look again every five minutes"


@pytest.mark.parametrize(
    "forget",
    [
        pytest.param("http", id="as the answer to the watch"),
        pytest.param("event", id="as an event in the watch"),
    ],
)
async def test_a_forgotten_place_is_a_new_list_and_the_objects_stay_meanwhile(forget: str) -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.put("b")
        kube.compact()
        if forget == "http":
            await kube.end_watches()
        else:
            kube.stray_lines.append(
                b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}'
            )
            await kube.announce()
        assert mirror.names == ["a"]
        await asyncio.sleep(0.3)  # the first pause, since that watch did not live long
        assert mirror.names == ["a", "b"]
        assert mirror.reflector.lists == 2
        assert mirror.reflector.connected


async def test_an_error_event_other_than_410_goes_on_from_the_same_place() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.stray_lines.append(b'{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd"}}')
        await kube.announce()
        assert not mirror.reflector.connected
        assert "etcd" in mirror.reflector.trouble
        await asyncio.sleep(2.0)
        assert mirror.asked == ["list", "watch", "watch"]
        assert mirror.reflector.trouble == ""


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"<html>", id="not JSON"),
        pytest.param(b'{"type":"ADDED"}', id="an event without an object"),
        pytest.param(
            b'{"type":"EXPLODED","object":{"metadata":{"name":"a"}}}', id="an unknown type of event"
        ),
        pytest.param(b'{"type":"ADDED","object":{"metadata":{}}}', id="an object without a name"),
    ],
)
async def test_what_is_no_watch_event_is_distrusted_and_listed_anew(line: bytes) -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.stray_lines.append(line)
        await kube.announce()
        assert not mirror.reflector.connected
        assert mirror.names == ["a"]
        kube.put("b")
        await asyncio.sleep(2.0)
        assert mirror.asked == ["list", "watch", "list", "watch"]
        assert mirror.names == ["a", "b"]


async def test_events_before_a_bad_line_are_told() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.put("b")
        event = (
            b'{"type":"ADDED","object":{"metadata":{"name":"b","namespace":"shop","resourceVersion":"102"}}}'
        )
        kube.stray_lines += [event, b"garbage"]
        before = mirror.changes
        await kube.announce()
        assert mirror.names == ["a", "b"]
        assert mirror.changes >= before + 1


async def test_an_unreadable_object_is_a_problem_and_hides_no_other() -> None:
    kube = kube_with("a", "c")
    kube.store("ADDED", service_json("b", clusterIPs=["10.0.0.999"]))
    async with synced(kube) as mirror:
        assert mirror.names == ["a", "c"]
        assert [problem.path for problem in mirror.reflector.problems[key("shop/b")]] == [
            "spec.clusterIPs[0]"
        ]
        kube.store("MODIFIED", service_json("c", ports="many"))
        await kube.announce()
        assert mirror.names == ["a", "c"], "the last good form stays"
        assert [problem.path for problem in mirror.reflector.problems[key("shop/c")]] == ["spec.ports"]


async def test_a_server_that_is_away_keeps_the_objects_and_is_found_again() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.broken = Unreachable("connection refused")
        await kube.end_watches(Unreachable("connection lost"))
        kube.put("b")
        await asyncio.sleep(600.0)
        assert mirror.names == ["a"]
        assert not mirror.reflector.connected
        assert mirror.reflector.trouble == "connection refused"
        assert mirror.reflector.synced, "what was known once is not unknown"
        kube.broken = None
        await asyncio.sleep(RETRY_CAP_S)
        assert mirror.names == ["a", "b"]
        assert mirror.reflector.connected


async def test_one_object_is_asked_for_by_a_field_selector_in_list_and_watch() -> None:
    kube = kube_with("a")
    async with running(kube, field_selector="metadata.name=a") as mirror:
        await mirror.reflector.wait_synced()
        await asyncio.sleep(0.01)
        assert [query["fieldSelector"] for _, _, query in kube.requests] == ["metadata.name=a"] * 2


async def test_reading_a_long_page_lets_others_have_their_turn() -> None:
    kube = kube_with(*(f"s{number}" for number in range(400)))
    page = await kube.get("/services", {"limit": "500"}, timeout_s=1.0)

    async def at_once(path: str, query: object, *, timeout_s: float) -> bytes:
        return page

    kube.get = at_once  # type: ignore[method-assign]  # this server needs no time at all
    turns = 0
    async with running(kube) as mirror:
        while not mirror.reflector.synced:
            turns += 1
            await asyncio.sleep(0)
    assert turns > 400 // 50


# ------------------------------------------------------------ a list on demand


async def test_a_list_on_demand_begins_at_once_and_shows_what_the_watch_has_not_told() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.put("b")  # and no open watch is told
        async with asyncio.timeout(0.1):
            await mirror.reflector.relist()
        assert mirror.names == ["a", "b"]
        await asyncio.sleep(0.01)
        assert mirror.asked == ["list", "watch", "list", "watch"]
        assert mirror.reflector.connected
        assert mirror.reflector.errors == 0
        kube.put("c")
        await kube.announce()
        assert mirror.names == ["a", "b", "c"]


async def test_a_list_that_began_before_the_wish_does_not_fulfil_it() -> None:
    kube = kube_with("a", "b", "c")
    async with running(kube, SMALL_PAGES) as mirror:
        await asyncio.sleep(0.0015)  # between two pages
        kube.put("a", loadBalancerIP="192.0.2.7")
        await mirror.reflector.relist()
        assert mirror.asked[:4] == ["list"] * 4
        assert mirror.reflector.objects[key("shop/a")].requested_address == "192.0.2.7"


async def test_one_list_fulfils_all_wishes_that_came_before_it() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(mirror.reflector.relist())
        assert mirror.asked.count("list") == 2


async def test_a_wish_ends_a_pause_after_a_failure_and_waits_until_a_list_succeeds() -> None:
    kube = kube_with("a")
    async with synced(kube) as mirror:
        kube.broken = Unreachable("away")
        await kube.end_watches(Unreachable("lost"))
        await asyncio.sleep(100)
        before = len(kube.requests)
        async with asyncio.TaskGroup() as group:
            wish = group.create_task(mirror.reflector.relist())
            await asyncio.sleep(0.001)
            assert len(kube.requests) == before + 1
            await asyncio.sleep(100)
            assert not wish.done()
            assert len(kube.requests) < before + 100  # AWAY_CAP_S, halved by chance at most
            kube.broken = None
        assert mirror.reflector.lists == 2


@pytest.mark.looptime
async def test_it_says_which_objects_changed_and_of_the_others_nothing() -> None:
    kube = kube_with("a", "b", "c")
    async with synced(kube) as mirror:
        assert mirror.changed == {"a", "b", "c"}
        mirror.changed.clear()
        kube.put("b", type="ClusterIP")
        kube.delete("c")
        kube.bookmark()
        await kube.announce()
        assert mirror.changed == {"b", "c"}


@pytest.mark.looptime
async def test_of_a_new_list_it_says_only_what_is_another_than_before() -> None:
    kube = kube_with("a", "b", "c")
    async with synced(kube) as mirror:
        mirror.changed.clear()
        kube.put("b", type="ClusterIP")
        kube.put("new")
        kube.delete("c")
        kube.compact()
        await kube.end_watches()
        await asyncio.sleep(30)
        assert mirror.changed == {"b", "c", "new"}
