"""The parts of `make_vectors`."""
