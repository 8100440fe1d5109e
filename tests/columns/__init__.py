"""Every type of column times what may be declared of it: generated models, and every verb."""
