"""Writing a resource: from a body to rows, in one transaction."""
