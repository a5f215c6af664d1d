"""BGP on real sockets: one session with each router, and what this node tells them."""
