"""What of a cluster a verb needs to know; it waits for nothing else."""

from enum import Enum


class Part(Enum):
    """One thing that can be learnt. Our Pods are listed in any case."""

    SERVICES = "services"
    NODES = "nodes"
    NAMESPACES = "namespaces"
    SLICES = "slices"
    CONFIGURATION = "configuration"
    MEMORY = "memory"
    LISTS = "lists"
    CONTROLLERS = "controllers"
    SPEAKERS = "speakers"
