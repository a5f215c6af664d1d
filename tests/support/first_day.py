"""What a new user reads, in this order: the story of the first day on the real cluster types it as it stands.

Whatever these parts show of a terminal is compared there with what was printed (``support/shown.py``).
"""

from typing import Final

READ: Final = (
    ("docs/install.md", "1. The command, and a first look"),
    ("README.md", "Install"),
    ("docs/install.md", "4. The first Service"),
    ("docs/install.md", "5. Check"),
    ("README.md", "First steps"),
    ("docs/operate.md", "Remove it"),
    ("README.md", "Remove it"),
)
"""Pages, and the headings of their parts."""
