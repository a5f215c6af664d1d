"""What every simulated controller is told at its start."""

from typing import Final

from controller.settings import Settings

SETTINGS: Final = Settings(socket=None, http_port=0)
