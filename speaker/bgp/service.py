"""All of BGP in a speaker: what shall be (`desk`), the sessions (`driver`), how they end (`departure`)."""

import asyncio
from random import Random
from typing import Final, NoReturn

from bareway.bgp.events import Faulty, StateChanged, Told
from bareway.bgp.fsm import State
from bareway.decide.announcement.leaving import LeavingReason, leaving_reason
from bareway.decide.routing.stand_ins import is_alone
from bareway.model.configuration import Layer2Settings
from bareway.runtime.clock import boot_time
from bareway.runtime.kube.reflector import Api
from speaker.bgp.departure import Departure
from speaker.bgp.desk import BgpDesk
from speaker.bgp.driver import BgpDriver
from speaker.bgp.life_sign import BEAT_S, FILE_NAME, LifeSign
from speaker.bgp.passwords import Passwords
from speaker.bgp.report import BgpReport
from speaker.bgp.settings import bfd_connection
from speaker.settings import Settings
from speaker.telling import Recorder
from speaker.watch import Watch

AS_BY_DEFAULT: Final = Layer2Settings()


class BgpService:
    """The parts, and who tells whom."""

    def __init__(
        self, settings: Settings, client: Api, *, watch: Watch, recorder: Recorder, rng: Random
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._sign = LifeSign(settings.socket.with_name(FILE_NAME) if settings.socket else None)
        was_up = self._sign.is_recent(boot_time())
        self.driver = BgpDriver(
            rng=rng,
            on_output=self._on_output,
            is_restart=was_up,
            bfd_connection=bfd_connection(),
        )
        self.passwords = Passwords(client, settings.namespace, rng=rng, on_change=self.look_again)
        self.desk = BgpDesk(
            settings, watch=watch, driver=self.driver, passwords=self.passwords, recorder=recorder
        )
        self.report = BgpReport(settings, watch=watch, desk=self.desk, driver=self.driver)
        self._departure = Departure(
            self.driver,
            reason=self._leaving,
            is_alone=self._is_alone,
            is_known=self._is_known,
            was_up=was_up,
        )

    def look_again(self) -> None:
        """Something changed."""
        self._departure.look_again()
        self.desk.look_again()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._departure.run(), name="BGP drain")
            group.create_task(self.driver.run(), name="BGP sessions")
            group.create_task(self.passwords.run(), name="BGP passwords")
            group.create_task(self.desk.run(), name="BGP routes")
            group.create_task(self._beat(), name="BGP sign of life")

    async def leave(self) -> None:
        """The program ends."""
        had_sessions = self.driver.has_sessions
        await self._departure.leave()
        if self._departure.is_for_good:
            self._sign.forget()
        elif had_sessions:
            self._sign.beat(boot_time())

    def _on_output(self, name: str, output: StateChanged | Told | Faulty) -> None:
        if isinstance(output, StateChanged) and output.after is State.ESTABLISHED:
            self._sign.beat(boot_time())
        self.desk.on_output(name, output)

    async def _beat(self) -> NoReturn:
        while True:
            if self.driver.has_sessions:
                self._sign.beat(boot_time())
            await asyncio.sleep(BEAT_S)

    def _leaving(self) -> LeavingReason | None:
        return leaving_reason(self._watch.me, (self._watch.layer2 or AS_BY_DEFAULT).on_cordon)

    def _is_known(self) -> bool:
        return self._watch.me is not None and self._watch.knows_source and self._watch.nodes.synced

    def _is_alone(self) -> bool:
        """No other Node would announce what we do: then routes are better than none."""
        me, configuration = self._watch.me, self._watch.configured().configuration
        if me is None or configuration is None:
            return True
        nodes = tuple(self._watch.nodes.objects.values())
        return is_alone(me, nodes, configuration, ignore_exclude_label=self._settings.ignore_exclude_label)
