"""Names as Kubernetes has them: of objects (RFC 1123 section 2.1), namespaces, and of network interfaces."""

import re
from typing import Final

NAMESPACE_MAX: Final = 63
OBJECT_MAX: Final = 253
INTERFACE_MAX: Final = 15  # the kernel's IFNAMSIZ, without the zero at the end

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_INTERFACE: Final = re.compile(r"[^\s/:%]+")


def is_namespace(text: str) -> bool:
    """Whether a namespace may have this name."""
    return len(text) <= NAMESPACE_MAX and _LABEL.fullmatch(text) is not None


def is_object_name(text: str) -> bool:
    """Whether an object of most kinds may have this name."""
    return len(text) <= OBJECT_MAX and all(_LABEL.fullmatch(part) for part in text.split("."))


def is_interface(text: str) -> bool:
    """Whether a network interface of Linux may have this name."""
    return len(text) <= INTERFACE_MAX and text not in {".", ".."} and _INTERFACE.fullmatch(text) is not None
