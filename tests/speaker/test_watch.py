from bareway.resources.kinds import CONFIG_MAPS
from bareway.runtime.log import LEVEL_ANNOTATION
from support.rig import rig
from support.until import until


async def test_the_log_level_is_that_of_the_operators_own_config_map_as_long_as_it_stands_there() -> None:
    async with rig() as made:
        assert made.watch.log_level == ""
        await made.config("address-pools: []")
        path = CONFIG_MAPS.path("bareway-system", "config")
        for level in ("debug", None):
            await made.client.merge_patch(path, {"metadata": {"annotations": {LEVEL_ANNOTATION: level}}})
            await until(lambda wanted=level or "": made.watch.log_level == wanted)  # type: ignore[misc]
        await made.create(
            CONFIG_MAPS,
            "bareway-config",
            "bareway-system",
            data={},
        )
        await until(lambda: made.watch.knows_source)
        assert made.watch.log_level == ""
