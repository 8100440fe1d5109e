"""A catalogue: the schemas of the mask and filter cases in `tests/resources/contract`."""
