"""What is wrong in a chain: each fault with its evidence, what follows for users, and what to do.

In the order of causes: who has no address needs no announcer, and where no endpoint serves no router is to
blame. Sorted by gravity after that (`bareway.decide.answers.why.conclusion`), the first one is the reason.
"""

from collections.abc import Iterator
from typing import Final

from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.why.chain import AddressAnswer, No, ServiceAnswer, Why, WhyReason
from bareway.decide.answers.why.remedies import remedy_of
from bareway.decide.answers.why.sentences import enumerated, finding
from bareway.model.answers import Finding, Gravity

NO_ADDRESS: Final = "nobody reaches the Service from outside"
BY_OWN_FAULT: Final = frozenset(
    {
        Refusal.NO_CLUSTER_ADDRESS,
        Refusal.NOT_DUAL_STACK,
        Refusal.INVALID_REQUEST,
    }
)
"""What no configuration cures."""
REMARKS: Final = frozenset({Refusal.INVALID_REQUEST, Refusal.WRONG_FAMILY, Refusal.SECOND_FAMILY_NOT_SERVED})
"""What is said of a Service that has an address, and not all that it asks for."""


def of_service(one: ServiceAnswer, why: Why) -> Iterator[Finding]:
    """Why a Service has no address, or loses one."""
    subject = f"Service {one.service}"
    if not one.is_ours:
        yield _not_ours(one, subject)
    elif why.configuration.is_known and not why.configuration.is_in_force:
        yield from _without_configuration(why, subject)
    elif one.is_decided:
        yield from _of_decided(one, why, subject)


def of_programs(why: Why) -> Iterator[Finding]:
    """What does not stop this Service today, and the next one tomorrow."""
    mistakes = why.configuration.mistakes
    if mistakes and why.configuration.is_in_force:
        yield _refused_document(mistakes, Gravity.AT_RISK, "what was in force before stays in force")
    if why.leadership.refusal:
        yield finding(
            word=Ailment.OTHER_CONTROLLER,
            gravity=Gravity.AT_RISK,
            subject="controller",
            evidence=f"The controller refuses to work: {_first_sentence(why.leadership.refusal)}",
            consequence="no Service gets an address or is told anything meanwhile",
            remedy=remedy_of(Ailment.OTHER_CONTROLLER),
        )
    elif why.leadership.is_known and not why.leadership.leader:
        yield finding(
            word=WhyReason.NO_CONTROLLER,
            gravity=Gravity.AT_RISK,
            subject="controller",
            evidence="No controller leads",
            consequence="no Service gets an address or is told anything until one does",
            remedy=remedy_of(WhyReason.NO_CONTROLLER),
        )


def of_free_address(one: AddressAnswer, why: Why) -> Iterator[Finding]:
    """An address that was asked about and that nobody has."""
    if not why.configuration.is_known:
        return
    if not why.configuration.is_in_force:
        yield from _without_configuration(why, one.address)
    elif not one.pool:
        yield finding(
            word=Refusal.NOT_IN_ANY_POOL,
            gravity=Gravity.BROKEN,
            subject=one.address,
            evidence=f"{one.address} is in no pool of the configuration",
            consequence="Bareway neither gives it to a Service nor answers for it",
            remedy=remedy_of(Refusal.NOT_IN_ANY_POOL, address=one.address),
        )
    elif one.quarantine_s:
        yield finding(
            word=Refusal.QUARANTINED,
            gravity=Gravity.AT_RISK,
            subject=one.address,
            evidence=f"A stranger answered for {one.address}, so it is given to nobody for"
            f" {one.quarantine_s} s more",
            consequence="no Service gets this address, unless it asks for it by name",
            remedy=remedy_of(Refusal.QUARANTINED, address=one.address),
        )


def _not_ours(one: ServiceAnswer, subject: str) -> Finding:
    if not one.is_load_balancer:
        word, evidence = WhyReason.NOT_LOAD_BALANCER, f"{subject} is not of type LoadBalancer"
    else:
        theirs = one.load_balancer_class or ""
        asks = f"class {theirs}" if theirs else "no class"
        ours = f"those of class {one.our_class}" if one.our_class else "those without a class"
        word = WhyReason.OTHER_CLASS
        evidence = f"{subject} names {asks}, and Bareway serves {ours} here"
    return finding(
        word=word,
        gravity=Gravity.BROKEN,
        subject=subject,
        evidence=evidence,
        consequence="Bareway gives it no address and takes none away",
        remedy=remedy_of(word, service=one.service, our_class=one.our_class or ""),
    )


def _without_configuration(why: Why, subject: str) -> Iterator[Finding]:
    if why.configuration.mistakes:
        yield _refused_document(
            why.configuration.mistakes, Gravity.BROKEN, "no configuration is in force, so there are no pools"
        )
    else:
        yield finding(
            word=WhyReason.NO_CONFIGURATION,
            gravity=Gravity.BROKEN,
            subject=subject,
            evidence="There is no configuration in force, so there are no pools",
            consequence="no Service gets an address",
            remedy=remedy_of(WhyReason.NO_CONFIGURATION),
        )


def _refused_document(mistakes: tuple[str, ...], gravity: Gravity, consequence: str) -> Finding:
    return finding(
        word=WhyReason.CONFIGURATION_REFUSED,
        gravity=gravity,
        subject="configuration",
        evidence=f"The newest configuration is refused: {mistakes[0]}",
        consequence=consequence,
        remedy=remedy_of(WhyReason.CONFIGURATION_REFUSED),
    )


def _of_decided(one: ServiceAnswer, why: Why, subject: str) -> Iterator[Finding]:
    if one.word:
        if why.configuration.mistakes and one.word not in BY_OWN_FAULT:
            yield _refused_document(
                why.configuration.mistakes, Gravity.BROKEN, f"{subject} waits for what it would change"
            )
        yield _refused(one, subject)
        return
    for lost in one.loses:
        yield finding(
            word=lost.word,
            gravity=Gravity.BROKEN,
            subject=lost.subject,
            evidence=f"{subject} shows {lost.subject} and may not keep it: {lost.sentence}",
            consequence="the address is taken away from it",
            remedy=remedy_of(lost.word, service=one.service, address=lost.subject),
        )
    if set(one.granted) != set(one.shows):
        yield _not_written(one, why, subject)
    for remark in one.why_not:
        if remark.word in REMARKS:
            yield _remark(one, remark, subject)


def _refused(one: ServiceAnswer, subject: str) -> Finding:
    """The word of the address or the pool that it asks for says more than "no free address"."""
    telling = _telling(one)
    return finding(
        word=telling.word,
        gravity=Gravity.BROKEN,
        subject=subject,
        evidence=f"{subject} gets no address: {telling.sentence}",
        consequence=NO_ADDRESS,
        remedy=remedy_of(
            telling.word,
            service=one.service,
            pool=telling.subject.removeprefix("pool "),
            address=telling.subject,
        ),
    )


def _telling(one: ServiceAnswer) -> No:
    """The reason to look at first.

    "No free address" is what all pools together come to: the first pool that could have given one says why.
    """
    if one.word != Refusal.NO_FREE_ADDRESS:
        named = next((pool.name for pool in one.pools if pool.word == one.word), one.asks_pool)
        subject = next((no.subject for no in one.why_not if no.word == one.word), "")
        return No(subject=subject or f"pool {named}", word=one.word, sentence=one.sentence)
    said = [pool for pool in one.pools if pool.word]
    rank = {word.value: number for number, word in enumerate(NEAREST)}
    best = min(said, key=lambda pool: rank.get(pool.word, len(rank)), default=None)
    if best is None:
        return No(subject="", word=one.word, sentence=one.sentence)
    return No(subject=f"pool {best.name}", word=best.word, sentence=best.sentence)


NEAREST: Final = (
    Refusal.QUOTA_EXHAUSTED,
    Refusal.POOL_EXHAUSTED,
    Refusal.SERVICE_NOT_SELECTED,
    Refusal.NAMESPACE_NOT_ALLOWED,
    Refusal.AUTO_ASSIGN_OFF,
    Refusal.WRONG_FAMILY,
)
"""What a pool says, the pool that came nearest to giving an address first.

One that wants to be named gives one at once; one of another family never does.
"""


def _not_written(one: ServiceAnswer, why: Why, subject: str) -> Finding:
    given = enumerated(one.granted)
    word: str
    if why.leadership.refusal:
        word = Ailment.OTHER_CONTROLLER
        evidence = f"{subject} would get {given}, but {_first_sentence(why.leadership.refusal)}"
    elif why.leadership.is_known and not why.leadership.leader:
        word = WhyReason.NO_CONTROLLER
        evidence = f"{subject} would get {given}, but no controller leads that could give it"
    else:
        word = WhyReason.NOT_WRITTEN
        evidence = f"{subject} is given {given} and does not show it"
    return finding(
        word=word,
        gravity=Gravity.BROKEN,
        subject=subject,
        evidence=evidence,
        consequence=NO_ADDRESS if not one.shows else "it is not reached on all of its addresses",
        remedy=remedy_of(word, service=one.service),
    )


def _remark(one: ServiceAnswer, remark: No, subject: str) -> Finding:
    return finding(
        word=remark.word,
        gravity=Gravity.AT_RISK,
        subject=subject,
        evidence=f"{subject} does not get all that it asks for: {remark.sentence}",
        consequence="what it has, it keeps",
        remedy=remedy_of(remark.word, service=one.service),
    )


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0]
