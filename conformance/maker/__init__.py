"""What `make_vectors` is made of."""
