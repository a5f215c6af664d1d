"""The border to gRPC: generated messages, and their translation to and from the model."""
