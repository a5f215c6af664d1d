"""Controllers of one cluster in virtual time, from one seed: processes, an API server, users and faults."""
