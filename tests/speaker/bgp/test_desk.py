"""From objects in the API to what the driver is told."""

import logging
from ipaddress import IPv4Address

import pytest

from apiserver import Fault
from bareway.bgp.routes import community
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.routing.sessions import SessionRefusal
from bareway.model.names import ObjectKey
from bareway.model.nodes import EXCLUDE_LABEL
from bareway.model.steps import PIECE
from bareway.resources.kinds import CONFIG_MAPS, NODES, SECRETS, SERVICES
from speaker.bgp import desk as desks
from speaker.bgp.telling import AT_START_MAX
from support.bgp_desk import DOCUMENT, PEER, POOL, SYSTEM, bgp_desk
from support.until import until

WITH_SECRET = f"peers: [{PEER[:-1]}, password-secret: bareway-bgp}}]\n{POOL}"
WEB = ObjectKey("default", "web")


async def test_a_peer_is_configured_and_a_service_announced() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.service("web", "198.51.100.7", "b")
        await made.config()
        await made.routes("198.51.100.7/32")
        assert made.driver.peers["peer1"].router_id == IPv4Address("10.9.0.11")
        assert made.events("nodeAssigned") == [
            ("default/web", 'announcing from node "a" with protocol "bgp"')
        ]


async def test_a_session_begins_before_caches_are_synced_and_routes_after() -> None:
    async with bgp_desk() as made:
        made.watch.slices._synced.clear()  # as if that list had not come yet
        await made.node()
        await made.config()
        await until(lambda: made.driver.peers)
        await made.desk.look()
        assert made.driver.is_complete is None
        made.watch.slices._synced.set()
        made.desk.look_again()
        await made.routes()


async def test_a_document_that_may_not_count_begins_no_session() -> None:
    async with bgp_desk() as made:
        made.watch._in_force._synced.clear()  # as if that ConfigMap had not come yet
        await made.node()
        await made.config()
        await until(lambda: made.watch.configured().configuration is not None)
        await made.desk.look()
        assert made.driver.configured == 0
        made.watch._in_force._synced.set()
        made.desk.look_again()
        await until(lambda: made.driver.peers)


async def test_nothing_is_said_twice() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        before = (made.driver.configured, made.driver.wanted, len(made.recorder.told))
        await made.serve("web", "b", "c")
        await made.client.create(
            SERVICES.path("default"),
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "inner", "namespace": "default"},
                "spec": {"ports": [{"port": 80}]},
            },
        )
        await until(lambda: len(made.watch.services.objects) == 2)
        await made.desk.look()
        assert (made.driver.configured, made.driver.wanted, len(made.recorder.told)) == before


@pytest.mark.parametrize("piece", [PIECE, 0], ids=["at once", "in turns"])
async def test_routes_follow_services_endpoints_and_addresses(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "PIECE", piece)
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "a", policy="Local")
        await made.service("mail", "198.51.100.8", "b")
        await made.routes("198.51.100.7/32", "198.51.100.8/32")
        await made.serve("web", "b")
        await made.routes("198.51.100.8/32")
        await made.serve("web", "b", "a")
        await made.assign("mail", "198.51.100.9")
        await made.routes("198.51.100.7/32", "198.51.100.9/32")
        await made.client.delete(SERVICES.path("default", "mail"))
        await made.routes("198.51.100.7/32")


async def test_one_change_decides_one_service_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[ObjectKey, ...]] = []
    look = desks.BgpDesk._look

    async def counted(self: desks.BgpDesk, routing: object, services: object, now: float) -> object:
        looked.append(tuple(services))  # type: ignore[arg-type]  # an iterable of keys
        return await look(self, routing, services, now)  # type: ignore[arg-type]  # as it came

    async with bgp_desk() as made:
        await made.node()
        await made.config()
        for number in range(1, 6):
            await made.service(f"web{number}", f"198.51.100.{number}", "b")
        await made.routes(*(f"198.51.100.{number}/32" for number in range(1, 6)))
        monkeypatch.setattr(desks.BgpDesk, "_look", counted)
        await made.assign("web3", "198.51.100.33")
        await made.routes(*(f"198.51.100.{number}/32" for number in (1, 2, 33, 4, 5)))
        assert {key for keys in looked for key in keys} == {ObjectKey("default", "web3")}


async def test_another_configuration_is_another_ground() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        advertised = "bgp-advertisements: [{communities: ['64512:1']}]"
        await made.config(DOCUMENT.replace("addresses:", f"{advertised}, addresses:"))
        await until(lambda: made.driver.told()["198.51.100.7/32"].communities == (community("64512:1"),))
        await made.config(POOL)
        await until(lambda: made.driver.peers == {})
        assert len(made.events("nodeAssigned")) == 1


async def test_profiles_are_handed_on_with_the_peers() -> None:
    async with bgp_desk() as made:
        await made.node()
        document = f"peers: [{PEER[:-1]}, bfd-profile: fast}}]\n{POOL}"
        await made.config(document + "bfd-profiles: [{name: fast, receive-interval: 100}]\n")
        await until(lambda: made.driver.peers)
        assert made.driver.peers["peer1"].bfd_profile == "fast"
        assert made.driver.profiles["fast"].receive_interval_ms == 100
        await made.config(document + "bfd-profiles: [{name: fast, receive-interval: 50}]\n")
        await until(lambda: made.driver.profiles["fast"].receive_interval_ms == 50)


async def test_a_node_without_a_network_keeps_its_sessions_and_takes_its_routes_back() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.node("b", "10.9.0.12")
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        await made.node_status("a", {"conditions": [{"type": "NetworkUnavailable", "status": "True"}]})
        await made.routes()
        assert made.desk.routing is not None
        assert made.desk.routing.withheld == {WEB: Refusal.NODE_NETWORK_UNAVAILABLE}
        assert list(made.driver.peers) == ["peer1"]
        await made.node_status("a", {"conditions": []})
        await made.routes("198.51.100.7/32")


async def test_the_exclude_label_takes_routes_back_unless_every_node_has_it() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.node("b", "10.9.0.12")
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        await made.label("a", **{EXCLUDE_LABEL: ""})
        await made.routes()
        await made.label("b", **{EXCLUDE_LABEL: ""})
        await made.routes("198.51.100.7/32")


async def test_labels_of_the_node_choose_its_peers() -> None:
    async with bgp_desk() as made:
        await made.node(rack="1")
        selected = f"{PEER[:-1]}, node-selectors: [{{match-labels: {{rack: '2'}}}}]}}"
        await made.config(f"peers: [{selected}]\n{POOL}")
        await until(lambda: made.desk.sessions.refused)
        assert made.desk.sessions.refused == {"peer1": SessionRefusal.NODE_NOT_SELECTED}
        await made.label("a", rack="2")
        await until(lambda: made.driver.peers)


async def test_a_node_whose_object_vanishes_goes_on_as_it_was() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        await made.client.delete(NODES.path(None, "a"))
        await until(lambda: not made.watch.nodes.objects)
        await made.desk.look()
        assert list(made.driver.peers) == ["peer1"]
        assert set(made.driver.told()) == {"198.51.100.7/32"}


async def test_an_api_server_that_is_away_takes_nothing_back() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        before = (made.driver.configured, made.driver.wanted)
        await made.api.stop()
        await until(lambda: not made.watch.connected)
        await made.desk.look()
        assert (made.driver.configured, made.driver.wanted) == before
        await made.api.start()


async def test_a_configuration_that_is_gone_stays_in_force() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        await made.client.delete(CONFIG_MAPS.path(SYSTEM, "config"))
        await until(lambda: not made.watch._written.objects)
        await made.desk.look()
        assert list(made.driver.peers) == ["peer1"]
        assert set(made.driver.told()) == {"198.51.100.7/32"}


async def test_all_is_looked_at_again_after_a_while() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.config()
        await made.service("web", "198.51.100.7", "b")
        await made.routes("198.51.100.7/32")
        routing = made.desk.routing
        assert routing is not None
        lost = routing._put(WEB, None)  # as if an event had been missed
        assert len(list(lost)) == 1
        made.desk._resync_at = 0.0
        made.desk.look_again()
        await until(lambda: WEB in routing.announced)


# ---------------------------------------------------------------- keys in Secrets


async def test_a_session_waits_for_its_key_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "speaker.bgp"):
        async with bgp_desk() as made:
            await made.node()
            await made.config(WITH_SECRET)
            await until(lambda: made.events("BGPSessionRefused"))
            await made.desk.look()
            assert made.driver.peers == {}
            assert made.desk.sessions.refused == {"peer1": SessionRefusal.KEY_MISSING}
            await made.secret("bareway-bgp", {"password": "s3cret"})
            await until(lambda: made.driver.peers)
            assert made.driver.peers["peer1"].password == b"s3cret"
    sentence = (
        "no BGP session with peer1 (10.9.0.1) without its password:"
        " there is no Secret bareway-bgp in this namespace"
    )
    assert made.events("BGPSessionRefused") == [("a", sentence)]
    assert len([record for record in caplog.records if record.getMessage() == "no BGP session"]) == 1


async def test_a_new_key_is_handed_on_and_a_secret_that_vanishes_leaves_the_last() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.secret("bareway-bgp", {"password": "one"})
        await made.config(WITH_SECRET)
        await until(lambda: made.driver.peers)
        await made.client.merge_patch(
            SECRETS.path(SYSTEM, "bareway-bgp"), {"stringData": {"password": "two"}}
        )
        await until(lambda: made.driver.peers["peer1"].password == b"two")
        await made.client.delete(SECRETS.path(SYSTEM, "bareway-bgp"))
        await until(lambda: not made.passwords._mirrors["bareway-bgp"].objects)
        await made.desk.look()
        assert made.driver.peers["peer1"].password == b"two"


async def test_a_secret_without_a_password_is_named() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.secret("bareway-bgp", {"key": "s3cret"})
        await made.config(WITH_SECRET)
        await until(lambda: made.events("BGPSessionRefused"))
        assert made.desk.sessions.refused == {"peer1": SessionRefusal.KEY_UNUSABLE}
        assert "no key `password` of 1 to 80 bytes" in made.events("BGPSessionRefused")[0][1]


async def test_a_right_that_is_missing_stops_one_session_and_nothing_else() -> None:
    async with bgp_desk() as made:
        made.api.faults.add(fault=Fault.FORBIDDEN, verb="list", resource="secrets", times=None)
        await made.node()
        other = PEER.replace("peer1", "peer2").replace("10.9.0.1", "10.9.0.2")
        await made.config(WITH_SECRET.replace("peers: [", f"peers: [{other}, "))
        await until(lambda: made.events("BGPSessionRefused"))
        assert list(made.driver.peers) == ["peer2"]
        assert "Secret bareway-bgp cannot be read" in made.events("BGPSessionRefused")[0][1]


async def test_a_secret_that_no_peer_names_any_more_is_forgotten() -> None:
    async with bgp_desk() as made:
        await made.node()
        await made.secret("bareway-bgp", {"password": "one"})
        await made.config(WITH_SECRET)
        await until(lambda: made.driver.peers)
        await made.config()
        await until(lambda: made.passwords._mirrors == {})
        assert made.passwords.found == {}
        assert made.driver.peers["peer1"].password == b""


# ---------------------------------------------------------------- what is told


async def test_at_a_start_only_few_services_are_told() -> None:
    async with bgp_desk() as made:
        teller = made.desk._teller
        many = [ObjectKey("default", f"web{number}") for number in range(AT_START_MAX + 1)]
        teller.announced(many, at_start=True)
        assert made.recorder.told == []
        teller.announced(many[:AT_START_MAX], at_start=True)
        assert len(made.recorder.told) == AT_START_MAX
        teller.announced(many)
        assert len(made.recorder.told) == 2 * AT_START_MAX + 1
