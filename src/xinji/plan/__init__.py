"""Wing 1, decide: offers of each technology, the joint staged problem, its plan."""
