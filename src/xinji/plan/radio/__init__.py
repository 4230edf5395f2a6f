"""Radio: published path-loss models, antenna, coverage, capacity, and the radio offer."""
