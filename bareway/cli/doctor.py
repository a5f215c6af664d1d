"""``bareway doctor``: is this cluster ready for Bareway, and is Bareway well in it?

Works before the installation and on a half-broken cluster: what could not be found out is said. On a node,
or with ``--local``, it looks at that node alone. Exit codes: 0 nothing was found, 1 findings, 2 nothing was
found, but our Pods, our programs or the Services could not be asked, so that it says little.
"""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Final

from bareway.cli.asking.place import (
    EVERY_SPEAKER,
    OVERALL_FACTOR,
    CannotLook,
    add_place,
    is_here,
    look,
    namespace_of,
)
from bareway.cli.asking.running import run
from bareway.cli.pages.doctor import page_of
from bareway.cli.pages.output import add_output, show
from bareway.cli.pages.telling import could_not_tell
from bareway.cli.verb import ExitCode, Verb
from bareway.decide.answers.checks.view import OUR_PODS, DoctorView
from bareway.decide.answers.diagnosis import diagnose
from bareway.model.cluster import Cluster
from bareway.model.surroundings import NodeFacts, Surroundings

if TYPE_CHECKING:
    from bareway.cli.asking.gathering import Wish

NEEDED: Final = (OUR_PODS, "Pod ", "controller ", "speaker on ", "Services", "Service ")
"""How ``unknown`` begins to name what must have answered before silence is good news."""


def _add_arguments(parser: ArgumentParser) -> None:
    add_place(parser)
    add_output(parser)


def _run(arguments: Namespace) -> ExitCode:
    try:
        view, here = _here(arguments) if is_here(arguments) else (_there(arguments), None)
    except CannotLook as error:
        return could_not_tell(str(error))
    diagnosis = diagnose(view)
    show(page_of(diagnosis, here=here), arguments.output)
    if diagnosis.findings:
        return ExitCode.SOMETHING_WRONG
    return ExitCode.COULD_NOT_TELL if _lacks_answers(view.cluster) else ExitCode.WELL


DOCTOR = Verb(add_arguments=_add_arguments, run=_run, answers_here=True)


def _lacks_answers(cluster: Cluster) -> bool:
    """Whether somebody did not answer without whom "nothing was found" means little.

    On a node ``unknown`` names sockets, which do not count: who asks there wants to know of the kernel.
    """
    return any(one.subject.startswith(NEEDED) for one in cluster.unknown)


def _here(arguments: Namespace) -> tuple[DoctorView, NodeFacts | None]:
    """This node alone: its programs, its kernel, and whom it reaches. A controller's Pod is no node."""
    from bareway.cli.asking.kernel import facts_of  # noqa: PLC0415 - asyncio, for those who look

    cluster, namespace = look(arguments), namespace_of(arguments)
    speaker = next(iter(cluster.speakers.values()), None)
    if speaker is None:
        return DoctorView(cluster=cluster, surroundings=Surroundings(namespace=namespace)), None
    facts = facts_of(speaker.node, speaker.members)
    around = Surroundings(namespace=namespace, nodes={speaker.node: facts})
    return DoctorView(cluster=cluster, surroundings=around), facts


def _there(arguments: Namespace) -> DoctorView:
    """The whole cluster.

    Raises:
        CannotLook: nobody could be asked anything.
    """
    from bareway.cli.asking.gathering import NoCluster, Wish  # noqa: PLC0415 - as above
    from bareway.cli.asking.pods import SPEAKERS_ASKED, Patience  # noqa: PLC0415 - aiohttp, from outside

    patience = Patience(pod_s=arguments.timeout, overall_s=arguments.timeout * OVERALL_FACTOR)
    wish = Wish(
        namespace=arguments.namespace,
        speakers_max=EVERY_SPEAKER if arguments.all else SPEAKERS_ASKED,
        patience=patience,
    )
    try:
        return run(_asked(arguments, wish))
    except NoCluster as error:
        raise CannotLook(f"the cluster cannot be asked: {error}") from error


async def _asked(arguments: Namespace, wish: "Wish") -> DoctorView:
    from bareway.cli.asking.gathering import gather, open_cluster  # noqa: PLC0415 - as above
    from bareway.cli.asking.surrounding import surroundings  # noqa: PLC0415 - as above

    async with open_cluster(arguments.kubeconfig) as client:
        cluster = await gather(client, wish)
        around = await surroundings(
            client, wish.namespace, cluster.pods, speakers_max=wish.speakers_max, patience=wish.patience
        )
    return DoctorView(cluster=cluster, surroundings=around)
