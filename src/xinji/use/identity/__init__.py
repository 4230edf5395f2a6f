"""The identifier node: records of values under resolvable names, who may see them, and where they are kept."""
