"""A whole group of gossip machines in virtual time, from one seed: hosts, edges, clients and faults."""
