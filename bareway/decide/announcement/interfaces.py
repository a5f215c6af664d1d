"""On which links a pool is announced: its key ``interfaces``, names or ``regex:…``.

A pattern need not match the whole name, as in MetalLB's list of interfaces to exclude; anchor it with ``^``
and ``$``. That a pattern is one is checked where the configuration is read.
"""

import re
from typing import Final

from bareway.model.configuration import Pool
from bareway.model.names import InterfaceName

REGEX: Final = "regex:"


def allows(pool: Pool, link: InterfaceName) -> bool:
    """Whether addresses of ``pool`` are announced on ``link``."""
    return not pool.interfaces or any(_matches(pattern, link) for pattern in pool.interfaces)


def _matches(pattern: str, link: InterfaceName) -> bool:
    if pattern.startswith(REGEX):
        return re.search(pattern.removeprefix(REGEX), link) is not None
    return pattern == link
