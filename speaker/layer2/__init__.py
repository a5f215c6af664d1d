"""The speaker's hands on Ethernet: raw sockets and the links they are bound to."""
