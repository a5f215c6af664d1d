"""The gossip driver: sockets, time and limits around the machine of `bareway.gossip`."""
