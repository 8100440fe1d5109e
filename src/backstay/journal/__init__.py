"""The journal: every change of a resource's row, written in the transaction that made it."""
