"""The story of the demo: an address for a Service, a client, a dead node, and another that goes on.

It is told while it happens, with what stock ``kubectl`` and ``curl`` print. What was promised and did not
happen is returned as sentences.
"""

import textwrap
import time
from collections.abc import Callable, Collection, Sequence

from lab.apis import Api
from lab.commands import LabError
from lab.machine import Machine
from lab.network import Lab
from lab.site import POOL, Site, Watchers
from lab.system import System
from lab.trial import Trial, measure
from lab.waiting import wait_for

OUTAGE_MAX_S = 1.0
PAGE_WITHIN_S = 10.0
"""From the moment the address is shown; the speakers may still be starting."""


class Story:
    """Says each step with the time that has passed."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, sentence: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {sentence}", flush=True)

    def show(self, command: str, output: str) -> None:
        print(textwrap.indent(f"$ {command}\n{output.rstrip()}", " " * 10), flush=True)


def fetch(site: Site, address: str) -> str:
    """The page that the client's curl gets, as soon as it gets one."""

    def page() -> str:
        try:
            return site.client.run("curl", "-sS", "--max-time", "1", f"http://{address}/")
        except LabError:
            return ""

    return wait_for(page, what=f"a page from http://{address}/", within_s=PAGE_WITHIN_S)


def visit(story: Story, site: Site, address: str) -> str:
    """Show the client's curl; returns the page."""
    page = fetch(site, address)
    story.show(f"curl http://{address}/", page)
    return page.strip()


def play(story: Story, lab: Lab, api: Callable[[Site], Api]) -> tuple[System, list[str]]:
    """Tell and show it all; returns what runs, and what was not as promised."""
    story.tell("Three nodes, a client and a switch are built from network namespaces.")
    site = Site(lab)
    system = System(site, api)
    system.start_cluster()
    story.tell(f"There is {system.api.name} now; kubectl has written three Nodes.")
    system.start_all()
    story.tell("bareway-controller runs beside it, and a bareway-speaker on each node.")
    system.configure()
    system.publish()
    story.tell(f"A ConfigMap with the pool {POOL} and a Service of type LoadBalancer are applied.")
    address = system.address_of()
    story.tell("The Service has its external address:")
    story.show("kubectl get svc", system.kubectl("get", "svc"))
    story.tell("The client on the same wire asks for the page:")
    pages = [visit(story, site, address)]

    watchers = Watchers(site, address)
    trial = measure(watchers, "bareway", "powered off", lambda owner: switch_off(story, owner, address))
    story.tell(
        f"{trial.successor} took over: it answered ARP after {trial.answered_s:.2f} s; the client asked every"
        f" 10 ms, {trial.requests_failed} requests failed, outage {trial.outage_s:.2f} s."
    )
    pages.append(visit(story, site, address))
    story.tell(f"What the speaker on {trial.successor} says now:")
    story.show("bareway status", system.status(lab.machines[trial.successor]))
    return system, shortfalls(trial, pages, site.pages)


def switch_off(story: Story, owner: Machine, address: str) -> None:
    story.tell(f"{owner.name} answers for {address}. Now its power goes: link down, every process killed.")
    owner.power_off()


def shortfalls(trial: Trial, pages: Sequence[str], expected: Collection[str]) -> list[str]:
    """What was promised and did not happen, a sentence each."""
    found = [
        f"The client got {page!r}, which is no backend's page." for page in pages if page not in expected
    ]
    if trial.outage_s > OUTAGE_MAX_S:
        stall = f"; the host itself stood still for {trial.stall_s:.2f} s" if trial.stall_s else ""
        found.append(f"The outage was {trial.outage_s:.2f} s, more than {OUTAGE_MAX_S:g} s{stall}.")
    if trial.successor == trial.owner:
        found.append(f"{trial.owner} was switched off and answers still.")
    return found
