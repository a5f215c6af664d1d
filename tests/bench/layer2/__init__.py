"""Layer 2 measured on the site of the lab: what a client and an observer see of a fault or a planned move."""
