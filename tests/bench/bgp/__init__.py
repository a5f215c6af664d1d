"""BGP measured: routes at real routers, failures, planned changes."""
