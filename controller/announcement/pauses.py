"""How long the lists leave between two looks at everything."""

from typing import Final

PAUSE_S: Final = 1.0
"""And this much more for each SERVICES_A_SECOND Services."""
SERVICES_A_SECOND: Final = 5_000
BURST_PAUSE_S: Final = 5.0
"""At least so much while fresh addresses come in, each of which is listed by itself."""
CROWD_PAUSE_S: Final = 30.0
"""While a crowd is served: a look at thousands takes time from them, and failover needs no list."""


def pause_s(services: int, *, is_placing: bool = False, is_crowd: bool = False) -> float:
    """Seconds, where there are so many Services.

    Args:
        services: of any type.
        is_placing: whether somebody gets an address just now.
        is_crowd: whether hundreds do, as after a controller's first start.
    """
    least_s = CROWD_PAUSE_S if is_crowd else BURST_PAUSE_S if is_placing else 0.0
    return max(PAUSE_S + services / SERVICES_A_SECOND, least_s)
