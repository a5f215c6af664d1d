"""What ``bareway uninstall`` says: what it would take away, what it took, what is left."""

from collections.abc import Sequence

from bareway.cli.pages.findings import unknown_block
from bareway.cli.pages.output import versioned
from bareway.cli.pages.shapes import Block, Cell, Column, Lines, Mood, Page, Table, columns
from bareway.cli.writing.removing import Failure
from bareway.decide.answers.leftovers import (
    MarkRemoval,
    Removal,
    RemovalRefusal,
    ServiceRemoval,
    leftovers,
    running,
    serves_too,
    strangers,
    words_of,
)
from bareway.model.answers import Finding, Gravity
from bareway.model.names import ObjectKey
from bareway.model.plain import plain
from bareway.model.remains import Remains

ON_NODES = (
    "On nodes no address, no route and no rule was ever set. What may still lie there:",
    "  the folder /run/bareway, where BGP was used (gone with a reboot): rm -r /run/bareway",
    "  an image that was imported by hand: ctr -n k8s.io images rm docker.io/library/bareway:VERSION",
)
NOTHING = "Nothing of Bareway is left in the API."
NOTHING_TO_TAKE = "There is nothing to take from Services, Nodes and ConfigMaps."
STRANGE_MAX = 10  # Services whose address stays, each by name; the rest as a number
NOWHERE = "Nothing was found where it could be looked."


def plan_page(remains: Remains, removals: Sequence[Removal], *, keep_addresses: bool) -> Page:
    """What would be done, and what is to be done besides."""
    blocks: list[Block] = []
    if remains.elsewhere:
        blocks.append(Lines(lines=(Cell(_living(remains), Mood.BAD),)))
    elif removals:
        title = "bareway uninstall --yes takes this away; without --yes nothing is written:"
        blocks.append(_table(removals, title))
    else:
        blocks.append(Lines(lines=(NOWHERE if remains.unknown else NOTHING_TO_TAKE,)))
    blocks += _kept(remains, keep_addresses=keep_addresses)
    steps = steps_of(remains, removals, keep_addresses=keep_addresses)
    if steps:
        lines = [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
        blocks.append(Lines(lines=(Cell("All of it, in this order:", Mood.TITLE), *lines)))
    blocks.append(Lines(lines=ON_NODES))
    data = versioned(
        {
            "mode": "plan",
            "removals": [_removal(one) for one in removals],
            "steps": list(steps),
            "unknown": plain(remains.unknown),
        }
    )
    return Page(blocks=(*blocks, *unknown_block(remains.unknown)), data=data)


def done_page(done: Sequence[Removal], failed: Sequence[Failure], remains: Remains) -> Page:
    """What was taken away, and what was not."""
    blocks: list[Block] = []
    ordered = sorted(done, key=_order)
    if ordered:
        blocks.append(_table(ordered, "Taken away:"))
    elif not failed:
        blocks.append(Lines(lines=("There was nothing to take away.",)))
    blocks += _strange(remains)
    if failed:
        lines = [Cell(f"  {subject_of(one.removal)}: {one.why}", Mood.BAD) for one in failed]
        blocks.append(Lines(lines=(Cell(f"Still there ({len(failed)}):", Mood.TITLE), *lines)))
    blocks.append(Lines(lines=(Cell("Then:", Mood.TITLE), *(f"  {step}" for step in _last_steps(remains)))))
    data = versioned(
        {
            "mode": "done",
            "removals": [_removal(one) for one in ordered],
            "failed": [{**_removal(one.removal), "why": one.why} for one in failed],
            "steps": list(_last_steps(remains)),
            "unknown": plain(remains.unknown),
        }
    )
    return Page(blocks=(*blocks, *unknown_block(remains.unknown)), data=data)


def refusal_page(refusal: RemovalRefusal, remains: Remains) -> Page:
    """Why nothing was done."""
    there = ", ".join(running(remains))
    if remains.elsewhere:
        why = f"{refusal}: nothing was taken away. {_living(remains)}"
        remedy = f"{_other(remains)}   (if you mean that one)"
    elif refusal is RemovalRefusal.PROGRAMS_RUN:
        why = f"{refusal}: nothing was taken away, since the controller would write it again ({there})."
        remedy = _stops(remains)[0]
    else:
        why = f"{refusal}: nothing was taken away, since it is not known whether a controller runs."
        remedy = f"kubectl -n {remains.namespace} get deployments,pods -l app=bareway"
    lines = (Cell(why, Mood.BAD), f"  To do: {remedy}")
    data = versioned({"mode": "refused", "refused": str(refusal), "running": list(running(remains))})
    return Page(
        blocks=(Lines(lines=lines), *unknown_block(remains.unknown)),
        data={**data, "remedy": remedy, "unknown": plain(remains.unknown)},
    )


def verify_page(remains: Remains, *, keep_addresses: bool) -> Page:
    """What is left, each with the command that removes it."""
    found = leftovers(remains, keep_addresses=keep_addresses)
    blocks: list[Block] = []
    if found:
        blocks.append(
            Table(
                columns=(*columns("WORD", "WHAT", "TO DO"), Column("SEEN", wide=True)),
                rows=tuple(map(_row, found)),
                title=f"Left of Bareway ({len(found)}):",
            )
        )
    elif not remains.unknown:
        blocks.append(Lines(lines=(Cell(NOTHING, Mood.GOOD),)))
    else:
        blocks.append(Lines(lines=(NOWHERE,)))
    blocks.append(Lines(lines=ON_NODES))
    data = versioned({"mode": "verify", "leftovers": plain(found), "unknown": plain(remains.unknown)})
    return Page(blocks=(*blocks, *unknown_block(remains.unknown)), data=data)


def steps_of(remains: Remains, removals: Sequence[Removal], *, keep_addresses: bool) -> tuple[str, ...]:
    """Every command that is left to type, in an order that is always safe."""
    if remains.elsewhere:
        return (_other(remains), "bareway uninstall --verify")
    steps: list[str] = []
    if running(remains):
        steps.extend(_stops(remains))
    if removals:
        steps.append("bareway uninstall --yes" + (" --keep-addresses" if keep_addresses else ""))
    return (*steps, *_last_steps(remains))


def subject_of(removal: Removal) -> str:
    """The object that something is taken from."""
    match removal:
        case ServiceRemoval(service=service):
            return f"Service {service.key}"
        case MarkRemoval(kind=kind, key=key):
            return f"{kind} {key}"


def _kept(remains: Remains, *, keep_addresses: bool) -> tuple[Block, ...]:
    """Addresses that stay, where another load balancer serves the Service now or has written its own."""
    kept = [
        one
        for one in remains.services
        if one.condition is not None and one.condition.is_true and one.ingress and serves_too(remains, one)
    ]
    if keep_addresses or remains.elsewhere:
        return ()
    if not kept:
        return _strange(remains)
    many = "1 Service keeps its address" if len(kept) == 1 else f"{len(kept)} Services keep their addresses"
    why = "another load balancer serves that class too"
    if remains.foreign_classes is None:
        why = "it is not known whether another load balancer serves them too"
    return (Lines(lines=(Cell(f"{many}: {why}.", Mood.ODD),)), *_strange(remains))


def _strange(remains: Remains) -> tuple[Block, ...]:
    """Addresses that are not cleared, since somebody else gave them."""
    found = [
        (one.key, shown)
        for one in remains.services
        if one.condition is not None and not serves_too(remains, one) and (shown := strangers(remains, one))
    ]
    lines = [
        f"Service {key} keeps {', '.join(map(str, shown))}: neither our condition nor our pools name that."
        for key, shown in sorted(found)
    ]
    more = [f"{len(lines) - STRANGE_MAX} more Services keep theirs likewise."][: len(lines) > STRANGE_MAX]
    shown_lines = tuple(Cell(line, Mood.ODD) for line in [*lines[:STRANGE_MAX], *more])
    return (Lines(lines=shown_lines),) if lines else ()


def _living(remains: Remains) -> str:
    """That another Bareway is there than the one that was asked for."""
    where = ", ".join(sorted({one.key.namespace for one in remains.elsewhere}))
    there = ", ".join(f"{one.kind} {one.key}" for one in remains.elsewhere)
    return f"Bareway runs in namespace {where} ({there}), and needs what it wrote into Services and Nodes."


def _other(remains: Remains) -> str:
    return f"bareway uninstall -n {min(one.key.namespace for one in remains.elsewhere)}"


def _last_steps(remains: Remains) -> tuple[str, ...]:
    steps: list[str] = []
    if remains.workloads or remains.own_namespace is not None or remains.traces:
        steps.append("kubectl delete -k manifests/   (with the folder that you installed from)")
    return (*steps, "bareway uninstall --verify")


def _stops(remains: Remains) -> tuple[str, ...]:
    """The commands that end what runs: it is told to end, and it has ended."""
    wait = f"kubectl -n {remains.namespace} wait --for=delete pod -l app=bareway,component=controller"
    deployments = [one.key.name for one in remains.workloads if one.kind == "Deployment" and not one.is_idle]
    if not deployments:
        return (wait,)
    return f"kubectl -n {remains.namespace} scale deployment/{deployments[0]} --replicas=0", wait


def _table(removals: Sequence[Removal], title: str) -> Table:
    rows = tuple((subject_of(one), ", ".join(words_of(one)), _what(one)) for one in removals)
    return Table(columns=columns("FROM", "TAKES", "WHICH IS"), rows=rows, title=title)


def _what(removal: Removal) -> str:
    if isinstance(removal, MarkRemoval):
        return removal.annotation
    return ", ".join([*map(str, removal.addresses), *removal.annotations])


def _removal(removal: Removal) -> dict[str, object]:
    addresses = map(str, removal.addresses) if isinstance(removal, ServiceRemoval) else ()
    kind, key = _who(removal)
    return {
        "kind": kind,
        "namespace": key.namespace,
        "name": key.name,
        "words": list(map(str, words_of(removal))),
        "addresses": list(addresses),
    }


def _who(removal: Removal) -> tuple[str, ObjectKey]:
    match removal:
        case ServiceRemoval(service=service):
            return "Service", service.key
        case MarkRemoval(kind=kind, key=key):
            return kind, key


def _order(removal: Removal) -> tuple[str, ObjectKey]:
    return _who(removal)


def _row(finding: Finding) -> tuple[Cell | str, ...]:
    mood = Mood.BAD if finding.gravity is Gravity.BROKEN else Mood.ODD
    return (Cell(finding.word, mood), finding.subject, finding.remedy, finding.evidence)
