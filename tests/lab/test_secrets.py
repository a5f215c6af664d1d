"""No secret is ever told: not in a log at level debug, nor in metrics, status or Events.

Both programs run as in a cluster, with a gossip key and passwords of routers that the test knows; keys
change, a program crashes, configurations are refused. Then all that they said is searched.
"""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping

import pytest

from bareway.runtime.settings import HTTP_PORT
from lab import manifests
from lab.apis import EmbeddedApi, program
from lab.machine import Machine
from lab.network import Lab
from lab.process import Process
from lab.site import POOL, Site
from lab.system import System
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

KEYS = ("Tq7-first-key-of-gossip-Zx0Vn4Lw", "Rb3-second-key-of-gossip-Ue8Km1H")
WRITTEN, HELD, REFUSED = "Pw5-in-the-document-Jd2", "Pw6-in-a-Secret-Gs9", "Pw7-of-a-refused-one-Xc4"
SECRETS = (*KEYS, WRITTEN, HELD, REFUSED)
SEEN_WITHIN_S = 20.0
CONNECTION_REFUSED = 7
"""As curl(1) numbers it."""


def forms(secret: str) -> Mapping[str, str]:
    """What it may look like: as it is, in hex, and in base64 wherever it begins in something longer."""
    raw = secret.encode()
    found = {"plain": secret, "hex": raw.hex(), "HEX": raw.hex().upper(), "spaced hex": raw.hex(" ")}
    for encode in (b64encode, urlsafe_b64encode):
        for shift in range(3):
            # Of four letters the first and the last may hold bits of what is beside it.
            whole = encode(bytes(shift) + raw).decode().rstrip("=")
            found[f"{encode.__name__} at {shift}"] = whole[(shift * 8 + 5) // 6 : -1]
    return found


def leaks(told: str) -> list[tuple[str, str]]:
    """Which secrets are in a text, and in which form."""
    return [(secret, form) for secret in SECRETS for form, text in forms(secret).items() if text in told]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "tell",
    [
        pytest.param(lambda secret: f"key={secret}", id="plain"),
        pytest.param(lambda secret: repr(secret.encode()), id="bytes"),
        pytest.param(lambda secret: secret.encode().hex(), id="hex"),
        pytest.param(lambda secret: b64encode(secret.encode()).decode(), id="base64"),
        pytest.param(lambda secret: b64encode(b"x" + secret.encode() + b"y").decode(), id="within base64"),
        pytest.param(lambda secret: b64encode(b"xy" + secret.encode() + b"z").decode(), id="further within"),
    ],
)
def test_whoever_searches_finds_it(secret: str, tell: Callable[[str], str]) -> None:
    assert {found for found, _ in leaks(f"before {tell(secret)} after")} == {secret}


def secret(name: str, **data: str) -> str:
    encoded = {key: b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": name, "namespace": manifests.NAMESPACE}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": encoded})


PEER = "peer-asn: 64500, my-asn: 64512"
PASSWORD = f"- {{name: refused, {PEER}, peer-address: 192.0.2.9, password"
REFUSALS = (
    f"{PASSWORD}: {REFUSED}, password: {REFUSED}}}",
    f"{PASSWORD}: {REFUSED * 9}}}",
    f"{PASSWORD}: [{REFUSED}]}}",
    f"{PASSWORD}: {{{REFUSED}: 1}}}}",
    f"{PASSWORD}: {REFUSED}, password-secret: x}}",
)
"""Lines with a mistake in or beside the password."""


def configuration(router: str, *more: str) -> str:
    """One password written in it, another one in a Secret."""
    lines = (
        "peers:",
        f"- {{name: written, {PEER}, peer-address: {router}, password: {WRITTEN}}}",
        f"- {{name: held, {PEER}, peer-address: {router}, peer-port: 180, password-secret: bareway-bgp}}",
        *more,
    )
    return manifests.configuration(POOL, more="\n".join(lines))


@pytest.fixture
def talkative(lab: Lab) -> System:
    """Two nodes, everything at level debug."""
    system = System(Site(lab, nodes=2), EmbeddedApi)
    system.controller_flags = system.speaker_flags = ("--log-level=debug",)
    system.start_cluster()
    system.apply(secret("memberlist", secretkey=KEYS[0]), secret("bareway-bgp", password=HELD))
    system.apply(configuration(system.site.worker.address))
    system.start_all()
    system.publish()
    system.settle()
    system.address_of()  # the good configuration is in force before there are bad ones
    return system


def programs(system: System) -> list[Process]:
    assert system.controller is not None
    return [system.controller, *system.speakers.values()]


def logs(system: System) -> str:
    return "".join(each.output.read_text() + each.errors.read_text() for each in programs(system))


def announced(system: System) -> str:
    """All Events, once a speaker told one."""
    events = system.kubectl("get", "events", "-A", "-o", "json")
    return events if "nodeAssigned" in events else ""


def page(machine: Machine, path: str) -> str:
    """What a program answers there; empty while nobody listens."""
    return machine.run("curl", "-sS", f"http://127.0.0.1:{HTTP_PORT}{path}", accept=(0, CONNECTION_REFUSED))


def pages(system: System) -> str:
    """What all programs tell whoever asks."""
    asked = []
    for machine in (system.site.api, *system.site.nodes):
        metrics = wait_for(
            lambda on=machine: page(on, "/metrics"),  # type: ignore[misc]
            what=f"metrics on {machine.name}",
            within_s=SEEN_WITHIN_S,
        )
        part = "controller" if machine is system.site.api else "speaker"
        socket = str(system.site.lab.logs / f"{machine.name}-{part}.sock")
        command = (str(program("bareway")), "status", "-o", "json", "--socket", socket)
        asked += [metrics, page(machine, "/readyz"), machine.run(*command, accept=(0, 1, 2))]
    return "".join(asked)


def test_no_secret_is_ever_told_and_the_level_is_lowered_without_a_restart(talkative: System) -> None:
    system, told = talkative, [pages(talkative)]
    for number, line in enumerate(REFUSALS, start=1):
        system.apply(configuration(system.site.worker.address, line))
        wait_for(
            lambda least=number: logs(system).count("the configuration has a problem") >= least,  # type: ignore[misc]
            what=f"the refusal of {line!r}",
            within_s=SEEN_WITHIN_S,
        )
        told.append(pages(system))
    system.apply(secret("memberlist", secretkey=KEYS[1]))
    for speaker in system.speakers.values():
        speaker.wait_for_output("new gossip key in use")
    crashed = system.site.nodes[0]
    system.crash(crashed)
    system.speakers[crashed.name].wait_for_output("the main program died")
    events = wait_for(lambda: announced(system), what="an Event of a speaker", within_s=SEEN_WITHIN_S)
    told += [pages(system), events, logs(system)]
    whole = "".join(told)
    looked_at = (
        '"level":"debug"',
        "metallb_bgp_session_up",
        '"peers"',
        "nodeAssigned",
        "the main program died",
    )
    assert [part for part in looked_at if part not in whole] == []
    assert leaks(whole) == []
    annotate = ("annotate", "configmap", "config", "--namespace", manifests.NAMESPACE)
    system.kubectl(*annotate, "bareway.io/log-level=error")
    for process in programs(system):
        process.wait_for_output('"log level changed","to":"error"')
