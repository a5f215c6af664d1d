"""What a node tells its BGP routers: with which of them it has sessions, and which routes each one gets."""
