"""BFD without sockets, clock or chance; standard library only, for a process that must stay small."""
