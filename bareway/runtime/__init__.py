"""The world, once: clock, log, metrics, the Kubernetes API, HTTP, gRPC and the gossip driver."""
