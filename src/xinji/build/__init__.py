"""Keep to it: the ledger of a region's facilities, and what it says of the plan."""
