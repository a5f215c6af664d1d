"""Why a Service has no address, and who answers for one: the whole chain, from the functions that decide."""
