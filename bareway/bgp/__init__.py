"""BGP-4 for a speaker that imports nothing: codec, routes and the session's machine (RFC 4271)."""
