"""Network-design engines, each usable on its own: arrays in, a result with its proved bound out."""
