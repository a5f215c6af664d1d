"""Generated from proto/bareway/rpc/v1 by make proto; not edited."""
