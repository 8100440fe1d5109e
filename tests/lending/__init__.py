"""A lending library: what the tests of writes write."""
