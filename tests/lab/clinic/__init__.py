"""A cluster in the lab in which faults are planted, found by ``bareway why`` and ``doctor``, and cured."""
