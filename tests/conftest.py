"""What all tests share."""

import asyncio

# On Python 3.11 pytest-asyncio asks for "the" event loop before there is one, which would make one that
# nobody closes; the warning about it would fail whichever test runs when it is collected.
asyncio.set_event_loop(None)
