"""Real routers in a lab: BIRD, FRR, GoBGP and OpenBGPD from Debian's packages, behind one shape."""
