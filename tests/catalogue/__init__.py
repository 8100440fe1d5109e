"""A catalogue: the schemas of the commerce contract's mask and filter cases (4.7 and 5.7)."""
