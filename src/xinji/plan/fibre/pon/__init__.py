"""The access network in detail: passive optical networks with two levels of splitters over the trench graph."""
