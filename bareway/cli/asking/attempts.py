"""Questions to one API server, each by itself: what is not answered is told, and the rest goes on."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

import msgspec

from bareway.cli.asking.live import list_all
from bareway.model.cluster import Unknown
from bareway.model.names import ObjectKey
from bareway.model.objects import ConfigMap
from bareway.resources.kinds import CONFIG_MAPS, Kind, Unreadable
from bareway.resources.manifests import Misread
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialsUnusable
from bareway.runtime.kube.errors import Forbidden, KubeError, NotFound

T = TypeVar("T")

PART_TIMEOUT_S: Final = 10.0  # for all pages of one kind, or one object
MISREAD_NAMED: Final = 5  # objects of a kind that cannot be read: each by name, the rest as a number


class Attempts:
    """One round of questions, and what could not be learnt by them."""

    def __init__(self, client: KubeClient) -> None:
        self.client = client
        self.unknown: list[Unknown] = []
        self.has_answered = False
        """Whether anybody answered anything, were it with a refusal."""
        self.silence = ""
        """Why somebody did not answer."""

    async def attempt(
        self, subject: str, asked: Awaitable[T], *, right: str = "", may_lack: bool = False
    ) -> T | None:
        """The answer; None if there is none, which is told unless the thing is merely absent.

        ``right`` is what ``kubectl auth can-i`` is to be asked about; a thing that ``may_lack`` is no riddle
        where it is not found.
        """
        try:
            async with asyncio.timeout(PART_TIMEOUT_S):
                found = await asked
        except Forbidden as error:
            self.has_answered = True
            remedy = f"kubectl auth can-i {right}" if right else ""
            self.tell(subject, f"a right is missing: {error.message}", remedy)
        except (KubeError, CredentialsUnusable, Unreadable, msgspec.MsgspecError) as error:
            if may_lack and isinstance(error, NotFound):
                self.has_answered = True
                return None
            self._miss(subject, str(error))
        except TimeoutError:
            self._miss(subject, f"no answer within {PART_TIMEOUT_S:g} s")
        else:
            self.has_answered = True
            return found
        return None

    async def listed(
        self,
        kind: Kind[T],
        *,
        namespace: str | None = None,
        selector: str = "",
        subject: str = "",
        at_most: int | None = None,
        may_lack: bool = False,
    ) -> list[T]:
        """What there is of a kind, as far as it came; objects that cannot be read are named."""
        found: list[T] = []
        misread: list[Misread] = []

        async def ask() -> None:
            async for one in list_all(self.client, kind, namespace=namespace, selector=selector):
                if isinstance(one, Misread):
                    misread.append(one)
                else:
                    found.append(one)
                if len(found) == at_most:
                    return

        where = f" -n {namespace}" if namespace else " --all-namespaces" if kind.namespaced else ""
        right = f"list {kind.plural}{where}"
        await self.attempt(subject or kind.plural, ask(), right=right, may_lack=may_lack)
        self._tell_misread(kind, misread)
        return found

    async def config_map(self, key: ObjectKey) -> ConfigMap | None:
        """None where there is none; that it could not be read is told."""
        return await self.attempt(
            f"ConfigMap {key}",
            self.client.read(CONFIG_MAPS, key),
            right=f"get configmaps/{key.name} -n {key.namespace}",
            may_lack=True,
        )

    def tell(self, subject: str, why: str, remedy: str = "") -> None:
        """Something could not be found out."""
        self.unknown.append(Unknown(subject=subject, why=why, remedy=remedy))

    def _miss(self, subject: str, why: str) -> None:
        self.silence = why
        self.tell(subject, why)

    def _tell_misread(self, kind: Kind[T], misread: Sequence[Misread]) -> None:
        for one in misread[:MISREAD_NAMED]:
            what, _, why = one.problem.message.partition(": ")
            self.tell(what, f"it cannot be read: {one.problem.path}: {why}")
        if len(misread) > MISREAD_NAMED:
            self.tell(f"{len(misread) - MISREAD_NAMED} more {kind.plural}", "they cannot be read")
