"""Large groups in virtual time: real machines and real bytes, nothing but the edges between them."""
