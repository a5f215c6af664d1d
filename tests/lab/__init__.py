"""Real packets on one machine: nodes, switches and clients in network namespaces (root, Linux).

``network.Lab`` builds and always removes them; ``system.System`` runs Bareway in them; ``demo`` shows it.
"""
