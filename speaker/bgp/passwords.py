"""The keys of sessions that stand in Secrets: each Secret is watched by its name, so that RBAC can name it.

Fail static: a Secret that vanishes, or cannot be read any more, leaves the last good key in force as long as
this process lives. A key that was never seen is missing, and its session does not begin.
"""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Final, NoReturn

from bareway.model.names import ObjectKey
from bareway.model.objects import Secret
from bareway.resources.kinds import SECRETS
from bareway.runtime.kube.errors import Forbidden
from bareway.runtime.kube.reflector import Api, Reflector

PASSWORD_FIELD: Final = "password"  # noqa: S105 - the key in a Secret of type kubernetes.io/basic-auth
RETRY_S: Final = 30.0
"""After a refusal: rights are given by people."""


class Passwords:
    """Secrets that peers name, and what stands in them."""

    def __init__(self, client: Api, namespace: str, *, rng: Random, on_change: Callable[[], None]) -> None:
        """``on_change`` is called when a key is another one, or its trouble is; it must not wait."""
        self._client = client
        self._namespace = namespace
        self._rng = rng
        self._on_change = on_change
        self._mirrors: dict[str, Reflector[Secret]] = {}
        self._wanted: frozenset[str] = frozenset()
        self._known: dict[str, bytes | None] = {}
        self._news = asyncio.Event()
        self.refused: dict[str, str] = {}
        """Secrets that we may not read, with the API server's sentence."""

    def want(self, names: frozenset[str]) -> None:
        """Watch these Secrets from now on, and no others."""
        if names != self._wanted:
            self._wanted = names
            self._known = {name: key for name, key in self._known.items() if name in names}
            self._news.set()

    @property
    def found(self) -> Mapping[str, bytes | None]:
        """The key in each Secret that is or was there; None = it has no field ``password``."""
        for name, mirror in self._mirrors.items():
            secret = mirror.objects.get(ObjectKey(self._namespace, name))
            if secret is not None and name in self._wanted:
                self._known[name] = secret.data.get(PASSWORD_FIELD)
        return dict(self._known)

    def is_settled(self, name: str) -> bool:
        """Whether it is known if the Secret is there; until then its absence says nothing."""
        mirror = self._mirrors.get(name)
        return name in self.refused or (mirror is not None and mirror.synced)

    async def run(self) -> NoReturn:
        """Watch what is wanted until cancelled."""
        async with asyncio.TaskGroup() as group:
            tasks: dict[str, asyncio.Task[NoReturn]] = {}
            while True:
                self._news.clear()
                for name in tasks.keys() - self._wanted:
                    tasks.pop(name).cancel()
                    self._mirrors.pop(name, None)
                    self.refused.pop(name, None)
                for name in sorted(self._wanted - tasks.keys()):
                    tasks[name] = group.create_task(self._follow(name), name=f"Secret {name}")
                await self._news.wait()

    async def _follow(self, name: str) -> NoReturn:
        while True:
            mirror = self._mirrors[name] = Reflector(
                self._client,
                SECRETS,
                namespace=self._namespace,
                field_selector=f"metadata.name={name}",
                rng=self._rng,
                on_change=lambda: self._changed(name),
            )
            try:
                await mirror.run()
            except Forbidden as error:
                self.refused[name] = str(error)
                self._on_change()
            await asyncio.sleep(RETRY_S)

    def _changed(self, name: str) -> None:
        mirror = self._mirrors.get(name)
        if mirror is not None and mirror.synced:
            self.refused.pop(name, None)
        self._on_change()
