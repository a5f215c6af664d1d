"""An embedded Kubernetes API server: enough of the API for Bareway's programs and stock kubectl.

Over real HTTP it serves the kinds that Bareway uses (see ``kinds.py``) and answers 501 with a sentence to
everything else. The demo starts it by default and the tests use it as their API server; one contract suite
(tests/contract) runs against it and against the real kube-apiserver, so that it cannot drift. It also
misbehaves on request (``faults.py``).

In a test: ``async with EmbeddedApi() as api: … api.url``. As a program: ``python -m apiserver --listen
127.0.0.1:8001``.
"""

from apiserver.faults import Fault, Faults, Rule
from apiserver.server import EmbeddedApi
from apiserver.store import Store

__all__ = ["EmbeddedApi", "Fault", "Faults", "Rule", "Store"]
